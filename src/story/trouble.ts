import type { RackEvent } from '../timeline/event.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { PathKinds } from './path-kinds.ts';
import type { Conflict } from './wire-book.ts';

/** What can be wrong with a machine's boot, one word each. */
export type TroubleKind =
  | 'range-full'
  | 'other-server'
  | 'offer-not-taken'
  | 'refused-again'
  | 'not-answered'
  | 'declined'
  | 'address-in-use'
  | 'no-loader'
  | 'not-fetched'
  | 'file-missing'
  | 'packets-lost'
  | 'cut-off'
  | 'file-refused'
  | 'no-script'
  | 'no-kernel'
  | 'no-initrd'
  | 'boots-again'
  | 'held'
  | 'reported-failure'
  | 'had-once';

/** One sentence each; addresses, paths and times are in them. */
export interface Finding {
  readonly what: string;
  readonly why: string;
  readonly next: string;
  /** What it rests on, oldest first; never empty. */
  readonly events: readonly RackEvent[];
}

export interface Trouble extends Finding {
  readonly kind: TroubleKind;
  /** Nothing is wrong, but whoever wonders should know. */
  readonly isNote: boolean;
  /** Of its newest event, Unix milliseconds. */
  readonly at: number;
}

/** What rules go by beside the machine's own events. */
export interface Ground {
  /** Unix milliseconds. */
  readonly now: number;
  /** It is to boot its own disk. */
  readonly isLocal: boolean;
  /** How an operator calls it on the command line: its name, or its MAC. */
  readonly called: string;
  readonly paths: PathKinds;
  /** When another card of the same machine last went on with a boot. */
  readonly otherCardAt?: number | undefined;
  /** Who uses the address of this machine, or one that it would have, by what is seen on the wire. */
  readonly conflicts: readonly UsedAddress[];
  /** A card's MAC with its name and who made it, where that is known. */
  readonly whoIs: (mac: string) => string;
  /** Other DHCP servers that may give addresses here, by the file. */
  readonly knownServers: readonly string[];
  /** Addresses of DHCP servers that machines took offers of lately instead of ours. */
  readonly otherServers: readonly string[];
}

/** An address that another machine uses. */
export interface UsedAddress {
  readonly address: string;
  /** The other's MAC. */
  readonly holder: string;
  readonly event: Conflict;
  /** It is this machine's own, by lease or by the file; else one that nobody is given. */
  readonly isOwn: boolean;
}

/** Finds one kind of trouble, or none, in what is known of a machine. */
export interface Rule {
  readonly kind: TroubleKind;
  readonly isNote?: true;
  /** It is so until something takes it back, however long ago it began. */
  readonly isStanding?: true;
  /** That nothing more came, which is as it should be where the machine went on by another card. */
  readonly isSilence?: true;
  readonly find: (facts: MachineFacts, ground: Ground) => Finding | undefined;
}

/** "14:03:07", as in `rackboot events`. */
export function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

export function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}
