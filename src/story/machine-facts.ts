import { BOOT_LOCAL } from '../plan/plan.ts';
import type { EventBody, RackEvent } from '../timeline/event.ts';
import { bare, type PathKind, type PathKinds } from './path-kinds.ts';

export type EventOf<K extends EventBody['kind']> = RackEvent & Extract<EventBody, { kind: K }>;

/** How far a machine has come, in the order of a boot; `gone`: its lease ended. */
const STAGES = [
  'gone',
  'discover',
  'offered',
  'leased',
  'loader',
  'script',
  'kernel',
  'initrd',
  'up',
  'reported',
] as const;
export type Stage = (typeof STAGES)[number];

/** The same thing again and again: the first and the last of it, and how often. */
interface Run<K extends EventBody['kind']> {
  readonly first: EventOf<K>;
  readonly last: EventOf<K>;
  readonly count: number;
}

type ToldKind = 'dhcp.ack' | 'dhcp.inform' | 'dhcp.proxy-offer' | 'dhcp.proxy-ack';
/** What a machine was told to fetch first. */
type Told = EventOf<ToldKind>;
type FileSent = EventOf<'tftp.sent' | 'http.sent'>;
export type FileRefused = EventOf<'tftp.refused' | 'http.refused'>;
export type FileFailed = EventOf<'tftp.failed' | 'http.failed'>;
type FileUnderWay = EventOf<'tftp.under-way' | 'http.under-way'>;
type FileEvent = FileSent | FileRefused | FileFailed | FileUnderWay | EventOf<'tftp.size-probe'>;

/** What of a machine's events its story is told by: so much and no more, however long it runs. What is over is forgotten. */
export interface MachineFacts {
  readonly mac: string;
  address?: string | undefined;
  /** Unix milliseconds. */
  lastSeen: number;
  stage: Stage;
  /** Who asked last: a netboot program, or the system of a disk or an image. */
  asker: 'netboot' | 'system';
  /** It wants an address, and was given none since. */
  isAsking: boolean;
  /** Its last question as one that netboots. */
  netboot?: EventOf<'dhcp.discover'> | undefined;
  lastOffer?: EventOf<'dhcp.offer'> | undefined;
  /** Since its last REQUEST. */
  offers?: Run<'dhcp.offer'> | undefined;
  /** Since its last ACK. */
  naks?: Run<'dhcp.nak'> | undefined;
  /** Since it was last answered; not for what one that has an address wanted. */
  ignored?: Run<'dhcp.ignored'> | undefined;
  full?: EventOf<'dhcp.exhausted' | 'dhcp.ignored'> | undefined;
  /** It took an address of another server. */
  elsewhere?: EventOf<'dhcp.ignored'> | undefined;
  declined?: EventOf<'dhcp.decline'> | undefined;
  conflict?: EventOf<'dhcp.conflict'> | undefined;

  /** In this boot. */
  told?: Run<ToldKind> | undefined;
  lastFile?: FileEvent | undefined;
  fetched?: FileSent | undefined;
  loader?: FileSent | undefined;
  script?: FileSent | undefined;
  /** Paths of files that arrived. */
  arrived: readonly string[];
  /** Files that are not there, the newest last. */
  missing: readonly FileRefused[];
  refused?: FileRefused | undefined;
  failed?: FileFailed | undefined;
  probe?: EventOf<'tftp.size-probe'> | undefined;

  /** How its boots of late began, oldest first. */
  boots: readonly EventOf<'dhcp.discover'>[];
  done?: EventOf<'boot.done'> | undefined;
  held?: EventOf<'boot.held'> | undefined;
  report?: EventOf<'machine.report'> | undefined;
}

const MOST_MISSING = 4;
const MOST_BOOTS = 16;
const MOST_ARRIVED = 16;
/** An iPXE that asks so long after it fetched something was started anew. */
const IPXE_PAUSE = 60_000;
/** A firmware that fetched nothing and asks so long after it last did was started anew, rather than tries on. */
const FIRMWARE_PAUSE = 300_000;
/** TFTP's and HTTP's words for a file that is not there. */
const NOT_FOUND: ReadonlySet<number | undefined> = new Set([1, 404]);

/** What a boot begins with. */
const NOTHING_YET: Partial<MachineFacts> = {
  arrived: [],
  missing: [],
  told: undefined,
  lastFile: undefined,
  fetched: undefined,
  loader: undefined,
  script: undefined,
  refused: undefined,
  failed: undefined,
  probe: undefined,
  report: undefined,
};

export function freshFacts(mac: string): MachineFacts {
  return { mac, lastSeen: 0, stage: 'discover', asker: 'system', isAsking: false, arrived: [], missing: [], boots: [] };
}

type Learner<K extends EventBody['kind']> = (facts: MachineFacts, event: EventOf<K>, paths: PathKinds) => void;

/** What each kind of event changes; the others tell nothing of a boot. */
const LEARNERS: { readonly [K in EventBody['kind']]?: Learner<K> } = {
  'dhcp.discover': asksForAddress,
  'dhcp.offer': (facts, event) => {
    facts.offers = longer(facts.offers, event);
    facts.lastOffer = event;
    answered(facts, 'offered');
  },
  'dhcp.request': (facts) => {
    facts.offers = undefined;
  },
  'dhcp.ack': hasAddress,
  'dhcp.proxy-offer': (facts, event) => isTold(facts, event, 'offered'),
  'dhcp.proxy-ack': (facts, event) => isTold(facts, event, 'leased'),
  'dhcp.inform': informs,
  'dhcp.elsewhere': (facts, event) => {
    facts.address = event.address;
    facts.isAsking = false;
    raise(facts, 'leased');
  },
  'dhcp.nak': (facts, event) => {
    facts.naks = longer(facts.naks, event);
  },
  'dhcp.ignored': notAnswered,
  'dhcp.exhausted': (facts, event) => {
    facts.full = event;
  },
  'dhcp.decline': (facts, event) => {
    facts.declined = event;
    facts.address = undefined;
  },
  'dhcp.conflict': (facts, event) => {
    facts.conflict = event;
  },
  'dhcp.release': leaves,
  'dhcp.expired': leaves,
  'dhcp.revoked': leaves,
  'tftp.sent': fetched,
  'http.sent': fetched,
  'tftp.size-probe': (facts, event) => {
    facts.probe = event;
    facts.lastFile = event;
  },
  'tftp.under-way': underWay,
  'http.under-way': underWay,
  'tftp.failed': failed,
  'http.failed': failed,
  'tftp.refused': refused,
  'http.refused': refused,
  'machine.report': (facts, event) => {
    facts.report = event;
    raise(facts, 'reported');
  },
  'boot.done': (facts, event) => {
    facts.done = event;
  },
  'boot.held': (facts, event) => {
    facts.held = event;
  },
  'boot.armed': (facts) => {
    facts.done = undefined;
    facts.held = undefined;
    facts.boots = [];
  },
};

/** Takes one event of the machine in, at the same cost however many came before. */
export function learnEvent(facts: MachineFacts, event: RackEvent, paths: PathKinds): void {
  if (isOwnDoing(event)) facts.lastSeen = Math.max(facts.lastSeen, event.at);
  const learn = LEARNERS[event.kind] as Learner<EventBody['kind']> | undefined;
  learn?.(facts, event, paths);
}

/** A netboot program's question: a PXE ROM, UEFI, an iPXE; not that of an installed system. */
function isNetboot({ arch, vendorClass = '', userClass }: EventOf<'dhcp.discover'>): boolean {
  return arch !== undefined || userClass === 'iPXE' || /^(?:PXE|HTTP)Client/.test(vendorClass);
}

/** The path of an event about a file. */
export function pathOf(event: FileEvent): string {
  return 'path' in event ? event.path : event.file;
}

function isMissing(event: FileRefused): boolean {
  return NOT_FOUND.has('status' in event ? event.status : event.code);
}

/** What is told of a machine that nobody hears any more. */
const NOT_ITS_DOING: ReadonlySet<RackEvent['kind']> = new Set<RackEvent['kind']>([
  'dhcp.expired',
  'dhcp.revoked',
  'conflict.ended',
  'dhcp-server.gone',
]);

function isOwnDoing({ kind, source }: RackEvent): boolean {
  return source !== 'rack' && !NOT_ITS_DOING.has(kind);
}

function asksForAddress(facts: MachineFacts, event: EventOf<'dhcp.discover'>, paths: PathKinds): void {
  facts.asker = isNetboot(event) ? 'netboot' : 'system';
  facts.isAsking = true;
  if (facts.asker === 'netboot') {
    if (isNewBoot(facts, event, paths)) beginBoot(facts, event);
    // A firmware that tries once more is told once more
    else if (!isPast(facts, 'loader')) facts.stage = 'discover';
    facts.netboot = event;
  } else if (isPast(facts, 'script')) {
    // The system that it booted asks for itself
    facts.stage = 'up';
  } else {
    facts.stage = 'discover';
  }
}

/** Firmware asks several times before it has an address, and the loader it fetches asks once more: all that is one boot. */
function isNewBoot(
  { netboot, fetched: last }: MachineFacts,
  event: EventOf<'dhcp.discover'>,
  paths: PathKinds,
): boolean {
  if (netboot === undefined) return true;
  if (last === undefined) return event.at - netboot.at > FIRMWARE_PAUSE;
  const kind = paths.kindOf(pathOf(last));
  return event.userClass !== 'iPXE' || kind === 'kernel' || kind === 'initrd' || event.at - last.at > IPXE_PAUSE;
}

function beginBoot(facts: MachineFacts, event: EventOf<'dhcp.discover'>): void {
  facts.boots = [...facts.boots.slice(1 - MOST_BOOTS), event];
  facts.stage = 'discover';
  Object.assign(facts, NOTHING_YET);
}

function hasAddress(facts: MachineFacts, event: EventOf<'dhcp.ack'>): void {
  facts.address = event.address;
  facts.offers = undefined;
  facts.naks = undefined;
  facts.elsewhere = undefined;
  if (facts.conflict?.address === event.address) facts.conflict = undefined;
  // What an installed system is told, or an iPXE behind the firmware, counts for that alone
  if (facts.asker === 'netboot' && facts.stage !== 'gone' && !isPast(facts, 'leased'))
    facts.told = longer<ToldKind>(facts.told, event);
  answered(facts, 'leased');
}

/** An installed system that wants the options is told nothing to boot, and that is as it should be. */
function informs(facts: MachineFacts, event: EventOf<'dhcp.inform'>): void {
  facts.address = event.address;
  if (event.bootFile === undefined) answered(facts, 'leased');
  else isTold(facts, event, 'leased');
}

function isTold(facts: MachineFacts, event: Told, stage: Stage): void {
  facts.told = longer<ToldKind>(facts.told, event);
  answered(facts, stage);
}

function leaves(facts: MachineFacts): void {
  facts.stage = 'gone';
  facts.address = undefined;
}

/**
 * A ROM that does not hear us at once asks again from another port and gets its file there: that its first try came to nothing
 * is known a minute later.
 */
function failed(facts: MachineFacts, event: FileFailed): void {
  if (event.kind === 'tftp.failed' && event.silent && facts.arrived.includes(bare(pathOf(event)))) return;
  facts.failed = event;
  facts.lastFile = event;
}

function underWay(facts: MachineFacts, event: FileUnderWay): void {
  facts.lastFile = event;
  facts.probe = unlessOf(bare(pathOf(event)), facts.probe);
}

function answered(facts: MachineFacts, stage: Stage): void {
  facts.ignored = undefined;
  facts.isAsking = false;
  facts.full = undefined;
  raise(facts, stage);
}

function notAnswered(facts: MachineFacts, event: EventOf<'dhcp.ignored'>): void {
  if (event.server !== undefined) facts.elsewhere = event;
  else if (event.subnet !== undefined) facts.full = event;
  // One that has an address is answered by whoever gave it (RFC 2131 §4.3.2)
  else if (event.asked === undefined) facts.ignored = longer(facts.ignored, event);
}

function fetched(facts: MachineFacts, event: FileSent, paths: PathKinds): void {
  const path = bare(pathOf(event));
  const kind = paths.kindOf(path);
  facts.fetched = event;
  facts.lastFile = event;
  facts.arrived = [...facts.arrived.filter((each) => each !== path).slice(1 - MOST_ARRIVED), path];
  facts.missing = facts.missing.filter((each) => bare(pathOf(each)) !== path);
  facts.refused = unlessOf(path, facts.refused);
  facts.failed = unlessOf(path, facts.failed);
  facts.probe = unlessOf(path, facts.probe);
  if (kind === 'script') facts.script = event;
  if (isLoader(facts, path, kind)) facts.loader = event;
  if (kind !== 'file') raise(facts, kind);
  else if (facts.loader === event) raise(facts, 'loader');
}

/** What was wrong with a file is over when the file arrived. */
function unlessOf<T extends FileEvent>(path: string, trouble: T | undefined): T | undefined {
  return trouble && bare(pathOf(trouble)) === path ? undefined : trouble;
}

/** One of the Plan's, or what it was told to fetch, which a host may have to itself. */
function isLoader({ told }: MachineFacts, path: string, kind: PathKind): boolean {
  const file = told?.last.bootFile;
  return kind === 'loader' || (kind === 'file' && file !== undefined && bareOfBoot(file) === path);
}

/** The path of a boot file, which may be told as a URL. */
export function bareOfBoot(bootFile: string): string {
  return bare(bootFile.replace(/^[a-z]+:\/\/[^/]*/, ''));
}

function refused(facts: MachineFacts, event: FileRefused): void {
  facts.lastFile = event;
  if (!isMissing(event)) facts.refused = event;
  else {
    const others = facts.missing.filter((each) => bare(pathOf(each)) !== bare(pathOf(event)));
    facts.missing = [...others.slice(1 - MOST_MISSING), event];
  }
}

function longer<K extends EventBody['kind']>(run: Run<K> | undefined, event: EventOf<K>): Run<K> {
  return run === undefined
    ? { first: event, last: event, count: 1 }
    : { first: run.first, last: event, count: run.count + 1 };
}

/** Within a boot it only goes on: a system that renews its lease is no less up. */
function raise(facts: MachineFacts, stage: Stage): void {
  if (!isPast(facts, stage)) facts.stage = stage;
}

/** Whether its script says the own disk; where the script does not tell, by what it is to boot now. */
export function isSentToDisk({ script }: MachineFacts, isLocal: boolean): boolean {
  return script?.boots === undefined ? isLocal : script.boots === BOOT_LOCAL;
}

/** Whether it is at this stage or further. */
export function isPast({ stage }: MachineFacts, than: Stage): boolean {
  return STAGES.indexOf(stage) >= STAGES.indexOf(than);
}
