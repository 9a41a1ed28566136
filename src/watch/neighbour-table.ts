import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { NeighbourFact } from '../service/watch-letters.ts';
import { Linked, RecentList } from './recent-list.ts';

/** Of each interface: enough for the machines of a full rack that were not asked yet, and no more than a flood may have. */
const MOST_STRANGERS = 4_096;
/** Of each interface, and in all: some 15 MB. */
const MOST_KNOWN = 32_768;
const MOST_IN_ALL = 65_536;
/** More VLANs than this on one wire are made up. */
const MOST_VLANS = 256;
/** MACs that are remembered for one address: who of them has it is asked. */
const MOST_HOLDERS = 4;

export interface Limits {
  readonly strangers: number;
  readonly known: number;
  readonly inAll: number;
}

/** One wire: the frames of an interface that are in no VLAN, or in the same. */
export class Place {
  readonly device: string;
  readonly vlan: number;
  readonly innerVlan: number;
  /** Who was seen with an address, the latest last. */
  readonly holders = new Map<Ip4, Neighbour[]>();

  constructor(device: string, vlan: number, innerVlan: number) {
    this.device = device;
    this.vlan = vlan;
    this.innerVlan = innerVlan;
  }

  /** Whether it is the wire that the interface's own addresses are on. */
  get isOwn(): boolean {
    return this.vlan === 0;
  }
}

/** A MAC and address pair on a wire. */
export class Neighbour extends Linked {
  readonly place: Place;
  readonly address: Ip4;
  readonly mac: Mac;
  /** Unix milliseconds, as `lastSeen`. */
  readonly firstSeen: number;
  lastSeen: number;
  /** It answered when it was asked, or the address is its own by lease or by the file. Others are strangers: anyone can say anything. */
  isKnown = false;
  /** When it was last told of; undefined: never. */
  toldAt: number | undefined;

  constructor(place: Place, address: Ip4, mac: Mac, firstSeen: number) {
    super();
    this.place = place;
    this.address = address;
    this.mac = mac;
    this.firstSeen = firstSeen;
    this.lastSeen = firstSeen;
  }
}

/** What one look at the wire showed. */
export interface Seen {
  readonly neighbour: Neighbour;
  /** Who was the last to be seen with the address, where that is another. */
  readonly before?: Neighbour;
}

/** What is known of one interface. */
interface Device {
  readonly places: Map<number, Place>;
  readonly strangers: RecentList<Neighbour>;
  readonly known: RecentList<Neighbour>;
}

/**
 * Who is on the wires. What is kept is bounded, whatever is said on them: strangers have a small place of their own, so that
 * a flood of made-up pairs pushes out nobody who was proved.
 */
export class NeighbourTable {
  readonly #limits: Limits;
  readonly #devices = new Map<string, Device>();
  /** How many addresses each MAC is known with. */
  readonly #spread = new Map<Mac, number>();
  #known = 0;
  #evicted = 0;

  constructor(limits: Limits = { strangers: MOST_STRANGERS, known: MOST_KNOWN, inAll: MOST_IN_ALL }) {
    this.#limits = limits;
  }

  get known(): number {
    return this.#known;
  }

  get strangers(): number {
    let sum = 0;
    for (const { strangers } of this.#devices.values()) sum += strangers.size;
    return sum;
  }

  /** Pairs that had to make room for others. */
  get evicted(): number {
    return this.#evicted;
  }

  /** A pair was seen. Undefined: on one VLAN too many. `now`: Unix milliseconds. */
  see(
    device: string,
    vlans: VlanIds,
    pair: { readonly address: Ip4; readonly mac: Mac },
    now: number,
  ): Seen | undefined {
    const ground = this.#device(device);
    const place = placeOf(ground, device, vlans);
    if (!place) return undefined;
    const { address, mac } = pair;
    const holders = place.holders.get(address);
    const latest = holders?.at(-1);
    if (latest?.mac === mac) {
      this.#touch(ground, latest, now);
      return { neighbour: latest };
    }
    const at = holders?.findIndex((each) => each.mac === mac) ?? -1;
    const neighbour = at < 0 ? new Neighbour(place, address, mac, now) : holders?.splice(at, 1)[0];
    if (!neighbour) return undefined;
    if (holders) holders.push(neighbour);
    else place.holders.set(address, [neighbour]);
    if (at < 0) this.#admit(ground, neighbour);
    else this.#touch(ground, neighbour, now);
    return latest ? { neighbour, before: latest } : { neighbour };
  }

  /** It is no stranger any more. */
  prove(neighbour: Neighbour): void {
    const ground = this.#devices.get(neighbour.place.device);
    if (neighbour.isKnown || !ground) return;
    ground.strangers.remove(neighbour);
    neighbour.isKnown = true;
    ground.known.add(neighbour);
    this.#count(neighbour, 1);
    if (ground.known.size > this.#limits.known) this.#evict(ground.known.oldest);
    if (this.#known > this.#limits.inAll) this.#evict(this.#fullest()?.known.oldest);
  }

  /** Takes back what was kept over a restart, as known. */
  restore({ interface: device, vlan, innerVlan, address, mac, firstSeen, lastSeen }: NeighbourFact): void {
    const seen = this.see(device, { vlan, innerVlan }, { address, mac }, firstSeen);
    if (!seen) return;
    seen.neighbour.lastSeen = lastSeen;
    seen.neighbour.toldAt = lastSeen;
    this.prove(seen.neighbour);
  }

  /** Who was seen with an address on the interface's own wire, the latest last. */
  holders(device: string, address: Ip4): readonly Neighbour[] {
    return this.#devices.get(device)?.places.get(0)?.holders.get(address) ?? NOBODY;
  }

  /** With how many addresses a MAC is known: a router that answers for others has many (proxy ARP). */
  spreadOf(mac: Mac): number {
    return this.#spread.get(mac) ?? 0;
  }

  forget(neighbour: Neighbour): void {
    const ground = this.#devices.get(neighbour.place.device);
    const { holders } = neighbour.place;
    const rest = holders.get(neighbour.address)?.filter((each) => each !== neighbour) ?? [];
    if (rest.length > 0) holders.set(neighbour.address, rest);
    else holders.delete(neighbour.address);
    if (!ground) return;
    if (neighbour.isKnown) this.#count(neighbour, -1);
    (neighbour.isKnown ? ground.known : ground.strangers).remove(neighbour);
    // A VLAN with nobody on it makes room for others
    if (holders.size === 0 && !neighbour.place.isOwn) ground.places.delete(keyOf(neighbour.place));
  }

  /** Forgets the interfaces that are not among these. */
  retain(devices: ReadonlySet<string>): void {
    for (const [name, { known }] of this.#devices) {
      if (devices.has(name)) continue;
      for (const neighbour of known) this.#count(neighbour, -1);
      this.#devices.delete(name);
    }
  }

  /** Those that are known, or with `strangers` all; those of an interface in the order in which they were last seen. */
  *all(which: 'known' | 'all' = 'known'): Generator<Neighbour> {
    for (const { known, strangers } of this.#devices.values()) {
      yield* known;
      if (which === 'all') yield* strangers;
    }
  }

  /** Known ones that were last seen before `since` (Unix milliseconds). */
  stale(since: number): Neighbour[] {
    const stale: Neighbour[] = [];
    for (const { known } of this.#devices.values()) {
      for (const neighbour of known) {
        if (neighbour.lastSeen >= since) break;
        stale.push(neighbour);
      }
    }
    return stale;
  }

  #device(name: string): Device {
    const present = this.#devices.get(name);
    if (present) return present;
    const fresh = { places: new Map(), strangers: new RecentList<Neighbour>(), known: new RecentList<Neighbour>() };
    this.#devices.set(name, fresh);
    return fresh;
  }

  #admit({ strangers }: Device, neighbour: Neighbour): void {
    strangers.add(neighbour);
    const holders = neighbour.place.holders.get(neighbour.address) ?? [];
    if (holders.length > MOST_HOLDERS) this.#evict(holders.find(({ isKnown }) => !isKnown) ?? holders[0]);
    if (strangers.size > this.#limits.strangers) this.#evict(strangers.oldest);
  }

  #touch({ known, strangers }: Device, neighbour: Neighbour, now: number): void {
    neighbour.lastSeen = now;
    (neighbour.isKnown ? known : strangers).touch(neighbour);
  }

  #evict(neighbour: Neighbour | undefined): void {
    if (!neighbour) return;
    this.#evicted++;
    this.forget(neighbour);
  }

  #fullest(): Device | undefined {
    return [...this.#devices.values()].toSorted((a, b) => b.known.size - a.known.size)[0];
  }

  #count({ mac }: Neighbour, by: 1 | -1): void {
    this.#known += by;
    const spread = this.spreadOf(mac) + by;
    if (spread > 0) this.#spread.set(mac, spread);
    else this.#spread.delete(mac);
  }
}

/** VLAN ids of a frame, outermost first; 0: none. */
interface VlanIds {
  readonly vlan: number;
  readonly innerVlan: number;
}

const NOBODY: readonly Neighbour[] = [];

function keyOf({ vlan, innerVlan }: VlanIds): number {
  return vlan * 4096 + innerVlan;
}

function placeOf({ places }: Device, device: string, vlans: VlanIds): Place | undefined {
  const key = keyOf(vlans);
  const present = places.get(key);
  if (present ?? places.size > MOST_VLANS) return present;
  const place = new Place(device, vlans.vlan, vlans.innerVlan);
  places.set(key, place);
  return place;
}

/** As others are told of it. */
export function factOf({ place, address, mac, firstSeen, lastSeen, isKnown }: Neighbour): NeighbourFact {
  const { device, vlan, innerVlan } = place;
  return { interface: device, vlan, innerVlan, address, mac, firstSeen, lastSeen, isKnown };
}
