import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';

import Koa, { type Context } from 'koa';

import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { parseMac, formatMac } from '../addr/mac.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { RackEvent } from '../timeline/event.ts';
import { matches, type EventFilter } from '../timeline/event-filter.ts';
import { listBoots, resetBoots } from './boot-routes.ts';
import { listImages, manageImages, runImport } from './image-routes.ts';
import { listMachines } from './machine-routes.ts';
import { startCapture, stopCapture } from './capture-routes.ts';
import { exportLeases, importLeases, releaseLeases } from './lease-routes.ts';
import type { Rack } from './rack.ts';
import { statusOf } from './status.ts';
import { WatchRoutes } from './watch-routes.ts';
import { dumpZone, listZones, zoneUpdates } from './zone-routes.ts';

/** Owner and group: whoever may use the rack's socket may see its machines. */
const SOCKET_MODE = 0o660;
const MOST_EVENTS = 100_000;
/** What connecting to a socket without a rack behind it ends with. */
const NOBODY_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);
/** A follower that reads so slowly is cut off; it can ask again. */
/** Each may have MOST_PENDING in memory. */
const MOST_FOLLOWERS = 16;
const MOST_PENDING = 8 * 1024 * 1024;

export interface OperatorApiOptions {
  readonly rack: Rack;
  readonly config: string;
  /** Serves `POST /fail`, which makes a service throw: for tests only. */
  readonly testHooks: boolean;
}

/** A lease as `rackboot leases --json` prints it; `expires` is ISO 8601. */
export interface LeaseLine {
  readonly address: string;
  readonly mac: string;
  readonly name?: string;
  readonly expires?: string;
}

/** What operators ask a running rack, over the control socket and, reading only, the admin port. */
export function createOperatorApi(options: OperatorApiOptions): Koa {
  const app = new Koa();
  app.on('error', (error: NodeJS.ErrnoException) => {
    // A follower that went away, or was cut off: nobody's fault
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') app.onerror(error);
  });
  const routes = { ...ROUTES, ...watchRoutes(new WatchRoutes(options.rack.vendors)) };
  app.use(async (context, next) => {
    const route = routes[`${context.method} ${context.path}`];
    if (!route) return next();
    return route(context, options);
  });
  return app;
}

function watchRoutes(routes: WatchRoutes): Readonly<Record<string, Route>> {
  return {
    'GET /neighbours': (context, { rack }) => routes.list(context, rack),
    'POST /neighbours/scan': (context, { rack }) => routes.scan(context, rack),
  };
}

type Route = (context: Context, options: OperatorApiOptions) => void | Promise<void>;

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /status': (context, { rack, config }) => {
    context.body = statusOf(rack, config);
  },
  'GET /leases': (context, { rack }) => {
    context.body = rack.leases
      .all()
      .toSorted((a, b) => a.address - b.address)
      .map(leaseLine);
  },
  'GET /leases/export': (context, { rack }) => exportLeases(context, rack, Date.now()),
  'POST /leases/release': (context, { rack }) => releaseLeases(context, rack),
  'POST /leases/import': (context, { rack }) => importLeases(context, rack),
  'GET /zones': (context, { rack }) => listZones(context, rack),
  'GET /zones/dump': (context, { rack }) => dumpZone(context, rack),
  'GET /zones/updates': (context, { rack }) => zoneUpdates(context, rack, 'updates'),
  'POST /zones/updates/forget': (context, { rack }) => zoneUpdates(context, rack, 'forget-updates'),
  'POST /capture': (context, { rack }) => startCapture(context, rack),
  'POST /capture/stop': (context, { rack }) => stopCapture(context, rack),
  'GET /machines': (context, { rack, testHooks }) => listMachines(context, rack, testHooks),
  'GET /boots': (context, { rack }) => listBoots(context, rack),
  'POST /boots/reset': (context, { rack }) => resetBoots(context, rack),
  'GET /images': (context, { rack }) => listImages(context, rack),
  'POST /images/import': (context, { rack }) => runImport(context, rack),
  'POST /images/stop': (context, { rack }) => manageImages(context, rack, 'stop'),
  'POST /images/gc': (context, { rack }) => manageImages(context, rack, 'gc'),
  'POST /images/verify': (context, { rack }) => manageImages(context, rack, 'verify'),
  'POST /images/reread': (context, { rack }) => manageImages(context, rack, 'reread'),
  'POST /images/remove': (context, { rack }) => manageImages(context, rack, 'remove'),
  'GET /events': (context, { rack }) => {
    const filter = readFilter(context);
    if (!filter) return;
    context.type = 'application/x-ndjson';
    if (context.query['follow'] === undefined) {
      context.body = rack.timeline.find(filter).map(eventLine).join('');
      return;
    }
    if (rack.timeline.followers >= MOST_FOLLOWERS) {
      context.status = 503;
      context.body = `${MOST_FOLLOWERS} followers already\n`;
      return;
    }
    context.body = followEvents(rack, filter);
    // The first event may be long in coming; that we listen is to be known now
    context.flushHeaders();
  },
  'POST /reload': async (context, { rack, config }) => {
    await rack.reload();
    context.body = statusOf(rack, config).config;
  },
  'POST /fail': (context, { rack, testHooks }) => {
    if (!testHooks) return;
    const reason = 'made to fail by a test';
    const { service } = context.query;
    const thread = rack.threads.find(({ name }) => name === service);
    thread?.send({ type: 'fail', reason });
    if (service === 'rack') setImmediate(() => fail(reason));
    if (thread || service === 'rack') context.body = {};
  },
};

/** Throws where nobody catches. */
function fail(reason: string): never {
  throw new Error(reason);
}

function readFilter(context: Context): EventFilter | undefined {
  const { mac, kind, limit } = context.query;
  const parsed = typeof mac === 'string' ? parseMac(mac) : undefined;
  const count = limit === undefined ? 1_000 : Number(limit);
  if ((mac !== undefined && parsed === undefined) || !Number.isInteger(count) || count < 0 || count > MOST_EVENTS) {
    context.status = 400;
    context.body = `expected mac=52:54:00:12:34:56 and limit from 0 to ${MOST_EVENTS}\n`;
    return undefined;
  }
  return {
    limit: count,
    ...(parsed === undefined ? {} : { mac: formatMac(parsed) }),
    ...(typeof kind === 'string' ? { kind } : {}),
  };
}

/** What has been, then what comes, until the reader goes away. */
function followEvents(rack: Rack, filter: EventFilter): PassThrough {
  const stream = new PassThrough();
  stream.write(rack.timeline.find(filter).map(eventLine).join(''));
  const stop = rack.timeline.follow((events) => {
    for (const event of events) if (matches(event, filter)) stream.write(eventLine(event));
    if (stream.writableLength > MOST_PENDING) stream.destroy();
  });
  stream.on('close', stop);
  return stream;
}

function eventLine(event: RackEvent): string {
  return `${JSON.stringify(event)}\n`;
}

function leaseLine({ address, mac, name, expires }: LeaseFact): LeaseLine {
  return {
    address: formatIp4(address),
    mac: formatMac(mac),
    ...(name === undefined ? {} : { name }),
    ...(expires === undefined ? {} : { expires: new Date(expires * 1000).toISOString() }),
  };
}

/** A server of the API that can be closed although followers hang on to it. */
export interface ApiServer {
  close(): void;
}

/** On the control socket; a socket left behind by a killed rack is replaced, one that answers is not. */
export async function serveOnSocket(app: Koa, path: string): Promise<ApiServer> {
  mkdirSync(dirname(path), { recursive: true });
  if (await answers(path)) throw new Error(`${path}: another rackboot answers there`);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) throw new Error(`${path}: expected a socket or nothing, found another kind of file`);
  rmSync(path, { force: true });
  const callback = app.callback();
  const server = createServer((request, response) => void callback(request, response));
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, SOCKET_MODE);
  return closer(server);
}

/** On the admin port: only what reads. */
export async function serveOnPort(app: Koa, address: Ip4, port: number): Promise<ApiServer> {
  const callback = app.callback();
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void callback(request, response);
    response.writeHead(405, { allow: 'GET' }).end('only GET here: changes go through the control socket\n');
  });
  server.listen(port, formatIp4(address));
  await once(server, 'listening');
  return closer(server);
}

function closer(server: Server): ApiServer {
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (NOBODY_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
