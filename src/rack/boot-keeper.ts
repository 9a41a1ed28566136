import { join } from 'node:path';

import { formatMac, type Mac } from '../addr/mac.ts';
import { BootLedger, type BootedMachine } from '../boots/boot-ledger.ts';
import type { BootRow } from '../boots/boot-row.ts';
import type { BootSign } from '../boots/boot-sign.ts';
import { openBootStore, type BootStore } from '../boots/open-boot-store.ts';
import type { BootChanges } from '../boots/boot-store.ts';
import type { Plan } from '../plan/plan.ts';
import type { ToService } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';
import { SteadyClock } from '../system/steady-clock.ts';
import { messageOf } from '../system/message-of.ts';
import type { EventBody } from '../timeline/event.ts';

/** What a busy moment changes is one sync of the disk. */
const GATHER_MILLISECONDS = 10;
const MOST_NAMED = 5;

export interface BootKeeperDependencies {
  readonly clock: Clock;
  /** Tells every service. */
  readonly tell: (letter: ToService) => void;
  readonly emit: (body: EventBody, mac?: string) => void;
}

type Pending = BootChanges['rows'][number];

/** Keeps which machine has had what to boot: on disk, and told to the services. */
export class BootKeeper {
  readonly #dependencies: BootKeeperDependencies;
  readonly #ledger: BootLedger;
  readonly #store: BootStore;
  readonly #pending = new Map<string, Pending>();
  #isLossWritten: boolean;
  #timer: NodeJS.Timeout | undefined;
  #fault: string | undefined;

  /** Never throws: a rack without this memory boots its machines. */
  constructor(dependencies: BootKeeperDependencies, plan: Plan) {
    const { clock, emit } = dependencies;
    this.#dependencies = dependencies;
    const opened = openBootStore(join(plan.rack.state, 'boots.db'), clock.now());
    const { store, rows, lostSince, replaced, fault } = opened;
    this.#store = store;
    this.#isLossWritten = lostSince === undefined || fault === undefined;
    const steady = new SteadyClock(clock);
    const time = { now: () => clock.now(), steady: () => steady.now() };
    this.#ledger = new BootLedger(time, plan, rows, lostSince);
    if (replaced) emit({ kind: 'boot.store-replaced', ...replaced });
    if (fault !== undefined) this.#failed(fault);
  }

  /** For a service that starts: all it has to know. */
  letter(): ToService {
    return { type: 'boots', news: this.#ledger.news() };
  }

  get lostSince(): number | undefined {
    return this.#ledger.lostSince;
  }

  /** Everything that is remembered, and on disk if the disk takes it. */
  rows(): BootRow[] {
    this.flush();
    return this.#ledger.rows();
  }

  apply(plan: Plan): void {
    this.#ledger.apply(plan);
    this.#settle();
  }

  learn(signs: readonly BootSign[]): void {
    for (const sign of signs) this.#ledger.learn(sign);
    this.#settle();
  }

  /** To be called now and then. */
  tick(): void {
    this.#ledger.tick();
    this.#settle();
    if (this.#fault !== undefined) this.flush();
  }

  /** Lets machines netboot again, all of them when none is named; gives what was forgotten. */
  reset(machines?: readonly BootedMachine[]): BootRow[] {
    const forgotten = machines ? this.#ledger.reset(machines) : this.#ledger.resetAll();
    this.#settle();
    if (!machines) {
      this.#isLossWritten = false;
      this.#dependencies.tell(this.letter());
    }
    this.flush();
    return forgotten;
  }

  /** What an operator should know. `nameOf`: how a machine is called. */
  notices(nameOf: (row: BootRow) => string): string[] {
    const held = this.#ledger.rows().filter(({ state }) => state.kind === 'held');
    const notices: string[] = [];
    if (held.length > 0) {
      const named = held.slice(0, MOST_NAMED).map(nameOf).join(', ');
      const more = held.length > MOST_NAMED ? ` and ${held.length - MOST_NAMED} more` : '';
      notices.push(
        `${named}${more}: netbooted over and over, so the own disk is booted instead; \`rackboot boots\` lists them, \`rackboot boots reset\` ends it`,
      );
    }
    const { lostSince } = this.#ledger;
    if (lostSince !== undefined) {
      const when = new Date(lostSince).toISOString();
      notices.push(
        `${when} what machines had of entries that are for once was lost: those not known boot their own disk; \`rackboot boots reset NAME\` lets one netboot, \`rackboot boots reset --all\` all`,
      );
    }
    return notices;
  }

  /** Writes what has gathered. Told once when it begins to fail and once when it goes on. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0 && this.#isLossWritten) return;
    try {
      this.#store.write({ rows: [...this.#pending.values()], lostSince: this.#ledger.lostSince });
    } catch (error) {
      this.#failed(messageOf(error));
      return;
    }
    this.#pending.clear();
    this.#isLossWritten = true;
    if (this.#fault !== undefined) this.#dependencies.emit({ kind: 'boot.store-works' });
    this.#fault = undefined;
  }

  close(): void {
    this.flush();
    this.#store.close();
  }

  #failed(reason: string): void {
    if (this.#fault === undefined) this.#dependencies.emit({ kind: 'boot.store-failed', reason });
    this.#fault = reason;
  }

  #settle(): void {
    const { rows, news, turns } = this.#ledger.take();
    for (const [mac, turn] of turns) this.#dependencies.emit(turn, formatMac(mac));
    if (rows.length === 0) return;
    if (news.set.length > 0 || news.cleared.length > 0) this.#dependencies.tell({ type: 'boots', news });
    for (const [key, row] of rows) this.#pending.set(`${key.mac} ${key.entry}`, [key, row]);
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MILLISECONDS);
  }
}

/** How a machine is called: its host's name, or its MAC. */
export function calledBy(plan: Plan, { mac, host }: { readonly mac: Mac; readonly host?: string }): string {
  return nameOfMachine(plan, { mac, ...(host !== undefined && { host }) }) ?? formatMac(mac);
}

export function nameOfMachine(plan: Plan, { mac, host }: BootedMachine): string | undefined {
  return plan.hosts.find(({ macs }) => macs.includes(mac))?.name ?? host;
}
