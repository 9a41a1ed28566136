import type { Mac } from '../addr/mac.ts';
import type { Once } from '../plan/plan.ts';

/**
 * What is known of netbooting one entry on one machine. `done`: it has had it, as the entry is `once`. `held`: it netbooted
 * it over and over. `armed`: neither. `since`: Unix milliseconds.
 */
export type BootState =
  | { readonly kind: 'done'; readonly by: Once; readonly since: number }
  | { readonly kind: 'held'; readonly boots: number; readonly withinSeconds: number; readonly since: number }
  | { readonly kind: 'armed' };

/** What the rack remembers of its machines, as it is at the moment of the question. */
export interface BootStates {
  of(mac: Mac, entry: string): BootState | undefined;
  /** The memory was lost then (Unix milliseconds): of whom nothing is known, nobody knows whether they had an entry. */
  readonly lostSince?: number | undefined;
}

/** Nothing is known of anyone, and nothing was lost. */
export const NO_BOOT_STATES: BootStates = { of: () => undefined };
