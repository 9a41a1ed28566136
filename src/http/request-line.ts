import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { refuseConnection } from './refuse-connection.ts';

/** Requests that a client may send ahead of the answers; the rest it has to ask again (RFC 9112 §9.3.2). */
const MOST_AHEAD = 32;

/** Told by a request whose body went wrong, or did not come in time: there will be no more of it. */
export const BODY_CUT_OFF = 'body-cut-off';

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * The requests of one connection, answered one after the other: Node would begin them all at once, and each could open a
 * file. An answer of ours to what is no request comes after the others, and never in the midst of one.
 */
export class RequestLine {
  readonly #socket: Socket;
  readonly #handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #waiting: Waiting[] = [];
  #underWay: IncomingMessage | undefined;
  #end: string | undefined;

  constructor(socket: Socket, handle: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#socket = socket;
    this.#handle = handle;
  }

  /** False when it is one too many. */
  enter(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#end !== undefined) return true;
    if (this.#waiting.length >= MOST_AHEAD) return false;
    this.#waiting.push({ request, response });
    this.#next();
    return true;
  }

  /** Says `code` when the answers before it are out, and hangs up. False when that was to come already. */
  end(code: string): boolean {
    if (this.#end !== undefined) return false;
    this.#end = code;
    // What is still to come would only fill our memory
    this.#socket.pause();
    const request = this.#underWay;
    // Later, as whoever wants the body may not have begun to listen
    if (request?.complete === false) setImmediate(() => request.emit(BODY_CUT_OFF));
    this.#next();
    return true;
  }

  #next(): void {
    if (this.#underWay) return;
    // RFC 9112 §9.6: after an answer that says close there is no other. Node never gives one a connection, nor closes it
    if (!this.#socket.writable) this.#waiting.length = 0;
    const next = this.#waiting.shift();
    if (next === undefined) {
      if (this.#end !== undefined) refuseConnection(this.#end, this.#socket);
      return;
    }
    this.#underWay = next.request;
    next.response.once('close', () => {
      this.#underWay = undefined;
      this.#next();
    });
    this.#handle(next.request, next.response);
  }
}
