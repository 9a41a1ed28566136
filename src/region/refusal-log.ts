import type { Logger } from 'pino';

import type { Clock } from '../system/clock.ts';
import type { Refusal } from './refusal.ts';

const MOST_LINES = 20;
const WINDOW = 60_000;
const MOST_ADDRESSES = 10_000;
const LONGEST_PATH = 200;

interface Row {
  lines: number;
  unlogged: number;
  readonly until: number;
}

/** Tells of each request that was refused, and of a flood of them from one address no more than that it goes on. */
export class RefusalLog {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #log: Logger;
  readonly #rows = new Map<string, Row>();

  constructor(clock: Pick<Clock, 'monotonic'>, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  tell(from: string, path: string, { status, message }: Refusal): void {
    const { row, before } = this.#rowOf(from);
    if (row.lines >= MOST_LINES) {
      row.unlogged++;
      return;
    }
    row.lines++;
    const more = before > 0 ? { unlogged: before } : {};
    this.#log.warn({ from, path: path.slice(0, LONGEST_PATH), status, ...more }, message);
  }

  /** `before`: so many were not logged in the minute that is over. */
  #rowOf(from: string): { readonly row: Row; readonly before: number } {
    const now = this.#clock.monotonic();
    const known = this.#rows.get(from);
    if (known && known.until > now) return { row: known, before: 0 };
    const row = { lines: 0, unlogged: 0, until: now + WINDOW };
    this.#rows.delete(from);
    this.#rows.set(from, row);
    const [oldest] = this.#rows.keys();
    if (oldest !== undefined && this.#rows.size > MOST_ADDRESSES) this.#rows.delete(oldest);
    return { row, before: known?.unlogged ?? 0 };
  }
}
