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
/** Who is known and was not seen for so long gives way to another on its address: whoever is there answers each question about it. */
const QUIET_MILLISECONDS = 600_000;
/** The same where a whole table is full. A card that is switched on is heard of within a day. */
const GONE_MILLISECONDS = 86_400_000;

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
  firstSeen: number;
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

  shift(milliseconds: number): void {
    this.firstSeen += milliseconds;
    this.lastSeen += milliseconds;
    if (this.toldAt !== undefined) this.toldAt += milliseconds;
  }
}

/** What there was no room for: another VLAN, or another MAC on one address. */
export type Refusal = 'vlans' | 'holders';

/** What one look at the wire showed. */
export interface Seen {
  readonly neighbour: Neighbour;
  /** Who was the last to be seen with the address, where that is another. */
  readonly before?: Neighbour;
}

/** What is known of one interface. */
interface Device {
  readonly own: Place;
  /** In VLANs. */
  readonly places: Map<number, Place>;
  readonly strangers: RecentList<Neighbour>;
  readonly known: RecentList<Neighbour>;
}

/**
 * Who is on the wires. What is kept is bounded, whatever is said on them: strangers have a small place of their own, so that
 * a flood of made-up pairs pushes out nobody who was proved.
 */
export class NeighbourTable {
  readonly #forgotten: (known: Neighbour) => void;
  readonly #limits: Limits;
  readonly #devices = new Map<string, Device>();
  /** How many addresses each MAC is known with. */
  readonly #spread = new Map<Mac, number>();
  #known = 0;
  #evicted = 0;

  /** `forgotten` is told of each that was known and is kept no more. */
  constructor(
    forgotten: (known: Neighbour) => void,
    limits: Limits = { strangers: MOST_STRANGERS, known: MOST_KNOWN, inAll: MOST_IN_ALL },
  ) {
    this.#forgotten = forgotten;
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

  /** A pair was seen. `now`: Unix milliseconds. */
  see(device: string, vlans: VlanIds, pair: { readonly address: Ip4; readonly mac: Mac }, now: number): Seen | Refusal {
    const ground = this.#device(device);
    const place = placeOf(ground, device, vlans);
    if (!place) return 'vlans';
    const { address, mac } = pair;
    const holders = place.holders.get(address) ?? [];
    const latest = holders.at(-1);
    const present = latest?.mac === mac ? latest : holders.find((each) => each.mac === mac);
    if (!present && holders.length >= MOST_HOLDERS && !this.#makeRoom(holders, now)) return 'holders';
    const neighbour = present ?? this.#admit(ground, new Neighbour(place, address, mac, now));
    if (present) touch(ground, present, now);
    if (latest === undefined || latest === neighbour) return { neighbour };
    if (present) moveToEnd(holders, present);
    return { neighbour, before: latest };
  }

  /**
   * It is no stranger any more, if there is room for one that is known. `hasRight`: the address is its own by lease or by the file, so
   * that there is room for it.
   */
  prove(neighbour: Neighbour, hasRight: boolean, now: number): void {
    const ground = this.#devices.get(neighbour.place.device);
    if (neighbour.isKnown || !ground) return;
    const crowd = this.#crowd(ground);
    if (crowd?.oldest && !hasRight && now - crowd.oldest.lastSeen < GONE_MILLISECONDS) return;
    if (crowd) this.#evict(crowd.oldest);
    ground.strangers.remove(neighbour);
    neighbour.isKnown = true;
    ground.known.add(neighbour);
    this.#count(neighbour, 1);
  }

  /** Takes back what was kept over a restart, as known; of one that was seen since, from when on it was. */
  restore({ interface: device, vlan, innerVlan, address, mac, firstSeen, lastSeen }: NeighbourFact): void {
    const present = this.#find(device, { vlan, innerVlan }, { address, mac });
    if (present) {
      present.firstSeen = Math.min(present.firstSeen, firstSeen);
      return;
    }
    const seen = this.see(device, { vlan, innerVlan }, { address, mac }, firstSeen);
    if (typeof seen === 'string') return;
    seen.neighbour.lastSeen = lastSeen;
    seen.neighbour.toldAt = lastSeen;
    this.prove(seen.neighbour, true, lastSeen);
  }

  /** Who was seen with an address on the interface's own wire, the latest last. */
  holders(device: string, address: Ip4): readonly Neighbour[] {
    return this.#devices.get(device)?.own.holders.get(address) ?? NOBODY;
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
    (neighbour.isKnown ? ground.known : ground.strangers).remove(neighbour);
    if (neighbour.isKnown) {
      this.#count(neighbour, -1);
      this.#forgotten(neighbour);
    }
    // A VLAN with nobody on it makes room for others
    if (holders.size === 0) ground.places.delete(keyOf(neighbour.place));
  }

  /** The wall clock was set by so much: what was seen before was seen as long ago as it was. */
  shift(milliseconds: number): void {
    for (const neighbour of this.all('all')) neighbour.shift(milliseconds);
  }

  /** Looks no more at interfaces that are not among these; what was known there is not forgotten where it is kept. */
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

  #find(
    device: string,
    vlans: VlanIds,
    { address, mac }: { readonly address: Ip4; readonly mac: Mac },
  ): Neighbour | undefined {
    const ground = this.#devices.get(device);
    const place = keyOf(vlans) === 0 ? ground?.own : ground?.places.get(keyOf(vlans));
    return place?.holders.get(address)?.find((each) => each.mac === mac);
  }

  #device(name: string): Device {
    const present = this.#devices.get(name);
    if (present) return present;
    const fresh = {
      own: new Place(name, 0, 0),
      places: new Map(),
      strangers: new RecentList<Neighbour>(),
      known: new RecentList<Neighbour>(),
    };
    this.#devices.set(name, fresh);
    return fresh;
  }

  #admit({ strangers }: Device, neighbour: Neighbour): Neighbour {
    const { place, address } = neighbour;
    const holders = place.holders.get(address);
    if (holders) holders.push(neighbour);
    else place.holders.set(address, [neighbour]);
    strangers.add(neighbour);
    if (strangers.size > this.#limits.strangers) this.#evict(strangers.oldest);
    return neighbour;
  }

  /** Of those on one address a stranger makes room, else one that is known and was not seen for long. False: nobody does. */
  #makeRoom(holders: readonly Neighbour[], now: number): boolean {
    const isGone = ({ isKnown, lastSeen }: Neighbour): boolean => !isKnown || now - lastSeen >= QUIET_MILLISECONDS;
    const gone = holders.find(({ isKnown }) => !isKnown) ?? holders.find(isGone);
    if (gone) this.#evict(gone);
    return gone !== undefined;
  }

  /** Where one has to go before another may be known; undefined: nowhere. */
  #crowd({ known }: Device): RecentList<Neighbour> | undefined {
    if (known.size >= this.#limits.known) return known;
    return this.#known >= this.#limits.inAll ? this.#fullest()?.known : undefined;
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

function touch({ known, strangers }: Device, neighbour: Neighbour, now: number): void {
  neighbour.lastSeen = now;
  (neighbour.isKnown ? known : strangers).touch(neighbour);
}

function moveToEnd(holders: Neighbour[], neighbour: Neighbour): void {
  holders.push(...holders.splice(holders.indexOf(neighbour), 1));
}

/** The own wire has a place whatever is said in VLANs. */
function placeOf({ own, places }: Device, device: string, vlans: VlanIds): Place | undefined {
  const key = keyOf(vlans);
  const present = key === 0 ? own : places.get(key);
  if (present ?? places.size >= MOST_VLANS) return present;
  const place = new Place(device, vlans.vlan, vlans.innerVlan);
  places.set(key, place);
  return place;
}

/** As others are told of it. */
export function factOf({ place, address, mac, firstSeen, lastSeen, isKnown }: Neighbour): NeighbourFact {
  const { device, vlan, innerVlan } = place;
  return { interface: device, vlan, innerVlan, address, mac, firstSeen, lastSeen, isKnown };
}
