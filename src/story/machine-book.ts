import type { RackEvent } from '../timeline/event.ts';
import { freshFacts, learnEvent, type MachineFacts } from './machine-facts.ts';
import type { PathKinds } from './path-kinds.ts';

/** A rack has some thousands; a flood of made-up MACs must not fill the memory. What is forgotten is in the timeline. */
const MOST_MACHINES = 10_000;

/** More DHCP servers on one network are made up. */
const MOST_SERVERS = 4;
const SERVER_LATELY = 60 * 60_000;

/** What is known of each machine, the ones heard longest ago first. */
export class MachineBook {
  readonly #machines = new Map<string, MachineFacts>();
  readonly #most: number;
  #paths: PathKinds;
  /** Other DHCP servers that machines chose, or that are on the wire, and since when. */
  readonly #servers = new Map<string, number>();

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
    if (event.kind === 'dhcp.ignored' && event.server !== undefined) this.#learnServer(event.server, event.at);
    if (event.kind === 'dhcp-server.found') this.#learnServer(event.server, event.at);
    if (event.kind === 'dhcp-server.gone') this.#servers.delete(event.server);
    // A card that is seen on the wire and asks this rack for nothing is none of its machines
    if (mac === undefined || (event.source === 'watch' && !this.#machines.has(mac))) return;
    const facts = this.#machines.get(mac) ?? freshFacts(mac);
    learnEvent(facts, event, this.#paths);
    this.#machines.delete(mac);
    this.#machines.set(mac, facts);
    if (this.#machines.size <= this.#most) return;
    const [oldest] = this.#machines.keys();
    if (oldest !== undefined) this.#machines.delete(oldest);
  }

  /** Other DHCP servers that machines chose, or that were found, within the last hour. */
  otherServers(now: number): string[] {
    return Array.from(this.#servers)
      .filter(([, at]) => now - at < SERVER_LATELY)
      .map(([server]) => server);
  }

  #learnServer(server: string, at: number): void {
    this.#servers.delete(server);
    this.#servers.set(server, at);
    const [oldest] = this.#servers.keys();
    if (oldest !== undefined && this.#servers.size > MOST_SERVERS) this.#servers.delete(oldest);
  }

  find(mac: string): MachineFacts | undefined {
    return this.#machines.get(mac);
  }

  all(): readonly MachineFacts[] {
    return [...this.#machines.values()];
  }
}
