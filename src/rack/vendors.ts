import { readFileSync } from 'node:fs';

import { formatMac, type Mac } from '../addr/mac.ts';

/** Who sells parts of its block: the rest of the prefix says to whom. */
const BLOCKS = 'IEEE Registration Authority';
/** Digits of what is sold in one piece: MA-L, and the smaller MA-S and MA-M inside one. */
const WHOLE = 6;
const PARTS = [9, 7];
const NEWLINE = 0x0a;
const TAB = 0x09;
/** Prefixes remembered; a rack has cards of few vendors. */
const MOST_REMEMBERED = 4_096;

/**
 * Who made a card, by its MAC (IEEE's registry). The file has a line for each vendor with its prefixes; it is read when first asked
 * for and searched as it is, as tables of 50,000 prefixes would take ten times its memory.
 */
export class Vendors {
  readonly #file: string;
  readonly #remembered = new Map<string, string | undefined>();
  #text: Buffer | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Undefined: nobody knows, as of an address that was made up on the spot (locally administered). */
  of(mac: Mac): string | undefined {
    if (Math.floor(mac / 2 ** 41) % 2 === 1) return undefined;
    const digits = formatMac(mac, '');
    const vendor = this.#look(digits.slice(0, WHOLE));
    if (vendor !== BLOCKS) return vendor;
    for (const length of PARTS) {
      const owner = this.#look(digits.slice(0, length));
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  #look(prefix: string): string | undefined {
    if (this.#remembered.has(prefix)) return this.#remembered.get(prefix);
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    const vendor = this.#search(prefix);
    this.#remembered.set(prefix, vendor);
    return vendor;
  }

  #search(prefix: string): string | undefined {
    const text = (this.#text ??= readOrNothing(this.#file));
    for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + 1)) {
      const [before = 0, behind = NEWLINE] = [text[at - 1], text[at + prefix.length]];
      // A whole word behind the name
      if ((before !== TAB && before !== 0x20) || (behind !== NEWLINE && behind !== 0x20)) continue;
      const start = text.lastIndexOf(NEWLINE, at) + 1;
      const tab = text.indexOf(TAB, start);
      if (tab < at) return text.toString('latin1', start, tab);
    }
    return undefined;
  }
}

/** Without its list a rack works as well. */
function readOrNothing(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}
