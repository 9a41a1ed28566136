import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { readFileSync } from 'node:fs';

import type { ApiRequest } from './api-request.ts';
import { authorizationOf, type ApiKey } from './oauth.ts';

const ANSWER_MILLISECONDS = 120_000;
/** Of what is read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;
/** Clocks that differ by more are told apart. */
const SKEW = 60_000;

export interface Server {
  /** Up to the path: http://region.example:5240 */
  readonly origin: string;
  readonly key?: ApiKey | undefined;
  readonly ca?: string | undefined;
}

export interface ApiReply {
  readonly status: number;
  readonly type: string;
  /** Of the description that the server has now. */
  readonly hash: string | undefined;
  readonly body: Buffer;
}

/** The server can't be reached, or does not answer as one. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Sends it; once more by the server's clock where that may be why the key was refused. Redirects are not followed. */
export async function send(server: Server, request: ApiRequest, now: () => number): Promise<ApiReply> {
  const { reply, date } = await sendOnce(server, request, now());
  const skew = date - now();
  return reply.status === 401 && Math.abs(skew) > SKEW ? (await sendOnce(server, request, date)).reply : reply;
}

async function sendOnce(
  { origin, key, ca }: Server,
  { method, path, fields }: ApiRequest,
  now: number,
): Promise<{ readonly reply: ApiReply; readonly date: number }> {
  const form = fields.length === 0 ? undefined : await encode(fields);
  const headers = {
    accept: '*/*',
    ...(key && { authorization: authorizationOf(key, now) }),
    ...(form && { 'content-type': form.type, 'content-length': form.body.length }),
    ...(!form && method !== 'GET' && { 'content-length': 0 }),
  };
  const open = origin.startsWith('https:') ? secureRequest : plainRequest;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = open(`${origin}${path}`, {
      method,
      headers,
      timeout: ANSWER_MILLISECONDS,
      ...(ca !== undefined && { ca: readFileSync(ca) }),
    });
    outgoing.once('response', resolve);
    outgoing.once('timeout', () => outgoing.destroy(new Error('it does not answer')));
    outgoing.once('error', (error) =>
      reject(new NoAnswer(`${origin}: ${error.message || String(Reflect.get(error, 'code'))}`)),
    );
    outgoing.end(form?.body);
  });
  const date = Date.parse(response.headers.date ?? '');
  const hash = response.headers['x-maas-api-hash'];
  return {
    date: Number.isNaN(date) ? now : date,
    reply: {
      status: response.statusCode ?? 0,
      type: response.headers['content-type'] ?? '',
      hash: typeof hash === 'string' ? hash : undefined,
      body: await readAll(response),
    },
  };
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MOST_BYTES) throw new Error(`it says more than ${MOST_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw new NoAnswer(error instanceof Error ? error.message : String(error), { cause: error });
  }
  return Buffer.concat(chunks);
}

/** As multipart/form-data, which all servers of this API read. */
async function encode(fields: ApiRequest['fields']): Promise<{ readonly type: string; readonly body: Buffer }> {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  const encoded = new Response(form);
  return { type: encoded.headers.get('content-type') ?? '', body: Buffer.from(await encoded.arrayBuffer()) };
}
