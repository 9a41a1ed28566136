import { formatIp4, parseIp4 } from '../addr/ip4.ts';
import { formatMac, parseMac, type Mac } from '../addr/mac.ts';
import { BOOT_LOCAL, type Host, type Plan } from '../plan/plan.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { LeaseTable } from '../service/lease-table.ts';
import { MachineBook, type BookGround } from '../story/machine-book.ts';
import { freshFacts, isSentToDisk, type MachineFacts, type Stage } from '../story/machine-facts.ts';
import { createPathKinds } from '../story/path-kinds.ts';
import type { Trouble, UsedAddress } from '../story/trouble.ts';
import { troublesOf } from '../story/troubles-of.ts';
import type { Conflict } from '../story/wire-book.ts';
import type { Clock } from '../system/clock.ts';
import type { RackEvent } from '../timeline/event.ts';
import type { Timeline } from '../timeline/timeline.ts';
import type { BootKeeper } from './boot-keeper.ts';

/** Some fifty boots of a thousand machines; a second's work in all, done in slices. */
const MOST_RESTORED = 50_000;
const SLICE = 500;

/** A machine as `rackboot machines --json` prints it. `lastSeen`: ISO 8601; absent, as `trouble`, where there is none. */
export interface MachineLine {
  readonly name?: string;
  readonly mac: string;
  readonly address?: string;
  /** `local`: it is on its way to its own disk; `unseen`: a host that nobody has heard of; see Stage. */
  readonly stage: Stage | 'local' | 'unseen';
  readonly lastSeen?: string;
  readonly trouble?: { readonly kind: Trouble['kind']; readonly what: string };
}

/** One machine with all that is wrong with it. */
export interface MachineStory extends MachineLine {
  readonly troubles: readonly Trouble[];
}

/** How many machines have which trouble. */
export interface TroubleCount {
  readonly machines: number;
  readonly inTrouble: number;
  readonly byKind: Readonly<Partial<Record<Trouble['kind'], number>>>;
}

export interface MachineDeskDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly leases: Pick<LeaseTable, 'facts'>;
  readonly boots: Pick<BootKeeper, 'rows'>;
  /** Who made a card. */
  readonly vendorOf: (mac: Mac) => string | undefined;
  /** Lets others have their turn. */
  readonly later: (callback: () => void) => void;
}

/** Knows each machine's story, from before this start as well, and tells what is wrong with it. */
export class MachineDesk {
  readonly #dependencies: MachineDeskDependencies;
  readonly #book: MachineBook;
  #plan: Plan;
  /** Events of this start, while those before it are still read. */
  #waiting: RackEvent[] | undefined;

  constructor(dependencies: MachineDeskDependencies, plan: Plan) {
    this.#dependencies = dependencies;
    this.#plan = plan;
    this.#book = new MachineBook(groundOf(plan));
  }

  apply(plan: Plan): void {
    this.#plan = plan;
    this.#book.apply(groundOf(plan));
  }

  /** Whether nobody made this MAC up. */
  isKnown(mac: string): boolean {
    return this.#book.isKnown(mac);
  }

  learn(event: RackEvent): void {
    if (this.#waiting) this.#waiting.push(event);
    else this.#book.learn(event);
  }

  /** Reads what happened before this start, in slices; to be called before the first event of it. Never rejects. */
  async restore(timeline: Pick<Timeline, 'newest' | 'page'>, complain: (error: unknown) => void): Promise<void> {
    this.#waiting = [];
    try {
      const until = timeline.newest();
      for (let seen = Math.max(0, until - MOST_RESTORED); seen < until;) {
        const { events, last } = timeline.page(seen, until, SLICE);
        for (const event of events) this.#book.learn(event);
        seen = last;
        await new Promise<void>((resolve) => this.#dependencies.later(resolve));
      }
    } catch (error) {
      complain(error);
    }
    for (const event of this.#waiting) this.#book.learn(event);
    this.#waiting = undefined;
  }

  /** All machines that were heard of, have a lease or are hosts; by name, then by MAC. */
  lines(): MachineLine[] {
    const view = this.#view();
    return [...this.#everyone(view)].map((facts) => lineOf(facts, view)).toSorted(byName);
  }

  /** Of a MAC, or of all cards of what is called so; empty where nobody is. `later`: as if so many milliseconds had passed. */
  stories(of: string, later = 0): MachineStory[] {
    const view = this.#view(later);
    return this.#called(of, view).map((mac) => {
      const facts = this.#book.find(mac) ?? freshFacts(mac);
      return { ...lineOf(facts, view), troubles: view.troubles(facts) };
    });
  }

  count(): TroubleCount {
    const view = this.#view();
    const byKind: Partial<Record<Trouble['kind'], number>> = {};
    let inTrouble = 0;
    for (const facts of this.#everyone(view)) {
      const kinds = new Set(view.troubles(facts).flatMap(({ kind, isNote }) => (isNote ? [] : [kind])));
      if (kinds.size > 0) inTrouble++;
      for (const kind of kinds) byKind[kind] = (byKind[kind] ?? 0) + 1;
    }
    return { machines: this.#book.size, inTrouble, byKind };
  }

  #view(later = 0): View {
    const { clock, leases, boots, vendorOf } = this.#dependencies;
    const now = clock.now() + later;
    return new View(this.#plan, this.#book, { now, leases: leases.facts(), rows: boots.rows(), vendorOf });
  }

  #everyone({ hosts, leases }: View): readonly MachineFacts[] {
    const known = this.#book.all();
    const rest = [...leases.keys(), ...hosts.keys()].filter((mac) => this.#book.find(mac) === undefined);
    return [...known, ...Array.from(new Set(rest), freshFacts)];
  }

  #called(of: string, { hosts, leases }: View): string[] {
    const mac = parseMac(of);
    if (mac !== undefined) {
      const text = formatMac(mac);
      return this.#book.find(text) || hosts.has(text) || leases.has(text) ? [text] : [];
    }
    const name = of.toLowerCase();
    const address = parseIp4(of);
    const cards = this.#plan.hosts.find((host) => host.name === name)?.macs ?? [];
    const holders = [...leases.values()].filter((lease) => lease.name === name || lease.address === address);
    return [...new Set([...cards, ...holders.map((lease) => lease.mac)].map((each) => formatMac(each)))];
  }
}

/** What is true of all machines at one moment. */
class View {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly leases: ReadonlyMap<string, LeaseFact>;
  readonly #plan: Plan;
  /** Made when it is first asked. */
  #byName: ReadonlyMap<string, Host> | undefined;
  readonly #book: MachineBook;
  readonly #now: number;
  readonly #otherServers: readonly string[];
  readonly #knownServers: readonly string[];
  readonly #vendorOf: MachineDeskDependencies['vendorOf'];
  /** By whose they are; '' for those that nobody is given. */
  readonly #used: ReadonlyMap<string, readonly UsedAddress[]>;
  /** Those that have had what they were to netboot, or are held. */
  readonly #resting: ReadonlySet<string>;

  constructor(
    plan: Plan,
    book: MachineBook,
    {
      now,
      leases,
      rows,
      vendorOf,
    }: {
      readonly now: number;
      readonly leases: readonly LeaseFact[];
      readonly rows: ReturnType<BootKeeper['rows']>;
      readonly vendorOf: MachineDeskDependencies['vendorOf'];
    },
  ) {
    this.#plan = plan;
    this.#book = book;
    this.#now = now;
    this.#knownServers = (plan.watch?.dhcpServers ?? []).map((server) => formatIp4(server));
    this.#otherServers = book.wires.otherServers(now).filter((server) => !this.#knownServers.includes(server));
    this.hosts = new Map(plan.hosts.flatMap((host) => host.macs.map((mac) => [formatMac(mac), host] as const)));
    this.leases = new Map(leases.map((lease) => [formatMac(lease.mac), lease]));
    this.#vendorOf = vendorOf;
    // Of a watch that was switched off nobody hears that it is over
    this.#used = usedAddresses(plan.watch ? book.wires.conflicts() : [], plan.hosts);
    this.#resting = new Set(rows.flatMap(({ mac, state }) => (state.kind === 'armed' ? [] : [formatMac(mac)])));
  }

  nameOf(mac: string): string | undefined {
    return this.hosts.get(mac)?.name ?? this.leases.get(mac)?.name;
  }

  isLocal(mac: string): boolean {
    const lease = this.leases.get(mac);
    // One that is known by another sign than its MAC
    const named = lease?.host && lease.name !== undefined ? this.#named(lease.name) : undefined;
    const boot = (this.hosts.get(mac) ?? named)?.boot ?? this.#plan.boot.default;
    return boot === BOOT_LOCAL || this.#resting.has(mac);
  }

  #named(name: string): Host | undefined {
    this.#byName ??= new Map(this.#plan.hosts.map((host) => [host.name, host]));
    return this.#byName.get(name);
  }

  troubles(facts: MachineFacts): Trouble[] {
    const { mac } = facts;
    const called = this.nameOf(mac) ?? mac;
    return troublesOf(facts, {
      now: this.#now,
      isLocal: this.isLocal(mac),
      called,
      paths: this.#book.paths,
      otherCardAt: this.#otherCardAt(mac),
      conflicts: this.#usedBeside(mac),
      whoIs: (each) => this.#whoIs(each),
      knownServers: this.#knownServers,
      otherServers: this.#otherServers,
    });
  }

  #usedBeside(mac: string): readonly UsedAddress[] {
    if (this.#used.size === 0) return [];
    const all = [...(this.#used.get(mac) ?? []), ...(this.#used.get('') ?? [])];
    return all.filter(({ holder }) => holder !== mac);
  }

  #whoIs(text: string): string {
    const mac = parseMac(text);
    const words = [this.nameOf(text), mac === undefined ? undefined : this.#vendorOf(mac)];
    const known = words.filter((word) => word !== undefined).join(', ');
    return known === '' ? text : `${text} (${known})`;
  }

  /** A loader may go on by another card than the firmware did. */
  #otherCardAt(mac: string): number | undefined {
    const cards = this.hosts.get(mac)?.macs ?? [];
    if (cards.length < 2) return undefined;
    const others = cards.map((card) => formatMac(card)).filter((card) => card !== mac);
    const times = others.flatMap((card) => this.#book.find(card)?.lastFile?.at ?? []);
    return times.length === 0 ? undefined : Math.max(...times);
  }

  stageOf(facts: MachineFacts): MachineLine['stage'] {
    const { mac, stage, lastSeen } = facts;
    if (lastSeen === 0) return this.leases.has(mac) ? 'leased' : 'unseen';
    return stage === 'script' && isSentToDisk(facts, this.isLocal(mac)) ? 'local' : stage;
  }
}

function groundOf(plan: Plan): BookGround {
  const hosts = new Set(plan.hosts.flatMap(({ macs }) => macs.map((mac) => formatMac(mac))));
  return { paths: createPathKinds(plan), isHost: (mac) => hosts.has(mac) };
}

function usedAddresses(
  conflicts: readonly Conflict[],
  hosts: readonly Host[],
): ReadonlyMap<string, readonly UsedAddress[]> {
  const used = new Map<string, UsedAddress[]>();
  const add = (owner: string, holder: string, event: Conflict): void => {
    const one = { address: event.address ?? '', holder, event, isOwn: owner !== '' };
    used.set(owner, [...(used.get(owner) ?? []), one]);
  };
  for (const event of conflicts) {
    const { mac = '', other } = event;
    const owners = other === undefined ? cardsOf(hosts, event) : [other];
    for (const owner of owners) add(owner, mac, event);
    if (event.conflict === 'two-machines' && other !== undefined) add(mac, other, event);
    if (event.conflict === 'squatted') add('', mac, event);
  }
  return used;
}

/** Of the host whose address it is. */
function cardsOf(hosts: readonly Host[], { conflict, host }: Conflict): string[] {
  if (conflict !== 'host-address') return [];
  return (hosts.find(({ name }) => name === host)?.macs ?? []).map((mac) => formatMac(mac));
}

function lineOf(facts: MachineFacts, view: View): MachineLine {
  const { mac, lastSeen } = facts;
  const name = view.nameOf(mac);
  const lease = view.leases.get(mac);
  const address = lease ? formatIp4(lease.address) : facts.address;
  const trouble = view.troubles(facts).find(({ isNote }) => !isNote);
  return {
    ...(name !== undefined && { name }),
    mac,
    ...(address !== undefined && { address }),
    stage: view.stageOf(facts),
    ...(lastSeen > 0 && { lastSeen: new Date(lastSeen).toISOString() }),
    ...(trouble && { trouble: { kind: trouble.kind, what: trouble.what } }),
  };
}

function byName(a: MachineLine, b: MachineLine): number {
  return orderOf(a) < orderOf(b) ? -1 : 1;
}

/** Those without a name last. */
function orderOf({ name, mac }: MachineLine): string {
  return `${name ?? '~'} ${mac}`;
}
