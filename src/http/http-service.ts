import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';

import { parseIp4, type Ip4 } from '../addr/ip4.ts';
import { createRoutes, type Routes } from '../boot/routes.ts';
import type { Plan } from '../plan/plan.ts';
import type { BootNews } from '../boots/boot-sign.ts';
import { BootTable } from '../service/boot-table.ts';
import { LeaseTable } from '../service/lease-table.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { CaseFinder } from '../system/case-finder.ts';
import type { Timer } from '../system/loop.ts';
import { checked, loadLibc, type Libc } from '../system/libc.ts';
import { createBodySender, type BodySender } from './body-sender.ts';
import { createBootApp } from './boot-app.ts';
import { BootSigns } from './boot-signs.ts';
import { createBootServer } from './boot-server.ts';
import { Certificate } from './certificate.ts';
import { CONNECTION_LIMITS, Connections, type ConnectionLimits } from './connections.ts';
import { SendfileSender, type FileSender } from './file-sender.ts';
import { Ledger } from './ledger.ts';
import { Pacing } from './pacing.ts';
import { SEND_LIMITS, type SendLimits } from './send-limits.ts';
import { SendSchedule } from './send-schedule.ts';
import type { TokenBucket } from './token-bucket.ts';

/** As often answers that take long are looked for. */
const LOOK_MILLISECONDS = 10_000;

interface Listener {
  /** The rack's descriptor, not ours. */
  readonly fd: number;
  readonly server: Server;
  readonly isSecure: boolean;
}

export interface HttpSystem {
  /** Another descriptor for the same socket: Node closes what it listens on, and the socket stays the rack's. */
  duplicate(fd: number): number;
  readonly libc: Libc;
  readonly sender: FileSender;
  readonly defer: (callback: () => void) => void;
  readonly sendLimits: SendLimits;
  readonly connectionLimits: ConnectionLimits;
}

/** Serves boot files by HTTP on the sockets the rack opened. */
export class HttpService implements Service {
  readonly #context: ServiceContext;
  readonly #system: HttpSystem;
  readonly #ledger: Ledger;
  readonly #leases: LeaseTable;
  readonly #finder = new CaseFinder();
  readonly #boots = new BootTable();
  readonly #connections: Connections;
  readonly #pacing: Pacing;
  readonly #schedule: SendSchedule;
  readonly #certificate: Certificate;
  readonly #send: BodySender;
  /** By local address and port. */
  readonly #listeners = new Map<string, Listener>();
  /** Also those that take no more connections but still send. */
  readonly #open = new Set<Server>();
  #lookTimer: Timer | undefined;
  #routes: Routes = { resolve: () => ({ kind: 'missing', reason: 'this rack has no plan yet' }) };

  constructor(context: ServiceContext, system: HttpSystem) {
    const { clock, events, loop } = context;
    this.#context = context;
    this.#system = system;
    const signs = new BootSigns(context.signs, system.libc);
    this.#ledger = new Ledger(events, clock, (...answer) => signs.sent(...answer));
    this.#leases = new LeaseTable(clock);
    this.#connections = new Connections(system.connectionLimits);
    this.#pacing = new Pacing(clock);
    this.#certificate = new Certificate(events);
    this.#scheduleLook();
    const { sendLimits: limits, sender, defer } = system;
    const schedule = new SendSchedule({ limits, clock, loop, defer });
    this.#schedule = schedule;
    this.#send = createBodySender({ limits, sender, schedule, bucketOf: (response) => this.#bucketOf(response) });
  }

  /** Requests from now on see the new Plan; transfers under way go on, also those that came by a socket that is gone. */
  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#routes = createRoutes(plan, this.#boots);
    this.#pacing.apply(plan);
    this.#certificate.load(plan.http.tls);
    const wanted = new Map(sockets.map((socket) => [`${socket.address}:${socket.port}`, socket]));
    for (const [name, { fd, server, isSecure }] of this.#listeners) {
      const socket = wanted.get(name);
      if (socket?.fd === fd && isSecure === (socket.port === plan.http.tls?.port)) continue;
      server.close();
      this.#listeners.delete(name);
    }
    for (const { server, isSecure } of this.#listeners.values()) {
      if (isSecure) this.#certificate.dress(server as SecureServer);
    }
    for (const [name, socket] of wanted) {
      const isSecure = socket.port === plan.http.tls?.port;
      if (!this.#listeners.has(name)) this.#listeners.set(name, this.#listen(socket, isSecure));
    }
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#leases.learn(bound, ended);
  }

  learnBoots(news: BootNews): void {
    this.#boots.learn(news);
  }

  counters(): Counters {
    return { ...this.#ledger.counters(), connections: this.#connections.open, ...this.#schedule.levels() };
  }

  close(): void {
    this.#lookTimer?.cancel();
    for (const server of this.#open) {
      server.close();
      server.closeAllConnections();
    }
    this.#schedule.close();
    this.#listeners.clear();
  }

  #scheduleLook(): void {
    this.#lookTimer = this.#context.loop.after(LOOK_MILLISECONDS, () => {
      this.#ledger.tellUnderWay();
      this.#scheduleLook();
    });
  }

  #listen(socket: SocketHandle, isSecure: boolean): Listener {
    const handle = this.#createApp(socket.address);
    const server = createBootServer(isSecure ? { pair: this.#certificate.pair } : 'none', {
      handle,
      opened: (connection) => {
        if (!this.#connections.admit(connection)) this.#ledger.count('refused.connections');
      },
      refused: (connection, status) => this.#ledger.refuse(connection.remoteAddress, status),
      unsafe: () => this.#ledger.count('refused.tls'),
      failed: () => this.#ledger.count('refused.accept'),
    });
    server.once('close', () => this.#open.delete(server));
    this.#open.add(server);
    server.listen({ fd: this.#system.duplicate(socket.fd) });
    return { fd: socket.fd, server, isSecure };
  }

  #createApp(rackAddress: Ip4): (request: IncomingMessage, response: ServerResponse) => void {
    const plane = {
      ledger: this.#ledger,
      events: this.#context.events,
      finder: this.#finder,
      ...(this.#context.signs && { signs: this.#context.signs }),
      routes: () => this.#routes,
      holder: (address: Ip4) => this.#leases.holder(address),
      now: () => this.#context.clock.now(),
      send: this.#send,
      isSurplus: this.#connections.isSurplus.bind(this.#connections),
    };
    const answer = createBootApp(plane, rackAddress).callback();
    return (request, response) => void answer(request, response);
  }

  #bucketOf(response: ServerResponse): TokenBucket | undefined {
    const { remoteAddress = '' } = response.req.socket;
    const address = parseIp4(remoteAddress);
    const held = this.#pacing.hold(remoteAddress, address === undefined ? undefined : this.#leases.holder(address));
    if (held !== undefined) response.once('close', held.release);
    return held?.bucket;
  }
}

export function createHttpService(context: ServiceContext): Service {
  const libc = loadLibc();
  return new HttpService(context, {
    duplicate: (fd) => checked('dup', libc.dup(fd)),
    libc,
    sender: new SendfileSender(libc),
    defer: setImmediate,
    sendLimits: SEND_LIMITS,
    connectionLimits: CONNECTION_LIMITS,
  });
}
