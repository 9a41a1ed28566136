import { closeSync, fstatSync, readSync } from 'node:fs';
import type { ServerResponse } from 'node:http';

import type { Context } from 'koa';

import type { OpenedFile } from '../system/open-file.ts';
import { lengthOf, type Piece } from './byte-ranges-body.ts';
import { FileBody, type FileBodyDependencies } from './file-body.ts';
import type { Exchange } from './ledger.ts';
import type { Refusal } from './refusal.ts';
import type { SendSchedule } from './send-schedule.ts';
import type { TokenBucket } from './token-bucket.ts';

const CHANGED: Refusal = {
  status: 503,
  label: 'changed',
  reason: 'the file was changed while it was read',
  retryAfter: 1,
};

/** Sends the body of an answer whose header is set, and closes the file. */
export type BodySender = (
  ctx: Context,
  exchange: Exchange,
  file: OpenedFile,
  pieces: readonly Piece[],
) => Refusal | undefined;

export interface BodySenderDependencies extends FileBodyDependencies {
  readonly schedule: SendSchedule;
  /** What holds the client of this response to a speed. */
  readonly bucketOf: (response: ServerResponse) => TokenBucket | undefined;
}

/** Small bodies at once, so that nothing stays open for them; the others in their turns. */
export function createBodySender(dependencies: BodySenderDependencies): BodySender {
  const { limits, schedule, bucketOf } = dependencies;
  return (ctx, exchange, file, pieces) => {
    if (lengthOf(pieces) <= limits.inline) {
      const bytes = readWhole(file, pieces);
      if (bytes === undefined) return CHANGED;
      ctx.body = bytes;
      return undefined;
    }
    ctx.respond = false;
    schedule.enter(new FileBody(ctx.res, exchange, file, pieces, dependencies), bucketOf(ctx.res));
    return undefined;
  };
}

/** Undefined when the file is not what it was when it was opened. */
function readWhole(file: OpenedFile, pieces: readonly Piece[]): Buffer | undefined {
  try {
    const bytes = pieces.map((piece) => ('first' in piece ? readSpan(file.fd, piece.first, piece.last) : piece));
    const { size, mtimeMs } = fstatSync(file.fd);
    const whole = Buffer.concat(bytes);
    return size === file.size && mtimeMs === file.mtimeMs && whole.length === lengthOf(pieces) ? whole : undefined;
  } finally {
    closeSync(file.fd);
  }
}

function readSpan(fd: number, first: number, last: number): Buffer {
  const bytes = Buffer.alloc(last - first + 1);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, first));
}
