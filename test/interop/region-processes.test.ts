import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chownSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, geteuid } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RackCredentials } from '../../src/contract/rack-key.ts';
import type { Database } from '../../src/region/database/database.ts';
import { openPostgresDatabase } from '../../src/region/database/postgres-database.ts';
import { postgresMissing, startPostgres, type PostgresServer } from './postgres-server.ts';
import { RegionProcess } from './region-process.ts';

const EVENTS = '/racks/v1/events';
const RECORDS = 500;
const BATCHES = 60;
const KILLS = 4;

const NOBODY = 65_534;
const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

/** Root becomes another user, who must find this checkout. */
function reasonToStayRoot(): string | false {
  if (geteuid?.() !== 0) return 'needs root';
  const ids = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];
  const tried = spawnSync('setpriv', [...ids, execPath, MAIN, 'help']);
  return tried.status === 0 ? false : 'this checkout is for its owner only';
}

/** Batch `i` of a stream. */
function batchOf(stream: string, i: number): object {
  const records = Array.from({ length: RECORDS }, (_, j) => ({
    number: i * RECORDS + j + 1,
    at: 1,
    kind: 'dhcp.ack',
    mac: '52:54:00:12:34:56',
    count: i * RECORDS + j,
  }));
  return { stream, sentAt: 1, records };
}

/** Tells all batches in order, each until somebody says that it is kept, now to this region and now to that. */
async function tellAll(rack: RackCredentials, stream: string, regions: readonly RegionProcess[]): Promise<void> {
  let at = 0;
  for (let i = 0; i < BATCHES;) {
    try {
      const answer = await regions[(at + i) % regions.length]?.say(rack, 'POST', EVENTS, batchOf(stream, i));
      if (answer?.status === 200 && (answer.body as { kept: number }).kept === (i + 1) * RECORDS) i++;
      else at++;
    } catch {
      at++;
    }
  }
}

async function keptOf(database: Database): Promise<unknown> {
  return (await database.query('SELECT sum(kept) AS kept FROM stream'))[0]?.['kept'];
}

async function checkTold(database: Database): Promise<void> {
  const [row] = await database.query(
    `SELECT count(*) AS told, bool_and(counted = place) AS "inOrder" FROM
     (SELECT (body ->> 'count')::int AS counted, row_number() OVER (ORDER BY id) - 1 AS place FROM event) AS each`,
  );
  assert.deepEqual(row, { told: BATCHES * RECORDS, inOrder: true });
}

describe('two regions on one PostgreSQL', { skip: postgresMissing() ?? false, timeout: 300_000 }, () => {
  let postgres: PostgresServer;
  let databases = 0;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres[Symbol.asyncDispose]());

  async function twoRegions(): Promise<AsyncDisposable & { a: RegionProcess; b: RegionProcess; database: Database }> {
    const url = postgres.create(`processes_${++databases}`);
    const stack = new AsyncDisposableStack();
    // Both find no tables
    const started = await Promise.allSettled([
      RegionProcess.start({ database: url }),
      RegionProcess.start({ database: url }),
    ]);
    const [a, b] = started.map((each) => (each.status === 'fulfilled' ? stack.use(each.value) : undefined));
    const database = await openPostgresDatabase(url, () => undefined);
    stack.defer(() => database.close());
    if (!a || !b) {
      await stack.disposeAsync();
      throw new Error(JSON.stringify(started));
    }
    return { a, b, database, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test('what is changed at one wakes who waits at the other, also after their connections were lost', async () => {
    await using regions = await twoRegions();
    const { a, b, database } = regions;
    const rack = await a.enrol('rack-a1');
    const waitAt = (region: RegionProcess, after_: number) =>
      region.say(rack, 'GET', `/racks/v1/plan?after=${after_}&wait=60`);
    const first = waitAt(b, 1);
    assert.equal((await a.command('racks', 'rotate', 'rack-a1')).code, 0);
    assert.deepEqual((await first).body, { version: 2, config: {}, orders: { rotateKey: 1 } });
    const second = waitAt(b, 2);
    await database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
    );
    assert.equal((await a.command('racks', 'rotate', 'rack-a1')).code, 0);
    // Whoever has to begin anew with its database says so, and a rack asks again
    let again = await second;
    while (again.status === 204 || again.status === 503) again = await waitAt(b, 2);
    assert.deepEqual(again.body, { version: 3, config: {}, orders: { rotateKey: 2 } });
  });

  test('one is killed in the middle of batches and changes: nothing is half, nothing lost, nothing twice', async () => {
    await using regions = await twoRegions();
    const { a, b, database } = regions;
    const rack = await b.enrol('rack-a1');
    const told = new AbortController();
    const telling = tellAll(rack, randomUUID(), [a, b]).finally(() => told.abort());
    let obeyed = 0;
    const ordering = (async () => {
      while (!told.signal.aborted) {
        await a.order({ kind: 'rotate-key', rack: 'rack-a1' }).then(
          () => obeyed++,
          () => sleep(10),
        );
      }
    })();
    for (let n = 0; n < KILLS; n++) {
      // In the middle of work, and never at the same place
      const before_ = await keptOf(database);
      while (!told.signal.aborted && (await keptOf(database)) === before_) await sleep(1);
      await a.end('SIGKILL');
      await a.start();
    }
    await telling;
    await ordering;
    await checkTold(database);
    const [row] = await database.query(
      `SELECT plan_version - 1 AS versions, coalesce((orders ->> 'rotateKey')::bigint, 0) AS orders,
         (SELECT count(*) FROM audit WHERE did = 'order a new key') AS deeds FROM rack`,
    );
    assert.equal(row?.['versions'], row?.['orders']);
    assert.equal(row?.['deeds'], row?.['orders']);
    // What was answered is there; one that was cut off may be
    assert.ok(Number(row?.['orders']) >= obeyed && obeyed > 0);
    for (const secret of [rack.key, rack.token]) assert.ok(!(a.log + b.log).includes(secret));
  });
});

describe('a region by itself', { timeout: 300_000 }, () => {
  test('is killed in the middle of batches, and has all that it said it had', async () => {
    await using region = await RegionProcess.start();
    const rack = await region.enrol('rack-a1');
    const stream = randomUUID();
    const told = new AbortController();
    const telling = tellAll(rack, stream, [region]).finally(() => told.abort());
    for (let n = 0; n < KILLS && !told.signal.aborted; n++) {
      await region.say(rack, 'GET', '/racks/v1/plan');
      await region.end('SIGKILL');
      await region.start();
    }
    await telling;
    assert.deepEqual((await region.say(rack, 'POST', EVENTS, { stream, sentAt: 1, records: [] })).body, {
      kept: BATCHES * RECORDS,
    });
    await region.end('SIGTERM');
    assert.equal(region.exitCode, 0);
    const { openEmbeddedDatabase } = await import('../../src/region/database/embedded-database.ts');
    const database = await openEmbeddedDatabase(`${region.state}/database`);
    await checkTold(database);
    await database.close();
  });

  test('obeys commands while it runs, and they do as well without it', async () => {
    await using region = await RegionProcess.start();
    const commands = async (name: string): Promise<void> => {
      const make = (password: string) =>
        region.command('createadmin', '--username', name, '--email', 'a@b.example', '--password', password);
      const made = await make('geheim7');
      assert.equal(made.code, 0, made.output);
      const key = await region.command('apikey', '--username', name);
      assert.match(key.output, /^\w{18}:\w{18}:\w{32}$/);
      const again = await make('x');
      assert.deepEqual([again.code, again.output], [1, `rackboot: there is an operator ${name} already`]);
    };
    await commands('root');
    assert.equal(statSync(`${region.state}/control.sock`).mode & 0o777, 0o600);
    assert.equal(statSync(region.state).mode & 0o777, 0o700);
    await region.end('SIGTERM');
    await commands('other');
    await region.start();
    const audit = await region.command('audit');
    assert.ok(audit.output.includes('operator root') && audit.output.includes('operator other'));
    assert.ok(!(audit.output + region.log).includes('geheim7'));
    const second = await region.command('run', '--listen', '127.0.0.1:1');
    assert.deepEqual(
      [second.code, second.output],
      [1, `the region did not start: another process has ${region.state}`],
    );
  });

  test('root leaves nothing in the directory that its owner may not write', { skip: reasonToStayRoot() }, async () => {
    await using region = await RegionProcess.start();
    await region.end('SIGTERM');
    for (const name of readdirSync(region.state, { recursive: true, encoding: 'utf8' }))
      chownSync(join(region.state, name), NOBODY, NOBODY);
    for (const directory of [region.state, region.directory]) chownSync(directory, NOBODY, NOBODY);
    const made = await region.command('createadmin', '--username', 'a', '--email', 'b', '--password', 'c');
    assert.equal(made.code, 0, made.output);
    const owners = readdirSync(region.state, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(region.state, name)).uid,
    );
    assert.deepEqual(new Set(owners), new Set([NOBODY]));
  });

  test('who waits has an answer when it is told to end', async () => {
    await using region = await RegionProcess.start();
    const rack = await region.enrol('rack-a1');
    const waiting = region.say(rack, 'GET', '/racks/v1/plan?after=1&wait=60');
    assert.equal((await region.say(rack, 'GET', '/racks/v1/plan')).status, 200);
    await region.end('SIGTERM');
    assert.equal((await waiting).status, 204);
    assert.equal(region.exitCode, 0);
  });

  test('that can not have its port says so and ends', async () => {
    await using region = await RegionProcess.start();
    const { directory, port } = region;
    const other = await region.command('run', '--state', `${directory}/other`, '--listen', `127.0.0.1:${port}`);
    assert.equal(other.code, 1);
    assert.match(other.output, /the region did not start: listen EADDRINUSE/);
  });
});
