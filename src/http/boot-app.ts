import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import Koa, { type Context } from 'koa';

import { parseIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Asker } from '../boot/asker.ts';
import { normalizePath } from '../boot/normalize-path.ts';
import type { Resolution, Routes } from '../boot/routes.ts';
import { machineOf } from '../service/lease-table.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { EventSink, SignSink } from '../service/service.ts';
import type { CaseFinder } from '../system/case-finder.ts';
import { openServedFile } from '../system/open-file.ts';
import type { Exchange, Ledger } from './ledger.ts';
import { receiveReport } from './receive-report.ts';
import type { Refusal } from './refusal.ts';
import { isAbsoluteForm, requestPath } from '../wire/http/request-path.ts';
import type { BodySender } from './body-sender.ts';
import { sendFile } from './send-file.ts';

/** What the boot plane knows while it answers; asked anew for every request, so that a new Plan is seen at once. */
export interface BootPlane {
  readonly ledger: Ledger;
  readonly events: EventSink;
  readonly finder: CaseFinder;
  readonly signs?: SignSink;
  routes(): Routes;
  holder(address: Ip4): LeaseFact | undefined;
  /** Unix milliseconds. */
  now(): number;
  readonly send: BodySender;
  /** One connection too many: it is only told so. */
  isSurplus(connection: Socket): boolean;
}

const TOO_MANY: Refusal = {
  status: 503,
  label: 'connections',
  reason: 'too many connections are open: try again in a while',
  isLast: true,
  retryAfter: 5,
};

interface State {
  exchange?: Exchange;
}

/** How Node calls it when a client hangs up before the end: no fault of ours, and booked by the ledger in any case. */
const CLIENT_WENT_AWAY = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE']);

/** The boot plane: boot files and nothing else, and the one thing a machine may send. */
export function createBootApp(plane: BootPlane, rackAddress: Ip4): Koa<State> {
  const app = new Koa<State>();
  app.use(async (ctx) => {
    const address = ip4Of(ctx.req.socket.remoteAddress);
    const exchange = exchangeOf(ctx, plane, address);
    ctx.state.exchange = exchange;
    plane.ledger.open(exchange, ctx.res);
    const refusal = await answer(ctx, plane, exchange, askerOf(ctx, rackAddress, address, plane));
    if (refusal !== undefined) refuse(ctx, exchange, refusal);
  });
  app.on('error', (error: NodeJS.ErrnoException, ctx: Context & { readonly state: State }) => {
    const { exchange } = ctx.state;
    if (exchange !== undefined && !CLIENT_WENT_AWAY.has(error.code ?? '')) exchange.fault = error.message;
  });
  return app;
}

async function answer(ctx: Context, plane: BootPlane, exchange: Exchange, asker: Asker): Promise<Refusal | undefined> {
  if (plane.isSurplus(ctx.req.socket)) return TOO_MANY;
  const fault = faultOf(ctx.req);
  if (fault !== undefined) return fault;
  const path = requestPath(ctx.req.url ?? '');
  if (path === undefined)
    return { status: 400, label: 'bad-path', reason: 'the percent-encoding of the path is wrong' };
  if (path === '/report') {
    const lease = asker.address === undefined ? undefined : plane.holder(asker.address);
    return receiveReport(ctx, exchange, lease, plane);
  }
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
    ctx.set('Allow', 'GET, HEAD');
    return { status: 405, label: 'method', reason: 'files are read with GET or HEAD' };
  }
  if (normalizePath(path) === undefined) {
    return { status: 403, label: 'bad-path', reason: 'a path holds no ".." and no control characters' };
  }
  exchange.found = plane.routes().resolve(path, asker);
  return sendResolved(ctx, exchange, plane, exchange.found);
}

/** What is wrong with a request that Node's parser let through. */
function faultOf(request: IncomingMessage): Refusal | undefined {
  const { headers, httpVersionMajor, httpVersionMinor, rawHeaders, url = '' } = request;
  // RFC 9110 §15.6.6; HTTP/0.9 knows no header, so nothing could tell where our answer ends
  if (httpVersionMajor !== 1) {
    return { status: 505, label: 'version', reason: 'HTTP/1.1 and HTTP/1.0 are spoken here', isLast: true };
  }
  // RFC 9112 §3.2: exactly one, in HTTP/1.1; of several, another server on the way may have believed another
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1 || (hosts === 0 && httpVersionMinor > 0)) {
    return { status: 400, label: 'bad-request', reason: 'a request has one Host header', isLast: true };
  }
  // RFC 9112 §3.2.4: `*` is for OPTIONS, which asks for nothing here
  if (!url.startsWith('/') && !isAbsoluteForm(url) && request.method !== 'OPTIONS') {
    return { status: 400, label: 'bad-request', reason: 'a path begins with a slash', isLast: true };
  }
  const { expect, 'transfer-encoding': coding } = headers;
  // RFC 9112 §6.1: where such a body ends can't be told, nor what comes after it
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return { status: 501, label: 'coding', reason: 'a body comes as it is, or in chunks', isLast: true };
  }
  if (coding !== undefined && httpVersionMinor === 0) {
    return { status: 400, label: 'bad-request', reason: 'HTTP/1.0 knows no chunks', isLast: true };
  }
  if (expect !== undefined && httpVersionMinor > 0 && expect.toLowerCase() !== '100-continue') {
    return { status: 417, label: 'expectation', reason: 'nothing but 100-continue can be expected', isLast: true };
  }
  return undefined;
}

function sendResolved(ctx: Context, exchange: Exchange, plane: BootPlane, found: Resolution): Refusal | undefined {
  if (found.kind === 'missing') return { status: 404, label: 'not-found', reason: found.reason };
  if (found.kind === 'file') return sendServedFile(ctx, exchange, plane, found);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = found.contentType;
  ctx.body = found.text;
  return undefined;
}

function sendServedFile(
  ctx: Context,
  exchange: Exchange,
  plane: BootPlane,
  found: Extract<Resolution, { kind: 'file' }>,
): Refusal | undefined {
  const opened = openServedFile(found.root, found.file, plane.finder);
  if (!('refused' in opened)) {
    return sendFile(ctx, exchange, { file: opened, isImmutable: found.immutable }, plane.now(), plane.send);
  }
  switch (opened.because) {
    case 'missing':
      if (found.orElse) return sendResolved(ctx, exchange, plane, found.orElse);
      return { status: 404, label: 'not-found', reason: opened.refused };
    case 'forbidden':
      return { status: 403, label: 'forbidden', reason: opened.refused };
    case 'trouble':
      return { status: 503, label: 'trouble', reason: opened.refused, retryAfter: 5 };
  }
}

function refuse(ctx: Context, exchange: Exchange, refusal: Refusal): void {
  exchange.refusal = refusal;
  for (const header of ['ETag', 'Last-Modified', 'Cache-Control']) ctx.remove(header);
  if (refusal.status !== 416) ctx.remove('Content-Range');
  if (refusal.isLast) ctx.set('Connection', 'close');
  if (refusal.retryAfter !== undefined) ctx.set('Retry-After', String(refusal.retryAfter));
  ctx.status = refusal.status;
  ctx.type = 'text/plain; charset=utf-8';
  ctx.body = `${refusal.reason}\n`;
}

function exchangeOf(ctx: Context, plane: BootPlane, address: Ip4 | undefined): Exchange {
  const mac = address === undefined ? undefined : plane.holder(address)?.mac;
  const subject = { address: ctx.req.socket.remoteAddress ?? '' };
  const path = ctx.req.url ?? '';
  return { method: ctx.method, path, subject: mac === undefined ? subject : { ...subject, mac: formatMac(mac) } };
}

function askerOf(ctx: Context, rackAddress: Ip4, address: Ip4 | undefined, plane: BootPlane): Asker {
  // The address a relayed machine came to may be another of ours than the one this socket stands for.
  const local = ip4Of(ctx.req.socket.localAddress) ?? rackAddress;
  if (address === undefined) return { rackAddress: local };
  return { rackAddress: local, address, ...machineOf(plane.holder(address)) };
}

function ip4Of(text: string | undefined): Ip4 | undefined {
  return text === undefined ? undefined : parseIp4(text);
}
