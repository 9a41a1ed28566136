import { after, before, describe } from 'node:test';

import { openPostgresDatabase } from '../../src/region/database/postgres-database.ts';
import { testDatabase } from '../region/database-suite.ts';
import { testOperatorsFuzz } from '../region/operators-fuzz-suite.ts';
import { testOperatorsHttp } from '../region/operators-http-suite.ts';
import { testOperatorsShapes } from '../region/operators-shapes-suite.ts';
import { testOperators } from '../region/operators-suite.ts';
import { testRacks } from '../region/racks-suite.ts';
import { postgresMissing, startPostgres, type PostgresServer } from './postgres-server.ts';

const missing = postgresMissing();

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
});
