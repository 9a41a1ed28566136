import { broadcastOf, type Cidr } from '../addr/cidr.ts';
import { toIp4, type Ip4 } from '../addr/ip4.ts';
import type { Loop, Timer } from '../system/loop.ts';

/** A /24 in a second, a /16 in four minutes; 42 bytes each, which no link notices. */
const BURST = 25;
const EVERY_MILLISECONDS = 100;
/** After the last question: when its answers are there, and have been looked at. */
const LINGER_MILLISECONDS = 1_000;
/** A wider network is asked from its beginning: nobody has so many machines on one wire. */
const MOST_ADDRESSES = 65_536;

/** A network to be looked through. */
export interface ScanTarget {
  readonly device: string;
  readonly cidr: Cidr;
}

export interface ScanDependencies {
  readonly loop: Loop;
  /** False: not now. */
  readonly ask: (device: string, address: Ip4) => boolean;
  readonly flush: () => void;
}

/** Asks for each address of some networks, at a pace. One at a time: who wants another meanwhile gets it after that. */
export class Scan {
  readonly #dependencies: ScanDependencies;
  readonly #waiting: { readonly targets: readonly ScanTarget[]; readonly done: (outcome: ScanOutcome) => void }[] = [];
  #steps: Iterator<readonly [device: string, address: Ip4]> | undefined;
  #next: readonly [device: string, address: Ip4] | undefined;
  #timer: Timer | undefined;
  #asked = 0;
  #answered = new Set<string>();

  constructor(dependencies: ScanDependencies) {
    this.#dependencies = dependencies;
  }

  /** Those that run or wait. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** `done` is called when the last answer may have come. */
  start(targets: readonly ScanTarget[], done: (outcome: ScanOutcome) => void): void {
    this.#waiting.push({ targets, done });
    if (this.#waiting.length === 1) this.#begin();
  }

  /** Someone answered a question. */
  hear(device: string, address: Ip4): void {
    if (this.#waiting.length > 0) this.#answered.add(`${device} ${address}`);
  }

  close(): void {
    this.#timer?.cancel();
    this.#waiting.length = 0;
  }

  #begin(): void {
    this.#steps = stepsOf(this.#waiting[0]?.targets ?? []);
    this.#asked = 0;
    this.#answered = new Set();
    this.#next = this.#advance();
    this.#goOn();
  }

  #goOn(): void {
    const { ask, flush, loop } = this.#dependencies;
    for (let i = 0; i < BURST && this.#next; i++) {
      // Else the wire is gone, or too many questions are open: the latter ends soon, and of the former no answer comes
      if (ask(...this.#next)) this.#asked++;
      this.#next = this.#advance();
    }
    flush();
    this.#timer = this.#next
      ? loop.after(EVERY_MILLISECONDS, () => this.#goOn())
      : loop.after(LINGER_MILLISECONDS, () => this.#end());
  }

  #end(): void {
    const scan = this.#waiting.shift();
    scan?.done({ asked: this.#asked, answered: this.#answered.size });
    if (this.#waiting.length > 0) this.#begin();
  }

  #advance(): readonly [string, Ip4] | undefined {
    const step = this.#steps?.next();
    return step?.done === false ? step.value : undefined;
  }
}

export interface ScanOutcome {
  readonly asked: number;
  readonly answered: number;
}

/** Without the network's own address and its broadcast, where it has them (RFC 3021). */
function* stepsOf(targets: readonly ScanTarget[]): Generator<readonly [string, Ip4]> {
  for (const { device, cidr } of targets) {
    const spare = cidr.prefix < 31 ? 1 : 0;
    const last = Math.min(broadcastOf(cidr) - spare, cidr.network + MOST_ADDRESSES);
    for (let address = cidr.network + spare; address <= last; address++) yield [device, toIp4(address)];
  }
}
