import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import Koa, { type Context, type Middleware } from 'koa';
import type { Logger } from 'pino';

import type { Clock } from '../system/clock.ts';
import { PLAN_CHANNEL } from './answer/publish.ts';
import type { Database } from './database/database.ts';
import { GuessLimit } from './guess-limit.ts';
import { PlanWaiters } from './racks/plan-waiters.ts';
import { RackRoutes } from './racks/rack-routes.ts';
import { Refusal } from './refusal.ts';

/** Who takes longer for the head of a request, or for all of it, is cut off. */
const HEAD_MILLISECONDS = 10_000;
const REQUEST_MILLISECONDS = 60_000;
/** Longer than a rack waits between two questions, so that it is never the region that ends a connection in use. */
const IDLE_MILLISECONDS = 90_000;
const MOST_CONNECTIONS = 50_000;

export interface RegionDependencies {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** What operators ask, below /MAAS/. */
  readonly operators?: Middleware;
}

/** The region's API, for racks and for operators. */
export class Region {
  readonly #dependencies: RegionDependencies;
  readonly #waiters = new PlanWaiters();
  readonly #app = new Koa();
  readonly #servers: (Server | Http2SecureServer)[] = [];
  readonly #streams = new Set<IncomingMessage['socket']>();
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
    this.#dependencies = dependencies;
    const { database, clock, log, operators } = dependencies;
    const racks = new RackRoutes({
      database,
      clock,
      log,
      waiters: this.#waiters,
      guesses: new GuessLimit(clock),
      sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => undefined),
    });
    this.#app.on('error', (error: unknown) => log.error({ err: error }, 'a request failed'));
    this.#app.use((context, next) => this.#answer(context, next));
    this.#app.use(async (context, next) => {
      if (!(await racks.handle(context))) await next();
    });
    if (operators) this.#app.use(operators);
    this.#app.use((context) => {
      throw new Refusal(404, `there is nothing at ${context.path.slice(0, 100)}`);
    });
  }

  /** Gives the port. `tls`: certificate and key, PEM; then HTTP/2 too, so that a rack needs one connection. */
  async listen(
    host: string,
    port: number,
    tls?: { readonly cert: string | Buffer; readonly key: string | Buffer },
  ): Promise<number> {
    const callback = this.#app.callback();
    const serve = (request: IncomingMessage, response: ServerResponse): void => void callback(request, response);
    const server = tls
      ? createSecureServer({ ...tls, allowHTTP1: true, minVersion: 'TLSv1.2' }, serve as never)
      : createPlainServer(serve);
    bound(server);
    server.on('connection', (socket: IncomingMessage['socket']) => {
      this.#streams.add(socket);
      socket.once('close', () => this.#streams.delete(socket));
    });
    this.#servers.push(server);
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Answers whoever waits, and ends. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const server of this.#servers) server.close();
    this.#waiters.wakeAll();
    // What they are told is on its way
    await sleep(100);
    for (const socket of this.#streams) socket.destroy();
  }

  /** Every refusal in one form, and of our own faults nothing but that there is one. */
  async #answer(context: Context, next: () => Promise<void>): Promise<void> {
    const { log } = this.#dependencies;
    try {
      await next();
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.status >= 500) log.error({ err: error, path: context.path }, 'a request failed');
      else log.warn({ from: context.ip, path: context.path.slice(0, 200), status: refusal.status }, refusal.message);
      context.status = refusal.status;
      context.body = { error: refusal.message };
      if (refusal.retryAfter !== undefined) context.set('retry-after', String(refusal.retryAfter));
      // The rest of a body that is not wanted is not waited for
      if (refusal.status === 413 && context.req.httpVersionMajor < 2) context.set('connection', 'close');
    }
    if (this.#isClosing && context.req.httpVersionMajor < 2) context.set('connection', 'close');
  }
}

function bound(server: Server | Http2SecureServer): void {
  const limited = server as Server;
  limited.headersTimeout = HEAD_MILLISECONDS;
  limited.requestTimeout = REQUEST_MILLISECONDS;
  limited.keepAliveTimeout = IDLE_MILLISECONDS;
  limited.maxConnections = MOST_CONNECTIONS;
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isAway(error)) return new Refusal(503, 'the database does not answer', 5);
  return new Refusal(500, 'a fault of the region itself: its log says more');
}

/** The database can't be reached, or goes down (SQLSTATE 57P, 08). */
function isAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(?:57P|08|ECONN|ENOENT|EPIPE|ETIMEDOUT)/.test(code);
}
