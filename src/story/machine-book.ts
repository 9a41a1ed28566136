import { isProbeMac } from '../plan/check-watch.ts';
import type { RackEvent } from '../timeline/event.ts';
import { freshFacts, learnEvent, type MachineFacts } from './machine-facts.ts';
import type { PathKinds } from './path-kinds.ts';
import { WireBook } from './wire-book.ts';

/** A rack has some thousands; a flood of made-up MACs must not fill the memory. What is forgotten is in the timeline. */
const MOST_MACHINES = 10_000;

/** What a Plan says of machines. */
export interface BookGround {
  readonly paths: PathKinds;
  /** Whether the file names a machine with this MAC. */
  readonly isHost: (mac: string) => boolean;
}

/** What is known of each machine, and of the wires they are on. */
export class MachineBook {
  /** Of both the ones heard longest ago first: those that any sender may have made up, which are forgotten first, and the others. */
  readonly #strangers = new Map<string, MachineFacts>();
  readonly #known = new Map<string, MachineFacts>();
  readonly #most: number;
  #ground: BookGround;
  readonly wires = new WireBook();

  constructor(ground: BookGround, most = MOST_MACHINES) {
    this.#ground = ground;
    this.#most = most;
  }

  /** Of a new Plan: what was learned stays as it was understood then. */
  apply(ground: BookGround): void {
    this.#ground = ground;
  }

  get size(): number {
    return this.#strangers.size + this.#known.size;
  }

  get paths(): PathKinds {
    return this.#ground.paths;
  }

  learn(event: RackEvent): void {
    this.wires.learn(event);
    const { mac } = event;
    // Another rack looks for DHCP servers, and wants no address
    if (mac === undefined || isProbeMac(mac)) return;
    const present = this.find(mac);
    // A card that is seen on the wire and asks this rack for nothing is none of its machines
    if (event.source === 'watch' && !present) return;
    const facts = present ?? freshFacts(mac);
    learnEvent(facts, event, this.#ground.paths);
    this.#put(facts);
    if (this.size > this.#most) forgetOldest(this.#strangers.size > 0 ? this.#strangers : this.#known);
  }

  /** Whether nobody made it up: it has had an address or a file, or is a host of the file. */
  isKnown(mac: string): boolean {
    return this.#known.has(mac) || this.#ground.isHost(mac);
  }

  find(mac: string): MachineFacts | undefined {
    return this.#known.get(mac) ?? this.#strangers.get(mac);
  }

  all(): readonly MachineFacts[] {
    return [...this.#strangers.values(), ...this.#known.values()];
  }

  #put(facts: MachineFacts): void {
    const { mac, address, arrived } = facts;
    const isKnown = this.#known.delete(mac);
    this.#strangers.delete(mac);
    // There are only so many addresses to be had
    const isReal = isKnown || address !== undefined || arrived.length > 0 || this.#ground.isHost(mac);
    (isReal ? this.#known : this.#strangers).set(mac, facts);
  }
}

function forgetOldest(machines: Map<string, MachineFacts>): void {
  const [oldest] = machines.keys();
  if (oldest !== undefined) machines.delete(oldest);
}
