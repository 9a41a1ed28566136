import { UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import type { Outbound } from '../system/datagram.ts';

/** A client's end of a transfer: its address and its transfer ID (RFC 1350 §4). */
export interface Peer {
  readonly address: Ip4;
  readonly port: number;
}

/** Tells peers apart, as a key of maps. */
export function peerKey(address: Ip4, port: number): number {
  return address * 65536 + port;
}

/** Where a packet to `peer` goes that leaves from our `address`, where one is known. */
export function from(address: Ip4, peer: Peer): Outbound {
  return address === UNSPECIFIED ? peer : { ...peer, source: address };
}
