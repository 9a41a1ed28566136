import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';

import type { KeyPair } from '../system/key-pair.ts';

/** Milliseconds. */
export interface PatienceLimits {
  /** For the head of a request. */
  readonly head: number;
  /** For all of it. */
  readonly request: number;
  /**
   * Between two requests: longer than a rack waits, so that it is never the region that ends a connection in use. Who takes nothing of
   * an answer for so long is not waited for either.
   */
  readonly idle: number;
  /** For what is under way when all is to end. */
  readonly grace: number;
}

export const PATIENCE: PatienceLimits = { head: 10_000, request: 60_000, idle: 90_000, grace: 5_000 };

const MOST_CONNECTIONS = 50_000;
/** A rack has one question that waits, and two or three beside it. */
const MOST_STREAMS = 32;
/** MB of one session: beside a batch of the greatest size, the default of 10 would leave no room for a second question. */
const MOST_SESSION = 32;

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** HTTP, and HTTP/2 where there is TLS, so that a rack needs one connection. Who is slow is cut off. */
export class Listener {
  readonly #serve: Serve;
  readonly #patience: PatienceLimits;
  readonly #plain: Server[] = [];
  readonly #secure: Http2SecureServer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #busy = new Set<ServerResponse>();

  constructor(serve: Serve, patience: PatienceLimits) {
    this.#patience = patience;
    this.#serve = (request, response) => {
      this.#busy.add(response);
      response.once('close', () => this.#busy.delete(response));
      serve(request, response);
    };
  }

  /** Gives the port. */
  async listen(host: string, port: number, tls?: KeyPair): Promise<number> {
    const server = tls ? this.#openSecure(tls) : this.#openPlain();
    this.#bound(server);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Connections keep the certificate they began with. */
  renew(tls: KeyPair): void {
    for (const server of this.#secure) server.setSecureContext(tls);
  }

  /** Takes nothing new, and lets what is under way come to its end; `hurry` is to end what would wait. */
  async close(hurry: () => void): Promise<void> {
    for (const server of [...this.#plain, ...this.#secure]) server.close();
    // RFC 9113 §6.8: no more streams after these
    for (const session of this.#sessions) session.close();
    hurry();
    const ends = Array.from(this.#busy, (response) => once(response, 'close'));
    await Promise.race([Promise.all(ends), after(this.#patience.grace)]);
    for (const socket of this.#sockets) socket.destroy();
  }

  #openPlain(): Server {
    const server = createPlainServer({ connectionsCheckingInterval: this.#patience.head / 2 }, this.#serve);
    this.#plain.push(server);
    return server;
  }

  #openSecure(tls: KeyPair): Http2SecureServer {
    const options = {
      ...tls,
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: this.#patience.head,
      connectionsCheckingInterval: this.#patience.head / 2,
      maxSessionMemory: MOST_SESSION,
      settings: { maxConcurrentStreams: MOST_STREAMS },
    } as const;
    // Of the older form as far as we use them: koa says so too
    const server = createSecureServer(options, this.#serve as never);
    server.on('session', (session) => this.#watch(session));
    this.#secure.push(server);
    return server;
  }

  #bound(server: Server | Http2SecureServer): void {
    const limited = server as Server;
    limited.headersTimeout = this.#patience.head;
    limited.requestTimeout = this.#patience.request;
    limited.keepAliveTimeout = this.#patience.idle;
    limited.maxConnections = MOST_CONNECTIONS;
    limited.setTimeout(this.#patience.idle);
  }

  /** However many bytes come: a session that begins no request is not waited for. */
  #watch(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    let [open, timer] = [0, setTimeout(() => session.destroy(), this.#patience.head)];
    session.on('stream', (stream) => {
      open++;
      clearTimeout(timer);
      stream.setTimeout(this.#patience.idle, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.once('close', () => {
        open--;
        if (open === 0 && !session.destroyed) timer = setTimeout(() => session.destroy(), this.#patience.idle);
      });
    });
    session.once('close', () => {
      clearTimeout(timer);
      this.#sessions.delete(session);
    });
  }
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
