import { closeSync, createReadStream, type ReadStream } from 'node:fs';

import type { Context } from 'koa';

import type { OpenedFile } from '../system/open-file.ts';
import { selectRange } from './byte-range.ts';
import type { Exchange } from './ledger.ts';
import type { Refusal } from './refusal.ts';

/** Bytes read at a time. A slow client holds about two of these in memory. */
const CHUNK = 64 * 1024;

/** Answers GET or HEAD with `file`, whole or in part, and closes it, now or when the transfer ends either way. */
export function sendFile(ctx: Context, exchange: Exchange, file: OpenedFile, immutable: boolean): Refusal | undefined {
  describe(ctx, file, immutable);
  ctx.status = 200;
  if (ctx.fresh) {
    closeSync(file.fd);
    ctx.status = 304;
    return undefined;
  }
  // Range means something for GET only (RFC 9110 §14.2).
  const wanted = ctx.method === 'GET' && ifRangeHolds(ctx) ? ctx.get('Range') : undefined;
  const range = selectRange(wanted, file.size);
  if (range.kind === 'unsatisfiable') {
    closeSync(file.fd);
    ctx.set('Content-Range', `bytes */${file.size}`);
    return { status: 416, label: 'range', reason: `the file has ${file.size} bytes: no such range` };
  }
  if (range.kind === 'part') {
    ctx.status = 206;
    ctx.set('Content-Range', `bytes ${range.first}-${range.last}/${file.size}`);
  }
  const { first, last } = range.kind === 'part' ? range : { first: 0, last: file.size - 1 };
  sendBytes(ctx, exchange, file, first, last);
  return undefined;
}

function describe(ctx: Context, file: OpenedFile, immutable: boolean): void {
  ctx.type = 'application/octet-stream';
  ctx.etag = `"${file.size.toString(16)}-${Math.round(file.mtimeMs * 1000).toString(16)}"`;
  ctx.lastModified = new Date(file.mtimeMs);
  ctx.set('Accept-Ranges', 'bytes');
  if (immutable) ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
}

/** RFC 9110 §13.1.5: the same strong ETag, or exactly the same date; without the header the range stands. */
function ifRangeHolds(ctx: Context): boolean {
  const condition = ctx.get('If-Range');
  return condition === '' || condition === ctx.response.get('ETag') || condition === ctx.response.get('Last-Modified');
}

function sendBytes(ctx: Context, exchange: Exchange, file: OpenedFile, first: number, last: number): void {
  const length = last - first + 1;
  if (ctx.method === 'HEAD' || length === 0) {
    closeSync(file.fd);
    if (ctx.method !== 'HEAD') ctx.body = '';
  } else {
    ctx.body = fileStream(ctx, exchange, file, first, last);
  }
  ctx.length = length;
}

function fileStream(ctx: Context, exchange: Exchange, file: OpenedFile, first: number, last: number): ReadStream {
  const stream = createReadStream('', { fd: file.fd, start: first, end: last, highWaterMark: CHUNK });
  stream.once('end', () => {
    if (stream.bytesRead === last - first + 1) return;
    // The promised length can't be kept any more, and only a broken connection tells the client.
    exchange.fault = 'the file became shorter while it was sent';
    ctx.req.socket.destroy();
  });
  return stream;
}
