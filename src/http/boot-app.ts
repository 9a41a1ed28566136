import Koa, { type Context } from 'koa';

import { parseIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { Asker } from '../boot/asker.ts';
import { normalizePath } from '../boot/normalize-path.ts';
import type { Resolution, Routes } from '../boot/routes.ts';
import { machineOf } from '../service/lease-table.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { EventSink } from '../service/service.ts';
import { openServedFile } from '../system/open-file.ts';
import type { Exchange, Ledger } from './ledger.ts';
import { receiveReport } from './receive-report.ts';
import type { Refusal } from './refusal.ts';
import { requestPath } from './request-path.ts';
import { sendFile } from './send-file.ts';

/** What the boot plane knows while it answers; asked anew for every request, so that a new Plan is seen at once. */
export interface BootPlane {
  readonly ledger: Ledger;
  readonly events: EventSink;
  routes(): Routes;
  holder(address: Ip4): LeaseFact | undefined;
}

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
  const path = requestPath(ctx.req.url ?? '');
  if (path === undefined)
    return { status: 400, label: 'bad-path', reason: 'the percent-encoding of the path is wrong' };
  if (path === '/report') {
    const lease = asker.address === undefined ? undefined : plane.holder(asker.address);
    return receiveReport(ctx, exchange, lease, plane.events);
  }
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
    ctx.set('Allow', 'GET, HEAD');
    return { status: 405, label: 'method', reason: 'files are read with GET or HEAD' };
  }
  if (normalizePath(path) === undefined) {
    return { status: 403, label: 'bad-path', reason: 'a path holds no ".." and no control characters' };
  }
  return sendResolved(ctx, exchange, plane.routes().resolve(path, asker));
}

function sendResolved(ctx: Context, exchange: Exchange, found: Resolution): Refusal | undefined {
  if (found.kind === 'missing') return { status: 404, label: 'not-found', reason: found.reason };
  if (found.kind === 'file') return sendServedFile(ctx, exchange, found);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = found.contentType;
  ctx.body = found.text;
  return undefined;
}

function sendServedFile(
  ctx: Context,
  exchange: Exchange,
  found: Extract<Resolution, { kind: 'file' }>,
): Refusal | undefined {
  const opened = openServedFile(found.root, found.file, found.instead);
  if (!('refused' in opened)) return sendFile(ctx, exchange, opened, found.immutable);
  return opened.because === 'missing'
    ? { status: 404, label: 'not-found', reason: opened.refused }
    : { status: 403, label: 'forbidden', reason: opened.refused };
}

function refuse(ctx: Context, exchange: Exchange, refusal: Refusal): void {
  exchange.refusal = refusal;
  for (const header of ['ETag', 'Last-Modified', 'Cache-Control']) ctx.remove(header);
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
