import * as http from 'node:http';
import * as https from 'node:https';

import type { FileFlow, FileWish, Origin } from './origin.ts';
import { TransferError } from './transfer-error.ts';

/** Neither a server nor a path that loses all packets tells that it is gone. */
const SILENCE_MILLISECONDS = 30_000;
const MOST_REDIRECTS = 5;
/** Too busy, or in trouble: another time it may do. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface HttpOriginSettings {
  /** With a slash at the end. */
  readonly base: URL;
  /** A proxy for both http and https; absent: none, whatever the environment says. */
  readonly proxy?: string | undefined;
  /** Default: 30 s. */
  readonly silenceMilliseconds?: number;
}

/** A mirror behind HTTP. */
export class HttpOrigin implements Origin {
  readonly #base: URL;
  readonly #silence: number;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor({ base, proxy, silenceMilliseconds = SILENCE_MILLISECONDS }: HttpOriginSettings) {
    this.#base = base;
    this.#silence = silenceMilliseconds;
    const options = {
      keepAlive: true,
      ...(proxy !== undefined && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
    };
    this.#agents = { http: new http.Agent(options), https: new https.Agent(options) };
  }

  locate(path: string): string {
    return this.#urlOf(path).href;
  }

  async open(path: string, wish: FileWish): Promise<FileFlow> {
    const { from, validator } = wish;
    const response = await this.#ask(this.#urlOf(path), wish);
    const found = strongValidator(response);
    const isPart = response.statusCode === 206;
    // A 200 to a question with If-Range is another file, unless it says that it is the same
    const isSame = validator === undefined || found === validator;
    const first = isPart ? firstByte(response, from) : 0;
    if (first !== from && isPart) {
      response.destroy();
      throw new TransferError(`${this.locate(path)}: asked from byte ${from}, and got another part`, false);
    }
    return {
      first: isPart || !isSame ? first : from,
      ...(found !== undefined && { validator: found }),
      chunks: chunksOf(response, isPart || !isSame ? 0 : from, this.locate(path)),
    };
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #urlOf(path: string): URL {
    return new URL(path.split('/').map(encodeURIComponent).join('/'), this.#base);
  }

  async #ask(asked: URL, wish: FileWish): Promise<http.IncomingMessage> {
    let url = asked;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await this.#request(url, wish);
      const { statusCode = 0, headers } = response;
      if (statusCode === 200 || (statusCode === 206 && wish.from > 0)) return response;
      response.resume();
      const next = statusCode >= 301 && statusCode <= 308 ? headers.location : undefined;
      if (next === undefined)
        throw new TransferError(`${url.href}: answers ${statusCode}`, PASSING_STATUS.has(statusCode));
      url = followed(url, next);
    }
    throw new TransferError(`${asked.href}: redirects more than ${MOST_REDIRECTS} times`, false);
  }

  #request(url: URL, { from, validator, signal }: FileWish): Promise<http.IncomingMessage> {
    const headers = {
      'accept-encoding': 'identity',
      ...(from > 0 && { range: `bytes=${from}-` }),
      ...(from > 0 && validator !== undefined && { 'if-range': validator }),
    };
    const isSecure = url.protocol === 'https:';
    const agent = isSecure ? this.#agents.https : this.#agents.http;
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).get(url, { agent, headers, signal, timeout: this.#silence }, resolve);
      request.on('timeout', () => request.destroy(new Error(`nothing came for ${this.#silence / 1000} s`)));
      request.on('error', (error: NodeJS.ErrnoException) => {
        reject(signal.aborted ? error : new TransferError(`${url.href}: ${reasonOf(error)}`, true));
      });
    });
  }
}

/** The body from the byte on that is wanted. A connection that ends early is an error, as Node tells by the announced length. */
async function* chunksOf(response: http.IncomingMessage, skip: number, place: string): AsyncGenerator<Uint8Array> {
  let left = skip;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      const rest = chunk.subarray(Math.min(left, chunk.length));
      left -= chunk.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  } catch (error) {
    throw new TransferError(`${place}: ${reasonOf(error)}`, true);
  }
}

function followed(from: URL, location: string): URL {
  const next = URL.parse(location, from);
  if (next && (next.protocol === 'https:' || (next.protocol === 'http:' && from.protocol === 'http:'))) return next;
  throw new TransferError(`${from.href}: redirects to what is not fetched: ${location.slice(0, 100)}`, false);
}

/** Content-Range: bytes 500-999/1000 (RFC 9110 §14.4). */
function firstByte({ headers }: http.IncomingMessage, otherwise: number): number {
  const written = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  return written === undefined ? otherwise + 1 : Number(written);
}

/** A weak one says nothing about bytes. */
function strongValidator({ headers }: http.IncomingMessage): string | undefined {
  const { etag } = headers;
  return etag !== undefined && etag.startsWith('"') ? etag : undefined;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET') return 'the connection was cut';
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}
