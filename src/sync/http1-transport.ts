import * as http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

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
  /** Ends what is under way. */
  readonly #cuts = new Set<() => void>();
  /** Questions that wait for a connection: the agent counts only those that are made already. */
  readonly #queue: (() => void)[] = [];
  #asked = 0;
  #isClosed = false;

  /** `first`: a connection that is open already. */
  constructor(url: URL, dial: () => Promise<Socket>, first?: Socket) {
    this.#url = url;
    this.#agent = new http.Agent({ keepAlive: true });
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
    if (this.#asked === MOST_CONNECTIONS) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#asked++;
    try {
      return await this.#askStubbornly(question);
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#asked--;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const cut of this.#cuts) cut();
    this.#agent.destroy();
  }

  async #askStubbornly(question: Question): Promise<RawAnswer> {
    for (let stale = 0; ; stale++) {
      try {
        return await this.#askOnce(question);
      } catch (error) {
        // It was closed for want of use while the question was on its way: what we ask may be asked twice
        if (!(error instanceof StaleConnection) || stale === MOST_CONNECTIONS) throw faultOf(error);
      }
    }
  }

  async #dialFor(
    dial: () => Promise<Socket>,
    done: ((error: Error | null, socket: Duplex) => void) | undefined,
  ): Promise<void> {
    try {
      const socket = await dial();
      if (!this.#isClosed) return done?.(null, socket);
      socket.destroy();
      throw cutOff();
    } catch (error) {
      done?.(faultOf(error), undefined as unknown as Duplex);
    }
  }

  #askOnce(question: Question): Promise<RawAnswer> {
    const { method, path, body, within, most } = question;
    if (this.#isClosed) return Promise.reject(cutOff());
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
      const cut = (): void => fail(cutOff());
      const settle = (): void => {
        clearTimeout(timer);
        this.#cuts.delete(cut);
      };
      const timer = setTimeout(() => fail(tooLate(within)), within);
      const fail = (error: unknown): void => {
        settle();
        reject(isStale(request, error) ? new StaleConnection() : (error as Error));
        request.destroy();
      };
      this.#cuts.add(cut);
      request.on('error', fail);
      request.on('close', cut);
      request.on('response', (response) => {
        const reader = new AnswerReader(most);
        response.on('data', (chunk: Buffer) => attempt(() => reader.take(chunk), fail));
        response.on('error', fail);
        response.on('end', () => {
          attempt(() => {
            const { statusCode: status = 0, headers } = response;
            resolve({ status, text: reader.text(), ...parseRetryAfter(headers['retry-after']) });
            settle();
          }, fail);
        });
      });
      request.end(body);
    });
  }
}

class StaleConnection extends Error {
  constructor() {
    super('the connection was cut');
  }
}

function isStale(request: http.ClientRequest, error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
}

function cutOff(): Error {
  return new Error('the connection was cut');
}

function attempt(work: () => void, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}
