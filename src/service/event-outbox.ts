import type { Ip4 } from '../addr/ip4.ts';
import type { Clock } from '../system/clock.ts';
import type { EventBody, RackEvent, ServiceName } from '../timeline/event.ts';
import { EventBudget, ORDINARY, rateOf, TROUBLE, type EventRate } from './event-budget.ts';
import type { Counters, FromService, LeaseFact } from './letters.ts';
import type { EventSink, Subject } from './service.ts';

/** How long events wait for company: below what an operator or a name server can notice. */
const GATHER_MILLISECONDS = 1;

export interface OutboxDependencies {
  readonly source: ServiceName;
  readonly clock: Clock;
  readonly post: (letter: FromService) => void;
  readonly after: (milliseconds: number, fire: () => void) => void;
}

/**
 * Gathers events and lease changes of a busy moment, so that a batch of packets costs one letter. A flood of events is
 * cut to what the timeline can take; lease changes are all told, as other services rely on them.
 */
export class EventOutbox implements EventSink {
  readonly #dependencies: OutboxDependencies;
  readonly #budgets: ReadonlyMap<EventRate, EventBudget>;
  #events: RackEvent[] = [];
  #bound = new Map<Ip4, LeaseFact>();
  #ended: Ip4[] = [];
  #scheduled = false;

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = dependencies;
    const { clock } = dependencies;
    this.#budgets = new Map([ORDINARY, TROUBLE].map((rate) => [rate, new EventBudget(clock, rate)]));
  }

  counters(): Counters {
    let dropped = 0;
    for (const budget of this.#budgets.values()) dropped += budget.dropped;
    return { 'events.dropped': dropped };
  }

  emit(body: EventBody, subject: Subject = {}): void {
    if (this.#budgets.get(rateOf(body.kind))?.take() === false) return;
    this.#events.push({ ...body, at: this.#dependencies.clock.now(), source: this.#dependencies.source, ...subject });
    this.#schedule();
  }

  leaseBound(lease: LeaseFact): void {
    this.#bound.set(lease.address, lease);
    this.#schedule();
  }

  leaseEnded(address: Ip4): void {
    // Order within one letter: ended first, then bound. A lease that ends right after it began must not outlive its letter
    this.#bound.delete(address);
    this.#ended.push(address);
    this.#schedule();
  }

  flush(): void {
    this.#scheduled = false;
    const { post } = this.#dependencies;
    if (this.#bound.size > 0 || this.#ended.length > 0) {
      post({ type: 'leases', bound: [...this.#bound.values()], ended: this.#ended });
    }
    if (this.#events.length > 0) post({ type: 'events', events: this.#events });
    this.#bound.clear();
    this.#ended = [];
    this.#events = [];
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#dependencies.after(GATHER_MILLISECONDS, () => {
      this.flush();
    });
  }
}
