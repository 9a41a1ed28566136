import type { Ip4 } from '../addr/ip4.ts';
import type { BootSign } from '../boots/boot-sign.ts';
import type { Clock } from '../system/clock.ts';
import type { EventBody, RackEvent, ServiceName } from '../timeline/event.ts';
import { EventBudget, LASTING, ORDINARY, rateOf, TROUBLE } from './event-budget.ts';
import { toColumns } from './lease-columns.ts';
import type { Counters, FromService, LeaseFact } from './letters.ts';
import type { EventSink, SignSink, Subject } from './service.ts';

/**
 * How long events wait for company: a moment when it is quiet, so that a name answers at once, and longer when they come
 * without pause, as each letter costs both threads the same whatever is in it.
 */
const GATHER_MILLISECONDS = 1;
const GATHER_BUSY_MILLISECONDS = 4;
/** Letters that follow one another within this time come without pause. */
const PAUSE_MILLISECONDS = 20;

export interface OutboxDependencies {
  readonly source: ServiceName;
  readonly clock: Clock;
  readonly post: (letter: FromService) => void;
  readonly after: (milliseconds: number, fire: () => void) => void;
}

/**
 * Gathers events and lease changes of a busy moment, so that a batch of packets costs one letter. A flood of events is
 * cut to what the timeline can take; lease changes and signs of boots are all told, as decisions hang on them.
 */
export class EventOutbox implements EventSink, SignSink {
  readonly #dependencies: OutboxDependencies;
  readonly #ordinary: EventBudget;
  readonly #trouble: EventBudget;
  readonly #lasting: EventBudget;
  #events: RackEvent[] = [];
  #signs: BootSign[] = [];
  #bound = new Map<Ip4, LeaseFact>();
  #ended: Ip4[] = [];
  #scheduled = false;
  #flushedAt = Number.NEGATIVE_INFINITY;

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = dependencies;
    const { clock } = dependencies;
    this.#ordinary = new EventBudget(clock, ORDINARY);
    this.#trouble = new EventBudget(clock, TROUBLE);
    this.#lasting = new EventBudget(clock, LASTING);
  }

  counters(): Counters {
    return { 'events.dropped': this.#ordinary.dropped + this.#trouble.dropped + this.#lasting.dropped };
  }

  wants(kind: EventBody['kind']): boolean {
    return this.#budgetOf(kind).admits();
  }

  emit(body: EventBody, subject: Subject = {}): void {
    if (!this.#budgetOf(body.kind).take()) return;
    this.#events.push({ ...body, at: this.#dependencies.clock.now(), source: this.#dependencies.source, ...subject });
    this.#schedule();
  }

  sign(sign: BootSign): void {
    this.#signs.push(sign);
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
    this.#flushedAt = this.#dependencies.clock.monotonic();
    const { post } = this.#dependencies;
    if (this.#bound.size > 0 || this.#ended.length > 0) {
      post({ type: 'leases', bound: toColumns([...this.#bound.values()]), ended: this.#ended });
    }
    if (this.#events.length > 0) post({ type: 'events', events: this.#events });
    // Behind the events: what comes of a sign is told after what made it
    if (this.#signs.length > 0) post({ type: 'signs', signs: this.#signs });
    this.#signs = [];
    this.#bound.clear();
    this.#ended = [];
    this.#events = [];
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { clock, after } = this.#dependencies;
    const isBusy = clock.monotonic() - this.#flushedAt < PAUSE_MILLISECONDS;
    after(isBusy ? GATHER_BUSY_MILLISECONDS : GATHER_MILLISECONDS, () => {
      this.flush();
    });
  }

  #budgetOf(kind: EventBody['kind']): EventBudget {
    const rate = rateOf(kind);
    if (rate === ORDINARY) return this.#ordinary;
    return rate === TROUBLE ? this.#trouble : this.#lasting;
  }
}
