import { randomUUID } from 'node:crypto';

import type { EventLetter } from '../service/region-letters.ts';
import type { RackEvent } from '../timeline/event.ts';
import { isReported } from '../timeline/is-reported.ts';

/** Of one letter: what the other thread writes in one commit. */
const MOST_EVENTS = 2_000;
/** Letters on their way: enough for the storm of a thousand machines that power up. */
const MOST_LETTERS = 16;
/** Events that wait for a letter: more of them are given up, the oldest first. */
const MOST_WAITING = 30_000;

/**
 * Hands events to the thread that tells the region. A letter is kept until that thread has it on disk, and is sent again to the next
 * one when it dies; so each event is told once, and this process holds no more than these bounds.
 */
export class RegionFeed {
  readonly #send: (letter: EventLetter) => void;
  readonly #life = randomUUID();
  #waiting: RackEvent[] = [];
  #forgotten: { count: number; before: number } | undefined;
  #letters: EventLetter[] = [];
  #last = 0;
  #isHeard = false;

  constructor(send: (letter: EventLetter) => void) {
    this.#send = send;
  }

  add(events: readonly RackEvent[]): void {
    for (const event of events) if (isReported(event)) this.#waiting.push(event);
    if (this.#waiting.length > 2 * MOST_WAITING) this.#giveUp();
  }

  /** To be called now and then. */
  flush(): void {
    if (!this.#isHeard) return;
    while (this.#waiting.length > 0 && this.#letters.length < MOST_LETTERS) {
      const letter = this.#write(this.#waiting.splice(0, MOST_EVENTS));
      this.#letters.push(letter);
      this.#send(letter);
    }
    if (this.#waiting.length > MOST_WAITING) this.#giveUp();
  }

  /** This letter and those before it are on disk. */
  taken(number: number): void {
    this.#letters = this.#letters.filter((letter) => letter.number > number);
    this.flush();
  }

  /** There is a thread that hears: a new one is told all that the one before may not have written. */
  heard(): void {
    this.#isHeard = true;
    for (const letter of this.#letters) this.#send(letter);
    this.flush();
  }

  unheard(): void {
    this.#isHeard = false;
  }

  /** Nobody is to be told any more. */
  clear(): void {
    this.#waiting = [];
    this.#letters = [];
    this.#forgotten = undefined;
  }

  #write(events: readonly RackEvent[]): EventLetter {
    const forgotten = this.#forgotten;
    this.#forgotten = undefined;
    return {
      kind: 'events',
      life: this.#life,
      number: ++this.#last,
      lines: events.map((event) => JSON.stringify(event)).join('\n'),
      ...(forgotten && { forgotten }),
    };
  }

  #giveUp(): void {
    const gone = this.#waiting.splice(0, this.#waiting.length - MOST_WAITING);
    const before = gone.at(-1)?.at ?? 0;
    this.#forgotten = { count: (this.#forgotten?.count ?? 0) + gone.length, before };
  }
}
