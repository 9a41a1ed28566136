import type { Loop, Timer } from '../../system/loop.ts';
import type { DnsResponse } from '../../wire/dns/response.ts';
import type { UpstreamGroup } from './upstream-group.ts';
import type { Answer, Question, Upstream } from './upstream.ts';

/** Milliseconds: most clients give up, or ask again, after five seconds. */
const DEADLINE = 4_500;
/** Times that a question leaves in all. */
const MOST_ATTEMPTS = 8;
/** To one upstream: what got lost three times is not going to come. */
const MOST_OF_ONE = 3;

/** How a race ended. */
export type Outcome =
  | { readonly kind: 'answer'; readonly response: DnsResponse; readonly isTrusted: boolean }
  /** Every server that said something failed, or did not want to. */
  | { readonly kind: 'unwilling' }
  /** Nothing was heard. */
  | { readonly kind: 'unreachable' };

/**
 * One question, on its way to the upstreams of its group: the best first, another when that is later than it uses to be,
 * and so on; the first answer of use is it. When each was asked, the silent ones are asked again, with more patience.
 */
export class Race {
  readonly #loop: Loop;
  readonly #question: Question;
  readonly #group: UpstreamGroup;
  readonly #land: (outcome: Outcome) => void;
  readonly #deadline: Timer;
  #tried = new Set<Upstream>();
  readonly #asked = new Map<Upstream, number>();
  /** They said what they had to say, or nobody is there. */
  readonly #done = new Set<Upstream>();
  #hasHeard = false;
  #impatience: Timer | undefined;
  #attempts = 0;
  #running = 0;
  #round = 0;
  #isOver = false;

  constructor(loop: Loop, question: Question, group: UpstreamGroup, land: (outcome: Outcome) => void) {
    this.#loop = loop;
    this.#question = question;
    this.#group = group;
    this.#land = land;
    this.#deadline = loop.after(DEADLINE, () => this.#fail());
  }

  start(): void {
    this.#askOne(this.#group.first());
  }

  /** Lets it be, without an outcome. */
  abandon(): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.#impatience?.cancel();
  }

  #askNext(): void {
    let next = this.#group.next(this.#tried);
    if (!next && this.#round < MOST_ATTEMPTS) {
      this.#round++;
      this.#tried = new Set(this.#group.upstreams.filter((upstream) => this.#isNotToRepeat(upstream)));
      next = this.#group.next(this.#tried);
    }
    this.#askOne(next);
  }

  #isNotToRepeat(upstream: Upstream): boolean {
    const isEnough = (this.#asked.get(upstream) ?? 0) >= MOST_OF_ONE;
    return isEnough || this.#done.has(upstream) || upstream.isStreaming(this.#question);
  }

  #askOne(upstream: Upstream | undefined): void {
    if (!upstream || this.#attempts >= MOST_ATTEMPTS) return this.#running === 0 ? this.#fail() : undefined;
    this.#attempts++;
    this.#tried.add(upstream);
    this.#asked.set(upstream, (this.#asked.get(upstream) ?? 0) + 1);
    this.#impatience?.cancel();
    this.#impatience = this.#loop.after(upstream.health.patience * 2 ** this.#round, () => this.#askNext());
    if (upstream.repeat(this.#question)) return;
    this.#running++;
    upstream.ask(this.#question, (answer) => this.#take(upstream, answer));
  }

  #take(upstream: Upstream, answer: Answer): void {
    this.#running--;
    if (this.#isOver) return;
    if (answer.kind === 'answer') return this.#end(answer);
    this.#hasHeard ||= answer.kind === 'unwilling';
    if (answer.kind !== 'silent') this.#done.add(upstream);
    // A silent one was overtaken by its successor long ago
    if (answer.kind !== 'silent' || this.#running === 0) this.#askNext();
  }

  #fail(): void {
    this.#end({ kind: this.#hasHeard ? 'unwilling' : 'unreachable' });
  }

  #end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.abandon();
    this.#land(outcome);
  }
}
