import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import Koa, { type Context, type Middleware } from 'koa';
import type { Logger } from 'pino';

import type { Cidr } from '../addr/cidr.ts';
import type { Clock } from '../system/clock.ts';
import type { KeyPair } from '../system/key-pair.ts';
import { PLAN_CHANNEL } from './answer/publish.ts';
import { isCollision, type Database } from './database/database.ts';
import { faultWords, isPassing } from './fault-words.ts';
import { GuessLimit } from './guess-limit.ts';
import { imageStream } from './image-stream.ts';
import { Listener, PATIENCE, type PatienceLimits } from './listener.ts';
import { PlanWaiters } from './racks/plan-waiters.ts';
import { RackRoutes } from './racks/rack-routes.ts';
import { RefusalLog } from './refusal-log.ts';
import { Refusal } from './refusal.ts';
import { vouchHeaders } from './vouched-headers.ts';

/** Seconds after which a region whose database is away is to be asked again. */
const RETRY_SECONDS = 5;

export interface RegionDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** What operators ask, below /MAAS/. */
  readonly operators?: Middleware;
  /** The directory of a simplestreams mirror that racks import from. */
  readonly images?: string;
  /** Who is believed what he says of whom he has a request from. */
  readonly proxies?: readonly Cidr[] | undefined;
  /** How long who is slow is waited for. */
  readonly patience?: PatienceLimits;
}

/** The region's API, for racks and for operators. */
export class Region {
  readonly #log: Logger;
  readonly #refusals: RefusalLog;
  readonly #waiters = new PlanWaiters();
  readonly #app = new Koa();
  readonly #listener: Listener;
  #isClosing = false;

  /** Hears from other processes at once; serves when it is told where. */
  static async open(dependencies: RegionDependencies): Promise<Region> {
    const region = new Region(dependencies);
    const { database } = dependencies;
    await database.listen(
      PLAN_CHANNEL,
      (rack) => region.#waiters.wake(rack),
      () => region.#waiters.wakeAll(),
    );
    return region;
  }

  private constructor(dependencies: RegionDependencies) {
    const { database, clock, log, operators, images, proxies = [], patience = PATIENCE } = dependencies;
    this.#log = log;
    this.#refusals = new RefusalLog(clock, log);
    const racks = new RackRoutes({
      database,
      clock,
      log,
      waiters: this.#waiters,
      guesses: new GuessLimit(clock),
      bodyMilliseconds: patience.request,
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    });
    this.#app.on('error', (error: unknown) => this.#tellLost(error));
    this.#app.use((context, next) => this.#answer(context, next));
    this.#app.use(async (context, next) => {
      if (!(await racks.handle(context))) await next();
    });
    if (images !== undefined) this.#app.use(imageStream(images, () => clock.now()));
    if (operators) this.#app.use(operators);
    this.#app.use((context) => {
      throw new Refusal(404, `there is nothing at ${context.path.slice(0, 100)}`);
    });
    const callback = this.#app.callback();
    // What is left of their headers then
    this.#app.proxy = true;
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      vouchHeaders(request.headers, request.socket.remoteAddress, proxies);
      void callback(request, response);
    };
    this.#listener = new Listener(serve, patience);
  }

  /** Gives the port. `tls`: then HTTP/2 too. */
  listen(host: string, port: number, tls?: KeyPair): Promise<number> {
    return this.#listener.listen(host, port, tls);
  }

  /** For connections from now on. */
  renewCertificate(tls: KeyPair): void {
    this.#listener.renew(tls);
  }

  /** Answers whoever waits, lets others have their answers, and ends. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#listener.close(() => this.#waiters.close());
  }

  /** Every refusal in one form, and of our own faults nothing but that there is one. */
  async #answer(context: Context, next: () => Promise<void>): Promise<void> {
    const isOld = context.req.httpVersionMajor < 2;
    try {
      await next();
    } catch (error) {
      const refusal = this.#refusalOf(error, context);
      context.status = refusal.status;
      // Operators' tools print what they are told as it is
      context.body = isForPeople(context) ? `${refusal.message}\n` : { error: refusal.message };
      if (refusal.retryAfter !== undefined) context.set('retry-after', String(refusal.retryAfter));
      // The rest of a body that nobody reads is not waited for
      if (isOld && !context.req.complete) context.set('connection', 'close');
    }
    if (this.#isClosing && isOld) context.set('connection', 'close');
  }

  #refusalOf(error: unknown, { ip, path }: Context): Refusal {
    if (error instanceof Refusal) {
      this.#refusals.tell(ip, path, error);
      return error;
    }
    this.#log.error({ ...faultWords(error), path }, 'a request failed');
    if (isCollision(error)) return new Refusal(503, 'others change the same at this moment', RETRY_SECONDS);
    return isPassing(error)
      ? new Refusal(503, 'the database does not answer', RETRY_SECONDS)
      : new Refusal(500, 'a fault of the region itself: its log says more');
  }

  /** Of a client that went away before its answer was whole nobody need hear. */
  #tellLost(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!/^(?:ECONNRESET|EPIPE|ERR_STREAM_|ERR_HTTP2_)/.test(code)) {
      this.#log.error(faultWords(error), 'an answer was not sent whole');
    }
  }
}

function isForPeople({ path }: Context): boolean {
  return path.startsWith('/MAAS/api/');
}
