import type { LeaseColumns } from './lease-columns-shape.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { BootNews, BootSign } from '../boots/boot-sign.ts';
import type { ImportProgress } from '../images/progress.ts';
import type { Plan } from '../plan/plan.ts';
import type { RackEvent, ThreadName } from '../timeline/event.ts';
import type { ZoneColumns } from '../zones/zone-columns.ts';
import type { RegionNews, RegionWish } from './region-letters.ts';
import type { ThreadNote } from './thread-note.ts';
import type { Sighting, WatchAnswer, WatchOrder } from './watch-letters.ts';

/** A socket that the rack opened and a service uses. It stays the rack's: the service never closes it. */
export interface SocketHandle {
  readonly fd: number;
  /**
   * `link`: an AF_PACKET socket that only sends; `arp`: one that hears and sends ARP on its interface; `arp-tap` and `dhcp-tap`:
   * ones that hear whole frames of these, and send any.
   */
  readonly transport: 'udp' | 'tcp' | 'link' | 'arp' | 'arp-tap' | 'dhcp-tap';
  /** The interface it is bound to; absent for a socket that hears relays on any interface. */
  readonly interface?: string;
  readonly ifindex?: number;
  /** The local address it is bound to, or that its interface has. */
  readonly address: Ip4;
  readonly port: number;
}

/** A lease as the other services need it. `name`: the machine's label, lower case. `expires`: Unix seconds, absent when it has no end. */
export interface LeaseFact {
  readonly address: Ip4;
  readonly mac: Mac;
  readonly name?: string;
  readonly expires?: number;
  /** `name` is that of a host known by another sign than its MAC; absent otherwise. */
  readonly host?: true;
  /** No lease of this rack: on a proxy subnet, the address that its machine asked another server for. */
  readonly elsewhere?: true;
}

/** A lease of another server, to be taken over. `line`: where it stands in that server's file. */
export interface LeaseWish extends LeaseFact {
  readonly line: number;
  readonly expires: number;
}

/** What an operator wants of the leases. */
export type LeaseOrder =
  | { readonly kind: 'release'; readonly of: Ip4 | { readonly mac: Mac } }
  | { readonly kind: 'import'; readonly leases: readonly LeaseWish[] };

/** What came of it: leases ended or taken over, and wishes that were refused. Nothing of it when there is a `fault`. */
export interface LeaseAnswer {
  readonly done: readonly LeaseFact[];
  readonly refused: readonly { readonly line: number; readonly reason: string }[];
  readonly fault?: string;
}

/** What an operator wants of the images. `only`: one source, by its name or its number from 1. */
export type ImageOrder =
  | { readonly kind: 'import'; readonly only?: string; readonly isDryRun: boolean }
  | { readonly kind: 'stop' | 'gc' | 'verify' | 'reread' }
  | { readonly kind: 'remove'; readonly image: string };

/** What came of it: a sentence each. `isDone`: all of it was done, and nothing is wrong. */
export interface ImageAnswer {
  readonly isDone: boolean;
  readonly lines: readonly string[];
}

/**
 * What an operator wants of the zones, each by its name as text: to see all of them in short, or one whole, or what updates
 * did to it; or to have that undone.
 */
export type ZoneOrder =
  | { readonly kind: 'list' }
  | { readonly kind: 'dump' | 'updates' | 'forget-updates'; readonly zone: string };

/** A zone as it is served. */
export interface ZoneFact {
  /** As text, without a dot at the end; "." for the root. */
  readonly zone: string;
  /** `rack`: made of hosts, names and leases; `file`: of a master file, and of updates. */
  readonly kind: 'rack' | 'file';
  readonly serial: number;
  readonly names: number;
  readonly records: number;
  /** Records that updates added or deleted; absent where none did. */
  readonly updated?: number;
  /** How many of these the file leaves no place for; absent where it does for all. */
  readonly overruled?: number;
}

/** What updates did to a zone. `overruled`: what of it the file, as it is now, leaves no place for. */
export interface ZoneUpdates {
  readonly added: ZoneColumns;
  readonly deleted: ZoneColumns;
  readonly overruled: ZoneColumns;
}

export interface ZoneAnswer {
  readonly zones: readonly ZoneFact[];
  /** The zone that was asked for; absent where there is none. */
  readonly content?: ZoneColumns;
  /** Of the zone that was asked for; absent where there is none that takes updates. After `forget-updates`: what was undone. */
  readonly updates?: ZoneUpdates;
  readonly fault?: string;
}

/** A machine whose packets are written down: those of its MAC, and those of its addresses. */
export interface TapAim {
  /** Of one capture: the same when only the addresses change. */
  readonly id: number;
  readonly mac: Mac;
  readonly addresses: readonly Ip4[];
  /** That one service writes down at most. */
  readonly bytes: number;
}

/** What a service thread is started with. */
export interface ThreadData {
  readonly name: ThreadName;
  /** The eventfd that the rack rings after posting a letter. */
  readonly wakeFd: number;
  /** What the secrets of DNS cookies are made of: each thread takes those of the others, and of itself before it failed. */
  readonly cookieKey: Uint8Array;
}

/** Rack → service. */
export type ToService =
  | { readonly type: 'plan'; readonly plan: Plan; readonly sockets: readonly SocketHandle[] }
  | { readonly type: 'leases'; readonly bound: LeaseColumns; readonly ended: readonly Ip4[] }
  | { readonly type: 'boots'; readonly news: BootNews }
  /**
   * Whole contents of zones of the Plan, each in the place of what the zone held before, and the names of zones (text, as
   * in the Plan) that the Plan has no more. A zone of the Plan that was never sent could not be read yet, or takes long.
   * Comes ahead of the Plan that first names the zone, if it can.
   */
  | { readonly type: 'zones'; readonly zones: readonly ZoneColumns[]; readonly gone: readonly string[] }
  | { readonly type: 'order'; readonly id: number; readonly order: LeaseOrder }
  | { readonly type: 'image-order'; readonly id: number; readonly order: ImageOrder }
  | { readonly type: 'zone-order'; readonly id: number; readonly order: ZoneOrder }
  /** `from`: another thread of the same service. */
  | { readonly type: 'note'; readonly note: ThreadNote; readonly from: ThreadName }
  /** Whose packets are to be written down; nobody's without. */
  | { readonly type: 'tap'; readonly aim?: TapAim }
  | { readonly type: 'watch-order'; readonly id: number; readonly order: WatchOrder }
  /** Addresses that machines use on the wire, lent or not. */
  | { readonly type: 'sightings'; readonly sightings: readonly Sighting[] }
  | { readonly type: 'region'; readonly news: RegionNews }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'fail'; readonly reason: string }
  | { readonly type: 'stop' };

/** Service → rack. */
export type FromService =
  /** The Plan that was sent last is in force. */
  | { readonly type: 'ready' }
  | { readonly type: 'events'; readonly events: readonly RackEvent[] }
  | { readonly type: 'leases'; readonly bound: LeaseColumns; readonly ended: readonly Ip4[] }
  | { readonly type: 'signs'; readonly signs: readonly BootSign[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: LeaseAnswer }
  | { readonly type: 'image-answer'; readonly id: number; readonly answer: ImageAnswer }
  /** What images are here changed: a Plan is to be compiled of what is here now. */
  | { readonly type: 'images' }
  /** How far an import is; absent: none runs. */
  | { readonly type: 'progress'; readonly progress?: ImportProgress }
  | { readonly type: 'zone-answer'; readonly id: number; readonly answer: ZoneAnswer }
  /** For the thread `to` of the same service; without it, of `dns` for all that answer beside it, and of those for `dns`. */
  | { readonly type: 'note'; readonly note: ThreadNote; readonly to?: ThreadName }
  /** Packets of whom the tap is aimed at, as records of a pcap of bare IP. */
  | { readonly type: 'captured'; readonly records: Uint8Array }
  | { readonly type: 'watch-answer'; readonly id: number; readonly answer: WatchAnswer }
  /** For the service that gives addresses. */
  | { readonly type: 'sightings'; readonly sightings: readonly Sighting[] }
  | { readonly type: 'region'; readonly wish: RegionWish }
  | { readonly type: 'pong'; readonly id: number; readonly counters: Counters };

/** What a service counts, by name: `received`, `refused.bad-packet`, … They only rise, but for levels such as `active`. */
export type Counters = Readonly<Record<string, number>>;
