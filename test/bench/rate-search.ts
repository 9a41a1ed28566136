/** Where a search begins, how wide its first steps are, and how near its two ends come before it ends. */
export interface SearchSettings {
  readonly start: number;
  readonly step: number;
  readonly precision: number;
  readonly lowest: number;
  readonly highest: number;
}

/** What a trial at some rate said; the search knows only whether it passed. */
export interface Trial {
  readonly passed: boolean;
}

/** The trial at the highest rate that passed: by steps until one passes and one fails, then by halving between them. */
export async function findHighest<T extends Trial>(
  tryRate: (rate: number) => Promise<T>,
  { start, step, precision, lowest, highest }: SearchSettings,
): Promise<T | undefined> {
  let best: T | undefined;
  let [good, bad] = [0, Number.POSITIVE_INFINITY];
  let rate = start;
  while (rate >= lowest && rate <= highest && bad / Math.max(good, 1) > precision) {
    const trial = await tryRate(Math.round(rate));
    if (trial.passed) [good, best] = [rate, trial];
    else bad = rate;
    if (good === 0) rate = bad / step;
    else rate = bad === Number.POSITIVE_INFINITY ? good * step : Math.sqrt(good * bad);
  }
  return best;
}
