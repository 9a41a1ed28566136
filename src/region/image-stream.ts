import { createReadStream, closeSync } from 'node:fs';
import { join, posix } from 'node:path';

import type { Context, Middleware } from 'koa';

import { IMAGE_STREAM_PATH } from '../contract/paths.ts';
import { openServedFile, type OpenedFile } from '../system/open-file.ts';
import { selectRanges } from '../wire/http/byte-range.ts';
import { checkPreconditions, ifRangeHolds } from '../wire/http/preconditions.ts';
import { requestPath } from '../wire/http/request-path.ts';
import { IMAGE_STREAM_SETTING } from './answer/image-source.ts';
import { publish } from './answer/publish.ts';
import type { Database } from './database/database.ts';
import { Refusal } from './refusal.ts';

const NOBODYS = 'there is no such file';

/** The files of a simplestreams mirror below /MAAS/images-stream/: to be read by anybody, as they are signed or public. */
export function imageStream(directory: string, now: () => number): Middleware {
  return async (context, next) => {
    if (!context.path.startsWith(IMAGE_STREAM_PATH)) return next();
    if (context.method !== 'GET' && context.method !== 'HEAD') {
      context.set('allow', 'GET, HEAD');
      throw new Refusal(405, 'expected GET or HEAD');
    }
    sendFile(context, open(directory, context.path), now());
  };
}

/** All racks have it as their first source from then on; `url`: where racks reach the region. Undefined: there is none. */
export async function announceImages(database: Database, url: string | undefined): Promise<void> {
  const value = url === undefined ? null : JSON.stringify(url + IMAGE_STREAM_PATH);
  await database.transaction(async (sql) => {
    const [row] = await sql.query('SELECT value FROM setting WHERE name = $1', [IMAGE_STREAM_SETTING]);
    if ((row?.['value'] ?? null) === (value === null ? null : JSON.parse(value))) return;
    await sql.query('DELETE FROM setting WHERE name = $1', [IMAGE_STREAM_SETTING]);
    if (value !== null)
      await sql.query('INSERT INTO setting (name, value) VALUES ($1, $2::jsonb)', [IMAGE_STREAM_SETTING, value]);
    await publish(sql, 'all');
  });
}

/** Throws Refusal. No link leads out of the directory. */
function open(directory: string, path: string): OpenedFile {
  const name = requestPath(path)?.slice(IMAGE_STREAM_PATH.length);
  if (name === undefined || name.includes('\0') || posix.normalize(`/${name}`) !== `/${name}`) {
    throw new Refusal(404, NOBODYS);
  }
  const opened = openServedFile(directory, join(directory, name));
  if (!('refused' in opened)) return opened;
  throw opened.because === 'trouble'
    ? new Refusal(503, 'the file can not be read just now', 5)
    : new Refusal(404, NOBODYS);
}

/** Whichever way it ends, the file is closed. */
function sendFile(context: Context, file: OpenedFile, now: number): void {
  const etag = `"${file.size.toString(16)}-${Math.round(file.mtimeMs * 1000).toString(16)}"`;
  const lastModified = Math.floor(Math.min(file.mtimeMs, now) / 1000) * 1000;
  context.status = 200;
  context.type = context.path.endsWith('json') ? 'application/json' : 'application/octet-stream';
  context.set({ etag, 'last-modified': new Date(lastModified).toUTCString(), 'accept-ranges': 'bytes' });
  const { headers } = context.req;
  const found = { etag, lastModified };
  const verdict = checkPreconditions(headers, found);
  if (verdict !== 'send') {
    closeSync(file.fd);
    if (verdict === 'failed') throw new Refusal(412, 'the file is another than the condition says');
    context.status = 304;
    return;
  }
  const isRanged = context.method === 'GET' && ifRangeHolds(context.get('if-range') || undefined, found, now);
  const ranges = selectRanges(isRanged ? headers.range : undefined, file.size);
  if (ranges.kind === 'unsatisfiable') {
    closeSync(file.fd);
    context.set('content-range', `bytes */${file.size}`);
    throw new Refusal(416, `the file has ${file.size} bytes: no such range`);
  }
  // Who wants several ranges at once may have the whole (RFC 9110 §14.2)
  const [only] = ranges.kind === 'parts' && ranges.parts.length === 1 ? ranges.parts : [];
  const { first, last } = only ?? { first: 0, last: file.size - 1 };
  if (only) {
    context.status = 206;
    context.set('content-range', `bytes ${first}-${last}/${file.size}`);
  }
  context.length = last + 1 - first;
  if (context.method === 'HEAD' || file.size === 0) closeSync(file.fd);
  else context.body = createReadStream('', { fd: file.fd, start: first, end: last });
  if (context.method !== 'HEAD' && file.size === 0) context.body = '';
}
