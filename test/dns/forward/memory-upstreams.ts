import assert from 'node:assert/strict';

import { decode, encode, type Answer, type Packet } from 'dns-packet';

import { formatIp4, type Ip4 } from '../../../src/addr/ip4.ts';
import type { PeerOpener } from '../../../src/dns/forward/udp-exchange.ts';
import { SystemCallError } from '../../../src/system/libc.ts';
import type { PeerSocket, Received } from '../../../src/system/peer-socket.ts';
import type { Stream, StreamConnector, StreamHandler, TcpDestination } from '../../../src/system/stream.ts';
import type { HandTime } from '../../dhcp/hand-time.ts';

/** What a server was asked. */
export interface Asked {
  readonly by: 'udp' | 'tcp' | 'unix';
  readonly message: Buffer;
  readonly name: string;
  readonly type: string;
}

/** Replies, one after the other; none at all; nobody there. */
type Reaction = readonly Buffer[] | Buffer | 'silent' | 'refused';
export type Server = (asked: Asked) => Reaction;

/** The world of upstreams without a network: servers by "192.0.2.53" or "192.0.2.53:5353", or by socket path. */
export class MemoryUpstreams implements PeerOpener, StreamConnector {
  readonly servers = new Map<string, Server>();
  /** Milliseconds until a server's answer is there; 0: at once. */
  readonly delays = new Map<string, number>();
  /** What was asked, in order: "192.0.2.53 udp example.com A". */
  readonly asked: string[] = [];
  readonly messages: Asked[] = [];
  readonly peers = new Set<MemoryPeer>();
  opened = 0;
  connected = 0;
  /** What the next open says. */
  fault: string | undefined;
  readonly #time: HandTime;

  constructor(time: HandTime) {
    this.#time = time;
  }

  open(address: Ip4, port: number): PeerSocket {
    return this.#peer(placeOf(address, port));
  }

  connect(to: TcpDestination, handler: StreamHandler): Stream {
    return this.#stream(placeOf(to.address, to.port), 'tcp', handler);
  }

  connectUnix(path: string, handler: StreamHandler): Stream {
    return this.#stream(path, 'unix', handler);
  }

  /** What the server at `place` makes of a message. */
  tell(place: string, by: Asked['by'], message: Buffer, take: (reaction: Reaction) => void): void {
    const { questions } = decode(message);
    const { name = '', type = '' } = questions?.[0] ?? {};
    const asked = { by, message: Buffer.from(message), name, type };
    this.asked.push(`${place} ${by} ${name.toLowerCase()} ${type}`);
    this.messages.push(asked);
    const reaction = this.servers.get(place)?.(asked) ?? 'silent';
    const delay = this.delays.get(place) ?? 0;
    if (reaction !== 'silent') this.#time.after(delay, () => take(reaction));
  }

  #peer(place: string): MemoryPeer {
    if (this.fault !== undefined) throw new SystemCallError('connect', this.fault);
    const peer = new MemoryPeer(1000 + ++this.opened, this, place, this.#time);
    this.peers.add(peer);
    return peer;
  }

  #stream(place: string, by: Asked['by'], handler: StreamHandler): Stream {
    this.connected++;
    return new MemoryPipe(this, place, by, handler);
  }
}

function placeOf(address: Ip4, port: number): string {
  return port === 53 ? formatIp4(address) : `${formatIp4(address)}:${port}`;
}

class MemoryPeer implements PeerSocket {
  readonly fd: number;
  readonly #world: MemoryUpstreams;
  readonly #place: string;
  readonly #time: HandTime;
  readonly #waiting: (Buffer | 'refused')[] = [];

  constructor(fd: number, world: MemoryUpstreams, place: string, time: HandTime) {
    this.fd = fd;
    this.#world = world;
    this.#place = place;
    this.#time = time;
  }

  send(bytes: Uint8Array): boolean {
    this.#world.tell(this.#place, 'udp', Buffer.from(bytes), (reaction) => {
      if (reaction === 'silent') return;
      for (const one of Array.isArray(reaction) ? reaction : [reaction]) this.arrive(one);
    });
    return true;
  }

  /** Something comes from the peer, or who seems to be it. */
  arrive(one: Buffer | 'refused'): void {
    if (!this.#world.peers.has(this)) return;
    this.#waiting.push(one);
    this.#time.ready(this.fd);
  }

  receive(handle: (bytes: Buffer) => void): Received {
    const one = this.#waiting.shift();
    if (one === undefined) return 'nothing';
    if (one === 'refused') return 'refused';
    const bytes = Buffer.from(one);
    handle(bytes);
    // As in a receive buffer that is used again
    bytes.fill(0xdd);
    return 'datagram';
  }

  close(): void {
    assert.ok(this.#world.peers.delete(this), 'closed twice');
  }
}

class MemoryPipe implements Stream {
  readonly buffered = 0;
  readonly #world: MemoryUpstreams;
  readonly #place: string;
  readonly #by: Asked['by'];
  readonly #handler: StreamHandler;
  #isOpen = true;

  constructor(world: MemoryUpstreams, place: string, by: Asked['by'], handler: StreamHandler) {
    this.#world = world;
    this.#place = place;
    this.#by = by;
    this.#handler = handler;
  }

  write(bytes: Uint8Array): void {
    const message = Buffer.from(bytes).subarray(2);
    this.#world.tell(this.#place, this.#by, message, (reaction) => {
      if (!this.#isOpen || reaction === 'silent') return;
      if (reaction === 'refused') {
        this.#isOpen = false;
        return this.#handler.closed(this, 'ECONNREFUSED');
      }
      for (const one of Array.isArray(reaction) ? reaction : [reaction]) {
        const framed = Buffer.concat([Buffer.from([one.length >>> 8, one.length & 255]), one]);
        // However the network cuts it
        this.#handler.received(framed.subarray(0, 1), this);
        this.#handler.received(framed.subarray(1), this);
      }
    });
  }

  hand(bytes: Uint8Array): void {
    this.write(bytes);
  }

  pause(): void {}
  resume(): void {}
  end(): void {}

  close(): void {
    this.#isOpen = false;
  }

  reset(): void {
    this.close();
  }
}

interface Wishes {
  readonly rcode?: number;
  readonly answers?: readonly string[];
  readonly authorities?: readonly string[];
  readonly additionals?: readonly string[];
  /** TC and AD. */
  readonly flags?: number;
  /** Instead of the name as it was asked. */
  readonly spelled?: string;
  readonly edns?: boolean;
}

/** The reply to `message`; records as "example.com 300 A 192.0.2.1". */
export function replyTo(message: Buffer, wishes: Wishes = {}): Buffer {
  const { id, questions = [] } = decode(message) as Packet;
  const [asked] = questions;
  const spelled = wishes.spelled ?? asked?.name ?? '';
  const opt: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'response',
    id: id ?? 0,
    flags: 0x0180 | (wishes.flags ?? 0) | (wishes.rcode ?? 0),
    questions: asked ? [{ ...asked, name: spelled }] : [],
    answers: (wishes.answers ?? []).map((line) => recordOf(line)),
    authorities: (wishes.authorities ?? []).map((line) => recordOf(line)),
    additionals: [...(wishes.additionals ?? []).map((line) => recordOf(line)), ...(wishes.edns === false ? [] : [opt])],
  });
}

/** "example.com 300 SOA": with ns.example.com, and the last number as MINIMUM where there is one. */
function recordOf(line: string): Answer {
  const [name = '', ttl = '', type = '', data = '', more = ''] = line.split(' ');
  const common = { name, ttl: Number(ttl), class: 'IN' } as const;
  if (type === 'SOA') {
    const numbers = { serial: 1, refresh: 2, retry: 3, expire: 4, minimum: Number(data || 60) };
    return { ...common, type, data: { mname: `ns.${name}`, rname: `hm.${name}`, ...numbers } };
  }
  if (type === 'MX') return { ...common, type, data: { preference: Number(data), exchange: more } };
  if (type === 'TXT') return { ...common, type, data: [data] };
  assert.ok(type === 'A' || type === 'AAAA' || type === 'CNAME' || type === 'NS' || type === 'DNAME' || type === 'PTR');
  return { ...common, type, data };
}
