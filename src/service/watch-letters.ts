import type { Cidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';

/** A MAC and address pair that was seen on a wire. Times are Unix milliseconds. */
export interface NeighbourFact {
  readonly interface: string;
  /** 0: in no VLAN. `innerVlan`: the one inside it (802.1ad), 0 for none. */
  readonly vlan: number;
  readonly innerVlan: number;
  readonly address: Ip4;
  readonly mac: Mac;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** It answered when it was asked, or has the address by lease or by the file. */
  readonly isKnown: boolean;
}

/** What is wrong with a machine that uses an address. */
export type Grievance =
  /** `other` has it too. */
  | { readonly kind: 'two-machines'; readonly other: Mac }
  /** It is one of this rack's. */
  | { readonly kind: 'own-address' }
  /** It is written down for another machine. */
  | { readonly kind: 'host-address'; readonly host: string }
  /** It is lent to `other`. */
  | { readonly kind: 'leased-address'; readonly other: Mac }
  /** The machine is a host, which has `wanted`, and does not use that. */
  | { readonly kind: 'wrong-address'; readonly host: string; readonly wanted: Ip4 }
  /** It answers for so many addresses of others that it is in the way of all of them (ARP spoofing, or proxy ARP of no router's). */
  | { readonly kind: 'many-addresses' }
  /** It is of a range that machines are given from, and was lent to nobody. */
  | { readonly kind: 'squatted' };

export type ConflictKind = Grievance['kind'];

/** A conflict that goes on. `since`: Unix milliseconds. */
export interface ConflictFact {
  readonly interface: string;
  readonly address: Ip4;
  readonly mac: Mac;
  readonly grievance: Grievance;
  readonly since: number;
}

/** A DHCP server that is none of ours. Times are Unix milliseconds. */
export interface DhcpServerFact {
  readonly interface: string;
  readonly address: Ip4;
  /** Of what brought its word: the server itself, or the router before it. Absent: only its clients spoke of it. */
  readonly mac?: Mac;
  /** What it offered last, and what with it. */
  readonly offered?: Ip4;
  readonly router?: Ip4;
  readonly bootFile?: string;
  readonly since: number;
  readonly lastSeen: number;
}

/** What an operator wants of those on the wire: to see them, or that they are looked for. `subnet` absent: on all. */
export type WatchOrder = { readonly kind: 'list' } | { readonly kind: 'scan'; readonly subnet?: Cidr };

export interface WatchAnswer {
  readonly neighbours: readonly NeighbourFact[];
  readonly conflicts: readonly ConflictFact[];
  readonly servers: readonly DhcpServerFact[];
  /** Of a scan: how many addresses were asked for, and how many answered. */
  readonly scan?: { readonly asked: number; readonly answered: number };
  readonly fault?: string;
}

/** An address that a machine uses, as it said itself when it was asked. */
export interface Sighting {
  readonly address: Ip4;
  readonly mac: Mac;
}
