import { formatIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import { normalizePath } from '../boot/normalize-path.ts';
import { createRoutes, type Routes } from '../boot/routes.ts';
import type { Plan } from '../plan/plan.ts';
import type { Counters, LeaseFact, SocketHandle } from '../service/letters.ts';
import type { Service, ServiceContext, Subject } from '../service/service.ts';
import type { DatagramSocket, Inbound } from '../system/datagram.ts';
import { DATA_HEADER, decodeTftp, encodeError } from '../wire/tftp/packet.ts';
import { TFTP_ERROR, type TftpPacket, type TftpRequest } from '../wire/tftp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { addressAsked } from './address-asked.ts';
import { messageOf, openContent, type Content } from './content.ts';
import { LARGEST_BLOCK, negotiate } from './negotiate.ts';
import { ReadSession, type Peer, type SessionTools, type TransferSocket } from './read-session.ts';
import type { Refusal } from './refusal.ts';
import { machineOf, LeaseTable } from '../service/lease-table.ts';
import { Tally } from '../service/tally.ts';
import type { Outcome } from './transfer.ts';

/** Where the service's sockets come from. */
export interface TftpWire {
  /** A listening socket of the rack's; the service does not close it. */
  openSocket(handle: SocketHandle): DatagramSocket;
  /** A new socket on a port of its own at `localAddress`; throws when there is none to be had. */
  openTransferSocket(localAddress: Ip4): TransferSocket;
}

/** How many transfers may run at once. */
export interface TftpLimits {
  readonly transfers: number;
  /** From one address: a rack behind NAT is one address, so this only keeps one from taking it all. */
  readonly perClient: number;
}

const LIMITS: TftpLimits = { transfers: 2000, perClient: 1000 };

interface Listener {
  readonly handle: SocketHandle;
  readonly socket: DatagramSocket;
  readonly watch: { close(): void };
}

/** A request, whom it is from, and where the answer leaves from. */
interface Visit {
  readonly request: TftpRequest;
  readonly client: Peer;
  readonly rackAddress: Ip4;
  readonly socket: DatagramSocket;
}

/** Serves boot files by TFTP, reads only: RFC 1350 with the options of RFC 2347, 2348, 2349 and 7440. */
export class TftpService implements Service {
  readonly #context: ServiceContext;
  readonly #wire: TftpWire;
  readonly #limits: TftpLimits;
  readonly #tally = new Tally();
  readonly #tools: SessionTools;
  readonly #sessions = new Map<number, ReadSession>();
  readonly #perClient = new Map<Ip4, number>();
  readonly #leases: LeaseTable;
  #listeners: readonly Listener[] = [];
  #plan: Plan | undefined;
  #routes: Routes | undefined;

  constructor(context: ServiceContext, wire: TftpWire, limits: TftpLimits = LIMITS) {
    this.#context = context;
    this.#leases = new LeaseTable(context.clock);
    this.#wire = wire;
    this.#limits = limits;
    const buffer = new Uint8Array(DATA_HEADER + LARGEST_BLOCK);
    this.#tools = { loop: context.loop, clock: context.clock, tally: this.#tally, buffer };
  }

  /** Running transfers go on with what they opened. */
  apply(plan: Plan, sockets: readonly SocketHandle[]): void {
    this.#routes = createRoutes(plan);
    this.#plan = plan;
    const kept = this.#listeners.filter(({ handle }) => sockets.some((wanted) => isSameSocket(wanted, handle)));
    for (const listener of this.#listeners) if (!kept.includes(listener)) listener.watch.close();
    const added = sockets.filter((wanted) => !kept.some(({ handle }) => isSameSocket(wanted, handle)));
    this.#listeners = [...kept, ...added.map((handle) => this.#listen(handle))];
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#leases.learn(bound, ended);
  }

  counters(): Counters {
    return { ...this.#tally.read(), active: this.#sessions.size };
  }

  close(): void {
    for (const { watch } of this.#listeners) watch.close();
    for (const session of this.#sessions.values()) session.close();
    this.#listeners = [];
    this.#sessions.clear();
    this.#perClient.clear();
  }

  #listen(handle: SocketHandle): Listener {
    const socket = this.#wire.openSocket(handle);
    const watch = this.#context.loop.watch(handle.fd, () => {
      socket.receive((datagram) => this.#onDatagram(datagram, handle, socket));
      socket.flush();
    });
    return { handle, socket, watch };
  }

  #onDatagram(datagram: Inbound, handle: SocketHandle, socket: DatagramSocket): void {
    this.#tally.add('received');
    const packet = this.#decode(datagram);
    if (packet === undefined) return;
    const client = { address: datagram.source, port: datagram.sourcePort };
    const rackAddress = addressAsked(datagram, handle, this.#plan?.subnets ?? []);
    switch (packet.type) {
      case 'rrq':
        this.#onRead({ request: packet, client, rackAddress, socket });
        break;
      case 'wrq': {
        const reason = 'this server takes no files: expected a read request';
        const refusal = { counter: 'write', code: TFTP_ERROR.accessViolation, reason };
        this.#refuse({ request: packet, client, rackAddress, socket }, refusal);
        break;
      }
      // Of a transfer that this port has nothing to do with; silence ends it as well as an ERROR would
      case 'ack':
      case 'data':
      case 'error':
      case 'oack':
        this.#tally.add('refused.stray');
    }
  }

  #decode(datagram: Inbound): TftpPacket | undefined {
    try {
      // Port 0 can't be answered
      if (datagram.sourcePort !== 0) return decodeTftp(datagram.bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    this.#tally.add('refused.bad-packet');
    return undefined;
  }

  #onRead(visit: Visit): void {
    const running = this.#sessions.get(sessionKey(visit.client));
    if (running?.repeat(visit.request)) return;
    const refusal = this.#admit(visit) ?? this.#begin(visit);
    if (refusal) this.#refuse(visit, refusal);
  }

  #admit({ request, client }: Visit): Refusal | undefined {
    if (request.mode !== 'octet' && request.mode !== 'netascii') {
      const reason = `expected mode octet or netascii, found "${request.mode}"`;
      return { counter: 'mode', code: TFTP_ERROR.illegalOperation, reason };
    }
    const { transfers, perClient } = this.#limits;
    if (this.#sessions.size >= transfers) return busy(`${transfers} transfers are running`);
    const running = this.#perClient.get(client.address) ?? 0;
    return running >= perClient ? busy(`${perClient} transfers to this address are running`) : undefined;
  }

  #begin(visit: Visit): Refusal | undefined {
    const { request, client, rackAddress } = visit;
    const asker = { rackAddress, address: client.address, ...machineOf(this.#leases.holder(client.address)) };
    const resolution = this.#routes?.resolve(request.file, asker);
    if (!resolution) return busy('nothing is served yet');
    const content = openContent(resolution, request.mode);
    if ('reason' in content) return content;
    const own = this.#openTransferSocket(rackAddress);
    if ('reason' in own) {
      content.close();
      return own;
    }
    this.#startSession(visit, content, own);
    return undefined;
  }

  #openTransferSocket(rackAddress: Ip4): TransferSocket | Refusal {
    try {
      return this.#wire.openTransferSocket(rackAddress);
    } catch (error) {
      return {
        counter: 'no-socket',
        code: TFTP_ERROR.notDefined,
        reason: `no port for a transfer: ${messageOf(error)}`,
      };
    }
  }

  #startSession({ request, client }: Visit, content: Content, own: TransferSocket): void {
    const agreement = negotiate(request, content.length);
    const ended = (outcome: Outcome | undefined): void => {
      this.#forget(session);
      this.#report(outcome, session, request.file, content.length);
    };
    const session = new ReadSession(this.#tools, { request, peer: client, own, content, agreement, ended });
    this.#sessions.set(sessionKey(client), session);
    this.#perClient.set(client.address, (this.#perClient.get(client.address) ?? 0) + 1);
    this.#tally.add('transfers');
    session.start();
  }

  #forget({ peer }: ReadSession): void {
    this.#sessions.delete(sessionKey(peer));
    const left = (this.#perClient.get(peer.address) ?? 0) - 1;
    if (left > 0) this.#perClient.set(peer.address, left);
    else this.#perClient.delete(peer.address);
  }

  #report(outcome: Outcome | undefined, session: ReadSession, asked: string, bytes: number): void {
    const { retransmitted, milliseconds, peer } = session;
    this.#tally.add('retransmitted', retransmitted);
    if (!outcome) return;
    const { events } = this.#context;
    const file = nameOf(asked);
    const subject = this.#subject(peer.address);
    this.#tally.add(outcome.kind);
    switch (outcome.kind) {
      case 'sent':
        events.emit({ kind: 'tftp.sent', file, bytes, milliseconds, retransmitted }, subject);
        break;
      case 'size-probe':
        events.emit({ kind: 'tftp.size-probe', file, bytes }, subject);
        break;
      case 'failed':
        events.emit({ kind: 'tftp.failed', file, reason: outcome.reason }, subject);
        break;
    }
  }

  #refuse({ request, client, rackAddress, socket }: Visit, { counter, code, reason }: Refusal): void {
    this.#tally.add(`refused.${counter}`);
    const { buffer } = this.#tools;
    const source = rackAddress === UNSPECIFIED ? {} : { source: rackAddress };
    socket.send(buffer.subarray(0, encodeError(buffer, code, reason)), { ...client, ...source });
    this.#context.events.emit(
      { kind: 'tftp.refused', file: nameOf(request.file), reason },
      this.#subject(client.address),
    );
  }

  #subject(address: Ip4): Subject {
    const mac = this.#leases.holder(address)?.mac;
    return { address: formatIp4(address), ...(mac !== undefined && { mac: formatMac(mac) }) };
  }
}

function busy(why: string): Refusal {
  return { counter: 'busy', code: TFTP_ERROR.notDefined, reason: `busy, ask again: ${why}` };
}

/** The file as the routes see it, so that TFTP and HTTP tell of it alike. */
function nameOf(asked: string): string {
  return normalizePath(asked) ?? asked;
}

function sessionKey(peer: Peer): number {
  return peer.address * 65536 + peer.port;
}

function isSameSocket(a: SocketHandle, b: SocketHandle): boolean {
  return a.fd === b.fd && a.address === b.address && a.port === b.port && a.interface === b.interface;
}
