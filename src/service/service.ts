import type { Ip4 } from '../addr/ip4.ts';
import type { BootNews, BootSign } from '../boots/boot-sign.ts';
import type { Plan } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop } from '../system/loop.ts';
import type { EventBody, ThreadName } from '../timeline/event.ts';
import type { ImportProgress } from '../images/progress.ts';
import type { ZoneColumns } from '../zones/zone-columns.ts';
import type {
  Counters,
  ImageAnswer,
  ImageOrder,
  LeaseAnswer,
  LeaseFact,
  LeaseOrder,
  SocketHandle,
  ZoneAnswer,
  ZoneOrder,
} from './letters.ts';
import type { RegionNews, RegionWish } from './region-letters.ts';
import type { ThreadNote } from './thread-note.ts';
import type { Sighting, WatchAnswer, WatchOrder } from './watch-letters.ts';

/** What every service is: it takes Plans and facts, and emits events. All calls come from its own thread. */
export interface Service {
  /** Switches to a new Plan whole. The first call comes before any packet. */
  apply(plan: Plan, sockets: readonly SocketHandle[]): void;
  /** Leases that began or changed, and addresses whose lease ended. */
  learn?(bound: readonly LeaseFact[], ended: readonly Ip4[]): void;
  /** What became of machines' boot states. */
  learnBoots?(news: BootNews): void;
  /** Zones that were read, whole, and the names of those that are no more. */
  learnZones?(zones: readonly ZoneColumns[], gone: readonly string[]): void;
  /** Does what an operator wants of the leases; what is answered as done is on disk. */
  obey?(order: LeaseOrder): LeaseAnswer;
  /** Does what an operator wants of the images; never rejects. */
  manage?(order: ImageOrder): Promise<ImageAnswer>;
  /** Shows what is served; may answer later, as a large zone takes long. */
  showZones?(order: ZoneOrder, answer: (answer: ZoneAnswer) => void): void;
  /** What another thread of the same service tells. */
  hear?(note: ThreadNote, from: ThreadName): void;
  /** Addresses that machines were seen to use. */
  learnSightings?(sightings: readonly Sighting[]): void;
  /** Shows who is on the wire, or looks for them; may answer later, as a scan takes its time. */
  showNeighbours?(order: WatchOrder, answer: (answer: WatchAnswer) => void): void;
  /** What the region is to know of, and what became of its wishes. */
  hearRegion?(news: RegionNews): void;
  counters(): Counters;
  close(): void;
}

/** The machine an event concerns, as far as the service knows it. */
export interface Subject {
  readonly mac?: string;
  readonly address?: string;
}

/** Takes what a service did or saw. */
export interface EventSink {
  emit(body: EventBody, subject?: Subject): void;
}

/** Takes what decides what a machine boots next. */
export interface SignSink {
  sign(sign: BootSign): void;
}

/** Takes what became of images. */
export interface ImageSink {
  /** What is here is not what it was. */
  changed(): void;
  /** How far an import is; undefined when it ended. */
  progress(progress: ImportProgress | undefined): void;
}

/** Takes what is for other threads of the same service: for one of them, or for all that concerns it. */
export interface NoteSink {
  tell(note: ThreadNote, to?: ThreadName): void;
}

/** Takes addresses that machines were seen to use. */
interface SightingSink {
  tell(sightings: readonly Sighting[]): void;
}

/** Takes what the region wants of the rack, or who talks to it. */
interface RegionSink {
  wish(wish: RegionWish): void;
}

/** What a service is built from. */
export interface ServiceContext {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly events: EventSink;
  /** Absent: nobody is to know. */
  readonly signs?: SignSink;
  /** Absent: nobody is to know. */
  readonly images?: ImageSink;
  /** Absent: there are no others. */
  readonly notes?: NoteSink;
  /** Absent: nobody is to know. */
  readonly sightings?: SightingSink;
  /** Absent: there is no region. */
  readonly region?: RegionSink;
}
