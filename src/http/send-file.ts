import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';

import type { Context } from 'koa';

import type { OpenedFile } from '../system/open-file.ts';
import { byteRangesBody, lengthOf, type Piece } from './byte-ranges-body.ts';
import type { BodySender } from './body-sender.ts';
import { selectRanges, type Span } from '../wire/http/byte-range.ts';
import type { Exchange } from './ledger.ts';
import { checkPreconditions, ifRangeHolds, type Validators } from '../wire/http/preconditions.ts';
import type { Refusal } from './refusal.ts';

/** A file that a path stands for, open. */
export interface FoundFile {
  readonly file: OpenedFile;
  readonly isImmutable: boolean;
}

const CHANGED: Refusal = {
  status: 412,
  label: 'precondition',
  reason: 'the file is another than the condition says (If-Match or If-Unmodified-Since)',
};

/** Answers GET or HEAD with a file, whole or in parts. `now`: Unix milliseconds. Whichever way it ends, the file is closed. */
export function sendFile(
  ctx: Context,
  exchange: Exchange,
  { file, isImmutable }: FoundFile,
  now: number,
  send: BodySender,
): Refusal | undefined {
  const validators = describe(ctx, file, isImmutable, now);
  const verdict = checkPreconditions(ctx.req.headers, validators);
  if (verdict !== 'send') {
    closeSync(file.fd);
    if (verdict === 'failed') return CHANGED;
    ctx.remove('Content-Type');
    ctx.status = 304;
    return undefined;
  }
  // Range means something for GET only (RFC 9110 §14.2).
  const isRanged = ctx.method === 'GET' && ifRangeHolds(onlyOne(ctx.req.headers['if-range']), validators, now);
  const ranges = selectRanges(isRanged ? ctx.req.headers.range : undefined, file.size);
  if (ranges.kind === 'unsatisfiable') {
    closeSync(file.fd);
    ctx.set('Content-Range', `bytes */${file.size}`);
    return { status: 416, label: 'range', reason: `the file has ${file.size} bytes: no such range` };
  }
  const pieces = ranges.kind === 'whole' ? wholeOf(file) : partsOf(ctx, ranges.parts, file);
  ctx.length = lengthOf(pieces);
  if (ctx.method !== 'HEAD') return send(ctx, exchange, file, pieces);
  closeSync(file.fd);
  return undefined;
}

function wholeOf({ size }: OpenedFile): readonly Piece[] {
  return size === 0 ? [] : [{ first: 0, last: size - 1 }];
}

/** RFC 9110 §15.3.7: one range comes bare, several come as multipart/byteranges. */
function partsOf(ctx: Context, parts: readonly Span[], { size }: OpenedFile): readonly Piece[] {
  ctx.status = 206;
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    ctx.set('Content-Range', `bytes ${only.first}-${only.last}/${size}`);
    return parts;
  }
  const { contentType, pieces } = byteRangesBody(parts, size, randomBytes(18).toString('hex'));
  ctx.set('Content-Type', contentType);
  return pieces;
}

/** ctime is in the tag: it tells files apart whose times were set by hand, as those of reproducible builds are. */
function describe(ctx: Context, file: OpenedFile, isImmutable: boolean, now: number): Validators {
  const etag = `"${file.size.toString(16)}-${micros(file.mtimeMs)}-${micros(file.ctimeMs)}"`;
  // Never later than the answer itself (RFC 9110 §8.8.2.1)
  const lastModified = Math.floor(Math.min(file.mtimeMs, now) / 1000) * 1000;
  ctx.status = 200;
  ctx.set('Content-Type', 'application/octet-stream');
  ctx.set('ETag', etag);
  ctx.set('Last-Modified', new Date(lastModified).toUTCString());
  ctx.set('Accept-Ranges', 'bytes');
  if (isImmutable) ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
  return { etag, lastModified };
}

function micros(milliseconds: number): string {
  return Math.round(milliseconds * 1000).toString(16);
}

function onlyOne(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}
