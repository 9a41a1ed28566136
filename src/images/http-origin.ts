import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';

import type { RegionTrust } from '../plan/plan.ts';
import { openTrustedConnection, readTrust } from '../system/trusted-connection.ts';
import type { FileFlow, FileWish, Origin } from './origin.ts';
import { shown } from './streams/stream-json.ts';
import { TransferError } from './transfer-error.ts';

/** Neither a server nor a path that loses all packets tells that it is gone. */
const SILENCE_MILLISECONDS = 30_000;
/** So many silences may pass until an answer begins: what comes byte by byte is never silent. */
const SILENCES_TO_ANSWER = 2;
const MOST_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A body that nobody reads is taken off the connection if it is announced to be no longer: else a new connection is cheaper. */
const LONGEST_ASIDE = 16 * 1024;
/** Too busy, or in trouble: another time it may do. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface HttpOriginSettings {
  /** With a slash at the end. */
  readonly base: URL;
  /** A proxy for both http and https; absent: none, whatever the environment says. */
  readonly proxy?: string | undefined;
  /** Whom to take for the host of `base`, where the system is not asked. With a proxy that has no say. */
  readonly trust?: RegionTrust | undefined;
  /** Default: 30 s. */
  readonly silenceMilliseconds?: number;
}

/** A mirror behind HTTP. */
export class HttpOrigin implements Origin {
  readonly #base: URL;
  /** Milliseconds. */
  readonly #silence: number;
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent; readonly trusting: https.Agent };

  constructor({ base, proxy, trust, silenceMilliseconds = SILENCE_MILLISECONDS }: HttpOriginSettings) {
    this.#base = base;
    this.#silence = silenceMilliseconds;
    const options = {
      keepAlive: true,
      ...(proxy !== undefined && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
    };
    const usual = new https.Agent(options);
    const trusting = trust && proxy === undefined ? trustingAgent(base, trust, silenceMilliseconds) : usual;
    this.#agents = { http: new http.Agent(options), https: usual, trusting };
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
      chunks: this.#chunksOf(response, isPart || !isSame ? 0 : from, this.locate(path)),
    };
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
    this.#agents.trusting.destroy();
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
      putAside(response);
      if (statusCode === 416) throw new TransferError(`${url.href}: ends before byte ${wish.from}`, false);
      const next = REDIRECTS.has(statusCode) ? headers.location : undefined;
      if (next === undefined)
        throw new TransferError(`${url.href}: answers ${statusCode}`, PASSING_STATUS.has(statusCode));
      url = followed(url, next);
    }
    throw new TransferError(`${asked.href}: redirects more than ${MOST_REDIRECTS} times`, false);
  }

  /** To where it redirects the trust in it does not go. */
  #secureAgentFor({ origin }: URL): https.Agent {
    return origin === this.#base.origin ? this.#agents.trusting : this.#agents.https;
  }

  #request(url: URL, { from, validator, signal }: FileWish): Promise<http.IncomingMessage> {
    const headers = {
      'accept-encoding': 'identity',
      ...(from > 0 && { range: `bytes=${from}-` }),
      ...(from > 0 && validator !== undefined && { 'if-range': validator }),
    };
    const isSecure = url.protocol === 'https:';
    const agent = isSecure ? this.#secureAgentFor(url) : this.#agents.http;
    return new Promise((resolve, reject) => {
      const options = { agent, headers, signal, timeout: this.#silence };
      const request = (isSecure ? https : http).get(url, options);
      const patience = this.#silence * SILENCES_TO_ANSWER;
      const end = setTimeout(() => fail(new Error(`no answer in ${patience / 1000} s`)), patience);
      const stop = (): void => fail(signal.reason as Error);
      const settle = (): void => {
        clearTimeout(end);
        signal.removeEventListener('abort', stop);
      };
      // Told here too: while a proxy builds its tunnel, a request that is destroyed says nothing
      const fail = (error: Error): void => {
        settle();
        reject(signal.aborted ? error : new TransferError(`${url.href}: ${reasonOf(error)}`, true));
        request.destroy(error);
      };
      signal.addEventListener('abort', stop, { once: true });
      request.on('timeout', () => fail(this.#nothingCame()));
      request.on('error', fail);
      request.on('response', (response) => {
        settle();
        // From here on a silence is one only while somebody waits for more: see #chunksOf
        request.setTimeout(0);
        resolve(response);
      });
    });
  }

  /**
   * The body from the byte on that is wanted. A connection that ends early is an error, as Node tells by the announced length; so is
   * one that is silent while it is waited for. The time that its reader takes, as it must to keep a pace, is not the mirror's.
   */
  async *#chunksOf(response: http.IncomingMessage, skip: number, place: string): AsyncGenerator<Uint8Array> {
    const expect = (): NodeJS.Timeout => setTimeout(() => response.destroy(this.#nothingCame()), this.#silence);
    let left = skip;
    let silence = expect();
    try {
      for await (const chunk of response as AsyncIterable<Uint8Array>) {
        clearTimeout(silence);
        const rest = chunk.subarray(Math.min(left, chunk.length));
        left -= chunk.length - rest.length;
        if (rest.length > 0) yield rest;
        silence = expect();
      }
    } catch (error) {
      throw new TransferError(`${place}: ${reasonOf(error)}`, true);
    } finally {
      clearTimeout(silence);
    }
  }

  #nothingCame(): Error {
    return new Error(`nothing came for ${this.#silence / 1000} s`);
  }
}

function trustingAgent(url: URL, trust: RegionTrust, within: number): https.Agent {
  const agent = new https.Agent({ keepAlive: true });
  const connect = async (done: (error: Error | null, socket: Duplex) => void): Promise<void> => {
    try {
      done(null, await openTrustedConnection({ url, trust: readTrust(trust), within }));
    } catch (error) {
      done(error as Error, undefined as unknown as Duplex);
    }
  };
  agent.createConnection = (_options, done) => {
    if (done) void connect(done);
    return undefined;
  };
  return agent;
}

/** An error's or a redirect's body: nobody knows how long it is, or whether it ends. */
function putAside(response: http.IncomingMessage): void {
  const length = Number(response.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (length <= LONGEST_ASIDE) response.resume();
  else response.destroy();
}

/** From https never to http, and nowhere with a name and a password, which would be the mirror's choice to send. */
function followed(from: URL, location: string): URL {
  const next = URL.parse(location, from);
  const isSafe = next?.protocol === 'https:' || (next?.protocol === 'http:' && from.protocol === 'http:');
  if (next && isSafe && next.username === '' && next.password === '') return next;
  throw new TransferError(`${from.href}: redirects to what is not fetched: ${shown(location)}`, false);
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
