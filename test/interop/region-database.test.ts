import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { isPassing } from '../../src/region/fault-words.ts';
import { openPostgresDatabase } from '../../src/region/database/postgres-database.ts';
import { testDatabase } from '../region/database-suite.ts';
import { testOperatorsFuzz } from '../region/operators-fuzz-suite.ts';
import { testOperatorsHttp } from '../region/operators-http-suite.ts';
import { testOperatorsShapes } from '../region/operators-shapes-suite.ts';
import { testOperators } from '../region/operators-suite.ts';
import { testRacks } from '../region/racks-suite.ts';
import { postgresMissing, startPostgres, type PostgresServer } from './postgres-server.ts';

const missing = postgresMissing();

/** With a server whose one connection does not answer any more while `work` is done. */
async function whileSilent(pid: unknown, work: () => Promise<void>): Promise<void> {
  process.kill(Number(pid), 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(Number(pid), 'SIGCONT');
  }
}

describe("Debian's PostgreSQL", { skip: missing ?? false }, () => {
  let server: PostgresServer;
  let databases = 0;
  before(async () => {
    server = await startPostgres(['fsync=off']);
  });
  after(() => server[Symbol.asyncDispose]());
  const open = () => openPostgresDatabase(server.create(`rackboot_${++databases}`), (error) => console.error(error));
  testDatabase('PostgreSQL', open);
  testRacks('PostgreSQL', open);
  testOperators('PostgreSQL', open);
  testOperatorsHttp('PostgreSQL', open);
  testOperatorsShapes('PostgreSQL', open);
  testOperatorsFuzz('PostgreSQL', open);

  const hasty = { connect: 5_000, statement: 100, answer: 100, heartbeat: 20 };

  test('PostgreSQL: a connection that breaks ends what is done with it, and nothing else', async () => {
    const database = await open();
    const broken = database.transaction(async (sql) => {
      const [own] = await sql.query('SELECT pg_backend_pid() AS pid');
      await database.query('SELECT pg_terminate_backend($1, 5000)', [own?.['pid']]);
      await sql.query('SELECT 1');
    }, 'read committed');
    await assert.rejects(broken, isPassing);
    assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }]);
    await database.close();
  });

  test('PostgreSQL: a connection that says nothing any more is given up, and others serve on', async () => {
    const database = await openPostgresDatabase(server.create('silent'), () => undefined, hasty);
    const unanswered = database.transaction(async (sql) => {
      const [own] = await sql.query('SELECT pg_backend_pid() AS pid');
      await whileSilent(own?.['pid'], () => assert.rejects(sql.query('SELECT 1'), isPassing));
      await sql.query('SELECT 1');
    }, 'read committed');
    await assert.rejects(unanswered, isPassing);
    assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }]);
    await database.close();
  });

  test('PostgreSQL: who listens by a connection that says nothing any more is told, and hears again', async () => {
    const database = await openPostgresDatabase(server.create('deaf'), () => undefined, hasty);
    const lost = Promise.withResolvers<void>();
    const heard = Promise.withResolvers<string>();
    await database.listen('plan', heard.resolve, lost.resolve);
    const [listener] = await database.query(
      'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
    );
    await whileSilent(listener?.['pid'], async () => {
      await lost.promise;
      await database.query("SELECT pg_notify('plan', 'rack')");
      assert.equal(await heard.promise, 'rack');
    });
    await database.close();
  });
});
