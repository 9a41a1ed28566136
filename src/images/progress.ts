import type { Clock } from '../system/clock.ts';

const TELL_EVERY = 250;
/** The rate is of this much time. */
const WINDOW = 5_000;

/** How far an import is. */
export interface ImportProgress {
  readonly phase: 'reading' | 'fetching';
  /** The source that is being read; absent while fetching. */
  readonly source?: string;
  /** What is on its way now. */
  readonly files: readonly FileProgress[];
  /** Bytes that are here, and that are to be, of all that was not here whole. */
  readonly done: number;
  readonly total: number;
  /** Bytes a second, of late. */
  readonly rate: number;
  /** Absent while nobody can tell. */
  readonly secondsLeft?: number;
}

interface FileProgress {
  readonly name: string;
  readonly done: number;
  readonly size: number;
}

/** Follows an import, and tells of it a few times a second. */
export class ProgressTracker {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #tell: (progress: ImportProgress) => void;
  readonly #files = new Map<string, { name: string; done: number; size: number }>();
  #came: { readonly at: number; readonly bytes: number }[] = [];
  #source: string | undefined;
  #done = 0;
  #total = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'monotonic'>, tell: (progress: ImportProgress) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  reading(source: string): void {
    this.#source = source;
    this.#report(true);
  }

  fetching(total: number): void {
    this.#source = undefined;
    this.#total = total;
    this.#report(true);
  }

  began(sha256: string, name: string, size: number): void {
    this.#files.set(sha256, { name, done: 0, size });
    this.#report(false);
  }

  /** `came`: by the network just now. */
  bytes(sha256: string, count: number, came: boolean): void {
    const file = this.#files.get(sha256);
    if (file) file.done += count;
    this.#done += count;
    const at = this.#clock.monotonic();
    if (came) this.#came.push({ at, bytes: count });
    this.#came = this.#came.filter((each) => at - each.at < WINDOW);
    this.#report(false);
  }

  ended(sha256: string): void {
    this.#files.delete(sha256);
    this.#report(false);
  }

  now(): ImportProgress {
    const at = this.#clock.monotonic();
    const since = this.#came[0]?.at ?? at;
    const bytes = this.#came.reduce((sum, each) => sum + each.bytes, 0);
    const rate = Math.round(bytes / Math.max(1, (at - since) / 1000));
    return {
      phase: this.#source === undefined ? 'fetching' : 'reading',
      ...(this.#source !== undefined && { source: this.#source }),
      files: [...this.#files.values()],
      done: this.#done,
      total: this.#total,
      rate,
      ...(rate > 0 && { secondsLeft: Math.ceil(Math.max(0, this.#total - this.#done) / rate) }),
    };
  }

  #report(isTurn: boolean): void {
    const at = this.#clock.monotonic();
    if (!isTurn && at - this.#toldAt < TELL_EVERY) return;
    this.#toldAt = at;
    this.#tell(this.now());
  }
}
