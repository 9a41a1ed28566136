import type { Orders, PlanAnswer } from '../contract/rack-words.ts';
import { RACK_PATHS } from '../contract/paths.ts';
import type { RegionSettings, RegionTrust } from '../plan/plan.ts';
import type { RackFacts, RegionOrder, RegionState } from '../service/region-letters.ts';
import type { ServiceContext } from '../service/service.ts';
import type { Timer } from '../system/loop.ts';
import { messageOf } from '../system/message-of.ts';
import { ClockSkew } from './clock-skew.ts';
import { CredentialsFile } from './credentials-file.ts';
import { EventCourier } from './event-courier.ts';
import type { OrderBook } from './order-book.ts';
import type { OutboxKeeper } from './outbox-keeper.ts';
import { PlanFollower } from './plan-follower.ts';
import { RackIdentity } from './rack-identity.ts';
import { RegionClient } from './region-client.ts';
import { RegionFault } from './region-fault.ts';
import { LinkClosed, RegionLink } from './region-link.ts';
import { StatusTeller } from './status-teller.ts';
import type { Transport } from './transport.ts';
import * as z from 'zod';

/** `rackboot enrol` is another process: its file is looked at so often. */
const IDENTITY_MILLISECONDS = 2_000;
const ANSWER_WITHIN = 30_000;
const MOST_ANSWER = 64 * 1024;

export interface SessionDependencies extends ServiceContext {
  readonly random: () => number;
  readonly version: string;
  readonly connect: (url: string, trust: RegionTrust) => Promise<Transport>;
  /** The rack's directory. */
  readonly state: string;
  readonly settings: RegionSettings;
  readonly outbox: OutboxKeeper;
  readonly orders: OrderBook;
  readonly wishForFacts: (withFile: boolean) => void;
  readonly take: (answer: PlanAnswer) => void;
  readonly order: (order: RegionOrder, number: number) => void;
  /** What `state` says is another. */
  readonly changed: () => void;
}

/** All that goes on with a region, while it stands in the Plan as it does. */
export class RegionSession {
  readonly #dependencies: SessionDependencies;
  readonly #identity: RackIdentity;
  readonly #link: RegionLink;
  readonly #skew: ClockSkew;
  readonly #courier: EventCourier;
  readonly #teller: StatusTeller;
  #looking: Timer | undefined;
  #isChangingKey = false;
  /** The order for a new key that is still to be obeyed, and why it could not be. */
  #rotation: number | undefined;
  #keyFault: string | undefined;

  constructor(dependencies: SessionDependencies) {
    this.#dependencies = dependencies;
    const { settings, events, clock, connect, outbox, version, wishForFacts } = dependencies;
    const { urls, credentials } = settings;
    this.#identity = new RackIdentity(new CredentialsFile(credentials, dependencies.state), events);
    const client = new RegionClient(urls, (url) => connect(url, settings));
    const changed = (): void => this.#changed();
    this.#link = new RegionLink({ ...dependencies, client, identity: this.#identity, changed });
    this.#skew = new ClockSkew(clock, events);
    const link = this.#link;
    this.#courier = new EventCourier({ ...dependencies, link });
    this.#teller = new StatusTeller({ ...dependencies, link, skew: this.#skew, outbox, version, wishForFacts });
  }

  get state(): Omit<RegionState, 'waiting' | 'oldest' | 'forgotten'> {
    const { seconds } = this.#skew;
    return { ...this.#link.state, ...(seconds !== undefined && { skewSeconds: seconds }) };
  }

  start(): void {
    const follower = new PlanFollower({
      ...this.#dependencies,
      link: this.#link,
      take: (answer) => this.#take(answer),
    });
    for (const activity of [follower, this.#courier, this.#teller]) this.#run(() => activity.run());
    this.#look();
    this.#changeKey();
  }

  filled(): void {
    this.#courier.filled();
  }

  hear(facts: RackFacts): void {
    this.#teller.hear(facts);
  }

  tellSoon(): void {
    this.#teller.tellSoon();
  }

  obeyed(order: RegionOrder, number: number): void {
    try {
      this.#dependencies.orders.obeyed(order, number);
    } catch {
      // It is obeyed once more after the next start
    }
  }

  close(): void {
    this.#looking?.cancel();
    this.#link.close();
    this.#teller.close();
    this.#courier.filled();
    this.#dependencies.outbox.connected(false);
  }

  #changed(): void {
    this.#dependencies.outbox.connected(this.#link.canTell);
    this.#dependencies.changed();
  }

  /** What an activity does not expect is a fault of ours: the thread ends of it, and is started anew. */
  #run(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    });
  }

  #take(answer: PlanAnswer): void {
    this.#dependencies.take(answer);
    this.#obey(answer.orders);
  }

  #obey(given: Orders): void {
    const { orders, events, order } = this.#dependencies;
    for (const due of orders.due(given, this.#identity.rack)) {
      events.emit({ kind: 'region.ordered', order: due.order });
      order(due.order, due.number);
    }
    this.#rotation = given.rotateKey ?? 0;
    this.#rotate();
  }

  /** A new key, where one is ordered; where it can't be written, that is tried again and again. */
  #rotate(): void {
    const { events } = this.#dependencies;
    if (this.#rotation === undefined) return;
    try {
      if (this.#identity.beginRotation(this.#rotation)) events.emit({ kind: 'region.ordered', order: 'rotateKey' });
      this.#rotation = undefined;
      this.#keyFault = undefined;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#keyFault) events.emit({ kind: 'region.key-failed', reason });
      this.#keyFault = reason;
      return;
    }
    this.#changeKey();
  }

  #look(): void {
    this.#looking = this.#dependencies.loop.after(IDENTITY_MILLISECONDS, () => {
      if (this.#identity.reread()) this.#link.wake();
      this.#rotate();
      // Also of the present one, where it is found that the region knows the one before
      this.#changeKey();
      this.#look();
    });
  }

  /** Tells the region of a key that it does not know yet. */
  #changeKey(): void {
    if (this.#isChangingKey || !this.#identity.untold) return;
    this.#isChangingKey = true;
    this.#run(async () => {
      try {
        await this.#tellKey();
      } finally {
        this.#isChangingKey = false;
      }
    });
  }

  async #tellKey(): Promise<void> {
    while (this.#identity.untold) {
      try {
        // It may be another, or none, when the time has come
        await this.#link.ready('key');
        const key = this.#identity.untold;
        if (!key) return;
        const body = JSON.stringify({ keyHash: key.hash });
        const wish = { method: 'POST', path: RACK_PATHS.key, body, within: ANSWER_WITHIN, most: MOST_ANSWER } as const;
        await this.#link.ask('key', wish, z.unknown());
        this.#identity.told(key);
        // The first question by the new key: from then on the region forgets the old one
        this.#teller.tellSoon();
      } catch (error) {
        if (error instanceof LinkClosed) return;
        // The link knows of it, and makes us wait
        if (!(error instanceof RegionFault)) throw error;
      }
    }
  }
}
