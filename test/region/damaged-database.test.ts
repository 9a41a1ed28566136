import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { migrate } from '../../src/region/database/migrate.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** `kept`: found by looking, so that nothing of it is touched. */
interface Damage {
  readonly title: string;
  readonly by: (directory: string) => void;
  readonly said: RegExp;
  readonly kept: boolean;
}

const removeAll = (directory: string): void => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
};
const eachLog = (directory: string, by: (file: string) => void): void => {
  const log = join(directory, 'pg_wal');
  for (const name of readdirSync(log)) if (/^[0-9A-F]{24}$/.test(name)) by(join(log, name));
};
const writeOver = (name: string, bytes: string | Buffer) => (directory: string) =>
  writeFileSync(join(directory, name), bytes);
const DAMAGED = /its files are damaged, or may not be written/;

const TABLE: readonly Damage[] = [
  {
    title: 'no PG_VERSION',
    by: (directory) => rmSync(join(directory, 'PG_VERSION')),
    said: /it holds files, but no PG_VERSION/,
    kept: true,
  },
  {
    title: 'that of another PostgreSQL',
    by: writeOver('PG_VERSION', '16\n'),
    said: /it is of PostgreSQL 16, and this rackboot has 18/,
    kept: true,
  },
  { title: 'an empty PG_VERSION', by: writeOver('PG_VERSION', ''), said: /holds no version/, kept: true },
  {
    title: 'no control file',
    by: (directory) => rmSync(join(directory, 'global/pg_control')),
    said: /pg_control is not whole/,
    kept: true,
  },
  {
    title: 'half a control file',
    by: writeOver('global/pg_control', Buffer.alloc(4096)),
    said: /not whole/,
    kept: true,
  },
  {
    title: 'another control file',
    by: writeOver('global/pg_control', Buffer.alloc(8192, 7)),
    said: DAMAGED,
    kept: true,
  },
  {
    title: 'no log',
    by: (directory) => eachLog(directory, (file) => rmSync(file)),
    said: /pg_wal, is gone/,
    kept: true,
  },
  {
    title: 'a log that was cut off',
    by: (directory) => eachLog(directory, (file) => writeFileSync(file, '')),
    said: /pg_wal, is gone/,
    kept: true,
  },
  {
    title: 'a log of something else',
    by: (directory) => eachLog(directory, (file) => writeFileSync(file, Buffer.alloc(65_536, 7))),
    said: DAMAGED,
    kept: false,
  },
  {
    title: 'no tables',
    by: (directory) => rmSync(join(directory, 'base'), { recursive: true }),
    said: DAMAGED,
    kept: false,
  },
  {
    title: 'files of somebody else',
    by: (directory) => {
      removeAll(directory);
      writeFileSync(join(directory, 'notes.txt'), 'mine');
    },
    said: /no PG_VERSION/,
    kept: true,
  },
  {
    title: 'a file where it was',
    by: (directory) => {
      rmSync(directory, { recursive: true });
      writeFileSync(directory, 'mine');
    },
    said: /it is no directory/,
    kept: true,
  },
];

describe('an embedded database', { timeout: 300_000 }, () => {
  const place = mkdtempSync(join(tmpdir(), 'rackboot-damaged-'));
  const whole = join(place, 'whole');
  before(async () => {
    const database = await openEmbeddedDatabase(join(whole, 'database'));
    await migrate(database);
    await database.close();
  });
  after(() => rmSync(place, { recursive: true }));

  const rackboot = (state: string, verb: string) =>
    runCommand([execPath, MAIN, 'region', verb, '--config', join(place, 'none.yaml'), '--state', state]);

  for (const [n, { title, by, said, kept }] of TABLE.entries()) {
    test(`of which there is ${title} is named in one sentence, by the server and by a command`, async () => {
      const state = join(place, String(n));
      cpSync(whole, state, { recursive: true });
      const directory = join(state, 'database');
      by(directory);
      const found = digestOf(state);
      for (const verb of ['run', 'racks']) {
        const { code, output } = await rackboot(state, verb);
        assert.equal(code, 1, output);
        assert.match(output, said);
        assert.ok(!output.includes('\n') && output.includes(`the database in ${directory} can not be used`), output);
      }
      if (kept) assert.equal(digestOf(state), found);
      rmSync(state, { recursive: true });
    });
  }

  test('that is an empty directory is made', async () => {
    const state = join(place, 'empty');
    cpSync(whole, state, { recursive: true });
    removeAll(join(state, 'database'));
    assert.deepEqual(await rackboot(state, 'racks'), { code: 0, stdout: '', output: '' });
  });
});

/** Of what its files are called and hold, but for the two that whoever works there makes. */
function digestOf(state: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(state, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || ['lock', 'postmaster.pid'].includes(entry.name)) continue;
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}
