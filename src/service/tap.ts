import { UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { readMac, type Mac } from '../addr/mac.ts';
import type { Clock } from '../system/clock.ts';
import type {
  DatagramSocket,
  Inbound,
  LinkDestination,
  LinkSender,
  Outbound,
  TrainSocket,
} from '../system/datagram.ts';
import { IP_AND_UDP, writeIpDatagram } from '../system/ip-datagram.ts';
import { encodePcapRecord, PCAP_RECORD } from '../wire/pcap-record.ts';
import type { TapAim } from './letters.ts';

/** Written down together, so that a busy moment is one letter. */
const GATHER_BYTES = 64 * 1024;
const GATHER_MILLISECONDS = 100;
const LONGEST = 65_535;
/** A lease is news here a moment after its machine has the ACK and goes on: packets of addresses without a name wait for it. */
const HELD_BYTES = 256 * 1024;
const HELD_MILLISECONDS = 1000;

/** RFC 2131 figure 1: where the client's hardware address is, and the cookie that says what this is. */
const CHADDR = 28;
const COOKIE = { at: 236, value: 0x63825363 };

/** Our end of a socket. `address`: ours, where a datagram does not tell. */
export interface LocalEnd {
  readonly address: Ip4;
  readonly port: () => number;
}

export interface TapDependencies {
  readonly clock: Pick<Clock, 'now'>;
  /** Takes records of a capture. */
  readonly post: (records: Uint8Array) => void;
  readonly after: (milliseconds: number, fire: () => void) => void;
}

/** A record, and whose it may turn out to be. */
interface Held {
  readonly theirs: Ip4;
  readonly at: number;
  readonly record: Uint8Array;
}

type Way = Pick<LinkDestination, 'source' | 'sourcePort' | 'address' | 'port'>;

/**
 * Writes down what the sockets of a service hear and send for one machine. Off, which it nearly always is, it costs one look
 * for each batch that comes in and each packet that goes out.
 */
export class Tap {
  readonly #dependencies: TapDependencies;
  #aim: TapAim | undefined;
  #addresses: ReadonlySet<Ip4> = new Set();
  #left = 0;
  /** Packets before they are cut; made when they are first needed. */
  #scratch = new Uint8Array(0);
  #gathered: Uint8Array[] = [];
  #size = 0;
  #isScheduled = false;
  #held: Held[] = [];
  #heldSize = 0;

  constructor(dependencies: TapDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whose packets are written down from now on; nobody's without. */
  aim(aim: TapAim | undefined): void {
    if (aim?.id !== this.#aim?.id) {
      this.#left = aim?.bytes ?? 0;
      this.#keepHeld([]);
    }
    this.#aim = aim;
    this.#addresses = new Set(aim?.addresses);
    this.#takeHeld();
    this.#flush();
  }

  datagrams(socket: DatagramSocket, local: LocalEnd): DatagramSocket {
    return {
      receive: (handle) => socket.receive(this.#aim ? this.#hearing(handle, local) : handle),
      send: (bytes, to) => {
        if (this.#aim) this.#sent(bytes, to, local);
        socket.send(bytes, to);
      },
      flush: () => socket.flush(),
      close: () => socket.close(),
    };
  }

  link(socket: LinkSender): LinkSender {
    return {
      send: (bytes, to) => {
        if (this.#aim) this.#write(bytes, to, to.address);
        socket.send(bytes, to);
      },
      flush: () => socket.flush(),
      close: () => socket.close(),
    };
  }

  /** Of each packet no more than `most` bytes are kept: a file is in it, and whose it was is seen from less. */
  trains(socket: TrainSocket, local: LocalEnd, most: number): TrainSocket {
    let room = 0;
    return {
      receive: (handle) => socket.receive(this.#aim ? this.#hearing(handle, local) : handle),
      get buffer() {
        return socket.buffer;
      },
      room: (size) => (room = socket.room(size)),
      send: (length, segment, to) => {
        for (let at = 0; this.#aim && at < length; at += segment)
          this.#sent(socket.buffer.subarray(room + at, room + Math.min(length, at + segment)), to, local, most);
        socket.send(length, segment, to);
      },
      flush: () => socket.flush(),
      close: () => socket.close(),
    };
  }

  #hearing(handle: (datagram: Inbound) => void, { address, port }: LocalEnd): (datagram: Inbound) => void {
    return (datagram) => {
      const { bytes, source, sourcePort, destination } = datagram;
      const way = { source, sourcePort, address: destination === UNSPECIFIED ? address : destination, port: port() };
      this.#write(bytes, way, source);
      handle(datagram);
    };
  }

  #sent(bytes: Uint8Array, to: Outbound, { address, port }: LocalEnd, most?: number): void {
    const way = { source: to.source ?? address, sourcePort: port(), address: to.address, port: to.port };
    this.#write(bytes, way, to.address, most);
  }

  #write(bytes: Uint8Array, way: Way, theirs: Ip4, most = LONGEST): void {
    const aim = this.#aim;
    if (!aim) return;
    const length = IP_AND_UDP + bytes.length;
    const kept = Math.min(length, IP_AND_UDP + most);
    if (length > LONGEST) return;
    const isTheirs = this.#addresses.has(theirs) || isDhcpOf(aim.mac, bytes);
    if (this.#scratch.length === 0) this.#scratch = new Uint8Array(LONGEST);
    writeIpDatagram(this.#scratch, 0, bytes, { ...way, ifindex: 0, mac: 0 });
    const record = new Uint8Array(PCAP_RECORD + kept);
    const at = this.#dependencies.clock.now();
    encodePcapRecord(record, { at, kept, length });
    record.set(this.#scratch.subarray(0, kept), PCAP_RECORD);
    if (isTheirs) this.#gather(record);
    else this.#hold({ theirs, at, record });
  }

  #hold(held: Held): void {
    this.#held.push(held);
    this.#heldSize += held.record.length;
    if (this.#heldSize > HELD_BYTES) this.#dropOlder(held.at);
  }

  /** What is too old, and of the rest the older half: nothing is moved for each packet. */
  #dropOlder(now: number): void {
    const young = this.#held.filter(({ at }) => at > now - HELD_MILLISECONDS);
    this.#keepHeld(sizeOf(young) > HELD_BYTES / 2 ? young.slice(Math.ceil(young.length / 2)) : young);
  }

  #takeHeld(): void {
    const now = this.#dependencies.clock.now();
    const isTaken = ({ theirs, at }: Held): boolean => this.#addresses.has(theirs) && at > now - HELD_MILLISECONDS;
    for (const held of this.#held) if (isTaken(held)) this.#gather(held.record);
    this.#keepHeld(this.#held.filter(({ theirs }) => !this.#addresses.has(theirs)));
  }

  #keepHeld(held: Held[]): void {
    this.#held = held;
    this.#heldSize = sizeOf(held);
  }

  #gather(record: Uint8Array): void {
    if (record.length > this.#left) return;
    this.#left -= record.length;
    this.#gathered.push(record);
    this.#size += record.length;
    if (this.#size >= GATHER_BYTES) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#dependencies.after(GATHER_MILLISECONDS, () => {
        this.#isScheduled = false;
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#gathered.length === 0) return;
    const records = new Uint8Array(this.#size);
    let at = 0;
    for (const record of this.#gathered) {
      records.set(record, at);
      at += record.length;
    }
    this.#dependencies.post(records);
    this.#gathered = [];
    this.#size = 0;
  }
}

function sizeOf(held: readonly Held[]): number {
  return held.reduce((size, { record }) => size + record.length, 0);
}

/** A machine without an address is known by what it says of itself, and what is said to it. */
function isDhcpOf(mac: Mac, bytes: Uint8Array): boolean {
  if (bytes.length < COOKIE.at + 4 || readMac(bytes, CHADDR) !== mac) return false;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(COOKIE.at) === COOKIE.value;
}
