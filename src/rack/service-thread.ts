import { Worker } from 'node:worker_threads';

import type { Counters, FromService, ToService } from '../service/letters.ts';
import type { Libc } from '../system/libc.ts';
import { Wake } from '../system/wake.ts';
import type { ServiceName } from '../timeline/event.ts';

const FIRST_RETRY = 100;
const LONGEST_RETRY = 10_000;
/** A service that lived this long failed for a new reason: back-off starts again. */
const HEALTHY = 60_000;
/** A thread that has not answered a ping for so long is stuck and is ended. */
const SILENCE = 10_000;
const PING_EVERY = 1_000;

export interface ServiceThreadDependencies {
  readonly name: ServiceName;
  readonly entry: URL;
  readonly libc: Libc;
  /** The first letters of a new thread: its Plan and sockets, then what it has to know. */
  readonly opening: () => readonly ToService[];
  readonly onLetter: (letter: FromService) => void;
  /** It serves: for the first time, or again after a failure. */
  readonly onServing: () => void;
  readonly onFailed: (reason: string, retryMilliseconds: number) => void;
}

export type ThreadState = 'starting' | 'serving' | 'failed' | 'stopped';

/** One service as a thread: started, listened to, started again when it dies. Its sockets are the rack's and outlive it. */
export class ServiceThread {
  readonly name: ServiceName;
  readonly #dependencies: ServiceThreadDependencies;
  readonly #wake: Wake;
  #worker: Worker | undefined;
  #state: ThreadState = 'stopped';
  #restarts = 0;
  #retry = FIRST_RETRY;
  #startedAt = 0;
  #heardAt = 0;
  #counters: Counters = {};
  #retryTimer: NodeJS.Timeout | undefined;
  #pingTimer: NodeJS.Timeout | undefined;
  #pings = 0;
  #failure: string | undefined;
  /** Who waits for the thread to have taken up its newest Plan. */
  #unsettled: (() => void)[] = [];

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
    return this.#state !== 'serving' || performance.now() - this.#heardAt < 2 * SILENCE;
  }

  /** Starts the thread; resolves when it serves, or has failed for the first time (it is then tried again). */
  start(): Promise<void> {
    const settled = new Promise<void>((resolve) => this.#unsettled.push(resolve));
    const { name, entry } = this.#dependencies;
    this.#state = 'starting';
    this.#failure = undefined;
    this.#startedAt = performance.now();
    this.#heardAt = this.#startedAt;
    const worker = new Worker(entry, {
      name,
      workerData: { name, wakeFd: this.#wake.fd },
      resourceLimits: { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 16 },
    });
    this.#worker = worker;
    worker.on('message', (letter: FromService) => this.#receive(letter));
    worker.on('error', (error) => {
      this.#failure = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => this.#ended(worker));
    for (const letter of this.#dependencies.opening()) this.send(letter);
    this.#pingTimer ??= setInterval(() => this.#ping(), PING_EVERY);
    return settled;
  }

  send(letter: ToService): void {
    this.#worker?.postMessage(letter);
    this.#wake.ring();
  }

  /** Sends a new Plan and resolves when the thread has taken it up, or has died and will start with it. */
  apply(letter: ToService): Promise<void> {
    if (!this.#worker) return Promise.resolve();
    const settled = new Promise<void>((resolve) => this.#unsettled.push(resolve));
    this.send(letter);
    return settled;
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

  #receive(letter: FromService): void {
    this.#heardAt = performance.now();
    if (letter.type === 'ready') this.#ready();
    if (letter.type === 'pong') this.#counters = letter.counters;
    this.#dependencies.onLetter(letter);
  }

  #ready(): void {
    const first = this.#state === 'starting';
    this.#state = 'serving';
    this.#settle();
    if (first) this.#dependencies.onServing();
  }

  #ping(): void {
    if (!this.#worker) return;
    if (performance.now() - this.#heardAt > SILENCE) {
      this.#failure = `no answer for ${SILENCE / 1000} s`;
      void this.#worker.terminate();
      return;
    }
    this.send({ type: 'ping', id: ++this.#pings });
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#settle();
    if (this.#state === 'stopped') return;
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
