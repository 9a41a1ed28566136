import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import type { KeyPair } from '../system/key-pair.ts';
import { statusOf, TOO_MANY_AHEAD } from './refuse-connection.ts';
import { RequestLine } from './request-line.ts';

/** Milliseconds. A machine's request fits one packet: whoever takes longer is no machine of ours. */
const OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 15_000,
  connectionsCheckingInterval: 2_000,
  // Node would answer in chunks, which firmware can't read: we look for ourselves
  requireHostHeader: false,
};
const HANDSHAKE = { handshakeTimeout: 10_000, minVersion: 'TLSv1.2' } as const;
/** Milliseconds without a byte in either direction. Large bodies are watched by their schedule. */
const STALLED = 120_000;
/** The client left in the midst of its request: nobody is there to be told. */
const ENDED_EARLY = new Set(['HPE_INVALID_EOF_STATE', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

export interface BootServerHooks {
  handle(request: IncomingMessage, response: ServerResponse): void;
  opened(connection: Socket): void;
  /** What came is no request, or none that can be answered; told once for each connection. */
  refused(connection: Socket, status: string): void;
  /** A handshake that did not come about. */
  unsafe(): void;
  /** The system gives no connections: too many are open, say. */
  failed(): void;
}

/** Undefined where there is no certificate: every handshake is then refused. */
export type ServerSecurity = 'none' | { readonly pair: KeyPair | undefined };

/** An HTTP server that lets no answer of its own land in the midst of another. */
export function createBootServer(security: ServerSecurity, hooks: BootServerHooks): Server {
  const lines = new WeakMap<Duplex, RequestLine>();
  const lineOf = (socket: Socket): RequestLine => {
    const line = lines.get(socket) ?? new RequestLine(socket, (...asked) => hooks.handle(...asked));
    lines.set(socket, line);
    return line;
  };
  const refuse = (code: string, socket: Socket): void => {
    if (ENDED_EARLY.has(code)) socket.destroy();
    else if (lineOf(socket).end(code)) hooks.refused(socket, statusOf(code));
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (!lineOf(request.socket).enter(request, response)) refuse(TOO_MANY_AHEAD, request.socket);
  };

  const server = security === 'none' ? createServer(OPTIONS) : secureServer(security.pair, hooks);
  // A client that ended its half of the connection still waits for its answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.setTimeout(STALLED);
  server.on('request', handle);
  server.on('checkExpectation', handle);
  server.on('connect', (_request, socket: Duplex) => {
    // Node has nothing to do with the connection any more: its errors are ours
    socket.on('error', () => socket.destroy());
    refuse('CONNECT', socket as Socket);
  });
  server.on('connection', (socket: Socket) => hooks.opened(socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    refuse(error.code ?? '', socket as Socket);
  });
  server.on('error', () => hooks.failed());
  return server;
}

function secureServer(pair: KeyPair | undefined, hooks: BootServerHooks): Server {
  const server = createSecureServer({ ...OPTIONS, ...HANDSHAKE, ...pair });
  server.on('tlsClientError', () => hooks.unsafe());
  return server;
}
