/** Before anything is measured (RFC 6298 §2.1), in milliseconds. */
const FIRST_TIMEOUT = 1000;
/** A ROM that writes to flash or polls its card answers late now and then, and a needless resend only costs it more. */
const SHORTEST_TIMEOUT = 250;
const LONGEST_TIMEOUT = 8000;
/** Of a local link, while nothing is measured; and what a timer can tell apart. */
const UNMEASURED = 10;
const SHORTEST_ANSWER = 1;

/** Estimates how long an answer may take from how long answers took (RFC 6298 §2). Milliseconds. */
export class RoundTrip {
  #smoothed: number | undefined;
  #variation = 0;

  /** Takes one measured time, of a packet that was sent only once (Karn's rule, RFC 6298 §3). */
  measured(time: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = time;
      this.#variation = time / 2;
      return;
    }
    this.#variation += (Math.abs(this.#smoothed - time) - this.#variation) / 4;
    this.#smoothed += (time - this.#smoothed) / 8;
  }

  /** How long what is under way may take to be answered, without the margin for a slow client. */
  get answerTime(): number {
    return this.#smoothed === undefined ? UNMEASURED : Math.max(SHORTEST_ANSWER, this.#smoothed + 4 * this.#variation);
  }

  /** How long to wait after the `resends`th repetition in a row: doubles with each (RFC 6298 §5.5). */
  timeout(resends: number): number {
    const once =
      this.#smoothed === undefined ? FIRST_TIMEOUT : Math.max(SHORTEST_TIMEOUT, this.#smoothed + 4 * this.#variation);
    return Math.min(LONGEST_TIMEOUT, once * 2 ** resends);
  }
}
