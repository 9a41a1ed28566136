import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { BootState } from '../boot/boot-states.ts';

/** Who did something, as far as a service knows: the address, and the machine that holds it. */
export interface Doer {
  readonly address: Ip4;
  readonly mac?: Mac;
}

/** Something a machine did on its way through a boot. Unlike events, signs are never dropped: what it boots next hangs on them. */
export type BootSign =
  /**
   * The script of machine `of` was sent, whole. `entry`: what it says to netboot; absent where it says the own disk. `host`:
   * as which it is known by another sign than its MAC.
   */
  | ({ readonly kind: 'script'; readonly of: Mac; readonly entry?: string; readonly host?: string } & Doer)
  /** Bytes `first` to `last`, both included, of a boot entry's file of `size` bytes were sent; `file`: its path on disk. */
  | ({
      readonly kind: 'file';
      readonly file: string;
      readonly first: number;
      readonly last: number;
      readonly size: number;
    } & Doer)
  /** It reported how far it is. */
  | { readonly kind: 'report'; readonly mac: Mac; readonly stage: string };

export interface BootKey {
  readonly mac: Mac;
  readonly entry: string;
}

/** A machine's state as the services need it. */
export interface BootFact extends BootKey {
  readonly state: BootState;
}

/** What became of the states: as it crosses to the services. */
export interface BootNews {
  readonly set: readonly BootFact[];
  readonly cleared: readonly BootKey[];
  readonly lostSince?: number;
}
