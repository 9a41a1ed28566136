import type { Ip4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import {
  BATCH,
  type ArpLink,
  type DatagramSocket,
  type Inbound,
  type LinkDestination,
  type LinkSender,
  type Outbound,
} from '../../src/system/datagram.ts';

/** A datagram that left. */
export type Sent =
  | { readonly via: 'udp'; readonly bytes: Uint8Array; readonly to: Outbound }
  | { readonly via: 'link'; readonly bytes: Uint8Array; readonly to: LinkDestination };

/** Where everything that leaves is seen, in the order in which it leaves. */
export type Wire = (sent: Sent) => void;

/** A socket without a network. Its receive buffer is used again, as the kernel's is: each datagram is spoilt after its handler. */
export class MemorySocket implements DatagramSocket {
  closed = false;
  readonly #wire: Wire;
  readonly #waiting: Inbound[] = [];
  #queued: Sent[] = [];

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  arrive(bytes: Uint8Array, to: Ip4, source = 0 as Ip4, sourcePort = 68): void {
    this.#waiting.push({ bytes: Uint8Array.from(bytes), source, sourcePort, destination: to, ifindex: 2 });
  }

  receive(handle: (datagram: Inbound) => void): number {
    const batch = this.#waiting.splice(0, BATCH);
    for (const datagram of batch) {
      handle(datagram);
      datagram.bytes.fill(0xdd);
    }
    return batch.length;
  }

  send(bytes: Uint8Array, to: Outbound): void {
    this.#queued.push({ via: 'udp', bytes: Uint8Array.from(bytes), to });
  }

  flush(): number {
    for (const sent of this.#queued) this.#wire(sent);
    this.#queued = [];
    return 0;
  }

  close(): void {
    this.closed = true;
  }
}

export class MemoryLink implements LinkSender {
  closed = false;
  readonly #wire: Wire;
  #queued: Sent[] = [];

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  send(bytes: Uint8Array, to: LinkDestination): void {
    this.#queued.push({ via: 'link', bytes: Uint8Array.from(bytes), to });
  }

  flush(): number {
    for (const sent of this.#queued) this.#wire(sent);
    this.#queued = [];
    return 0;
  }

  close(): void {
    this.closed = true;
  }
}

/** A link on which the rack asks, and nobody answers unless a test does. */
export class MemoryArp implements ArpLink {
  mac: Mac | undefined = 0x52540000fefe as Mac;
  closed = false;
  readonly #asked: (address: string) => void;
  readonly #waiting: Uint8Array[] = [];
  #queued: string[] = [];

  /** `asked` is called with the address of each probe that leaves. */
  constructor(asked: (address: string) => void) {
    this.#asked = asked;
  }

  arrive(packet: Uint8Array): void {
    this.#waiting.push(Uint8Array.from(packet));
  }

  receive(handle: (packet: Uint8Array) => void): void {
    for (const packet of this.#waiting.splice(0, BATCH)) {
      handle(packet);
      packet.fill(0xdd);
    }
  }

  broadcast(packet: Uint8Array): void {
    this.#queued.push(packet.subarray(24, 28).join('.'));
  }

  flush(): number {
    for (const address of this.#queued.splice(0)) this.#asked(address);
    return 0;
  }

  close(): void {
    this.closed = true;
  }
}
