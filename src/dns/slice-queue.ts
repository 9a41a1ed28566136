import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';
import { SLICE_MILLISECONDS, type Slices } from './slices.ts';

interface Job {
  readonly step: () => void;
}

/**
 * Long work of many kinds, one after the other: what all of it may take of one turn of the loop is what one of them might
 * (see `runSlices`). What fits into the rest of this turn is done at once.
 */
export class SliceQueue {
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #jobs: Job[] = [];
  /** When this turn has done its share; undefined before it has begun with it. */
  #end: number | undefined;
  #isWorking = false;
  #timer: Timer | undefined;

  constructor({ loop, clock }: { readonly loop: Loop; readonly clock: Clock }) {
    this.#loop = loop;
    this.#clock = clock;
  }

  /** `done` is called with what came of it. The returned function gives the work up. */
  run<Result>(work: Slices<Result>, done: (result: Result) => void): () => void {
    const job: Job = {
      step: () => {
        const next = work.next();
        if (!next.done) return;
        this.#drop(job);
        // Whoever is told may have more to do, which comes behind the others
        done(next.value);
      },
    };
    this.#jobs.push(job);
    this.#work();
    return () => this.#drop(job);
  }

  close(): void {
    this.#timer?.cancel();
    this.#jobs.length = 0;
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      if (this.#end === undefined) {
        this.#end = this.#beginTurn();
        // However slow the machine, each turn gets something done
        this.#step();
      }
      while (this.#clock.monotonic() < this.#end) if (!this.#step()) break;
    } finally {
      this.#isWorking = false;
    }
  }

  #beginTurn(): number {
    this.#timer = this.#loop.after(0, () => {
      this.#end = undefined;
      if (this.#jobs.length > 0) this.#work();
    });
    return this.#clock.monotonic() + SLICE_MILLISECONDS;
  }

  /** False when no work is left. */
  #step(): boolean {
    const [job] = this.#jobs;
    job?.step();
    return job !== undefined;
  }

  #drop(job: Job): void {
    const at = this.#jobs.indexOf(job);
    if (at >= 0) this.#jobs.splice(at, 1);
  }
}
