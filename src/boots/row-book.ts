import type { Mac } from '../addr/mac.ts';
import type { BootRow } from './boot-row.ts';
import type { BootKey } from './boot-sign.ts';

/** Far above any rack; a row is some 300 bytes. */
const MOST_ROWS = 100_000;

/** Rows by machine and entry, and which of them changed. */
export class RowBook {
  readonly #rows = new Map<Mac, Map<string, BootRow>>();
  readonly #held = new Map<string, BootRow>();
  #changed = new Map<string, BootKey>();
  #size = 0;

  constructor(rows: Iterable<BootRow>) {
    for (const row of rows) this.set(row);
    this.#changed.clear();
  }

  all(): BootRow[] {
    return [...this.#rows.values()].flatMap((ofOne) => [...ofOne.values()]);
  }

  held(): BootRow[] {
    return [...this.#held.values()];
  }

  of(mac: Mac): BootRow[] {
    return [...(this.#rows.get(mac)?.values() ?? [])];
  }

  get(mac: Mac, entry: string): BootRow | undefined {
    return this.#rows.get(mac)?.get(entry);
  }

  set(row: BootRow): void {
    const ofOne = this.#rows.get(row.mac) ?? new Map<string, BootRow>();
    if (!ofOne.has(row.entry)) {
      if (this.#size >= MOST_ROWS) this.#makeRoom();
      this.#size++;
    }
    ofOne.set(row.entry, row);
    this.#rows.set(row.mac, ofOne);
    this.#mark(row);
    if (row.state.kind === 'held') this.#held.set(nameOf(row), row);
    else this.#held.delete(nameOf(row));
  }

  delete({ mac, entry }: BootKey): void {
    const ofOne = this.#rows.get(mac);
    if (!ofOne?.delete(entry)) return;
    this.#size--;
    if (ofOne.size === 0) this.#rows.delete(mac);
    this.#held.delete(nameOf({ mac, entry }));
    this.#mark({ mac, entry });
  }

  /** All rows are to be told anew. */
  touch(): void {
    for (const row of this.all()) this.#mark(row);
  }

  /** The rows that changed, and the keys of those that are gone. */
  take(): (readonly [BootKey, BootRow | undefined])[] {
    const changed = [...this.#changed.values()];
    this.#changed = new Map();
    return changed.map((key) => [key, this.get(key.mac, key.entry)]);
  }

  #mark({ mac, entry }: BootKey): void {
    const key = { mac, entry };
    this.#changed.set(nameOf(key), key);
  }

  /** Machines that never got anywhere go first: those that had their entry were promised their own disk. */
  #makeRoom(): void {
    for (const row of this.all().slice(0, MOST_ROWS / 10)) if (row.state.kind === 'armed') this.delete(row);
  }
}

function nameOf({ mac, entry }: BootKey): string {
  return `${mac} ${entry}`;
}
