import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { SqliteLeaseStore } from '../../src/leases/lease-store.ts';
import { readLeasesAside } from '../../src/leases/read-leases-aside.ts';
import { lease } from './lease-fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-aside-'));
after(() => rmSync(root, { recursive: true }));

function freshFile(): { directory: string; file: string } {
  const directory = mkdtempSync(join(root, 'state-'));
  return { directory, file: join(directory, 'leases.db') };
}

/** Names, times and contents. */
function picture(directory: string): string[] {
  return readdirSync(directory).map((name) => {
    const file = join(directory, name);
    return `${name} ${statSync(file).mtimeMs} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
  });
}

test('leases are read beside a store that is open and has them in its log, and nothing is touched', () => {
  const { directory, file } = freshFile();
  const store = new SqliteLeaseStore(file);
  const leases = [lease(1, 'a', 100), lease(2, 'b', 200, { name: 'node' })];
  store.write(leases);
  const before = picture(directory);
  assert.equal(before.length, 3, 'the file, its log and the index of that');
  const read = readLeasesAside(file);
  assert.deepEqual(read?.leases, leases);
  assert.ok((read?.lastWrite ?? 0) > 1_700_000_000);
  assert.deepEqual(picture(directory), before);
  store.close();
});

test('a store that nobody has open stays one file', () => {
  const { directory, file } = freshFile();
  const store = new SqliteLeaseStore(file);
  store.write([lease(1, 'a', 100)]);
  store.close();
  const before = picture(directory);
  assert.equal(readLeasesAside(file)?.leases.length, 1);
  assert.deepEqual(picture(directory), before);
  assert.equal(before.length, 1);
});

test('where there is no file none is made', () => {
  const { directory, file } = freshFile();
  assert.equal(readLeasesAside(file), undefined);
  assert.deepEqual(readdirSync(directory), []);
});

test('a damaged file gives what can be read of it, and says so', () => {
  const { file } = freshFile();
  writeFileSync(file, 'this was a lease file once');
  const read = readLeasesAside(file);
  assert.deepEqual(read?.leases, []);
  assert.match(read?.damage ?? '', /not a database/);
});

test('no copy is left behind', () => {
  const { file } = freshFile();
  new SqliteLeaseStore(file).close();
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = mkdtempSync(join(root, 'tmp-'));
  try {
    assert.ok(readLeasesAside(file));
    assert.deepEqual(readdirSync(tmpdir()), []);
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
});

/** Moves seconds from one lease to another, so that their sum stays; a log of a hundred pages is checkpointed all the time. */
const WRITER = `
  import { DatabaseSync } from 'node:sqlite';
  const database = new DatabaseSync(process.argv[1]);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 400');
  const move = database.prepare('UPDATE lease SET expires = expires + ? WHERE address = 0x0a000000 + ?');
  for (let n = 1; ; n++) {
    database.exec('BEGIN');
    move.run(1, (n * 7919) % 5000);
    move.run(-1, (n * 104729) % 5000);
    database.exec('COMMIT');
    if (n === 1000) console.log('running');
  }
`;

test('a file that is written and checkpointed all the while gives the leases of one moment', async () => {
  const { file } = freshFile();
  const store = new SqliteLeaseStore(file);
  store.write(Array.from({ length: 5_000 }, (_, i) => lease(i, `client ${i}`, 1_000)));
  store.close();
  const writer = spawn(process.execPath, ['--input-type=module', '-e', WRITER, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(writer.stdout, 'data');
    for (let n = 0; n < 30; n++) {
      const read = readLeasesAside(file);
      assert.equal(read?.damage, undefined);
      assert.equal(read?.leases.length, 5_000);
      assert.equal(
        read.leases.reduce((sum, { expires }) => sum + expires, 0),
        5_000_000,
      );
    }
  } finally {
    writer.kill('SIGKILL');
    await once(writer, 'exit');
  }
});
