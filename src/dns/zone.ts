import { parentKey, type NameKey } from '../wire/dns/name.ts';
import { compileRecords, withSerial, withTtl, type RecordSet, type SoaTimes } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';

export interface Authority {
  /** The primary name server's name, in text. */
  readonly primary: string;
  /** The mailbox of who is responsible, as a domain name. */
  readonly mailbox: string;
  readonly ttl: number;
  readonly times: SoaTimes;
}

/** A name of the zone. One without sets is an empty non-terminal: it exists because names below it do (RFC 8020 §2). */
interface Node {
  sets: readonly RecordSet[];
  /** Names one label below. */
  children: number;
}

const NO_SETS: readonly RecordSet[] = [];

/** A zone this rack answers for: names with compiled records, changed one record set at a time. */
export class Zone {
  readonly origin: NameKey;
  readonly #negativeTtl: number;
  readonly #nodes = new Map<NameKey, Node>();
  #soa: RecordSet;
  #negative: RecordSet;
  #serial = 0;
  #changed = true;

  constructor(origin: NameKey, authority: Authority) {
    this.origin = origin;
    this.#soa = compileRecords(authority.ttl, {
      type: 'SOA',
      data: { mname: authority.primary, rname: authority.mailbox, ...authority.times },
    });
    this.#negativeTtl = Math.min(authority.ttl, authority.times.minimum);
    this.#negative = withTtl(this.#soa, this.#negativeTtl);
    this.#nodes.set(origin, { sets: [this.#soa], children: 0 });
  }

  get serial(): number {
    return this.#serial;
  }

  /** The SOA with the TTL of a negative answer: the lesser of its own and its MINIMUM (RFC 2308 §5). */
  get negative(): RecordSet {
    return this.#negative;
  }

  /** The record sets of a name; empty for an empty non-terminal, undefined when there is no such name. */
  find(key: NameKey): readonly RecordSet[] | undefined {
    return this.#nodes.get(key)?.sets;
  }

  /** Every name with what is there, for transfers and tests. */
  names(): Iterable<readonly [NameKey, { readonly sets: readonly RecordSet[] }]> {
    return this.#nodes;
  }

  /** Puts a set in the place of the one of its type; `key` must be in this zone. */
  put(key: NameKey, set: RecordSet): void {
    const node = this.#node(key);
    node.sets = [...node.sets.filter(({ type }) => type !== set.type), set];
    this.#changed = true;
  }

  /** Takes the set of a type away, and the names that exist no more without it. The SOA stays. */
  remove(key: NameKey, type: number): void {
    const node = this.#nodes.get(key);
    if (!node || type === TYPE.SOA) return;
    const left = node.sets.filter((set) => set.type !== type);
    if (left.length === node.sets.length) return;
    node.sets = left.length === 0 ? NO_SETS : left;
    this.#changed = true;
    this.#prune(key, node);
  }

  /** Stamps a new serial when anything changed since the last time. */
  publish(nextSerial: () => number): void {
    if (!this.#changed) return;
    this.#changed = false;
    this.#serial = nextSerial();
    this.#soa = withSerial(this.#soa, this.#serial);
    this.#negative = withTtl(this.#soa, this.#negativeTtl);
    const apex = this.#node(this.origin);
    apex.sets = apex.sets.with(0, this.#soa);
  }

  /** The node of a name, made with its ancestors up to the origin where absent. */
  #node(key: NameKey): Node {
    const existing = this.#nodes.get(key);
    if (existing) return existing;
    const parent = parentKey(key);
    if (parent === undefined) throw new RangeError('the name is outside the zone');
    this.#node(parent).children++;
    const node: Node = { sets: NO_SETS, children: 0 };
    this.#nodes.set(key, node);
    return node;
  }

  #prune(key: NameKey, node: Node): void {
    if (node.sets.length > 0 || node.children > 0 || key === this.origin) return;
    this.#nodes.delete(key);
    const parent = parentKey(key);
    const above = parent === undefined ? undefined : this.#nodes.get(parent);
    if (parent === undefined || !above) return;
    above.children--;
    this.#prune(parent, above);
  }
}
