import { childKey, keyText, nameKey, parentKey, isWithin, type NameKey } from '../../src/wire/dns/name.ts';
import { TYPE, typeName } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';

/** A zone made up by chance. */
export interface RandomZone {
  readonly origin: NameKey;
  /** The SOA first. */
  readonly records: readonly ResourceRecord[];
}

/** Random numbers that repeat for a seed: Marsaglia's 32-bit xorshift. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }

  /** One of them; there is at least one. */
  of<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}

/** Few, so that names meet: parents, children, delegations and aliases of one another. */
const LABELS = ['a', 'b', 'c', 'd', 'e', 'mail', 'www', '*', '*', 'ns'] as const;
export const ORIGINS = ['one.test', 'sub.one.test', 'two.test'].map(nameKey) as [NameKey, ...NameKey[]];
const TTL = 300;
/** Names of a zone are made in so many tries, some of which change nothing. */
const TRIES = 60;

/** Zones full of what goes wrong: one is a child of another, and they lead into one another. */
export function randomZones(dice: Dice): RandomZone[] {
  return ORIGINS.map((origin) => ({ origin, records: new ZoneMaker(dice, origin).make() }));
}

/** A name to ask for: one that is there, or near to one that is. */
export function randomName(dice: Dice, zones: readonly [RandomZone, ...RandomZone[]]): NameKey {
  const zone = dice.of(zones);
  const owner =
    dice.below(12) === 0 ? zone.origin : (zone.records[dice.below(zone.records.length)]?.owner ?? zone.origin);
  const turn = dice.below(6);
  if (turn < 2) return owner;
  if (turn === 2) return parentKey(owner) ?? owner;
  let name = turn === 3 ? (parentKey(owner) ?? owner) : owner;
  for (let left = 1 + dice.below(2); left > 0; left--) {
    name = childKey(dice.of(['a', 'b', 'c', 'x', 'y', '*', 'ns', 'www']), name) ?? name;
  }
  return name;
}

const ASKED = [
  TYPE.A,
  TYPE.AAAA,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.MX,
  TYPE.TXT,
  TYPE.SRV,
  TYPE.SOA,
  TYPE.DNAME,
  TYPE.DS,
  TYPE.PTR,
  TYPE.CAA,
  65_280,
] as const;

export function randomType(dice: Dice): number {
  return dice.of(ASKED);
}

/** A master file that any server reads: every name in full, data as of RFC 3597 §5. */
export function masterFile({ records }: RandomZone): string {
  return records.map((record) => `${presentation(record)}\n`).join('');
}

function presentation({ owner, type, ttl, data }: ResourceRecord): string {
  const hex = Buffer.from(data, 'latin1').toString('hex');
  const name = keyText(owner);
  const mnemonic = typeName(type);
  return `${name}. ${ttl} IN ${mnemonic} \\# ${data.length} ${hex}`;
}

class ZoneMaker {
  readonly #dice: Dice;
  readonly #origin: NameKey;
  readonly #sets = new Map<NameKey, Map<number, string[]>>();

  constructor(dice: Dice, origin: NameKey) {
    this.#dice = dice;
    this.#origin = origin;
  }

  make(): ResourceRecord[] {
    const origin = this.#origin;
    this.#add(origin, TYPE.NS, nameKey(`ns.${keyText(origin)}`));
    this.#add(nameKey(`ns.${keyText(origin)}`), TYPE.A, '\x0a\x00\x00\x01');
    // Too much for any datagram
    const big = nameKey(`big.${keyText(origin)}`);
    for (let i = 0; i < 24; i++) this.#add(big, TYPE.TXT, `\xc8${String.fromCharCode(65 + i).repeat(200)}`);
    for (let left = TRIES; left > 0; left--) this.#addSomething();
    const records: ResourceRecord[] = [{ owner: origin, type: TYPE.SOA, ttl: TTL, data: this.#soa() }];
    for (const [owner, types] of this.#sets) {
      if (this.#isBelowDname(owner)) continue;
      for (const [type, data] of types) records.push(...data.map((text) => ({ owner, type, ttl: TTL, data: text })));
    }
    return records;
  }

  #soa(): string {
    const numbers = Buffer.alloc(20);
    [7, 600, 60, 86_400, 30].forEach((value, index) => numbers.writeUInt32BE(value, index * 4));
    const origin = keyText(this.#origin);
    return nameKey(`ns.${origin}`) + nameKey(`hostmaster.${origin}`) + numbers.toString('latin1');
  }

  #addSomething(): void {
    const dice = this.#dice;
    const owner = this.#owner();
    const kind = dice.below(20);
    if (kind < 5) this.#add(owner, TYPE.A, this.#address(4));
    else if (kind < 7) this.#add(owner, TYPE.AAAA, this.#address(16));
    else if (kind < 10) this.#add(owner, TYPE.CNAME, this.#target());
    else if (kind < 13) this.#delegate(owner);
    else if (kind === 13) this.#add(owner, TYPE.DNAME, this.#target());
    else if (kind === 14) this.#add(owner, TYPE.MX, `\0${String.fromCharCode(dice.below(3))}${this.#target()}`);
    else if (kind === 15) this.#add(owner, TYPE.SRV, `\0\x01\0\x02\0\x35${this.#target()}`);
    else if (kind === 16) this.#add(owner, TYPE.TXT, `\x05hello`);
    else if (kind === 17) this.#add(owner, 65_280, this.#address(3));
    else if (kind === 18) this.#add(owner, TYPE.PTR, this.#target());
    else this.#add(owner, TYPE.CAA, '\0\x05issueca.test');
  }

  #delegate(owner: NameKey): void {
    if (owner === this.#origin || owner.startsWith('\x01*')) return;
    for (let left = 1 + this.#dice.below(2); left > 0; left--) {
      const server = this.#dice.below(2) === 0 ? (childKey('ns', owner) ?? owner) : this.#target();
      this.#add(owner, TYPE.NS, server);
      if (isWithin(server, owner) && this.#dice.below(3) > 0) this.#add(server, TYPE.A, this.#address(4));
    }
    // BIND takes a DS of its own name server for one of the zone, and does not load it
    const isServer = owner === childKey('ns', this.#origin);
    if (!isServer && this.#dice.below(3) === 0) this.#add(owner, TYPE.DS, `\x12\x34\x0d\x02${'\x55'.repeat(32)}`);
  }

  #owner(): NameKey {
    let name = this.#origin;
    for (let left = this.#dice.below(4); left > 0; left--) name = childKey(this.#dice.of(LABELS), name) ?? name;
    return name;
  }

  /** Mostly in this zone, sometimes in another of ours, or nowhere. */
  #target(): NameKey {
    const turn = this.#dice.below(10);
    if (turn === 0) return nameKey('host.outside.example');
    let name = turn < 3 ? this.#dice.of(ORIGINS) : this.#origin;
    for (let left = 1 + this.#dice.below(3); left > 0; left--) {
      name = childKey(this.#dice.of(LABELS.slice(0, 7) as unknown as typeof LABELS), name) ?? name;
    }
    return name;
  }

  #address(length: number): string {
    return Array.from({ length }, () => String.fromCharCode(this.#dice.below(256))).join('');
  }

  /** Adds what a server loads: a CNAME stands alone, and CNAME and DNAME are one record each. */
  #add(owner: NameKey, type: number, data: string): void {
    const types = this.#sets.get(owner) ?? new Map<number, string[]>();
    const isSingle = type === TYPE.CNAME || type === TYPE.DNAME;
    if (types.has(TYPE.CNAME) || (type === TYPE.CNAME && types.size > 0) || (isSingle && types.has(type))) return;
    if (type === TYPE.CNAME && owner === this.#origin) return;
    if (type === TYPE.DNAME && (types.has(TYPE.NS) || types.has(TYPE.DS))) return;
    if ((type === TYPE.NS || type === TYPE.DS) && types.has(TYPE.DNAME)) return;
    const set = types.get(type) ?? [];
    if (!set.includes(data)) set.push(data);
    types.set(type, set);
    this.#sets.set(owner, types);
  }

  /** Servers load no zone that has a name below a DNAME. */
  #isBelowDname(owner: NameKey): boolean {
    for (let above = parentKey(owner); above !== undefined; above = parentKey(above)) {
      if (this.#sets.get(above)?.has(TYPE.DNAME)) return true;
    }
    return false;
  }
}
