import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { openEventStore, type OpenedEvents } from '../../src/timeline/open-event-store.ts';
import { event, NODE1 } from './event-fixture.ts';

const BOUNDS = { milliseconds: 86_400_000, bytes: 4 * 2 ** 30 };
const clock = { now: () => Date.UTC(2026, 10, 28) };

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-timeline-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function open(t: TestContext, file: string): OpenedEvents {
  const opened = openEventStore(file, clock, BOUNDS);
  t.after(() => opened.store.close());
  return opened;
}

test('a file that is there, or can be made, is used as it is', (t) => {
  const file = join(directoryOf(t), 'state', 'timeline.db');
  const { store, fault } = open(t, file);
  store.write([event(clock.now(), NODE1)]);
  assert.deepEqual([fault, open(t, file).store.find({ limit: 9 }).length], [undefined, 1]);
});

test('a damaged file is set aside once, and the next start has what came since', (t) => {
  const directory = directoryOf(t);
  const file = join(directory, 'timeline.db');
  const garbage = 'no database at all '.repeat(500);
  writeFileSync(file, garbage);
  const { store, fault } = open(t, file);
  assert.match(fault ?? '', /timeline\.db is damaged \(file is not a database\): set aside as .*\.corrupt-20261128T0/);
  const setAside = readdirSync(directory).find((name) => name.includes('corrupt')) ?? '';
  assert.equal(readFileSync(join(directory, setAside), 'utf8'), garbage);
  store.write([event(clock.now(), NODE1)]);
  const again = open(t, file);
  assert.deepEqual([again.fault, again.store.find({ limit: 9 }).length], [undefined, 1]);
});

test('where there is no disk events are in memory, and few of them, whatever the file allows', (t) => {
  const directory = directoryOf(t);
  writeFileSync(join(directory, 'file'), '');
  const { store, fault } = open(t, join(directory, 'file', 'timeline.db'));
  assert.match(fault ?? '', /can't be used \(.+\): events are kept in memory/);
  store.bound(BOUNDS);
  const long = { kind: 'dhcp.nak', reason: 'x'.repeat(2_000) } as const;
  const many = Array.from({ length: 1_000 }, () => event(clock.now(), NODE1, long));
  for (let n = 0; n < 10; n++) store.write(many);
  const kept = store.find({ limit: 100_000 }).length;
  assert.ok(kept > 1_000 && kept < 5_000, `${kept} kept`);
});
