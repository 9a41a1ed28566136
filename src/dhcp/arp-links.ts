import type { Ip4 } from '../addr/ip4.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { ArpLink } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';
import { ARP_SIZE, arpProbe, decodeArp, encodeArp, type ArpPacket } from '../wire/arp/packet.ts';
import { WireError } from '../wire/wire-error.ts';

export interface ArpLinksDependencies {
  readonly loop: Loop;
  readonly openArp: (handle: SocketHandle) => ArpLink;
}

interface Open {
  readonly fd: number;
  readonly link: ArpLink;
  readonly watch: { close(): void };
}

/** The ARP sockets that the rack gives to the service, one for each interface: they come, stay and go with the Plan. */
export class ArpLinks {
  readonly #dependencies: ArpLinksDependencies;
  readonly #hear: (packet: ArpPacket) => void;
  readonly #buffer = new Uint8Array(ARP_SIZE);
  #open = new Map<string, Open>();

  /** `hear` is called with whatever is said on any of the links. */
  constructor(dependencies: ArpLinksDependencies, hear: (packet: ArpPacket) => void) {
    this.#dependencies = dependencies;
    this.#hear = hear;
  }

  apply(handles: readonly SocketHandle[]): void {
    const next = new Map<string, Open>();
    for (const handle of handles) {
      const { transport, interface: device, fd } = handle;
      if (transport !== 'arp' || device === undefined) continue;
      const present = this.#open.get(device);
      next.set(device, present?.fd === fd ? present : this.#openOne(handle));
    }
    for (const [device, open] of this.#open) if (next.get(device) !== open) closeOne(open);
    this.#open = next;
  }

  has(device: string): boolean {
    return this.#open.has(device);
  }

  /** Queues the question who has `address`. Without an answer nobody has: an interface that is gone has nobody on it. */
  probe(device: string, address: Ip4): void {
    const link = this.#open.get(device)?.link;
    const mac = link?.mac;
    if (!link || mac === undefined) return;
    encodeArp(this.#buffer, arpProbe(mac, address));
    link.broadcast(this.#buffer);
  }

  /** Sends what is queued; returns how many the kernel would not take. */
  flush(): number {
    let lost = 0;
    for (const { link } of this.#open.values()) lost += link.flush();
    return lost;
  }

  close(): void {
    for (const open of this.#open.values()) closeOne(open);
    this.#open.clear();
  }

  #openOne(handle: SocketHandle): Open {
    const { loop, openArp } = this.#dependencies;
    const link = openArp(handle);
    const watch = loop.watch(handle.fd, () => link.receive((bytes) => this.#read(bytes)));
    return { fd: handle.fd, link, watch };
  }

  #read(bytes: Uint8Array): void {
    try {
      this.#hear(decodeArp(bytes));
    } catch (error) {
      // Something else than IPv4 on Ethernet is none of ours
      if (!(error instanceof WireError)) throw error;
    }
  }
}

function closeOne({ watch, link }: Open): void {
  watch.close();
  link.close();
}
