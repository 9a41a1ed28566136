import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';

/** Who asks: the address of ours the request came to, and the machine's own, if known. */
export interface Asker {
  readonly rackAddress: Ip4;
  readonly address?: Ip4;
  /** Of the machine that has this address, by its lease. */
  readonly mac?: Mac;
  /** The name of the host it is known to be by its lease, where the MAC does not tell. */
  readonly host?: string;
}
