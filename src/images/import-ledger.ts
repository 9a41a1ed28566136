import { isPublished, rowKey, type ImageRow } from './image-row.ts';
import type { ImageChanges, ImageMemory } from './image-store.ts';
import { imageKey } from './streams/select-versions.ts';

/** The index as a ledger is kept of it. */
export interface LedgerStore {
  load(): ImageMemory;
  write(changes: ImageChanges): void;
  /** `own`: what was written through it; `others`: another number as soon as anyone else wrote. */
  revision(): { readonly own: number; readonly others: number };
}

/**
 * The published versions while an import runs, by what they are asked for. They are read once, and anew only after someone else
 * wrote: `images add` or `images remove` meanwhile.
 */
export class ImportLedger {
  readonly #store: LedgerStore;
  readonly #published = new Map<string, ImageRow[]>();
  #known: ReturnType<LedgerStore['revision']> | undefined;

  constructor(store: LedgerStore) {
    this.#store = store;
  }

  /** Of one image. */
  of(key: string): readonly ImageRow[] {
    this.#refresh();
    return this.#published.get(key) ?? [];
  }

  /** Of one source. */
  from(source: string): readonly ImageRow[] {
    this.#refresh();
    return [...this.#published.values()].flat().filter((row) => row.source === source);
  }

  /** When it returns, a power cut loses nothing of it. */
  set(rows: readonly ImageRow[]): void {
    const before = this.#refresh();
    this.#store.write({ set: rows });
    for (const row of rows) this.#put(row);
    // Another one's commit may have come between: then it is read anew
    this.#known = { own: before.own + 1, others: before.others };
  }

  #refresh(): ReturnType<LedgerStore['revision']> {
    const now = this.#store.revision();
    if (now.own !== this.#known?.own || now.others !== this.#known.others) {
      this.#published.clear();
      for (const row of this.#store.load().images) this.#put(row);
      this.#known = now;
    }
    return now;
  }

  #put(row: ImageRow): void {
    const key = imageKey(row);
    const others = (this.#published.get(key) ?? []).filter((each) => rowKey(each) !== rowKey(row));
    this.#published.set(key, isPublished(row) ? [...others, row] : others);
  }
}
