import { formatIp4, LIMITED_BROADCAST, type Ip4 } from '../../src/addr/ip4.ts';
import { formatMac, type Mac } from '../../src/addr/mac.ts';
import { DhcpService } from '../../src/dhcp/dhcp-service.ts';
import { LeaseBook } from '../../src/leases/lease-book.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { LeaseFact, SocketHandle } from '../../src/service/letters.ts';
import type { Subject } from '../../src/service/service.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { HandTime } from './hand-time.ts';
import { MemoryLeaseStore } from './memory-lease-store.ts';
import { MemoryArp, MemoryLink, MemorySocket, type Sent } from './memory-wire.ts';
import { readReply, type Reply } from './naive-packet.ts';
import { ReplyRecord } from './reply-record.ts';
import { ip4, RACK, testPlan } from './test-plan.ts';

/** A reply and the way it took. */
export interface Answer extends Reply {
  readonly via: 'udp' | 'link';
  readonly to: string;
  readonly port: number;
  readonly source: string;
  readonly ifindex: number | undefined;
  readonly bytes: Uint8Array;
  /** The Ethernet address it was put on the link for. */
  readonly linkMac?: string;
}

export type Told = EventBody & Subject;

export const ETH0: SocketHandle = {
  fd: 7,
  transport: 'udp',
  interface: 'eth0',
  ifindex: 2,
  address: ip4(RACK),
  port: 67,
};
export const LINK: SocketHandle = { fd: 9, transport: 'link', address: 0 as Ip4, port: 0 };

export const ARP: SocketHandle = {
  fd: 11,
  transport: 'arp',
  interface: 'eth0',
  ifindex: 2,
  address: 0 as Ip4,
  port: 0,
};

/** Of this process, whichever racks it makes. */
const RECORD = new ReplyRecord();

/** A DHCP service with everything around it in memory; `restart` starts it anew on the same disk. */
export class DhcpRack {
  readonly time = new HandTime();
  readonly store = new MemoryLeaseStore();
  /** What happened, in order: "write" for a transaction, "send" for a datagram. */
  readonly trace: string[] = [];
  readonly leaseTable = new Map<Ip4, LeaseFact>();
  readonly sockets = new Map<number, MemorySocket>();
  readonly links: MemoryLink[] = [];
  readonly arps = new Map<number, MemoryArp>();
  told: Told[] = [];
  ended: string[] = [];
  service: DhcpService;
  readonly #record: ReplyRecord | undefined;
  #answers: Answer[] = [];
  #handles: readonly SocketHandle[];

  constructor(plan: Plan = testPlan(), handles: readonly SocketHandle[] = [ETH0, LINK], record?: 'unrecorded') {
    this.#record = record === 'unrecorded' ? undefined : RECORD;
    this.store.onWrite = () => this.trace.push('write');
    this.#handles = handles;
    this.service = this.#start();
    this.apply(plan);
  }

  apply(plan: Plan, handles: readonly SocketHandle[] = this.#handles): void {
    this.#handles = handles;
    this.service.apply(plan, handles);
  }

  /** The thread ends and starts again: what it did not write down is gone; the rack's table of leases is not. */
  restart(plan: Plan): void {
    this.service.close();
    this.service = this.#start();
    this.apply(plan);
  }

  /** Puts packets on the wire that are served as one batch, and gives the answers to all. */
  exchange(packets: readonly Uint8Array[], to = formatIp4(LIMITED_BROADCAST), fd = ETH0.fd): Answer[] {
    const socket = this.sockets.get(fd);
    if (!socket) throw new Error(`no socket ${fd}`);
    for (const packet of packets) socket.arrive(packet, ip4(to));
    while (socket.waiting > 0) this.time.ready(fd);
    return this.#answers.splice(0);
  }

  /** The one answer to one packet; undefined for silence. */
  ask(packet: Uint8Array, to?: string): Answer | undefined {
    const answers = this.exchange([packet], to);
    if (answers.length > 1) throw new Error(`${answers.length} answers to one packet`);
    return answers[0];
  }

  /** Lets time pass, and gives the answers that leave meanwhile. */
  wait(milliseconds: number): Answer[] {
    this.time.pass(milliseconds, 'milliseconds');
    return this.#answers.splice(0);
  }

  /** Someone is heard by ARP, and the rack answers whom that concerns. */
  overhear(packet: Uint8Array, fd = ARP.fd): Answer[] {
    this.arps.get(fd)?.arrive(packet);
    this.time.ready(fd);
    return this.#answers.splice(0);
  }

  count(name: string): number {
    return this.service.counters()[name] ?? 0;
  }

  /** Kinds of the events since the last look. */
  kinds(): string[] {
    return this.told.splice(0).map(({ kind }) => kind);
  }

  #start(): DhcpService {
    const { time } = this;
    return new DhcpService({
      clock: time,
      loop: time,
      events: {
        emit: (body, subject) => void this.told.push({ ...body, ...subject }),
        wants: () => true,
        leaseBound: (lease) => void this.leaseTable.set(lease.address, lease),
        leaseEnded: (address) => {
          this.leaseTable.delete(address);
          this.ended.push(formatIp4(address));
        },
      },
      openSocket: ({ fd }) => {
        const socket = new MemorySocket((sent) => this.#leave(sent));
        this.sockets.set(fd, socket);
        return socket;
      },
      openLink: () => {
        const link = new MemoryLink((sent) => this.#leave(sent));
        this.links.push(link);
        return link;
      },
      openArp: ({ fd }) => {
        const arp = new MemoryArp((address) => this.trace.push(`probe ${address}`));
        this.arps.set(fd, arp);
        return arp;
      },
      openBook: () => new LeaseBook(this.store),
      rest: () => undefined,
    });
  }

  #leave(sent: Sent): void {
    this.trace.push('send');
    this.#record?.add(sent);
    const { to } = sent;
    this.#answers.push({
      ...readReply(sent.bytes),
      bytes: sent.bytes,
      via: sent.via,
      to: formatIp4(to.address),
      port: to.port,
      source: formatIp4(to.source ?? (0 as Ip4)),
      ifindex: to.ifindex,
      ...(sent.via === 'link' && { linkMac: formatMac(sent.to.mac as Mac) }),
    });
  }
}
