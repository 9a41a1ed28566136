import { formatIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { formatMac, parseMac, type Mac } from '../../src/addr/mac.ts';
import type { WatchSettings } from '../../src/plan/plan.ts';
import type { LeaseFact, SocketHandle } from '../../src/service/letters.ts';
import type { NeighbourFact, Sighting, WatchAnswer, WatchOrder } from '../../src/service/watch-letters.ts';
import type { FrameLink } from '../../src/system/datagram.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { WatchService } from '../../src/watch/watch-service.ts';
import type { NeighbourKey } from '../../src/watch/neighbour-keeper.ts';
import { HandTime } from '../dhcp/hand-time.ts';
import { ip4, mac, testPlan, type PlanWords } from '../dhcp/test-plan.ts';

export const CARD = '52:54:00:fe:fe:fe';
export const WATCH: WatchSettings = { avoidsUsed: true, dhcpServers: [] };
const EVERYONE = 'ff:ff:ff:ff:ff:ff';
const BATCH = 64;
const [ARP_FD, DHCP_FD] = [11, 12];

interface Waiting {
  readonly frame: Uint8Array;
  readonly tag: number;
}

/** A link without a network. Its receive buffer is used again, as the kernel's is: each frame is spoilt after its handler. */
class MemoryTap implements FrameLink {
  readonly batch = BATCH;
  readonly mac: Mac | undefined = parseMac(CARD);
  readonly sent: Uint8Array[] = [];
  readonly waiting: Waiting[] = [];
  dropped = 0;
  closed = false;

  receive(handle: (frame: Uint8Array, tag: number) => void): number {
    const batch = this.waiting.splice(0, BATCH);
    for (const { frame, tag } of batch) {
      handle(frame, tag);
      frame.fill(0xdd);
    }
    return batch.length;
  }

  takeDropped(): number {
    const { dropped } = this;
    this.dropped = 0;
    return dropped;
  }

  send(frame: Uint8Array): void {
    this.sent.push(Uint8Array.from(frame));
  }

  flush(): number {
    return 0;
  }

  close(): void {
    this.closed = true;
  }
}

/** What is on disk. */
class MemoryNeighbours {
  readonly rows = new Map<string, NeighbourFact>();
  fault: string | undefined;

  load(since: number): NeighbourFact[] {
    if (this.fault !== undefined) throw new Error(this.fault);
    return [...this.rows.values()].filter(({ lastSeen }) => lastSeen >= since);
  }

  write(changed: readonly NeighbourFact[], gone: readonly NeighbourKey[], since: number): void {
    if (this.fault !== undefined) throw new Error(this.fault);
    for (const [name, { lastSeen }] of this.rows) if (lastSeen < since) this.rows.delete(name);
    for (const key of gone) this.rows.delete(nameOf(key));
    for (const fact of changed) {
      // Of a column of integers
      if (!Number.isInteger(fact.firstSeen) || !Number.isInteger(fact.lastSeen)) throw new Error('cannot store REAL');
      this.rows.set(nameOf(fact), fact);
    }
  }

  close(): void {
    this.fault = 'closed';
  }
}

function nameOf({ address, mac: card, vlan, innerVlan }: NeighbourKey): string {
  return `${formatIp4(address)} ${formatMac(card)} ${vlan}.${innerVlan}`;
}

/** The watch service on a wire that a test speaks on. */
export class WatchRack {
  readonly time = new HandTime();
  readonly store: MemoryNeighbours;
  readonly arp = new MemoryTap();
  readonly dhcp = new MemoryTap();
  readonly told: (EventBody & { mac?: string; address?: string })[] = [];
  readonly sightings: Sighting[] = [];
  readonly rests: number[] = [];
  readonly service: WatchService;
  /** Machines that answer when they are asked, by MAC and address. */
  readonly answering = new Map<string, string>();
  /** Other cards of this machine. */
  readonly ownMacs: Mac[] = [];

  constructor(words: PlanWords = {}, watch: WatchSettings = WATCH, store = new MemoryNeighbours()) {
    this.store = store;
    this.service = new WatchService({
      loop: this.time,
      clock: this.time,
      events: { emit: (body, subject) => void this.told.push({ ...body, ...subject }) },
      sightings: { tell: (sightings) => void this.sightings.push(...sightings) },
      openTap: ({ transport }) => (transport === 'arp-tap' ? this.arp : this.dhcp),
      openStore: () => {
        if (this.store.fault !== undefined) throw new Error(this.store.fault);
        return this.store;
      },
      rest: (milliseconds) => void this.rests.push(milliseconds),
      random: () => 0.5,
      ownMacs: () => this.ownMacs,
    });
    this.apply(words, watch);
  }

  /** `watch`: "off" for a Plan without. */
  apply(words: PlanWords, watch: WatchSettings | 'off' = WATCH, handles: readonly SocketHandle[] = HANDLES): void {
    this.service.apply({ ...testPlan(words), ...(watch !== 'off' && { watch }) }, handles);
  }

  /** ARP on the wire: `mac` says that it has `address`, to everyone or to somebody. `tag`: one that the kernel took off. */
  arpFrom(from: string, address: string, { operation = 1, target = address, to = EVERYONE, tag = 0 } = {}): void {
    const heads = [0, 1, 8, 0, 6, 4, 0, operation];
    const payload = [heads, bytesOf(from), quad(address), bytesOf(to), quad(target)].flat();
    const frame = Uint8Array.from([...bytesOf(to), ...bytesOf(from), 8, 6, ...payload]);
    this.hear(frame, tag);
  }

  hear(frame: Uint8Array, tag = 0): void {
    this.arp.waiting.push({ frame, tag });
    this.time.ready(ARP_FD);
    this.#answer();
  }

  hearDhcp(frame: Uint8Array, tag = 0): void {
    this.dhcp.waiting.push({ frame, tag });
    this.time.ready(DHCP_FD);
  }

  /** A machine that is there: it says so, and answers when it is asked. */
  settle(from: string, address: string): void {
    this.answering.set(`${address} ${from}`, from);
    this.arpFrom(from, address);
  }

  leave(from: string, address: string): void {
    this.answering.delete(`${address} ${from}`);
  }

  pass(time: number, unit: 'seconds' | 'milliseconds' = 'seconds'): void {
    // Machines answer as soon as they are asked
    const steps = unit === 'seconds' ? time * 10 : Math.ceil(time / 100);
    const step = unit === 'seconds' ? 100 : time / steps;
    for (let i = 0; i < steps; i++) {
      this.time.pass(step, 'milliseconds');
      this.#answer();
    }
  }

  /** Addresses that were asked for and not looked at yet. */
  asked(): string[] {
    return this.arp.sent
      .splice(0)
      .map((frame) => formatIp4(ip4(`${frame[38]}.${frame[39]}.${frame[40]}.${frame[41]}`)));
  }

  addressOf(text: string): Ip4 {
    return ip4(text);
  }

  lend(address: string, to: string, expires = this.time.seconds + 3600): void {
    const fact: LeaseFact = { address: ip4(address), mac: mac(to), expires };
    this.service.learn([fact], []);
  }

  show(order: WatchOrder = { kind: 'list' }): WatchAnswer | undefined {
    let found: WatchAnswer | undefined;
    this.service.showNeighbours(order, (answer) => (found = answer));
    return found;
  }

  /** "192.168.127.9 02:…:09", with "?" for one that is not known, and its VLAN. */
  neighbours(): string[] {
    return (this.show()?.neighbours ?? []).map(({ address, mac: card, isKnown, vlan, innerVlan }) => {
      const wire = vlan === 0 ? '' : ` ${vlan}.${innerVlan}`;
      return `${formatIp4(address)} ${formatMac(card)}${isKnown ? '' : '?'}${wire}`;
    });
  }

  /** The events since this was last asked, in short. */
  news(): string[] {
    return this.told.splice(0).map(({ kind, mac: card = '', address = '', ...rest }) => {
      const more = Object.entries(rest).filter(([key]) => key !== 'interface');
      return [kind, card, address, ...more.map(([key, value]) => `${key}=${String(value)}`)]
        .filter((word) => word !== '')
        .join(' ');
    });
  }

  count(name: string): number {
    return this.service.counters()[name] ?? 0;
  }

  #answer(): void {
    for (const address of this.asked()) {
      for (const [key, from] of this.answering) {
        if (key.startsWith(`${address} `)) this.arpFrom(from, address, { operation: 2, to: CARD, target: '0.0.0.0' });
      }
    }
  }
}

const AT = { address: ip4('192.168.127.1'), port: 0, interface: 'eth0', ifindex: 2 };
const HANDLES: readonly SocketHandle[] = [
  { fd: ARP_FD, transport: 'arp-tap', ...AT },
  { fd: DHCP_FD, transport: 'dhcp-tap', ...AT },
];

function quad(address: string): number[] {
  return address.split('.').map(Number);
}

function bytesOf(card: string): number[] {
  return card.split(':').map((byte) => Number.parseInt(byte, 16));
}
