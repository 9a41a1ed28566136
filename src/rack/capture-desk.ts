import { PassThrough } from 'node:stream';

import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { LeaseFact, TapAim, ToService } from '../service/letters.ts';
import { encodePcapHeader } from '../wire/pcap-record.ts';

/** Of one capture. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_ADDRESSES = 16;
/** Milliseconds that services have to hand in what they gathered. */
const LAST_WORDS = 200;
/** A reader that is so far behind is not waited for. */
const MOST_PENDING = 8 * 1024 * 1024;

export interface CaptureDeskDependencies {
  /** Tells every service. */
  readonly tell: (letter: ToService) => void;
  /** What is known of who has which address. */
  readonly facts: () => readonly LeaseFact[];
  /** Fires once, unless it is called off by what it gives. */
  readonly after: (milliseconds: number, fire: () => void) => () => void;
}

interface Running {
  aim: TapAim;
  readonly stream: PassThrough;
  callOff: () => void;
  written: number;
  isEnding: boolean;
}

/** One capture at a time: has the services write down what they hear from one machine and say to it. */
export class CaptureDesk {
  readonly #dependencies: CaptureDeskDependencies;
  #running: Running | undefined;
  #last = 0;

  constructor(dependencies: CaptureDeskDependencies) {
    this.#dependencies = dependencies;
  }

  /** A capture as it grows, until its time is over, it is large, or its reader goes away; undefined while another runs. */
  start(mac: Mac, milliseconds: number): PassThrough | undefined {
    if (this.#running) return undefined;
    const stream = new PassThrough();
    stream.write(encodePcapHeader());
    const callOff = this.#dependencies.after(milliseconds, () => this.stop());
    const aim = { id: ++this.#last, mac, addresses: this.#addressesOf(mac), bytes: MOST_BYTES };
    const running = { aim, stream, callOff, written: 0, isEnding: false };
    this.#running = running;
    stream.on('close', () => {
      if (this.#running === running) this.#end(running);
    });
    this.#dependencies.tell({ type: 'tap', aim });
    return stream;
  }

  /** For a service that starts while a capture runs. */
  letters(): ToService[] {
    return this.#running && !this.#running.isEnding ? [{ type: 'tap', aim: this.#running.aim }] : [];
  }

  take(records: Uint8Array): void {
    const running = this.#running;
    // What a service had in hand when it ended
    if (!running) return;
    running.written += records.length;
    if (running.written <= MOST_BYTES) running.stream.write(records);
    if (running.written >= MOST_BYTES || running.stream.writableLength > MOST_PENDING) this.#end(running);
  }

  /** Leases began. */
  leasesChanged(began: readonly Pick<LeaseFact, 'mac' | 'address'>[]): void {
    const running = this.#running;
    if (!running || running.isEnding) return;
    const { aim } = running;
    const isNews = began.some(({ mac, address }) => mac === aim.mac || aim.addresses.includes(address));
    if (!isNews) return;
    // One that it had a moment ago is its own still, as what is on the way may be, until it is somebody else's
    const others = new Set(began.flatMap(({ mac, address }) => (mac === aim.mac ? [] : [address])));
    const known = [...new Set([...aim.addresses, ...this.#addressesOf(aim.mac)])];
    const addresses = known.filter((address) => !others.has(address)).slice(-MOST_ADDRESSES);
    if (addresses.join() === aim.addresses.join()) return;
    running.aim = { ...aim, addresses };
    this.#dependencies.tell({ type: 'tap', aim: running.aim });
  }

  /** Ends it, with what services have in hand. */
  stop(): void {
    const running = this.#running;
    if (!running || running.isEnding) return;
    running.isEnding = true;
    running.callOff();
    this.#dependencies.tell({ type: 'tap' });
    running.callOff = this.#dependencies.after(LAST_WORDS, () => this.#end(running));
  }

  #end(running: Running): void {
    this.#running = undefined;
    running.callOff();
    if (!running.isEnding) this.#dependencies.tell({ type: 'tap' });
    running.stream.end();
  }

  #addressesOf(mac: Mac): Ip4[] {
    return this.#dependencies
      .facts()
      .filter((fact) => fact.mac === mac)
      .map((fact) => fact.address);
  }
}
