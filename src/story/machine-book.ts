import type { RackEvent } from '../timeline/event.ts';
import { freshFacts, learnEvent, type MachineFacts } from './machine-facts.ts';
import type { PathKinds } from './path-kinds.ts';

/** A rack has some thousands; a flood of made-up MACs must not fill the memory. What is forgotten is in the timeline. */
const MOST_MACHINES = 10_000;

/** What is known of each machine, the ones heard longest ago first. */
export class MachineBook {
  readonly #machines = new Map<string, MachineFacts>();
  readonly #most: number;
  #paths: PathKinds;

  constructor(paths: PathKinds, most = MOST_MACHINES) {
    this.#paths = paths;
    this.#most = most;
  }

  /** Of a new Plan: what was learned stays as it was understood then. */
  apply(paths: PathKinds): void {
    this.#paths = paths;
  }

  get size(): number {
    return this.#machines.size;
  }

  get paths(): PathKinds {
    return this.#paths;
  }

  learn(event: RackEvent): void {
    const { mac } = event;
    if (mac === undefined) return;
    const facts = this.#machines.get(mac) ?? freshFacts(mac);
    learnEvent(facts, event, this.#paths);
    this.#machines.delete(mac);
    this.#machines.set(mac, facts);
    if (this.#machines.size <= this.#most) return;
    const [oldest] = this.#machines.keys();
    if (oldest !== undefined) this.#machines.delete(oldest);
  }

  find(mac: string): MachineFacts | undefined {
    return this.#machines.get(mac);
  }

  all(): readonly MachineFacts[] {
    return [...this.#machines.values()];
  }
}
