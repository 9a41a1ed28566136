import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import type { NeighbourFact } from '../../src/service/watch-letters.ts';
import { openNeighbourStore } from '../../src/watch/neighbour-store.ts';
import { ip4, mac } from '../dhcp/test-plan.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-neighbours-'));
after(() => rmSync(root, { recursive: true }));
const NOW = 1_700_000_000_000;

function fact(n: number, lastSeen = NOW): NeighbourFact {
  const pair = { address: ip4(`192.168.127.${n}`), mac: mac('02:00:00:00:00:0a') };
  return { interface: 'eth0', vlan: 7, innerVlan: 100, ...pair, firstSeen: NOW - 5000, lastSeen, isKnown: true };
}

test('what was written is there after a restart, oldest first; what is older than wanted is deleted with the next write', () => {
  const file = join(root, 'deep', 'neighbours.db');
  const { store, replaced } = openNeighbourStore(file, NOW);
  assert.equal(replaced, undefined);
  store.write([fact(1), fact(2, NOW - 10), fact(3, NOW - 99)], [], 0);
  store.write([fact(2, NOW - 5)], [fact(3)], 0);
  store.close();
  const again = openNeighbourStore(file, NOW).store;
  assert.deepEqual(again.load(0, 9), [fact(2, NOW - 5), fact(1)]);
  assert.deepEqual(again.load(0, 1), [fact(1)]);
  assert.deepEqual(again.load(NOW - 1, 9), [fact(1)]);
  again.write([], [], NOW - 1);
  assert.deepEqual(again.load(0, 9), [fact(1)]);
  again.close();
  const rows = new DatabaseSync(file).prepare('SELECT address, mac, vlan FROM neighbours').all();
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [['192.168.127.1', '02:00:00:00:00:0a', 7]],
  );
});

for (const [what, spoil] of [
  [
    'garbage',
    (file: string) =>
      writeFileSync(file, 'not a database, but more than a header has, and some more than that'.repeat(99)),
  ],
  ['one of a later version', (file: string) => new DatabaseSync(file).exec('PRAGMA user_version = 99')],
] as const) {
  test(`a file that is ${what} is set aside, and neighbours are kept in a new one`, () => {
    const file = join(root, `${what}.db`);
    spoil(file);
    const { store, replaced } = openNeighbourStore(file, NOW);
    assert.ok(replaced && existsSync(replaced.setAside));
    store.write([fact(1)], [], 0);
    store.close();
    assert.deepEqual(openNeighbourStore(file, NOW).store.load(0, 9), [fact(1)]);
  });
}

/** Another program that has the file for a tenth of a second, in a thread of its own. */
async function hold(file: string): Promise<Worker> {
  const program = `
    const { DatabaseSync } = require('node:sqlite');
    const { parentPort, workerData } = require('node:worker_threads');
    const database = new DatabaseSync(workerData);
    database.exec('BEGIN EXCLUSIVE');
    parentPort.postMessage('held');
    setTimeout(() => database.close(), 100);`;
  const worker = new Worker(program, { eval: true, workerData: file });
  await once(worker, 'message');
  return worker;
}

test('a file that somebody else has for a moment is waited for', async () => {
  const file = join(root, 'held.db');
  openNeighbourStore(file, NOW).store.close();
  const ended = once(await hold(file), 'exit');
  const { store } = openNeighbourStore(file, NOW);
  store.write([fact(1)], [], 0);
  store.close();
  await ended;
  assert.deepEqual(openNeighbourStore(file, NOW).store.load(0, 9), [fact(1)]);
});

test('where no file can be, that is said and nothing set aside', () => {
  const file = join(root, 'directory.db');
  mkdirSync(file);
  assert.throws(() => openNeighbourStore(file, NOW), /unable to open/);
  assert.deepEqual(
    readdirSync(root).filter((name) => name.startsWith('directory')),
    ['directory.db'],
  );
});
