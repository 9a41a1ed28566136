import * as http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

import {
  AnswerReader,
  faultOf,
  headersOf,
  parseRetryAfter,
  tooLate,
  type Question,
  type RawAnswer,
  type Transport,
} from './transport.ts';

/** One waits for a plan, and the other tells. */
const MOST_CONNECTIONS = 2;

/** HTTP/1.1 over connections that stay open. */
export class Http1Transport implements Transport {
  readonly isOpen = true;
  readonly #url: URL;
  readonly #agent: http.Agent;

  /** `first`: a connection that is open already. */
  constructor(url: URL, dial: () => Promise<Socket>, first?: Socket) {
    this.#url = url;
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
    let ready = first;
    this.#agent.createConnection = (_options, done) => {
      const socket = ready?.destroyed === false ? ready : undefined;
      ready = undefined;
      if (socket) return socket;
      void this.#dialFor(dial, done);
      return undefined;
    };
  }

  async ask(question: Question): Promise<RawAnswer> {
    try {
      return await this.#askOnce(question);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw faultOf(error);
    }
    // It was closed for want of use while the question was on its way: what we ask may be asked twice
    try {
      return await this.#askOnce(question);
    } catch (error) {
      throw faultOf(error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #dialFor(
    dial: () => Promise<Socket>,
    done: ((error: Error | null, socket: Duplex) => void) | undefined,
  ): Promise<void> {
    try {
      done?.(null, await dial());
    } catch (error) {
      done?.(faultOf(error), undefined as unknown as Duplex);
    }
  }

  #askOnce(question: Question): Promise<RawAnswer> {
    const { method, path, body, within, most } = question;
    return new Promise((resolve, reject) => {
      const request = http.request({
        agent: this.#agent,
        host: this.#url.hostname,
        port: this.#url.port,
        setHost: false,
        method,
        path,
        headers: { host: this.#url.host, ...headersOf(question) },
      });
      const timer = setTimeout(() => fail(tooLate(within)), within);
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        reject(isStale(request, error) ? new StaleConnection() : (error as Error));
        request.destroy();
      };
      request.on('error', fail);
      request.on('close', () => fail(new Error('the connection was cut')));
      request.on('response', (response) => {
        const reader = new AnswerReader(most);
        response.on('data', (chunk: Buffer) => attempt(() => reader.take(chunk), fail));
        response.on('error', fail);
        response.on('end', () => {
          attempt(() => {
            const { statusCode: status = 0, headers } = response;
            resolve({ status, text: reader.text(), ...parseRetryAfter(headers['retry-after']) });
            clearTimeout(timer);
          }, fail);
        });
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {}

function isStale(request: http.ClientRequest, error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

function attempt(work: () => void, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}
