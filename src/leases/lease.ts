import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';

/**
 * What a client's leases go by, unique per client: its MAC, or another sign as text. A number where that is enough: maps
 * of a hundred thousand strings that come fresh from packets cost ten times as much to look into.
 */
export type ClientKey = Mac | string;

/** An address bound to a client until a time. */
export interface Lease {
  readonly address: Ip4;
  /** Who holds it. */
  readonly client: ClientKey;
  readonly mac: Mac;
  /** Unix seconds. After it the address may go to someone else, unless `kept`. */
  readonly expires: number;
  /** The address stays with this client even after `expires`: a host on the static range. */
  readonly kept: boolean;
  /** Ended by the client's own word; known only until the next start. */
  readonly released?: boolean;
  /** The client's DNS label, lower case. */
  readonly name?: string;
}
