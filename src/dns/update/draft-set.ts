import type { NameKey } from '../../wire/dns/name.ts';
import { compileSet, recordsOf, ttlOf, type RecordSet } from '../../wire/dns/record-set.ts';
import { comparableData } from './comparable-data.ts';

/** The records of one type at one name, as an update leaves them. */
export class DraftSet {
  readonly owner: NameKey;
  readonly type: number;
  /** What the zone has; undefined: nothing. */
  readonly before: RecordSet | undefined;
  /** By what says the same is the same. */
  readonly #data = new Map<string, string>();
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
    this.#isChanged = true;
    this.#ttl = ttl;
    this.#data.set(comparableData(this.type, data), data);
  }

  delete(data: string): void {
    if (this.#data.delete(comparableData(this.type, data))) this.#isChanged = true;
  }

  clear(): void {
    if (this.#data.size > 0) this.#isChanged = true;
    this.#data.clear();
  }

  /** Undefined when nothing is left. */
  compile(): RecordSet | undefined {
    const { owner, type } = this;
    const [first, ...rest] = Array.from(this.#data.values(), (data) => ({ owner, type, ttl: this.#ttl, data }));
    return first && compileSet(first, ...rest);
  }
}
