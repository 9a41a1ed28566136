import type { Ip4 } from '../addr/ip4.ts';
import type { Lease } from '../leases/lease.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import type { Addresses, ChosenBy, ServedSubnet } from './addresses.ts';
import type { Client } from './client.ts';
import type { OptionLayers } from './option-layers.ts';
import type { QuirkSwitchboard } from './quirk-switches.ts';

/** One message from a client, with everything needed to decide on it. */
export interface Exchange {
  readonly packet: DhcpPacket;
  readonly client: Client;
  readonly served: ServedSubnet;
  /** All subnets that this client may have an address in, `served` among them; the likeliest first. */
  readonly link: readonly ServedSubnet[];
  /** Our address towards this client. */
  readonly rackAddress: Ip4;
  /** What it knows us by: that address, or the one of the relay that stands in for us (RFC 5107). */
  readonly serverId: Ip4;
  /** The port its relay hears replies on, where that is not 67 (RFC 8357). */
  readonly relayPort?: number;
  readonly addresses: Addresses;
  readonly conflicts: ConflictJudge;
  readonly optionLayers: OptionLayers;
  readonly quirkSwitches: QuirkSwitchboard;
}

/** Knows which addresses may be offered without another look. */
export interface ConflictJudge {
  /** Whether `address` may be offered to this client now; false: it must be looked for on the wire first. */
  clears(exchange: Exchange, address: Ip4): boolean;
}

/** What a client's message comes to. */
export type Decision =
  | { readonly kind: 'offer'; readonly address: Ip4; readonly by: ChosenBy }
  /** `answers`: what it answers, where that is not a REQUEST; the address was then chosen `by` us. */
  | {
      readonly kind: 'ack';
      readonly lease: Lease;
      readonly answers?: 'bootp' | 'rapid-commit';
      readonly by?: ChosenBy;
    }
  | { readonly kind: 'nak'; readonly reason: string }
  /** The client has `address` from elsewhere, and is told the options. */
  | { readonly kind: 'informed'; readonly address: Ip4 }
  /** The client gave `address` back; no reply. `kept`: it stays the client's all the same, as the lease of a host. */
  | { readonly kind: 'released'; readonly address: Ip4; readonly kept: boolean }
  /** The client says that `address` is someone else's: no reply, an end of its lease. `disbelief`: why it is not believed. */
  | { readonly kind: 'declined'; readonly address: Ip4; readonly disbelief?: string }
  /** `address` is held for the client, and looked for on the wire; nothing is said until it is known to be free. */
  | { readonly kind: 'probing'; readonly address: Ip4 }
  | { readonly kind: 'exhausted'; readonly reason: string }
  /** No reply. `ordinary`: nothing an operator would look for, as a client that chose another server. `counter`: what it is counted as. `server`: whom it chose. */
  | {
      readonly kind: 'silence';
      readonly reason: string;
      readonly ordinary?: boolean;
      readonly counter?: string;
      readonly server?: string;
    };
