import { after, before, describe } from 'node:test';

import { openPostgresDatabase } from '../../src/region/database/postgres-database.ts';
import { testRacks } from '../region/racks-suite.ts';
import { postgresMissing, startPostgres, type PostgresServer } from './postgres-server.ts';

describe("racks, on Debian's PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let databases = 0;
  before(async () => {
    server = await startPostgres(['fsync=off']);
  });
  after(() => server[Symbol.asyncDispose]());
  testRacks('PostgreSQL', () =>
    openPostgresDatabase(server.create(`racks_${++databases}`), (error) => console.error(error)),
  );
});
