import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Resolution } from '../boot/routes.ts';
import { BOOT_LOCAL } from '../plan/plan.ts';
import type { Counters } from '../service/letters.ts';
import type { EventSink, Subject } from '../service/service.ts';
import { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import { printablePath } from '../wire/http/request-path.ts';
import type { Refusal } from './refusal.ts';

/** One request, from its first line to its last byte. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly subject: Subject;
  /** What was asked for, once that is known. */
  found?: Resolution;
  /** Why it is answered with an error, once that is known. */
  refusal?: Refusal;
  /** What broke on our side, or why we gave up, once that is so. */
  fault?: string;
  /** Of a body that goes past Node: the bytes on their way so far. */
  bytes?: number;
  /** Milliseconds for which it had to wait for its turn. */
  waited?: number;
}

/** A machine whose next step is so long in coming is taken to be stuck soon. */
const UNDER_WAY_MILLISECONDS = 20_000;

interface OpenAnswer {
  readonly exchange: Exchange;
  readonly response: ServerResponse;
  /** Monotonic milliseconds. */
  readonly started: number;
}

/** Told of an answer and the connection it left by. */
type SentHook = (exchange: Exchange, response: ServerResponse, connection: Socket) => void;

/** Counts requests, and makes events of how they ended. */
export class Ledger {
  readonly #events: EventSink;
  readonly #clock: Clock;
  readonly #sent: SentHook;
  readonly #tally = new Tally('requests', 'bytes', 'failed');
  /** Answers that are on their way, and not told of. */
  readonly #open = new Set<OpenAnswer>();

  /** `sent`: called for each answer to a GET that left whole and holds bytes to boot from. */
  constructor(events: EventSink, clock: Clock, sent: SentHook = () => undefined) {
    this.#sent = sent;
    this.#events = events;
    this.#clock = clock;
  }

  count(name: string, by = 1): void {
    this.#tally.add(name, by);
  }

  counters(): Counters {
    return this.#tally.read();
  }

  /** Books what was no request. `status`: what it is answered with, as number and words. */
  refuse(address: string | undefined, status: string): void {
    this.count('refused.bad-request');
    const code = Number(status.slice(0, 3));
    const reason = `what came is no request that can be answered (${status.slice(4)})`;
    const subject = address === undefined ? {} : { address };
    this.#events.emit({ kind: 'http.refused', path: '', status: code, reason }, subject);
  }

  /** Books `exchange` when its response has left, or never will. */
  open(exchange: Exchange, response: ServerResponse): void {
    this.count('requests');
    const started = this.#clock.monotonic();
    const { socket } = response;
    const before = socket?.bytesWritten ?? 0;
    const answer = { exchange, response, started };
    this.#open.add(answer);
    response.once('close', () => {
      this.#open.delete(answer);
      this.count(`status.${Math.floor(response.statusCode / 100)}xx`);
      const milliseconds = Math.round(this.#clock.monotonic() - started);
      if (response.writableFinished && exchange.fault === undefined)
        this.#finished(exchange, response, socket, milliseconds);
      else this.#failed(exchange, response, exchange.bytes ?? (socket?.bytesWritten ?? 0) - before);
    });
  }

  /** Tells of files that are long on their way, each once: until it has arrived, nothing else shows that a machine fetches one. */
  tellUnderWay(): void {
    const now = this.#clock.monotonic();
    // The oldest first
    for (const answer of this.#open) {
      const milliseconds = Math.round(now - answer.started);
      if (milliseconds < UNDER_WAY_MILLISECONDS) return;
      this.#open.delete(answer);
      const { exchange, response } = answer;
      if (exchange.method !== 'GET' || exchange.refusal !== undefined) continue;
      const [path, bytes] = [printablePath(exchange.path), lengthOf(response)];
      this.#events.emit({ kind: 'http.under-way', path, bytes, milliseconds }, exchange.subject);
    }
  }

  #finished(exchange: Exchange, response: ServerResponse, connection: Socket | null, milliseconds: number): void {
    const { refusal, method, subject } = exchange;
    const path = printablePath(exchange.path);
    const status = response.statusCode;
    if (refusal !== undefined) {
      this.count(`refused.${refusal.label}`);
      this.#events.emit({ kind: 'http.refused', path, status, reason: refusal.reason }, subject);
      return;
    }
    // HEAD and 304 carry no bytes: counted, but nothing was sent that a machine could boot from.
    if (method !== 'GET' || (status !== 200 && status !== 206)) return;
    const bytes = lengthOf(response);
    this.count('bytes', bytes);
    const waited = exchange.waited === undefined ? {} : { waited: exchange.waited };
    this.#events.emit(
      { kind: 'http.sent', path, status, bytes, milliseconds, ...waited, ...bootsOf(exchange) },
      subject,
    );
    if (connection) this.#sent(exchange, response, connection);
  }

  #failed(exchange: Exchange, response: ServerResponse, written: number): void {
    this.count('failed');
    const length = lengthOf(response);
    // More than arrived: what was still queued when the connection broke is in it, and of small files the header.
    const sent = Math.min(Math.max(written, 0), length);
    this.count('bytes', sent);
    const reason = exchange.fault ?? `the connection was closed after about ${sent} of ${length} bytes`;
    this.#events.emit({ kind: 'http.failed', path: printablePath(exchange.path), reason }, exchange.subject);
  }
}

function bootsOf({ found }: Exchange): { boots?: string } {
  return found?.kind === 'text' && found.script ? { boots: found.script.entry ?? BOOT_LOCAL } : {};
}

function lengthOf(response: ServerResponse): number {
  const length = Number(response.getHeader('Content-Length') ?? 0);
  return response.req.method === 'HEAD' ? 0 : length;
}
