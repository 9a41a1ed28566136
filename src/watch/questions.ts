import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { EventBudget } from '../service/event-budget.ts';
import type { Clock } from '../system/clock.ts';
import type { Loop, Timer } from '../system/loop.ts';

/** As the DHCP service waits: a LAN answers within 10 ms, a card that sleeps after some 100 ms. */
const WAIT_MILLISECONDS = 500;
/** Questions that wait for answers: an interface's scan and what else is to be known. */
const MOST_OPEN = 4_096;
/** More machines on one address are made up. */
const MOST_ANSWERS = 8;
/** What is asked because something was heard, so that a flood of frames makes no flood of questions. */
const OWN_PACE = { burst: 250, perSecond: 100 };
/** What waits for its turn: a rack of machines that power up together says who they are within a second, and once. */
const MOST_WAITING = 2_000;
const BACKLOG_MILLISECONDS = 100;

/** A question that is over, and who answered it. */
export interface Settled {
  readonly device: string;
  readonly address: Ip4;
  readonly answers: readonly Mac[];
  /** The kernel had no room for some frames meanwhile: who did not answer may have. */
  readonly isDoubtful: boolean;
}

/** What a reply is: the first of its machine to a question, or one that is no news. */
export type Heard = 'answer' | 'again' | 'too many' | 'unasked';

interface Open {
  readonly device: string;
  readonly address: Ip4;
  /** Monotonic milliseconds. */
  readonly due: number;
  readonly answers: Mac[];
  readonly lostBefore: number;
  /** Meanwhile something was heard that it may be too late for. */
  isStale: boolean;
}

export interface QuestionsDependencies {
  readonly clock: Clock;
  readonly loop: Loop;
  /** Asks the wire who has an address (RFC 5227 §2.1.1); false: it can't. */
  readonly probe: (device: string, address: Ip4) => boolean;
  /** Frames that nobody could hear, so far. */
  readonly lost: () => number;
  /** Sends what was asked. */
  readonly flush: () => void;
  readonly settled: (question: Settled) => void;
}

/** Asks who has an address, and hears everyone who says so: that several do is seen by nothing else. */
export class Questions {
  readonly #dependencies: QuestionsDependencies;
  readonly #budget: EventBudget;
  /** All wait for the same time, so that the first is due first. */
  readonly #open = new Map<string, Open>();
  readonly #waiting = new Map<string, Pick<Open, 'device' | 'address'>>();
  #timer: Timer | undefined;
  #backlogTimer: Timer | undefined;
  #asked = 0;

  constructor(dependencies: QuestionsDependencies) {
    this.#dependencies = dependencies;
    this.#budget = new EventBudget(dependencies.clock, OWN_PACE);
  }

  /** How many were asked so far. */
  get asked(): number {
    return this.#asked;
  }

  /** Asks because of something that was heard, now or when it is its turn. False: too much waits already. */
  wonder(device: string, address: Ip4): boolean {
    const key = keyOf(device, address);
    const open = this.#open.get(key);
    if (open) open.isStale = true;
    if (open ?? this.#waiting.has(key)) return true;
    if (this.#waiting.size === 0 && this.#budget.take()) return this.ask(device, address);
    if (this.#waiting.size >= MOST_WAITING) return false;
    this.#waiting.set(key, { device, address });
    this.#backlogTimer ??= this.#dependencies.loop.after(BACKLOG_MILLISECONDS, () => this.#workOff());
    return true;
  }

  /** Asks at the caller's pace. False: too many questions are open, or the wire is gone. */
  ask(device: string, address: Ip4): boolean {
    const key = keyOf(device, address);
    if (this.#open.has(key)) return true;
    if (this.#open.size >= MOST_OPEN || !this.#dependencies.probe(device, address)) return false;
    const due = this.#dependencies.clock.monotonic() + WAIT_MILLISECONDS;
    this.#open.set(key, { device, address, due, answers: [], lostBefore: this.#dependencies.lost(), isStale: false });
    this.#asked++;
    this.#schedule();
    return true;
  }

  /** A reply to us came. */
  hear(device: string, address: Ip4, mac: Mac): Heard {
    const question = this.#open.get(keyOf(device, address));
    if (!question) return 'unasked';
    if (question.answers.includes(mac)) return 'again';
    if (question.answers.length >= MOST_ANSWERS) return 'too many';
    question.answers.push(mac);
    return 'answer';
  }

  close(): void {
    this.#timer?.cancel();
    this.#backlogTimer?.cancel();
    this.#open.clear();
    this.#waiting.clear();
  }

  #workOff(): void {
    this.#backlogTimer = undefined;
    for (const [key, { device, address }] of this.#waiting) {
      if (!this.#budget.take()) break;
      this.#waiting.delete(key);
      this.ask(device, address);
    }
    this.#dependencies.flush();
    if (this.#waiting.size > 0)
      this.#backlogTimer = this.#dependencies.loop.after(BACKLOG_MILLISECONDS, () => this.#workOff());
  }

  #schedule(): void {
    if (this.#timer) return;
    for (const { due } of this.#open.values()) {
      const wait = Math.max(0, due - this.#dependencies.clock.monotonic());
      this.#timer = this.#dependencies.loop.after(wait, () => this.#settleDue());
      return;
    }
  }

  #settleDue(): void {
    this.#timer = undefined;
    const now = this.#dependencies.clock.monotonic();
    const lost = this.#dependencies.lost();
    for (const [key, question] of this.#open) {
      if (question.due > now) break;
      this.#open.delete(key);
      this.#dependencies.settled({ ...question, isDoubtful: lost !== question.lostBefore });
      if (question.isStale) this.wonder(question.device, question.address);
    }
    this.#schedule();
    this.#dependencies.flush();
  }
}

function keyOf(device: string, address: Ip4): string {
  return `${address} ${device}`;
}
