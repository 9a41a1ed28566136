import { BROADCAST_MAC, readMac, writeMac, type Mac } from '../addr/mac.ts';
import { BATCH, type ArpLink } from './datagram.ts';
import { checked, SystemCallError, type Libc } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { arpAnswerFilter, attachFilter } from './packet-filter.ts';
import { SendQueue } from './send-queue.ts';
import { AF_PACKET, MSG_DONTWAIT, SOCK_CLOEXEC_NONBLOCK, SOCK_DGRAM, SOCKADDR_LL } from './socket-numbers.ts';

const ETHERTYPE_ARP = 0x0806;
/** More than an ARP packet for IPv4 has; what is longer is cut off. */
const SLOT = 64;
const MAC_SIZE = 6;
/** Where struct sockaddr_ll has them. */
const PKTTYPE = 10;
const HALEN = 11;
const ADDRESS = 12;
/** Meant for another machine, or of a VLAN that has no interface here. */
const PACKET_OTHERHOST = 3;

/**
 * Opens the socket of an `ArpLink`: it hears answers to us and announcements. It outlives the interface's going down and hears again when it is up. Needs
 * CAP_NET_RAW; throws SystemCallError.
 */
export function openArpSocket(libc: Libc, ifindex: number): number {
  // 0 would be every interface
  if (ifindex === 0) throw new SystemCallError('if_nametoindex', 'ENODEV');
  // No protocol until it is bound, or it would hear other interfaces in between
  const fd = checked('socket AF_PACKET', libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC_NONBLOCK, 0));
  const address = Buffer.alloc(SOCKADDR_LL);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETHERTYPE_ARP, 2);
  address.writeInt32LE(ifindex, 4);
  try {
    attachFilter(libc, fd, arpAnswerFilter());
    checked('bind AF_PACKET', libc.bind(fd, address, address.length));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** An AF_PACKET socket for ARP: the kernel takes off and puts on the Ethernet header. */
export class ArpSocket implements ArpLink {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #ifindex: number;
  readonly #inbox = new MessageBatch(BATCH, SLOT);
  readonly #queue: SendQueue;

  /** `fd` from `openArpSocket`; whoever opened it closes it. */
  constructor(libc: Libc, fd: number, ifindex: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#ifindex = ifindex;
    this.#queue = new SendQueue(libc, SLOT);
  }

  /** The kernel names a bound socket by its interface's address. */
  get mac(): Mac | undefined {
    const name = Buffer.alloc(SOCKADDR_LL);
    const size = Buffer.alloc(4);
    size.writeInt32LE(SOCKADDR_LL);
    const isNamed = this.#libc.getsockname(this.#fd, name, size) === 0 && name[HALEN] === MAC_SIZE;
    return isNamed ? readMac(name, ADDRESS) : undefined;
  }

  receive(handle: (packet: Uint8Array) => void): void {
    const inbox = this.#inbox;
    for (let i = 0; i < inbox.count; i++) inbox.expect(i);
    // An error, as when the interface went down, is told once and gone
    const count = this.#libc.recvmmsg(this.#fd, inbox.headers, inbox.count, MSG_DONTWAIT, null);
    for (let i = 0; i < count; i++) {
      if (inbox.arena[inbox.nameOffset(i) + PKTTYPE] === PACKET_OTHERHOST) continue;
      const start = inbox.payload(i);
      handle(inbox.arena.subarray(start, start + Math.min(inbox.received(i), SLOT)));
    }
  }

  broadcast(packet: Uint8Array): void {
    const { batch } = this.#queue;
    if (packet.length > SLOT) throw new RangeError(`an ARP packet of ${packet.length} bytes, at most ${SLOT}`);
    const index = this.#queue.next(this.#fd);
    const name = batch.nameOffset(index);
    batch.arena.fill(0, name, name + SOCKADDR_LL);
    batch.arenaView.setUint16(name, AF_PACKET, true);
    batch.arenaView.setUint16(name + 2, ETHERTYPE_ARP);
    batch.arenaView.setInt32(name + 4, this.#ifindex, true);
    batch.arena[name + HALEN] = MAC_SIZE;
    writeMac(batch.arena, name + ADDRESS, BROADCAST_MAC);
    batch.arena.set(packet, batch.payload(index));
    batch.describe(index, SOCKADDR_LL, 0, packet.length);
  }

  flush(): number {
    return this.#queue.flush();
  }

  close(): void {
    this.flush();
  }
}
