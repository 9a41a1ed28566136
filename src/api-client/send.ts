import { request as openRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { messageOf } from '../system/message-of.ts';
import { openTrustedConnection, type Trust } from '../system/trusted-connection.ts';
import type { ReplyBody } from './reply-text.ts';

/** What is sent, to the byte. */
export interface WireRequest {
  /** Whose host it goes to; nothing else of it counts. */
  readonly url: URL;
  readonly trust: Trust;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: Buffer | undefined;
}

export interface WireReply extends ReplyBody {
  readonly status: number;
  /** As the server calls it: "Not Found". */
  readonly reason: string;
  /** Names in lower case; as many rows as there were. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Of one header; of several the first. */
  header(name: string): string | undefined;
}

/** The server can't be reached, or does not answer as one. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** What takes a request to a server: rejects with NoAnswer. */
export type Send = (request: WireRequest) => Promise<WireReply>;

export interface SendLimits {
  /** Milliseconds until there is a connection. */
  readonly connecting: number;
  /** Milliseconds in which nothing comes. */
  readonly silence: number;
  /** Milliseconds for all of it: what comes byte by byte is never silent. */
  readonly whole: number;
  /** Bytes of a body. */
  readonly bytes: number;
}

/** Changes may wait for racks and databases; what is read into memory is bounded. */
const LIMITS: SendLimits = { connecting: 15_000, silence: 120_000, whole: 600_000, bytes: 64 * 1024 * 1024 };

/** Redirects are replies like any other: whoever asked decides, as it is he who has a key to lose. */
export async function send(request: WireRequest, limits: SendLimits = LIMITS): Promise<WireReply> {
  const end = new AbortController();
  const stop = (reason: string): void => end.abort(new Error(reason));
  const timer = setTimeout(() => stop(`no whole answer in ${limits.whole / 1000} s`), limits.whole);
  try {
    const { url, trust } = request;
    const socket = await openTrustedConnection({ url, trust, within: limits.connecting });
    socket.setTimeout(limits.silence, () => stop(`nothing came for ${limits.silence / 1000} s`));
    const response = await ask(request, socket, end.signal);
    const rows = rowsOf(response.rawHeaders);
    const body = await readAll(response, limits.bytes);
    // A body without a length ends with its connection, whoever ended that
    end.signal.throwIfAborted();
    const header = (name: string): string | undefined => rows.find(([each]) => each === name)?.[1];
    return {
      status: response.statusCode ?? 0,
      reason: response.statusMessage ?? '',
      headers: rows,
      header,
      type: header('content-type') ?? '',
      body,
    };
  } catch (error) {
    const reason: unknown = end.signal.aborted ? end.signal.reason : error;
    throw new NoAnswer(`${request.url.origin}: ${clauseOf(reason)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function ask(
  { url, method, path, headers, body }: WireRequest,
  socket: Socket,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest({
      createConnection: () => socket,
      method,
      path,
      headers: { host: url.host, 'accept-encoding': 'identity', ...headers },
      signal,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function readAll(response: IncomingMessage, most: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw new Error(`it says more than ${most} bytes`);
    chunks.push(chunk);
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Error('its answer is packed, which was not asked for');
  return Buffer.concat(chunks);
}

function rowsOf(raw: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [(raw[i * 2] ?? '').toLowerCase(), raw[i * 2 + 1] ?? '']);
}

function clauseOf(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET') return 'the connection was cut';
  return code.startsWith('HPE_') ? `it does not answer in HTTP (${code})` : messageOf(error);
}
