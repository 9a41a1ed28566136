import type { Ip4 } from '../addr/ip4.ts';

/** Who sent a message, and how a reply that is not ready yet gets there. */
export interface DnsClient {
  readonly address: Ip4;
  readonly port: number;
  /** By a stream only: for how long it may be idle now, in milliseconds. */
  readonly idleTimeout?: number;
  /** A reply will come later, or never. The function takes it when it is there. */
  later(): (reply: Uint8Array) => void;
}
