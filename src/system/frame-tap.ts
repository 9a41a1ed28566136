import { readMac, type Mac } from '../addr/mac.ts';
import { INBOX, type FrameLink } from './datagram.ts';
import { checked, SystemCallError, type Libc } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { attachFilter, type PacketFilter } from './packet-filter.ts';
import { SendQueue } from './send-queue.ts';
import { AF_PACKET, MSG_DONTWAIT, SOCK_CLOEXEC_NONBLOCK, SOCKADDR_LL } from './socket-numbers.ts';
import { setNumber, setReceiveBuffer } from './udp-socket.ts';

const SOCK_RAW = 3;
/** Every protocol: only these sockets see frames as they came, with their tag, also of VLANs that have no interface here. */
const ETH_P_ALL = 3;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const PACKET_AUXDATA = 8;
const PACKET_IGNORE_OUTGOING = 23;
/** A burst of a thousand machines' ARP, as the kernel counts it. */
const RECEIVE_BUFFER = 1024 * 1024;

/** Where struct sockaddr_ll has them. */
const HALEN = 11;
const ADDRESS = 12;
const MAC_SIZE = 6;
/*
 * Behind the 16 bytes of struct cmsghdr: struct tpacket_auxdata { u32 status, len, snaplen; u16 mac, net, vlan_tci, vlan_tpid }
 */
const AUXDATA_SPACE = 36;
const STATUS = 16;
const VLAN_TCI = 32;
const TP_STATUS_VLAN_VALID = 0x10;

/** Of frames that are taken at once. */
const MOST_BYTES = 64 * 1024;
/** Bytes of a frame that is sent: a DISCOVER and its headers. */
const SEND_SLOT = 640;

/**
 * Opens the socket of a `FrameLink`: it hears what `filter` passes, not what this machine sends, and outlives the interface's
 * going down. Needs CAP_NET_RAW; throws SystemCallError.
 */
export function openFrameTap(libc: Libc, ifindex: number, filter: PacketFilter): number {
  // 0 would be every interface
  if (ifindex === 0) throw new SystemCallError('if_nametoindex', 'ENODEV');
  // No protocol until it is bound: it hears nothing before its filter is there
  const fd = checked('socket AF_PACKET', libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC_NONBLOCK, 0));
  try {
    attachFilter(libc, fd, filter);
    setNumber(libc, fd, SOL_PACKET, PACKET_AUXDATA, 1);
    // Or the kernel makes a copy of each packet that this machine sends, only for the filter to refuse it
    setNumber(libc, fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    setReceiveBuffer(libc, fd, RECEIVE_BUFFER);
    const address = Buffer.alloc(SOCKADDR_LL);
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ETH_P_ALL, 2);
    address.writeInt32LE(ifindex, 4);
    checked('bind AF_PACKET', libc.bind(fd, address, address.length));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Makes taps of one thread: they share the arrays they receive into and send from. */
export class FrameTaps {
  readonly #libc: Libc;
  readonly #queue: SendQueue;
  readonly #inboxes = new Map<number, MessageBatch>();

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#queue = new SendQueue(libc, SEND_SLOT);
  }

  /** Works on a socket from `openFrameTap`, whose filter passes `snap` bytes; whoever opened it closes it. */
  adopt(fd: number, ifindex: number, snap: number): FrameLink {
    const inbox = this.#inboxes.get(snap) ?? new MessageBatch(Math.min(INBOX, Math.ceil(MOST_BYTES / snap)), snap);
    this.#inboxes.set(snap, inbox);
    return new FrameTap(this.#libc, { fd, ifindex }, inbox, this.#queue);
  }
}

class FrameTap implements FrameLink {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #ifindex: number;
  readonly #inbox: MessageBatch;
  readonly #queue: SendQueue;

  constructor(
    libc: Libc,
    { fd, ifindex }: { readonly fd: number; readonly ifindex: number },
    inbox: MessageBatch,
    queue: SendQueue,
  ) {
    this.#libc = libc;
    this.#fd = fd;
    this.#ifindex = ifindex;
    this.#inbox = inbox;
    this.#queue = queue;
  }

  /** The kernel names a bound socket by its interface's address. */
  get mac(): Mac | undefined {
    const name = Buffer.alloc(SOCKADDR_LL);
    const size = Buffer.alloc(4);
    size.writeInt32LE(SOCKADDR_LL);
    const isNamed = this.#libc.getsockname(this.#fd, name, size) === 0 && name[HALEN] === MAC_SIZE;
    return isNamed ? readMac(name, ADDRESS) : undefined;
  }

  get batch(): number {
    return this.#inbox.count;
  }

  receive(handle: (frame: Uint8Array, tag: number) => void): number {
    const inbox = this.#inbox;
    for (let i = 0; i < inbox.count; i++) inbox.expect(i);
    // An error, as when the interface went down, is told once and gone
    const count = Math.max(0, this.#libc.recvmmsg(this.#fd, inbox.headers, inbox.count, MSG_DONTWAIT, null));
    for (let i = 0; i < count; i++) {
      const start = inbox.payload(i);
      handle(inbox.arena.subarray(start, start + Math.min(inbox.received(i), inbox.slot)), readTag(inbox, i));
    }
    return count;
  }

  takeDropped(): number {
    const statistics = Buffer.alloc(8);
    const size = Buffer.alloc(4);
    size.writeInt32LE(statistics.length);
    const result = this.#libc.getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, statistics, size);
    return result < 0 ? 0 : statistics.readUInt32LE(4);
  }

  send(frame: Uint8Array): void {
    const { batch } = this.#queue;
    if (frame.length > SEND_SLOT) throw new RangeError(`a frame of ${frame.length} bytes, at most ${SEND_SLOT}`);
    const index = this.#queue.next(this.#fd);
    const name = batch.nameOffset(index);
    batch.arena.fill(0, name, name + SOCKADDR_LL);
    batch.arenaView.setUint16(name, AF_PACKET, true);
    batch.arena.set(frame.subarray(12, 14), name + 2);
    batch.arenaView.setInt32(name + 4, this.#ifindex, true);
    batch.arena.set(frame, batch.payload(index));
    batch.describe(index, SOCKADDR_LL, 0, frame.length);
  }

  flush(): number {
    return this.#queue.flush();
  }

  close(): void {
    this.flush();
  }
}

/** The TCI of the tag that the kernel took off; 0: none. */
function readTag(batch: MessageBatch, index: number): number {
  if (batch.receivedControl(index) < AUXDATA_SPACE) return 0;
  const at = batch.controlOffset(index);
  const status = batch.arenaView.getUint32(at + STATUS, true);
  return (status & TP_STATUS_VLAN_VALID) === 0 ? 0 : batch.arenaView.getUint16(at + VLAN_TCI, true);
}
