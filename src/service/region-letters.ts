import type { Orders, PlanAnswer, StatusReport } from '../contract/rack-words.ts';
import type { LeaseColumns } from './lease-columns-shape.ts';

/** What the region may order beside its plan, and another thread is to do. A new key is the business of who talks to it. */
export type RegionOrder = Exclude<keyof Orders, 'rotateKey'>;

/** What a rack says of itself, but for what who talks to the region knows better. */
export type RackFacts = Omit<StatusReport, 'at' | 'version' | 'outbox'>;

/** Events on their way to the region. */
export interface EventLetter {
  readonly kind: 'events';
  /** Of the rack's process: what it hands over twice, as a thread died, is told once. */
  readonly life: string;
  /** Of the letter in it, from 1. */
  readonly number: number;
  /** A line of JSON each. */
  readonly lines: string;
  /** Events ahead of these were given up, as they were not taken. `before`: when the last of them was, Unix milliseconds. */
  readonly forgotten?: { readonly count: number; readonly before: number };
}

/** Rack → who talks to the region. */
export type RegionNews =
  | EventLetter
  /** All that there are, as they were wished for by this number. What changes from then on comes behind it. */
  | { readonly kind: 'all-leases'; readonly id: number; readonly leases: LeaseColumns }
  | { readonly kind: 'facts'; readonly facts: RackFacts }
  /** The facts are others than before: the region should know now. */
  | { readonly kind: 'changed' }
  /** It is under way. */
  | { readonly kind: 'obeyed'; readonly order: RegionOrder; readonly number: number };

/** Who talks to the region → rack. */
export type RegionWish =
  /** The events of this letter, and of all before it, are on disk. */
  | { readonly kind: 'taken'; readonly number: number }
  | { readonly kind: 'leases'; readonly id: number }
  /** `withFile`: the region wants to see the file. */
  | { readonly kind: 'facts'; readonly withFile: boolean }
  | { readonly kind: 'answer'; readonly answer: PlanAnswer }
  | { readonly kind: 'order'; readonly order: RegionOrder; readonly number: number }
  | { readonly kind: 'state'; readonly state: RegionState };

/** How it is between a rack and its region. Times are Unix milliseconds. */
export interface RegionState {
  /** `unknown`: this rack has no key that the region takes. */
  readonly link: 'connecting' | 'connected' | 'lost' | 'unknown';
  /** Where it was last asked. */
  readonly url: string;
  readonly since: number;
  readonly waiting: number;
  readonly oldest?: number;
  /** Given up since the outbox began. */
  readonly forgotten: number;
  /** What the region's clock is ahead by. */
  readonly skewSeconds?: number;
  /** The last trouble, also where it is over. */
  readonly fault?: { readonly at: number; readonly reason: string };
}
