import assert from 'node:assert/strict';

import type { Wire } from './day-plan.ts';

interface Promised {
  readonly mac: string;
  /** Milliseconds of the rack's wall clock. */
  readonly until: number;
}

/** The rack may end what it promised so much later than it said: it rounds up, and looks once a second. */
const SLACK = 3_000;
const OFFERED = 60_000;

/** What the machines on one wire were promised, by what they heard, and what else keeps an address from the others. */
export class DayPromises {
  readonly wire: Wire;
  readonly #promised = new Map<string, Promised>();
  readonly #own = new Map<string, string>();
  readonly #offered = new Map<string, Promised>();
  readonly #quarantined = new Map<string, number>();
  readonly #givenBack = new Map<string, number>();

  /** Machines whose address may be another one day, as their place in the file is. */
  readonly #free = new Set<string>();

  constructor(wire: Wire) {
    this.wire = wire;
  }

  /** The address that `mac` holds now. */
  of(mac: string, now: number): string | undefined {
    const address = this.#own.get(mac);
    const promised = address === undefined ? undefined : this.#promised.get(address);
    return promised?.mac === mac && promised.until > now ? address : undefined;
  }

  mayMove(mac: string): void {
    this.#free.add(mac);
  }

  offer(mac: string, address: string, now: number): void {
    this.#check('offered', mac, address, now);
    this.#offered.set(address, { mac, until: now + OFFERED });
  }

  promise(mac: string, address: string, until: number, now: number): void {
    this.#check('given', mac, address, now);
    this.forget(mac, now);
    this.#promised.set(address, { mac, until });
    this.#own.set(mac, address);
    if (this.#offered.get(address)?.mac === mac) this.#offered.delete(address);
  }

  /** The machine gave it back, or has another. */
  forget(mac: string, now: number): void {
    const address = this.#own.get(mac);
    this.#own.delete(mac);
    if (address === undefined || this.#promised.get(address)?.mac !== mac) return;
    this.#promised.delete(address);
    this.#givenBack.set(address, now);
  }

  quarantine(address: string, until: number): void {
    this.#quarantined.set(address, until);
  }

  isDeclined(address: string, now: number): boolean {
    return (this.#quarantined.get(address) ?? 0) > now;
  }

  /** Offers and quarantines are in the rack's memory only. */
  rackRestarted(): void {
    this.#offered.clear();
    this.#quarantined.clear();
  }

  /** How many addresses there is a reason not to give. */
  occupied(now: number): number {
    const taken = new Set<string>();
    for (const [address, { until }] of this.#promised) if (until + SLACK > now) taken.add(address);
    for (const [address, { until }] of this.#offered) if (until + SLACK > now) taken.add(address);
    for (const ends of [this.#quarantined, this.#givenBack]) {
      for (const [address, until] of ends) if (until + SLACK > now) taken.add(address);
    }
    return taken.size;
  }

  #check(what: string, mac: string, address: string, now: number): void {
    const present = this.#promised.get(address);
    const isFree = !present || present.mac === mac || present.until <= now;
    assert.ok(isFree, `${address} is ${what} to ${mac}, and ${present?.mac} has it for ${left(present, now)} ms more`);
    assert.ok(!this.isDeclined(address, now), `${address} is ${what} to ${mac}, and was declined`);
    const own = this.#free.has(mac) ? undefined : this.of(mac, now);
    assert.ok(own === undefined || own === address, `${address} is ${what} to ${mac}, which has ${own}`);
  }
}

function left(promised: Promised | undefined, now: number): number {
  return (promised?.until ?? now) - now;
}
