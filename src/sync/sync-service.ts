import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import type { Ip4 } from '../addr/ip4.ts';
import type { Plan, RegionSettings, RegionTrust } from '../plan/plan.ts';
import { fromColumns } from '../service/lease-columns.ts';
import type { Counters, LeaseFact } from '../service/letters.ts';
import type { RegionNews, RegionState, RegionWish } from '../service/region-letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import type { Timer } from '../system/loop.ts';
import type { OpenedOutbox } from './open-outbox.ts';
import { OrderBook } from './order-book.ts';
import { OutboxKeeper } from './outbox-keeper.ts';
import type { OutboxBounds } from './outbox.ts';
import { RegionSession, type SessionDependencies } from './region-session.ts';
import type { Transport } from './transport.ts';

/** Operators see how it is a moment later: what waits changes all the time. */
const STATE_MILLISECONDS = 500;

/** What the service needs of the outside. */
export interface SyncDependencies {
  readonly random: () => number;
  readonly version: string;
  readonly connect: (url: string, trust: RegionTrust) => Promise<Transport>;
  readonly openOutbox: (state: string, bounds: OutboxBounds) => OpenedOutbox;
}

/** Keeps a rack in step with its region: takes its plans and orders, and tells it what happens. */
export class SyncService implements Service {
  readonly #context: ServiceContext;
  readonly #dependencies: SyncDependencies;
  #settings: RegionSettings | undefined;
  #outbox: OutboxKeeper | undefined;
  #orders: OrderBook | undefined;
  #session: RegionSession | undefined;
  #telling: Timer | undefined;

  constructor(context: ServiceContext, dependencies: SyncDependencies) {
    this.#context = context;
    this.#dependencies = dependencies;
  }

  apply({ region, rack: { state } }: Plan): void {
    const before = this.#settings;
    this.#settings = region;
    if (!region) return this.#endSession();
    const bounds = { milliseconds: region.outbox.seconds * 1000, bytes: region.outbox.bytes };
    this.#outbox?.bound(bounds);
    if (this.#session && before && isSameRegion(before, region)) return;
    this.#endSession();
    const outbox = (this.#outbox ??= this.#openOutbox(state, bounds));
    this.#orders ??= new OrderBook(join(state, 'region-orders.json'));
    this.#session = this.#createSession({ state, settings: region, outbox, orders: this.#orders });
    this.#session.start();
    this.#tellState();
  }

  learn(bound: readonly LeaseFact[], ended: readonly Ip4[]): void {
    this.#outbox?.learn(bound, ended);
  }

  hearRegion(news: RegionNews): void {
    switch (news.kind) {
      case 'events':
        this.#outbox?.take(news);
        break;
      case 'all-leases':
        this.#outbox?.tellAll(news.id, fromColumns(news.leases));
        break;
      case 'facts':
        this.#session?.hear(news.facts);
        break;
      case 'changed':
        this.#session?.tellSoon();
        break;
      case 'obeyed':
        this.#session?.obeyed(news.order, news.number);
        break;
    }
  }

  counters(): Counters {
    return { waiting: this.#outbox?.waiting().count ?? 0 };
  }

  close(): void {
    this.#endSession();
    this.#outbox?.close();
  }

  #openOutbox(state: string, bounds: OutboxBounds): OutboxKeeper {
    const { clock, loop, events } = this.#context;
    const open = (within: OutboxBounds): OpenedOutbox => this.#dependencies.openOutbox(state, within);
    return new OutboxKeeper(
      {
        clock,
        loop,
        events,
        open,
        taken: (number) => this.#wish({ kind: 'taken', number }),
        wishForLeases: (id) => this.#wish({ kind: 'leases', id }),
        filled: () => this.#session?.filled(),
      },
      bounds,
    );
  }

  #createSession(parts: Pick<SessionDependencies, 'state' | 'settings' | 'outbox' | 'orders'>): RegionSession {
    return new RegionSession({
      ...this.#context,
      ...this.#dependencies,
      ...parts,
      wishForFacts: (withFile) => this.#wish({ kind: 'facts', withFile }),
      take: (answer) => this.#wish({ kind: 'answer', answer }),
      order: (order, number) => this.#wish({ kind: 'order', order, number }),
      changed: () => this.#tellState(),
    });
  }

  #endSession(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#telling?.cancel();
    this.#telling = undefined;
  }

  #tellState(): void {
    this.#telling ??= this.#context.loop.after(STATE_MILLISECONDS, () => {
      this.#telling = undefined;
      const [session, outbox] = [this.#session, this.#outbox];
      if (!session || !outbox) return;
      const { count: waiting, oldest } = outbox.waiting();
      const state: RegionState = {
        ...session.state,
        waiting,
        forgotten: outbox.forgotten?.count ?? 0,
        ...(oldest !== undefined && { oldest }),
      };
      this.#wish({ kind: 'state', state });
    });
  }

  #wish(wish: RegionWish): void {
    this.#context.region?.wish(wish);
  }
}

/** What may wait for it is another matter. */
function isSameRegion({ outbox: _a, ...before }: RegionSettings, { outbox: _b, ...now }: RegionSettings): boolean {
  return isDeepStrictEqual(before, now);
}
