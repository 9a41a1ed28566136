import type { Mac } from '../addr/mac.ts';
import type { WatchSettings } from '../plan/plan.ts';
import type { Loop, Timer } from '../system/loop.ts';
import { discoverFrame } from './dhcp-message.ts';

/** The first one soon after the start, as a rogue server is to be found before machines find it. */
const FIRST_MILLISECONDS = 2_000;
/** One broadcast may be lost. */
const AGAIN_MILLISECONDS = 3_000;

export interface DhcpProbeDependencies {
  readonly loop: Loop;
  /** 0 to 1. */
  readonly random: () => number;
  readonly send: (frame: Uint8Array, device: string) => void;
}

/** Where to ask, and by which card. */
export type Cards = () => readonly { readonly device: string; readonly card: Mac }[];

/** Asks every now and then which DHCP servers there are. */
export class DhcpProbe {
  readonly #dependencies: DhcpProbeDependencies;
  #settings: WatchSettings['dhcpProbe'];
  #cards: Cards = () => [];
  #timer: Timer | undefined;

  constructor(dependencies: DhcpProbeDependencies) {
    this.#dependencies = dependencies;
  }

  /** A Plan that asks as before leaves the time of the next question as it is. */
  apply(settings: WatchSettings['dhcpProbe'], cards: Cards): void {
    const isSame = settings?.seconds === this.#settings?.seconds && settings?.mac === this.#settings?.mac;
    this.#settings = settings;
    this.#cards = cards;
    if (isSame && this.#timer) return;
    this.close();
    if (settings) this.#wait(FIRST_MILLISECONDS);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Up to half as long again and no shorter than half: many racks that were switched on together do not ask together. */
  #wait(milliseconds: number): void {
    const { loop, random } = this.#dependencies;
    this.#timer = loop.after(milliseconds * (0.5 + random()), () => this.#askTwice());
  }

  #askTwice(): void {
    const xid = Math.floor(this.#dependencies.random() * 2 ** 32);
    this.#ask(xid);
    this.#timer = this.#dependencies.loop.after(AGAIN_MILLISECONDS, () => {
      this.#ask(xid);
      this.#wait((this.#settings?.seconds ?? 0) * 1000);
    });
  }

  #ask(xid: number): void {
    const { send } = this.#dependencies;
    const client = this.#settings?.mac;
    if (client === undefined) return;
    for (const { device, card } of this.#cards()) send(discoverFrame(card, client, xid), device);
  }
}
