import type { Ip4 } from '../addr/ip4.ts';
import type { ChangeColumns } from '../zones/change-columns.ts';
import type { ZoneColumns } from '../zones/zone-columns.ts';

type Origin = ZoneColumns['origin'];

/** Datagrams as they came, as columns. */
export interface DatagramColumns {
  /** Where they came to: the address and port of the socket. */
  readonly address: Ip4;
  readonly port: number;
  readonly sources: Uint32Array;
  readonly sourcePorts: Uint16Array;
  readonly lengths: Uint16Array;
  /** One behind the other. */
  readonly bytes: Uint8Array;
}

/**
 * What the threads of the DNS service tell one another. The rack passes it on unread, and none of it takes the rack longer for
 * a larger zone: what is large lies in memory that all threads share.
 */
export type ThreadNote =
  /** The rack tells `dns`: the thread that this is from serves now, and knows of no zone. Also when it is `dns` that began. */
  | { readonly kind: 'joined' }
  /**
   * `dns` → one thread: these zones are served, and follow. None that it may have from before counts as known; one that is
   * neither here nor in the Plan is gone.
   */
  | { readonly kind: 'zones'; readonly origins: readonly Origin[] }
  /** It is served from now on, and follows. */
  | { readonly kind: 'zone-served'; readonly origin: Origin }
  /** A zone whole, as it was published, and what was published while it was written down. */
  | { readonly kind: 'zone'; readonly zone: ZoneColumns; readonly changes: readonly ChangeColumns[] }
  | { readonly kind: 'zone-change'; readonly change: ChangeColumns }
  | { readonly kind: 'zone-gone'; readonly origin: Origin }
  /** So many of the datagrams that the thread handed over are dealt with. */
  | { readonly kind: 'taken'; readonly count: number }
  /** A thread → `dns`: what it has of a zone is not what a change begins with. */
  | { readonly kind: 'zone-wanted'; readonly origin: Origin }
  /** Answers to these are not its to give. */
  | { readonly kind: 'datagrams'; readonly datagrams: DatagramColumns }
  /** It was the first answer it gave to the machine that has a lease of this address. */
  | { readonly kind: 'first-answer'; readonly address: Ip4; readonly reply: Uint8Array };
