import type { Mac } from '../addr/mac.ts';
import type { Ip4 } from '../addr/ip4.ts';
import { createBootIndex, type BootIndex } from '../boot/boot-plan.ts';
import { formsOf } from '../boot/entry-files.ts';
import type { BootState } from '../boot/boot-states.ts';
import { BOOT_LOCAL, type BootEntry, type LoopLimits, type Once, type Plan } from '../plan/plan.ts';
import { freshRow, type BootRow } from './boot-row.ts';
import type { BootKey, BootNews, BootSign } from './boot-sign.ts';
import { cover, isWhole } from './coverage.ts';
import { RowBook } from './row-book.ts';

/** What a machine reports when `once: reported` is to end its netbooting. */
const INSTALLED = 'installed';

/** No machine is through its firmware and back in less: scripts that follow one another faster are of one boot. */
const LEAST_BOOT_MILLISECONDS = 10_000;
/** An address tells whose a file is, where no lease does, for so long after the script was given there. */
const ADDRESS_MILLISECONDS = 3_600_000;

/** What became of a machine, for its timeline. */
export type BootTurn =
  | { readonly kind: 'boot.done'; readonly entry: string; readonly by: Once }
  | { readonly kind: 'boot.held'; readonly entry: string; readonly boots: number; readonly withinSeconds: number }
  | { readonly kind: 'boot.armed'; readonly entry: string; readonly because: 'reset' | 'changed' | 'quiet' };

/** What changed since it was last asked. */
export interface LedgerChanges {
  /** To be written down; a key whose row is undefined is gone. */
  readonly rows: readonly (readonly [BootKey, BootRow | undefined])[];
  readonly news: BootNews;
  readonly turns: readonly (readonly [Mac, BootTurn])[];
}

/** Time: `now` is to be shown, `steady` does not jump while this process lives. Milliseconds since 1970 both. */
export interface LedgerClock {
  now(): number;
  steady(): number;
}

/** `host`: as which it is known by another sign than its MAC. */
export interface BootedMachine {
  readonly mac: Mac;
  readonly host?: string;
}

/** A machine that was told of an older one is long through. */
const MOST_FORMS = 8;

type Sign<K> = Extract<BootSign, { kind: K }>;

/**
 * Which machine has had which boot entry, and which netboots over and over. It follows the signs of each boot: a script, the
 * files it names, a report. Without disk or threads: what it changes is to be fetched by `take`.
 */
export class BootLedger {
  readonly #clock: LedgerClock;
  readonly #book: RowBook;
  readonly #byAddress = new Map<Ip4, Mac>();
  /** What the services were told last, by machine and entry: a boot changes a row many times, and seldom its state. */
  readonly #told = new Map<string, BootState>();
  #turns: (readonly [Mac, BootTurn])[] = [];
  #lostSince: number | undefined;
  #index: BootIndex;
  #entries: ReadonlyMap<string, BootEntry> = new Map();
  #loop: LoopLimits | undefined;
  /** Paths on disk of what machines fetch of an entry: what its script says now, and said before, as a machine may be on its way. */
  #forms: ReadonlyMap<string, readonly (readonly string[])[]> = new Map();

  constructor(clock: LedgerClock, plan: Plan, rows: Iterable<BootRow> = [], lostSince?: number) {
    this.#clock = clock;
    this.#lostSince = lostSince;
    this.#index = createBootIndex(plan);
    const now = clock.steady();
    // A clock that was ahead when these were written would keep them for ever
    this.#book = new RowBook(Array.from(rows, (row) => notAfter(row, now)));
    for (const { address, mac } of this.#book.all()) if (address !== undefined) this.#byAddress.set(address, mac);
    for (const fact of this.news().set) this.#told.set(nameOf(fact), fact.state);
    this.apply(plan);
  }

  get lostSince(): number | undefined {
    return this.#lostSince;
  }

  rows(): BootRow[] {
    return this.#book.all();
  }

  /** Holds end where a machine is to boot something else now. */
  apply(plan: Plan): void {
    this.#index = createBootIndex(plan);
    this.#entries = new Map(plan.boot.entries.map((entry) => [entry.name, entry]));
    this.#loop = plan.boot.loop;
    this.#forms = new Map(plan.boot.entries.map((entry) => [entry.name, this.#formsSince(entry)]));
    for (const row of this.#book.all()) {
      if (row.state.kind !== 'held') continue;
      if (this.#limitsOf(row) && this.#wanted(row) === row.entry) continue;
      this.#release(row, 'changed');
    }
  }

  /** An image that is replaced has other files from then on. */
  #formsSince(entry: BootEntry): readonly (readonly string[])[] {
    const now = formsOf(entry).map((form) => form.map(({ file }) => file));
    const known = new Set(now.map((form) => form.join('\n')));
    const before = (this.#forms.get(entry.name) ?? []).filter((form) => !known.has(form.join('\n')));
    return [...now, ...before].slice(0, MOST_FORMS);
  }

  #limitsOf({ entry }: BootKey): LoopLimits | undefined {
    return this.#entries.get(entry)?.isEndless ? undefined : this.#loop;
  }

  learn(sign: BootSign): void {
    switch (sign.kind) {
      case 'script':
        this.#learnScript(sign);
        break;
      case 'file':
        this.#learnFile(sign);
        break;
      case 'report':
        this.#learnReport(sign);
        break;
    }
  }

  /** To be called now and then: holds end when their machine has not asked for long. */
  tick(): void {
    const quiet = this.#loop?.quietSeconds;
    if (quiet === undefined) return;
    const now = this.#clock.steady();
    for (const row of this.#book.held()) if (now - row.heardAt >= quiet * 1000) this.#release(row, 'quiet');
  }

  /** Lets these machines netboot whatever they had; gives what was forgotten. */
  reset(machines: readonly BootedMachine[]): BootRow[] {
    const known = machines.flatMap(({ mac }) => this.#book.of(mac));
    for (const row of known) {
      this.#book.delete(row);
      if (row.state.kind !== 'armed') this.#turn(row, { kind: 'boot.armed', entry: row.entry, because: 'reset' });
    }
    if (this.#lostSince === undefined) return known;
    // Where the memory was lost, a row is what says that a machine may netboot
    const armed = machines.flatMap((machine) => {
      const entry = this.#wanted(machine);
      const isKnown = known.some((row) => row.mac === machine.mac && row.entry === entry);
      return entry === undefined || isKnown ? [] : [freshRow({ ...machine, entry })];
    });
    for (const row of [...known, ...armed]) this.#book.set(freshRow(row));
    for (const row of armed) this.#turn(row, { kind: 'boot.armed', entry: row.entry, because: 'reset' });
    return [...known, ...armed];
  }

  /** As for a rack that never booted anyone. */
  resetAll(): BootRow[] {
    this.#lostSince = undefined;
    this.#book.touch();
    return this.reset([...new Map(this.#book.all().map((row) => [row.mac, row])).values()]);
  }

  /** What a machine is to netboot by the file alone. */
  #wanted({ mac, host }: BootedMachine): string | undefined {
    const { target } = this.#index.find(mac, host);
    return target === BOOT_LOCAL ? undefined : target.name;
  }

  /** Only a script that the machine fetched itself: anyone may ask for another's. */
  #learnScript({ of, entry, mac, address, host }: Sign<'script'>): void {
    if (mac === undefined || !this.#macsOf(of).includes(mac)) return;
    const now = this.#clock.steady();
    this.#byAddress.set(address, mac);
    if (entry === undefined) {
      for (const row of this.#rowsOf(mac)) if (row.state.kind === 'held') this.#book.set({ ...row, heardAt: now });
      return;
    }
    const row = this.#book.get(mac, entry) ?? freshRow({ mac, entry });
    this.#book.set({ ...row, ...(host !== undefined && { host }), askedAt: now, address, files: {}, isCounted: false });
  }

  #learnFile({ file, first, last, size, mac, address }: Sign<'file'>): void {
    const row = this.#bootUnderWay(mac, address);
    const entry = row && this.#entries.get(row.entry);
    const wanted = row && this.#forms.get(row.entry)?.find((form) => form.includes(file));
    if (!row || !entry || !wanted) return;
    const files = { ...row.files, [file]: cover(row.files[file], size, first, last) };
    const next = this.#counted({ ...row, files }, wanted);
    this.#book.set(next);
    if (entry.once === 'delivered' && wanted.every((each) => isWhole(files[each]))) this.#done(next, 'delivered');
  }

  /** A boot counts when something of each file was sent: what never got that far has changed nothing on the machine. */
  #counted(row: BootRow, wanted: readonly string[]): BootRow {
    const now = this.#clock.steady();
    if (row.isCounted || wanted.some((file) => row.files[file] === undefined)) return row;
    if (now - (row.boots.at(-1) ?? -Infinity) < LEAST_BOOT_MILLISECONDS) return row;
    const limits = this.#limitsOf(row);
    const recent = limits ? row.boots.filter((at) => now - at < limits.withinSeconds * 1000) : [];
    const boots = [...recent, now];
    const counted = { ...row, boots, isCounted: true };
    if (!limits || boots.length < limits.boots || row.state.kind === 'held') return counted;
    // Promised its own disk; it netboots if the entry is for once no more
    if (row.state.kind === 'done' && this.#entries.get(row.entry)?.once !== undefined) return counted;
    const { withinSeconds } = limits;
    const state = { kind: 'held', boots: boots.length, withinSeconds, since: this.#clock.now() } as const;
    this.#turn(row, { kind: 'boot.held', entry: row.entry, boots: boots.length, withinSeconds });
    return { ...counted, boots: [], heardAt: now, state };
  }

  /** Only after the script: a machine that is up and says so again must not undo a reset. */
  #learnReport({ mac, stage }: Sign<'report'>): void {
    if (stage !== INSTALLED) return;
    const row = latest(this.#rowsOf(mac));
    if (row && this.#entries.get(row.entry)?.once === 'reported') this.#done(row, 'reported');
  }

  #done(row: BootRow, by: Once): void {
    if (row.state.kind === 'done') return;
    const state: BootState = { kind: 'done', by, since: this.#clock.now() };
    this.#book.set({ ...row, files: {}, boots: [], state });
    this.#turn(row, { kind: 'boot.done', entry: row.entry, by });
  }

  #release(row: BootRow, because: 'changed' | 'quiet'): void {
    this.#book.set({ ...row, boots: [], files: {}, state: { kind: 'armed' } });
    this.#turn(row, { kind: 'boot.armed', entry: row.entry, because });
  }

  #turn({ mac }: BootRow, turn: BootTurn): void {
    this.#turns.push([mac, turn]);
  }

  /** The script that was given last to the machine at this address. */
  #bootUnderWay(mac: Mac | undefined, address: Ip4): BootRow | undefined {
    if (mac !== undefined) return latest(this.#rowsOf(mac));
    const known = this.#byAddress.get(address);
    const row = known === undefined ? undefined : latest(this.#rowsOf(known));
    const isRecent = row?.address === address && this.#clock.steady() - row.askedAt < ADDRESS_MILLISECONDS;
    return isRecent ? row : undefined;
  }

  #macsOf(mac: Mac): readonly Mac[] {
    return this.#index.find(mac).machine?.macs.concat(mac) ?? [mac];
  }

  #rowsOf(mac: Mac): BootRow[] {
    return [...new Set(this.#macsOf(mac))].flatMap((each) => this.#book.of(each));
  }

  take(): LedgerChanges {
    const rows = this.#book.take();
    const turns = this.#turns.splice(0);
    const facts = rows.flatMap(([, row]) => (row && this.#isTold(row) ? [factOf(row)] : []));
    const set = facts.filter((fact) => this.#told.get(nameOf(fact)) !== fact.state);
    for (const fact of set) this.#told.set(nameOf(fact), fact.state);
    const silent = rows.flatMap(([key, row]) => (row && this.#isTold(row) ? [] : [key]));
    const cleared = silent.filter((key) => this.#told.delete(nameOf(key)));
    return { rows, turns, news: { set, cleared, ...this.#lost() } };
  }

  /** All that services have to know. */
  news(): BootNews {
    const told = this.#book.all().filter((row) => this.#isTold(row));
    return { set: told.map(factOf), cleared: [], ...this.#lost() };
  }

  #isTold({ state }: BootRow): boolean {
    return state.kind !== 'armed' || this.#lostSince !== undefined;
  }

  #lost(): Pick<BootNews, 'lostSince'> {
    return this.#lostSince === undefined ? {} : { lostSince: this.#lostSince };
  }
}

function latest(rows: readonly BootRow[]): BootRow | undefined {
  const asked = rows.filter(({ askedAt }) => askedAt > 0);
  return asked.toSorted((a, b) => b.askedAt - a.askedAt)[0];
}

function factOf({ mac, entry, state }: BootRow): BootNews['set'][number] {
  return { mac, entry, state };
}

function notAfter(row: BootRow, now: number): BootRow {
  return {
    ...row,
    askedAt: Math.min(row.askedAt, now),
    heardAt: Math.min(row.heardAt, now),
    boots: row.boots.map((at) => Math.min(at, now)),
  };
}

function nameOf({ mac, entry }: BootKey): string {
  return `${mac} ${entry}`;
}
