import type { NameKey } from '../../wire/dns/name.ts';
import { compileSet, recordsOf, ttlOf, type RecordSet } from '../../wire/dns/record-set.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { comparableData } from './comparable-data.ts';

/** The records of one type at one name, as an update leaves them. */
export class DraftSet {
  readonly owner: NameKey;
  readonly type: number;
  /** What the zone has; undefined: nothing. */
  readonly before: RecordSet | undefined;
  /** By what says the same is the same. */
  readonly #data = new Map<string, string>();
  /** What the update itself says is there, likewise. */
  readonly #given = new Set<string>();
  #ttl = 0;
  #isChanged = false;

  constructor(owner: NameKey, type: number, before: RecordSet | undefined) {
    this.owner = owner;
    this.type = type;
    this.before = before;
    if (!before) return;
    this.#ttl = ttlOf(before);
    for (const { data } of recordsOf(owner, before)) this.#data.set(comparableData(type, data), data);
  }

  /** Records. */
  get size(): number {
    return this.#data.size;
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** The data of its only record, or of one of them. */
  get first(): string | undefined {
    return this.#data.values().next().value;
  }

  has(data: string): boolean {
    return this.#data.has(comparableData(this.type, data));
  }

  /** In the place of what says the same. RFC 2181 §5.2: the records of a set have one TTL. */
  add(ttl: number, data: string): void {
    const key = comparableData(this.type, data);
    this.#isChanged = true;
    this.#ttl = ttl;
    this.#given.add(key);
    this.#data.set(key, data);
  }

  /** Whether the update leaves a record as it is, but perhaps for its TTL. */
  keeps(data: string): boolean {
    const key = comparableData(this.type, data);
    return this.#data.has(key) && !this.#given.has(key);
  }

  delete(data: string): void {
    if (this.#data.delete(comparableData(this.type, data))) this.#isChanged = true;
  }

  clear(): void {
    if (this.#data.size > 0) this.#isChanged = true;
    this.#data.clear();
  }

  /**
   * Undefined when nothing is left. `isOfFile`: whether a record is there by the zone's file. Where one is kept the TTL
   * can't be above the file's: it would fall back to that when the file is read again.
   */
  compile(isOfFile: (record: ResourceRecord) => boolean): RecordSet | undefined {
    const { owner, type, before } = this;
    const records = Array.from(this.#data.values(), (data) => ({ owner, type, ttl: this.#ttl, data }));
    const [first, ...rest] = records;
    if (!first) return undefined;
    const most = before ? ttlOf(before) : this.#ttl;
    const isHeld = this.#ttl > most && records.some((record) => this.keeps(record.data) && isOfFile(record));
    return compileSet(isHeld ? { ...first, ttl: most } : first, rest);
  }
}
