import type { Ip4 } from '../addr/ip4.ts';

/** A client's end of a transfer: its address and its transfer ID (RFC 1350 §4). */
export interface Peer {
  readonly address: Ip4;
  readonly port: number;
}

/** Tells peers apart, as a key of maps. */
export function peerKey(address: Ip4, port: number): number {
  return address * 65536 + port;
}
