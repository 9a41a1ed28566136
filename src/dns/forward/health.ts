/** Milliseconds: before anything was measured. */
const FIRST_PATIENCE = 400;
const LEAST_PATIENCE = 30;
const MOST_PATIENCE = 1_000;
/** Silences in a row from which on an upstream may be dead. */
const MOST_MISSES = 3;
/** Milliseconds that these must be spread over: a burst that is lost is no death. */
const QUIET = 1_000;
/** Where the network itself says that nobody is there, once may be a restart. */
const MOST_REFUSALS = 2;
/** What a refusal to answer costs in the order, in milliseconds: another may know more. */
const FAULT_COST = 100;
const MOST_FAULTS = 10;

/** How an upstream does: measured as of RFC 6298, and given up when it is silent. All times in milliseconds. */
export class Health {
  #smoothed: number | undefined;
  #variance = 0;
  #misses = 0;
  #faults = 0;
  #firstMiss = 0;
  #downSince: number | undefined;
  #recoveredAt = -Infinity;

  get isUp(): boolean {
    return this.#downSince === undefined;
  }

  /** When it last was back after it had been given up. */
  get recoveredAt(): number {
    return this.#recoveredAt;
  }

  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** Smoothed round trip time; undefined until something was measured. */
  get roundTrip(): number | undefined {
    return this.#smoothed;
  }

  /** How long an answer is waited for before another upstream is asked too. */
  get patience(): number {
    if (this.#smoothed === undefined) return FIRST_PATIENCE;
    return Math.min(Math.max(this.#smoothed + 4 * this.#variance, LEAST_PATIENCE), MOST_PATIENCE);
  }

  /** The lower, the sooner it is asked. One that was never asked comes first: it is to be measured. */
  get cost(): number {
    return (this.#smoothed ?? 0) + FAULT_COST * Math.min(this.#faults, MOST_FAULTS);
  }

  /** An answer came; true when that is news, as it had been given up. */
  heard(now: number, roundTrip?: number): boolean {
    this.#misses = 0;
    if (roundTrip !== undefined) this.#measure(roundTrip);
    const isNews = this.#downSince !== undefined;
    this.#downSince = undefined;
    if (isNews) this.#recoveredAt = now;
    return isNews;
  }

  /** An answer that is of no use (SERVFAIL, REFUSED, …), or one that is. */
  judged(isUseful: boolean): void {
    this.#faults = isUseful ? 0 : this.#faults + 1;
  }

  /** Nothing came. `isCertain`: nobody listens there. True when it seems to be dead, and was not given up yet. */
  missed(now: number, isCertain: boolean): boolean {
    if (this.#misses === 0) this.#firstMiss = now;
    this.#misses++;
    return this.isUp && (isCertain ? this.#misses >= MOST_REFUSALS : this.isDoubtful(now));
  }

  /** Nothing at all came of late: it may be dead, or what it was asked for. */
  isDoubtful(now: number): boolean {
    return this.#misses >= MOST_MISSES && now - this.#firstMiss >= QUIET;
  }

  giveUp(now: number): void {
    this.#downSince = now;
  }

  #measure(roundTrip: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = roundTrip;
      this.#variance = roundTrip / 2;
      return;
    }
    this.#variance += (Math.abs(this.#smoothed - roundTrip) - this.#variance) / 4;
    this.#smoothed += (roundTrip - this.#smoothed) / 8;
  }
}
