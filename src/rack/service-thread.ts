import { Worker } from 'node:worker_threads';

import type {
  Counters,
  FromService,
  ImageAnswer,
  ImageOrder,
  LeaseAnswer,
  LeaseOrder,
  ThreadData,
  ToService,
  ZoneAnswer,
  ZoneOrder,
} from '../service/letters.ts';
import type { WatchAnswer, WatchOrder } from '../service/watch-letters.ts';
import type { Libc } from '../system/libc.ts';
import { Wake } from '../system/wake.ts';
import { messageOf } from '../system/message-of.ts';
import type { ThreadName } from '../timeline/event.ts';

const FIRST_RETRY = 100;
const LONGEST_RETRY = 10_000;
/** A service that lived this long failed for a new reason: back-off starts again. */
const HEALTHY = 60_000;
const PING_EVERY = 1_000;
/**
 * A thread that left so many pings unanswered is stuck and is ended. Counted and not timed: when this process itself
 * stood still (a disk that hangs), the answers wait in its own queue.
 */
const MOST_UNANSWERED = 10;

const NOT_RUNNING = 'the service is not running: it starts again by itself';
const UNANSWERED: LeaseAnswer = { done: [], refused: [], fault: NOT_RUNNING };
const NO_ZONES: ZoneAnswer = { zones: [], fault: NOT_RUNNING };

const NO_NEIGHBOURS: WatchAnswer = { neighbours: [], conflicts: [], servers: [], fault: NOT_RUNNING };

const NO_IMAGES: ImageAnswer = { isDone: false, lines: [NOT_RUNNING] };

export interface ServiceThreadDependencies {
  readonly name: ThreadName;
  readonly entry: URL;
  readonly cookieKey: Uint8Array;
  readonly libc: Libc;
  /** The first letters of a new thread: its Plan and sockets, then what it has to know. */
  readonly opening: () => readonly ToService[];
  readonly onLetter: (letter: FromService) => void;
  /** It serves: for the first time, or again after a failure. */
  readonly onServing: () => void;
  readonly onFailed: (reason: string, retryMilliseconds: number) => void;
  /** Milliseconds; only tests are in a hurry. */
  readonly pingEvery?: number;
}

export type ThreadState = 'starting' | 'serving' | 'failed' | 'stopped';

/** One service as a thread: started, listened to, started again when it dies. Its sockets are the rack's and outlive it. */
export class ServiceThread {
  readonly name: ThreadName;
  readonly #dependencies: ServiceThreadDependencies;
  readonly #wake: Wake;
  #worker: Worker | undefined;
  #state: ThreadState = 'stopped';
  #restarts = 0;
  #retry = FIRST_RETRY;
  #startedAt = 0;
  #unanswered = 0;
  #counters: Counters = {};
  #retryTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #pings = 0;
  #failure: string | undefined;
  /** Who waits for the thread to have taken up a Plan: one entry for each Plan sent, in order. */
  #unsettled: (() => void)[] = [];
  /** Who waits for an answer to an order, by its number. */
  readonly #orders = new Map<number, (answer: LeaseAnswer) => void>();
  readonly #imageOrders = new Map<number, (answer: ImageAnswer) => void>();
  readonly #zoneOrders = new Map<number, (answer: ZoneAnswer) => void>();
  readonly #watchOrders = new Map<number, (answer: WatchAnswer) => void>();
  #lastOrder = 0;

  constructor(dependencies: ServiceThreadDependencies) {
    this.name = dependencies.name;
    this.#dependencies = dependencies;
    this.#wake = new Wake(dependencies.libc);
  }

  get state(): ThreadState {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** Answered a ping lately, or is being started again: nothing is wedged. */
  get alive(): boolean {
    return this.#state !== 'serving' || this.#unanswered < 2 * MOST_UNANSWERED;
  }

  /** Starts the thread; resolves when it serves, or has failed for the first time (it is then tried again). */
  start(): Promise<void> {
    const settled = new Promise<void>((resolve) => this.#unsettled.push(resolve));
    this.#state = 'starting';
    this.#failure = undefined;
    this.#startedAt = performance.now();
    this.#unanswered = 0;
    this.#pingTimer ??= setInterval(() => this.#ping(), this.#dependencies.pingEvery ?? PING_EVERY);
    try {
      this.#worker = this.#createWorker();
    } catch (error) {
      // The system has no thread left for us
      this.#failure = messageOf(error);
      this.#startAgain();
    }
    for (const letter of this.#dependencies.opening()) this.send(letter);
    return settled;
  }

  /** Lost when there is no thread: the next one learns all it needs from its opening. */
  send(letter: ToService): void {
    if (!this.#worker) return;
    this.#worker.postMessage(letter);
    this.#wake.ring();
  }

  /** Sends a new Plan and resolves when the thread has taken it up, or has died and will start with it. */
  apply(letter: ToService): Promise<void> {
    if (!this.#worker) return Promise.resolve();
    const settled = new Promise<void>((resolve) => this.#unsettled.push(resolve));
    this.send(letter);
    return settled;
  }

  /** Resolves with what the thread answers; with a fault when there is no thread, or it dies before it answers. */
  order(order: LeaseOrder): Promise<LeaseAnswer> {
    if (!this.#worker) return Promise.resolve(UNANSWERED);
    const id = ++this.#lastOrder;
    const answered = new Promise<LeaseAnswer>((resolve) => this.#orders.set(id, resolve));
    this.send({ type: 'order', id, order });
    return answered;
  }

  /** The same for images. */
  manage(order: ImageOrder): Promise<ImageAnswer> {
    if (!this.#worker) return Promise.resolve(NO_IMAGES);
    const id = ++this.#lastOrder;
    const answered = new Promise<ImageAnswer>((resolve) => this.#imageOrders.set(id, resolve));
    this.send({ type: 'image-order', id, order });
    return answered;
  }

  /** Resolves with what the thread shows; with a fault where `order` does. */
  orderZones(order: ZoneOrder): Promise<ZoneAnswer> {
    if (!this.#worker) return Promise.resolve(NO_ZONES);
    const id = ++this.#lastOrder;
    const answered = new Promise<ZoneAnswer>((resolve) => this.#zoneOrders.set(id, resolve));
    this.send({ type: 'zone-order', id, order });
    return answered;
  }

  /** The same for who is on the wire. */
  orderWatch(order: WatchOrder): Promise<WatchAnswer> {
    if (!this.#worker) return Promise.resolve(NO_NEIGHBOURS);
    const id = ++this.#lastOrder;
    const answered = new Promise<WatchAnswer>((resolve) => this.#watchOrders.set(id, resolve));
    this.send({ type: 'watch-order', id, order });
    return answered;
  }

  /** Asks the thread to end; resolves when it has, or was ended. */
  async stop(withinMilliseconds: number): Promise<void> {
    clearTimeout(this.#retryTimer);
    clearInterval(this.#pingTimer);
    this.#state = 'stopped';
    const worker = this.#worker;
    if (worker) {
      const exited = new Promise((resolve) => worker.once('exit', resolve));
      this.send({ type: 'stop' });
      const timer = setTimeout(() => void worker.terminate(), withinMilliseconds);
      await exited;
      clearTimeout(timer);
    }
    this.#wake.close();
  }

  #createWorker(): Worker {
    const { name, entry, cookieKey } = this.#dependencies;
    const worker = new Worker(entry, {
      name,
      workerData: { name, wakeFd: this.#wake.fd, cookieKey } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 16 },
    });
    worker.on('message', (letter: FromService) => this.#receive(letter));
    worker.on('error', (error) => {
      this.#failure = messageOf(error);
    });
    worker.on('exit', () => this.#ended());
    return worker;
  }

  #receive(letter: FromService): void {
    this.#unanswered = 0;
    if (letter.type === 'ready') this.#ready();
    if (letter.type === 'pong') this.#counters = letter.counters;
    if (letter.type === 'answer') this.#answer(letter.id, letter.answer);
    if (letter.type === 'image-answer') this.#answerImages(letter.id, letter.answer);
    if (letter.type === 'zone-answer') this.#answerZones(letter.id, letter.answer);
    if (letter.type === 'watch-answer') this.#answerWatch(letter.id, letter.answer);
    this.#dependencies.onLetter(letter);
  }

  /** Letters come in order, so that each `ready` belongs to the oldest Plan not yet taken up. */
  #ready(): void {
    this.#unsettled.shift()?.();
    if (this.#state !== 'starting') return;
    this.#state = 'serving';
    this.#dependencies.onServing();
  }

  #answer(id: number, answer: LeaseAnswer): void {
    this.#orders.get(id)?.(answer);
    this.#orders.delete(id);
  }

  #answerImages(id: number, answer: ImageAnswer): void {
    this.#imageOrders.get(id)?.(answer);
    this.#imageOrders.delete(id);
  }

  #answerZones(id: number, answer: ZoneAnswer): void {
    this.#zoneOrders.get(id)?.(answer);
    this.#zoneOrders.delete(id);
  }

  #answerWatch(id: number, answer: WatchAnswer): void {
    this.#watchOrders.get(id)?.(answer);
    this.#watchOrders.delete(id);
  }

  #ping(): void {
    if (!this.#worker) return;
    if (this.#unanswered++ >= MOST_UNANSWERED) {
      this.#failure = `no answer to ${MOST_UNANSWERED} pings`;
      void this.#worker.terminate();
      return;
    }
    this.send({ type: 'ping', id: ++this.#pings });
  }

  #ended(): void {
    this.#worker = undefined;
    for (const id of this.#orders.keys()) this.#answer(id, UNANSWERED);
    for (const id of this.#imageOrders.keys()) this.#answerImages(id, NO_IMAGES);
    for (const id of this.#zoneOrders.keys()) this.#answerZones(id, NO_ZONES);
    for (const id of this.#watchOrders.keys()) this.#answerWatch(id, NO_NEIGHBOURS);
    if (this.#state === 'stopped') this.#settle();
    else this.#startAgain();
  }

  #startAgain(): void {
    this.#settle();
    this.#state = 'failed';
    this.#restarts++;
    if (performance.now() - this.#startedAt > HEALTHY) this.#retry = FIRST_RETRY;
    const retry = this.#retry;
    this.#retry = Math.min(2 * retry, LONGEST_RETRY);
    this.#dependencies.onFailed(this.#failure ?? 'the thread ended by itself', retry);
    this.#retryTimer = setTimeout(() => void this.start(), retry);
  }

  #settle(): void {
    for (const resolve of this.#unsettled.splice(0)) resolve();
  }
}
