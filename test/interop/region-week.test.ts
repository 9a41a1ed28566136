import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import type { LeaseLine } from '../../src/rack/operator-api.ts';
import type { Database, Row } from '../../src/region/database/database.ts';
import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { openPostgresDatabase } from '../../src/region/database/postgres-database.ts';
import { isKeptForRegion, isReported } from '../../src/timeline/is-reported.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { signOf } from './event-sign.ts';
import type { NumberedEvent } from './fill-outbox.ts';
import { clockStays } from './moved-clock.ts';
import { postgresMissing, startPostgres } from './postgres-server.ts';
import { reasonToSkip } from './rack-rig.ts';
import { DAYS, WeekRig } from './week-rig.ts';

const DAY = 86_400_000;
/** Events a day: what a rack of some hundred machines says. */
const MANY = 15_000;
const FEWER = 6_000;
/** Milliseconds from one lot of machines to the next: they are not to be all that the rack has time for. */
const BETWEEN = 300;

/** All that the rack itself saw, but for what may have been lost with its last moment. */
async function seenBy(week: WeekRig): Promise<RackEvent[]> {
  const events = await week.rack.events();
  return events.filter((event) => isReported(event) && isKeptForRegion(event) && !week.isOfLastMoment(event));
}

async function leasesOf(week: WeekRig): Promise<string[]> {
  const { stdout, code, output } = await week.rack.rackboot('leases', '--json');
  assert.equal(code, 0, output);
  return (JSON.parse(stdout) as LeaseLine[]).map(({ address, mac, name }) => `${address} ${mac} ${name ?? ''}`);
}

async function leasesIn(database: Database): Promise<string[]> {
  const rows = await database.query(
    `SELECT host(address) || ' ' || mac::text || ' ' || coalesce(name, '') AS said FROM lease ORDER BY address`,
  );
  return rows.map(({ said }) => String(said));
}

/** Of events with a number of their own: how many, of how many, from which to which, and whether those of each machine are in order. */
async function countNumbered(database: Database): Promise<Row | undefined> {
  const [row] = await database.query(
    `SELECT count(*) AS told, count(DISTINCT turn) AS events, min(turn) AS first, max(turn) AS last,
       bool_and(turn > before) AS "isInOrder", bool_and(turn > ahead) AS "isInOrderForEach"
     FROM (SELECT turn, coalesce(lag(turn) OVER (ORDER BY id), -1) AS before,
         coalesce(lag(turn) OVER (PARTITION BY mac, address ORDER BY id), -1) AS ahead
       FROM (SELECT id, mac, address, (body ->> 'turn')::integer AS turn FROM event WHERE body ? 'turn') AS numbered) AS placed`,
  );
  return row;
}

/** Everything they say. */
function digestOf(events: Iterable<NumberedEvent>): string {
  const hash = createHash('md5');
  for (const event of events) hash.update(`${event.turn} ${signOf(event)}\n`);
  return hash.digest('hex');
}

async function turnsIn(database: Database): Promise<Set<number>> {
  const rows = await database.query(`SELECT (body ->> 'turn')::integer AS turn FROM event WHERE body ? 'turn'`);
  return new Set(rows.map(({ turn }) => Number(turn)));
}

async function digestIn(database: Database): Promise<unknown> {
  const [row] = await database.query(
    `SELECT md5(string_agg(concat_ws(' ', body ->> 'turn', (extract(epoch FROM at) * 1000)::bigint, kind, mac, host(address)) || E'\\n', '' ORDER BY id))
       AS digest FROM event WHERE body ? 'turn'`,
  );
  return row?.['digest'];
}

/** Whose order counts: of one machine, as one of the rack's threads saw it. */
function placeOf({ source, mac }: Pick<RackEvent, 'source' | 'mac'>): string {
  return `${source} ${mac ?? ''}`;
}

/** What the rack itself saw is in the region so often as it was seen, and in that order; gives what is not there at all. */
async function missingOf(database: Database, seen: readonly RackEvent[]): Promise<RackEvent[]> {
  const rows = await database.query(
    `SELECT (extract(epoch FROM at) * 1000)::bigint AS at, kind, mac::text AS mac, host(address) AS address, body ->> 'source' AS source
     FROM event WHERE NOT body ? 'turn' ORDER BY id`,
  );
  const known = Map.groupBy(rows as unknown as RackEvent[], placeOf);
  const missing: RackEvent[] = [];
  for (const [place, events] of Map.groupBy(seen, placeOf)) {
    const own = new Set(events.map(signOf));
    const told = (known.get(place) ?? []).map(signOf).filter((sign) => own.has(sign));
    const there = new Set(told);
    const expected = events.filter((event) => there.has(signOf(event)));
    assert.deepEqual(told, expected.map(signOf), place);
    missing.push(...events.filter((event) => !there.has(signOf(event))));
  }
  return missing;
}

/** Works while machines come all the time, none of which may be left without an address. Gives how often they came. */
async function whileMachinesCome(week: WeekRig, work: () => Promise<void>): Promise<number> {
  const over = new AbortController();
  let times = 0;
  const come = async (): Promise<void> => {
    for (; !over.signal.aborted; times++) {
      await week.boot('meanwhile', 30);
      await delay(BETWEEN);
    }
  };
  await Promise.all([work().finally(() => over.abort()), come()]);
  return times;
}

describe(
  'a region that is gone for a week',
  {
    skip: (await reasonToSkip('bind9-dnsutils', 'curl', 'kea-admin')) || (postgresMissing() ?? clockStays()),
    concurrency: true,
    timeout: 600_000,
  },
  () => {
    test('has all of it in the end, once and in order, though it is killed again while it is told, and machines get addresses all along', async (t) => {
      await using postgres = await startPostgres();
      const url = postgres.create('week');
      const bounds = { milliseconds: 14 * DAY, bytes: 256 * 2 ** 20 };
      await using week = await WeekRig.create('week', { database: url, outbox: '{}', bounds });
      const { rack, region } = week;
      await week.begin();
      for (let day = 1; day <= DAYS; day++) await week.pass(day, MANY, day % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await rack.until('the region to be missed', async () => (await week.waiting()) > DAYS * MANY);
      const { oldest } = (await rack.status()).region ?? {};
      assert.ok(Date.now() - Date.parse(String(oldest)) > (DAYS - 1) * DAY, `the oldest is of ${String(oldest)}`);

      const times = await whileMachinesCome(week, async () => {
        await region.start();
        await rack.until('a third to be told', async () => (await week.waiting()) < (DAYS * MANY * 2) / 3, 200);
        await region.end('SIGKILL');
        assert.ok((await week.waiting()) > 0, 'it was killed in the middle');
        await region.start();
        await week.untilTold(300);
      });
      assert.ok(times > 0);
      await week.untilTold();
      const seen = await seenBy(week);

      const database = await openPostgresDatabase(url, () => undefined);
      try {
        const leases = await leasesOf(week);
        const known = async (): Promise<boolean> => (await leasesIn(database)).length === leases.length;
        await rack.until('its leases to be known', known);
        assert.deepEqual(await leasesIn(database), leases);
        assert.deepEqual(await countNumbered(database), {
          told: DAYS * MANY,
          events: DAYS * MANY,
          first: 0,
          last: DAYS * MANY - 1,
          isInOrder: true,
          isInOrderForEach: true,
        });
        assert.equal(await digestIn(database), digestOf(week.allFilled()));
        assert.deepEqual(await missingOf(database, seen), []);
        assert.deepEqual(await database.query('SELECT forgotten, mended FROM stream'), [{ forgotten: 0, mended: 0 }]);
        t.diagnostic(
          `${seen.length} events that were seen and ${DAYS * MANY} more; meanwhile machines came ${times} times`,
        );
      } finally {
        await database.close();
      }
    });

    test('is told of how much was given up where that is more than may wait, of the rest once and in order, and of all leases anew', async (t) => {
      const bounds = { milliseconds: 4 * DAY, bytes: 4 * 2 ** 20 };
      await using week = await WeekRig.create('longer', {
        database: 'embedded',
        outbox: '{ age: 4d, size: 4MiB }',
        bounds,
      });
      const { rack, region } = week;
      await week.begin();
      // What is lost with a process that is killed can't be counted
      for (let day = 1; day <= DAYS; day++) await week.pass(day, FEWER, 'SIGTERM');
      await whileMachinesCome(week, async () => {
        await region.start();
        await week.untilTold(200);
      });
      await week.untilTold();
      const seen = await seenBy(week);
      const leases = await leasesOf(week);
      const { forgotten } = (await rack.status()).region ?? {};
      await rack.end('SIGTERM');
      await region.end('SIGTERM');

      const database = await openEmbeddedDatabase(join(region.state, 'database'));
      try {
        assert.deepEqual(await leasesIn(database), leases);
        const turns = await turnsIn(database);
        assert.ok(turns.size > FEWER && turns.size < 5 * FEWER, `${turns.size} were told`);
        const { first: _, ...counted } = (await countNumbered(database)) ?? {};
        const whole = { isInOrder: true, isInOrderForEach: true, last: DAYS * FEWER - 1 };
        assert.deepEqual(counted, { told: turns.size, events: turns.size, ...whole });
        const told = week.allFilled().filter(({ turn }) => turns.has(turn));
        assert.equal(await digestIn(database), digestOf(told));
        const missing = await missingOf(database, seen);
        assert.equal(forgotten, DAYS * FEWER - turns.size + missing.length);
        assert.deepEqual(await database.query('SELECT forgotten FROM stream'), [{ forgotten }]);
        t.diagnostic(
          `of ${seen.length} events that were seen and ${DAYS * FEWER} more ${forgotten} were given up, and counted`,
        );
      } finally {
        await database.close();
      }
    });
  },
);
