import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';

import { createRoutes, type Routes } from '../boot/routes.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Plan } from '../plan/plan.ts';
import type { BootNews } from '../boots/boot-sign.ts';
import { BootTable } from '../service/boot-table.ts';
import { LeaseTable } from '../service/lease-table.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { CaseFinder } from '../system/case-finder.ts';
import { checked, loadLibc } from '../system/libc.ts';
import { createBootApp } from './boot-app.ts';
import { BootSigns } from './boot-signs.ts';
import { Ledger } from './ledger.ts';
import { refuseConnection } from './refuse-connection.ts';

/** Milliseconds. A machine's request fits one packet: whoever takes longer is no machine of ours. */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 15_000 };
/** Milliseconds without a byte in either direction; iPXE on a lossy link has been seen to stall for a minute. */
const STALLED = 120_000;
const MAX_CONNECTIONS = 8192;
/** Of one address: firmware and installers open a few; a client that opens thousands would cost everyone's memory. */
const MAX_PER_CLIENT = 256;

interface Listener {
  /** The rack's descriptor, not ours. */
  readonly fd: number;
  readonly server: Server;
}

/** Serves boot files by HTTP on the sockets the rack opened. */
export class HttpService implements Service {
  readonly #context: ServiceContext;
  readonly #duplicate: (fd: number) => number;
  readonly #ledger: Ledger;
  readonly #leases: LeaseTable;
  readonly #finder = new CaseFinder();
  readonly #boots = new BootTable();
  /** By local address and port. */
  readonly #listeners = new Map<string, Listener>();
  /** Open connections by client address. */
  readonly #connections = new Map<string, number>();
  /** Also those that take no more connections but still send. */
  readonly #open = new Set<Server>();
  #routes: Routes = { resolve: () => ({ kind: 'missing', reason: 'this rack has no plan yet' }) };

  /** `duplicate`: another descriptor for the same socket. Node closes what it listens on, and the socket stays the rack's. */
  constructor(context: ServiceContext, duplicate: (fd: number) => number) {
    this.#context = context;
    this.#duplicate = duplicate;
    const signs = new BootSigns(context.signs, loadLibc());
    this.#ledger = new Ledger(context.events, context.clock, (...answer) => signs.sent(...answer));
    this.#leases = new LeaseTable(context.clock);
  }

  /** Requests from now on see the new Plan; transfers under way go on, also those that came by a socket that is gone. */
  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#routes = createRoutes(plan, this.#boots);
    const wanted = new Map(sockets.map((socket) => [`${socket.address}:${socket.port}`, socket]));
    for (const [name, listener] of this.#listeners) {
      if (wanted.get(name)?.fd === listener.fd) continue;
      listener.server.close();
      this.#listeners.delete(name);
    }
    for (const [name, socket] of wanted) {
      if (!this.#listeners.has(name)) this.#listeners.set(name, this.#listen(socket));
    }
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#leases.learn(bound, ended);
  }

  learnBoots(news: BootNews): void {
    this.#boots.learn(news);
  }

  counters(): Counters {
    return this.#ledger.counters();
  }

  close(): void {
    for (const server of this.#open) {
      server.close();
      server.closeAllConnections();
    }
    this.#listeners.clear();
  }

  /** Keeps one client from taking every connection. */
  #admit(connection: Socket): void {
    const client = connection.remoteAddress ?? '';
    const others = this.#connections.get(client) ?? 0;
    this.#connections.set(client, others + 1);
    connection.once('close', () => {
      const left = (this.#connections.get(client) ?? 1) - 1;
      if (left > 0) this.#connections.set(client, left);
      else this.#connections.delete(client);
    });
    if (others < MAX_PER_CLIENT) return;
    this.#ledger.count('refused.connections');
    connection.destroy();
  }

  #listen(socket: SocketHandle): Listener {
    const plane = {
      ledger: this.#ledger,
      events: this.#context.events,
      finder: this.#finder,
      ...(this.#context.signs && { signs: this.#context.signs }),
      routes: () => this.#routes,
      holder: (address: Ip4) => this.#leases.holder(address),
    };
    const handle = createBootApp(plane, socket.address).callback();
    const server = createServer(TIMEOUTS, (request, response) => void handle(request, response));
    server.setTimeout(STALLED);
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (connection) => this.#admit(connection));
    server.on('error', () => this.#ledger.count('refused.accept'));
    server.on('clientError', (error: NodeJS.ErrnoException, connection) => {
      this.#ledger.count('refused.bad-request');
      refuseConnection(error.code, connection);
    });
    server.once('close', () => this.#open.delete(server));
    this.#open.add(server);
    server.listen({ fd: this.#duplicate(socket.fd) });
    return { fd: socket.fd, server };
  }
}

export function createHttpService(context: ServiceContext): Service {
  const libc = loadLibc();
  return new HttpService(context, (fd) => checked('dup', libc.dup(fd)));
}
