import type { Ip4 } from '../../addr/ip4.ts';
import type { Mac } from '../../addr/mac.ts';

/** The end of a lease that has none: the last second of 32 bits, in the year 2106. */
export const NEVER = 0xffffffff;

/** A lease as another server wrote it down. */
export interface ForeignLease {
  /** Where it stands, from 1. */
  readonly line: number;
  readonly address: Ip4;
  readonly mac: Mac;
  /** Unix seconds; NEVER for a lease without end. */
  readonly expires: number;
  /** What the client called itself, as it stands there. */
  readonly name?: string;
}

/** Something in the file that is no lease to take over, and why. */
export interface Unusable {
  readonly line: number;
  readonly reason: string;
}

/** What a file of another server holds, both in the order of lines. */
export interface ForeignLeases {
  readonly leases: readonly ForeignLease[];
  readonly unusable: readonly Unusable[];
}

/** Gathers what a file says; of all it says about one address the last counts. */
export class ForeignLeaseGatherer {
  readonly #byAddress = new Map<Ip4, ForeignLease | Unusable>();
  readonly #unusable: Unusable[] = [];

  /** What the file says of `address` from this line on. */
  say(address: Ip4, what: ForeignLease | Unusable): void {
    this.#byAddress.set(address, what);
  }

  /** A line that does not even say which address it is about. */
  refuse(line: number, reason: string): void {
    this.#unusable.push({ line, reason });
  }

  finish(): ForeignLeases {
    const leases: ForeignLease[] = [];
    const unusable = [...this.#unusable];
    for (const said of this.#byAddress.values()) {
      if ('reason' in said) unusable.push(said);
      else leases.push(said);
    }
    return { leases: leases.toSorted(byLine), unusable: unusable.toSorted(byLine) };
  }
}

function byLine(a: { readonly line: number }, b: { readonly line: number }): number {
  return a.line - b.line;
}

/** Seconds as a lease file writes them: digits only, cut to NEVER. */
export function parseSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Math.min(Number(text), NEVER) : undefined;
}
