import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';

/** Work that pauses where it yields, and returns what came of it. */
export type Slices<Result> = Generator<undefined, Result, undefined>;

/** Between two slices whoever asks is answered; a lease's name must answer within 10 ms. */
export const SLICE_MILLISECONDS = 3;

/**
 * Does long work on a thread that must answer meanwhile: a slice at once, the others when the loop comes round. `done` is
 * called in the last of them, which may be the first. The returned function gives the work up.
 */
export function runSlices<Result>(
  { loop, clock }: { readonly loop: Loop; readonly clock: Clock },
  work: Slices<Result>,
  done: (result: Result) => void,
): () => void {
  let timer: { cancel(): void } | undefined;
  const step = (): void => {
    const end = clock.monotonic() + SLICE_MILLISECONDS;
    for (let next = work.next(); ; next = work.next()) {
      if (next.done) return done(next.value);
      if (clock.monotonic() >= end) break;
    }
    timer = loop.after(0, step);
  };
  step();
  return () => timer?.cancel();
}

/** Does all of it now. */
export function runWhole<Result>(work: Slices<Result>): Result {
  for (let next = work.next(); ; next = work.next()) if (next.done) return next.value;
}
