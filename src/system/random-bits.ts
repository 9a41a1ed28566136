import { randomFillSync } from 'node:crypto';

/** Numbers nobody can foretell. */
export interface RandomBits {
  /** 0 to 65,535. */
  uint16(): number;
}

const STOCK = 4096;

/** From the system's cryptographic source, fetched in stock, as a call of it costs more than a question. */
export class CryptoBits implements RandomBits {
  readonly #stock = new Uint16Array(STOCK);
  #left = 0;

  uint16(): number {
    if (this.#left === 0) {
      randomFillSync(this.#stock);
      this.#left = STOCK;
    }
    this.#left--;
    const value = this.#stock[this.#left] ?? 0;
    // What was handed out is nowhere to be found later
    this.#stock[this.#left] = 0;
    return value;
  }
}
