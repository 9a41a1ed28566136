import { after } from 'node:test';

import type { Database } from '../../src/region/database/database.ts';
import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';

let engine: Promise<Database> | undefined;
// Of the file, not of the test that opened it
after(async () => (await engine)?.close());

/**
 * An embedded database with nothing in it, in memory. It is the same one for all tests of a file, which come one after the other, as
 * to make one anew takes longer than most of them: who opens the next has emptied what the last one left.
 */
export async function openEmptyDatabase(): Promise<Database> {
  engine ??= openEmbeddedDatabase('memory://');
  const database = await engine;
  await database.query('DROP SCHEMA public CASCADE');
  await database.query('CREATE SCHEMA public');
  return {
    query: (text, values) => database.query(text, values),
    transaction: (work, isolation) => database.transaction(work, isolation),
    listen: (channel, hear, lost) => database.listen(channel, hear, lost),
    tend: () => database.tend(),
    close: () => Promise.resolve(),
  };
}
