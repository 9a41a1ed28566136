import type { Context } from 'koa';
import type { Logger } from 'pino';
import * as z from 'zod';

import { LONGEST_WAIT, MOST_BODY, MOST_RECORDS, RACK_PATHS } from '../../contract/paths.ts';
import { formatAuthorization, parseAuthorization } from '../../contract/rack-key.ts';
import {
  enrolmentSchema,
  eventBatchSchema,
  newKeySchema,
  statusReportSchema,
  type PlanAnswer,
  type StatusAnswer,
} from '../../contract/rack-words.ts';
import type { Clock } from '../../system/clock.ts';
import type { Database } from '../database/database.ts';
import type { GuessLimit } from '../guess-limit.ts';
import { Refusal } from '../refusal.ts';
import { keepBatch } from './keep-batch.ts';
import type { PlanWaiters } from './plan-waiters.ts';
import { changeKey, enrolRack, findRack, unknownRack, type Rack } from './racks.ts';
import { keepReport } from './rack-report.ts';
import { PlanReader } from './plan-reader.ts';
import { ProvenKeys } from '../proven-keys.ts';
import { readJson } from './read-json.ts';

export interface RackRoutesDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly waiters: PlanWaiters;
  readonly guesses: GuessLimit;
  /** For the whole of a request's body. */
  readonly bodyMilliseconds: number;
  /** Resolves after so long, or when `signal` is aborted. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Its records are looked at one by one: a bad one must not hold up those behind it. */
const rawBatchSchema = eventBatchSchema.extend({ records: z.array(z.unknown()).max(MOST_RECORDS) });

/** Of those that a stranger may send. */
const MOST_ENROLMENT = 4_096;

type Route = (context: Context, rack: Rack) => Promise<void>;

/** What racks ask: see etc/region-api.yaml. */
export class RackRoutes {
  readonly #dependencies: RackRoutesDependencies;
  readonly #proven = new ProvenKeys();
  readonly #plans: PlanReader;
  readonly #routes: Readonly<Record<string, Route>> = {
    [`GET ${RACK_PATHS.plan}`]: (context, rack) => this.#plan(context, rack),
    [`POST ${RACK_PATHS.events}`]: (context, rack) => this.#events(context, rack),
    [`POST ${RACK_PATHS.status}`]: (context, rack) => this.#status(context, rack),
    [`POST ${RACK_PATHS.key}`]: (context, rack) => this.#key(context, rack),
  };

  constructor(dependencies: RackRoutesDependencies) {
    this.#dependencies = dependencies;
    this.#plans = new PlanReader(dependencies.database);
  }

  /** Tells whether the path is one of these. Throws Refusal. */
  async handle(context: Context): Promise<boolean> {
    const name = `${context.method} ${context.path}`;
    if (name === `POST ${RACK_PATHS.enrol}`) {
      await this.#enrol(context);
      return true;
    }
    const route = this.#routes[name];
    if (!route) return false;
    await route(context, await this.#prove(context));
    return true;
  }

  async #prove(context: Context): Promise<Rack> {
    const { guesses, database } = this.#dependencies;
    const credentials = parseAuthorization(context.get('authorization'));
    const sign = credentials && formatAuthorization(credentials);
    if (sign === undefined || !this.#proven.has(sign)) this.#checkGuesses(context);
    const rack = credentials && (await findRack(database, credentials));
    if (rack && sign !== undefined) {
      this.#proven.add(sign);
      return rack;
    }
    guesses.wrong(context.ip);
    throw unknownRack();
  }

  #checkGuesses({ ip }: Context): void {
    const wait = this.#dependencies.guesses.waitOf(ip);
    if (wait !== undefined) throw new Refusal(429, 'too many wrong keys from this address', wait);
  }

  async #enrol(context: Context): Promise<void> {
    const { database, guesses, log } = this.#dependencies;
    this.#checkGuesses(context);
    const enrolment = await this.#read(context, enrolmentSchema, MOST_ENROLMENT);
    try {
      const rack = await database.transaction((sql) => enrolRack(sql, enrolment), 'read committed');
      log.info({ rack: rack.name, from: context.ip }, 'a rack was enrolled');
      context.status = 201;
      context.body = { rack: rack.id };
    } catch (error) {
      if (error instanceof Refusal) guesses.wrong(context.ip);
      throw error;
    }
  }

  /** Waits until there is another than the rack has, or for as long as it says. */
  async #plan(context: Context, rack: Rack): Promise<void> {
    const known = numberIn(context, 'after', Number.MAX_SAFE_INTEGER);
    const seconds = numberIn(context, 'wait', LONGEST_WAIT) ?? 0;
    const answer = await this.#newerPlan(context, rack, known, seconds * 1000);
    if (answer) context.body = answer;
    else context.status = 204;
  }

  async #newerPlan(
    context: Context,
    { id }: Rack,
    known: number | undefined,
    milliseconds: number,
  ): Promise<PlanAnswer | undefined> {
    const { waiters, sleep } = this.#dependencies;
    const woken = new AbortController();
    // Before it is looked for: what comes between the two must not be missed
    const callOff = waiters.wait(id, () => woken.abort());
    let isGone = false;
    const gone = (): void => {
      isGone = true;
      woken.abort();
    };
    context.res.once('close', gone);
    try {
      const answer = await this.#plans.read(id, known);
      if (answer || milliseconds === 0) return answer;
      await sleep(milliseconds, woken.signal);
      return woken.signal.aborted && !isGone ? await this.#plans.read(id, known) : undefined;
    } finally {
      callOff();
      context.res.off('close', gone);
    }
  }

  async #events(context: Context, rack: Rack): Promise<void> {
    const batch = await this.#read(context, rawBatchSchema);
    const { database, clock, log } = this.#dependencies;
    const { kept, mended } = await database.transaction(
      (sql) => keepBatch(sql, rack.id, batch, clock.now()),
      'read committed',
    );
    if (mended > 0) log.warn({ rack: rack.name, records: mended }, 'records of a rack were not as they should be');
    context.body = { kept };
  }

  async #status(context: Context, rack: Rack): Promise<void> {
    const status = await this.#read(context, statusReportSchema);
    const { database, clock, log } = this.#dependencies;
    const report = { status, from: context.ip, now: clock.now() };
    const { wantsFile, faults } = await keepReport(database, rack, report);
    if (faults.length > 0) log.warn({ rack: rack.name, faults }, 'what this rack is to serve no longer fits it');
    const answer: StatusAnswer = { at: clock.now(), ...(wantsFile && { wants: ['file'] }) };
    context.body = answer;
  }

  #read<S extends z.ZodType>(context: Context, schema: S, most = MOST_BODY): Promise<z.output<S>> {
    return readJson(context, schema, { most, milliseconds: this.#dependencies.bodyMilliseconds });
  }

  async #key(context: Context, rack: Rack): Promise<void> {
    const { keyHash } = await this.#read(context, newKeySchema);
    await this.#dependencies.database.transaction((sql) => changeKey(sql, rack, keyHash));
    this.#dependencies.log.info({ rack: rack.name }, 'a rack has a new key');
    context.body = {};
  }
}

function numberIn(context: Context, name: string, most: number): number | undefined {
  const value = context.query[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number <= most)) throw new Refusal(400, `${name}: expected a number from 0 to ${most}`);
  return number;
}
