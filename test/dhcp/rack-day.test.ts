import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MACHINES } from './day-plan.ts';
import { RackDay } from './rack-day.ts';

const HOUR = 3600;
const HOURS = Number(process.env['RACKBOOT_DAY_HOURS'] ?? 24);
const SEED = Number(process.env['RACKBOOT_DAY_SEED'] ?? 1);
/** In seconds of the day. */
const RESTARTS = new Set([5 * HOUR + 1234, 11 * HOUR + 17, 17 * HOUR + 2345]);
const RELOAD = 9 * HOUR + 77;

/** What must have come about, and how often at least: otherwise nothing is proved. */
const LEAST: readonly (readonly [what: string, count: number])[] = [
  ['discovering OFFER', 5 * MACHINES],
  ['discovering silence', 1000],
  ['selecting ACK', 5 * MACHINES],
  ['rebooting ACK', MACHINES],
  ['rebooting NAK', 500],
  ['rebooting silence', 5],
  ['renewing ACK', 10 * MACHINES],
  ['informing ACK', MACHINES / 2],
  ['release', MACHINES],
  ['vanish', MACHINES],
  ['power cycle', MACHINES],
  ['move', MACHINES / 2],
  ['decline', 100],
];

test(`${MACHINES} machines through ${HOURS} hours: no address has two holders, no lease is lost, no range leaks`, (t) => {
  const day = new RackDay(SEED);
  for (let second = 0; second < HOURS * HOUR; second++) {
    if (RESTARTS.has(second)) day.restart();
    if (second === RELOAD) day.reload();
    try {
      day.tick();
    } catch (error) {
      throw new Error(`seed ${SEED}, second ${second}: ${String(error)}`, { cause: error });
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(day.counts)));
  day.checkNothingLeaked();
  for (const [what, count] of LEAST)
    assert.ok((day.counts.get(what) ?? 0) >= count, `${what}: ${day.counts.get(what) ?? 0}`);
});
