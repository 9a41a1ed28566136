import type { RackEvent } from '../timeline/event.ts';
import { freshFacts, learnEvent, type MachineFacts } from './machine-facts.ts';
import type { PathKinds } from './path-kinds.ts';

/** A rack has some thousands; a flood of made-up MACs must not fill the memory. What is forgotten is in the timeline. */
const MOST_MACHINES = 10_000;

/** More DHCP servers on one network are made up. */
const MOST_SERVERS = 4;
const SERVER_LATELY = 60 * 60_000;

/** Conflicts that the watch shows are fewer. */
const MOST_USERS = 256;

/**
 * What is known of each machine, the ones heard longest ago first. Those that never had an address have room of their own:
 * made-up ones take none from machines that did.
 */
export class MachineBook {
  readonly #machines = new Map<string, MachineFacts>();
  readonly #strangers = new Map<string, MachineFacts>();
  readonly #most: number;
  #paths: PathKinds;
  /** Other DHCP servers that machines chose, or that are on the wire, and since when. */
  readonly #servers = new Map<string, number>();
  /** Who uses an address without a right to it. */
  readonly #users = new Map<string, string>();

  constructor(paths: PathKinds, most = MOST_MACHINES) {
    this.#paths = paths;
    this.#most = most;
  }

  /** Of a new Plan: what was learned stays as it was understood then. */
  apply(paths: PathKinds): void {
    this.#paths = paths;
  }

  get size(): number {
    return this.#machines.size + this.#strangers.size;
  }

  get paths(): PathKinds {
    return this.#paths;
  }

  learn(event: RackEvent): void {
    const { mac } = event;
    if (event.kind === 'dhcp.ignored' && event.server !== undefined) this.#learnServer(event.server, event.at);
    if (event.kind === 'dhcp-server.found') this.#learnServer(event.server, event.at);
    if (event.kind === 'dhcp-server.gone') this.#servers.delete(event.server);
    this.#learnUser(event);
    if (event.kind === 'service.ready' && event.service === 'watch') this.#forgetQuarrels();
    // A card that is seen on the wire and asks this rack for nothing is none of its machines
    if (mac === undefined || (event.source === 'watch' && !this.find(mac))) return;
    const facts = this.find(mac) ?? freshFacts(mac);
    learnEvent(facts, event, this.#paths);
    const isKnown = this.#machines.delete(mac) || facts.address !== undefined;
    this.#strangers.delete(mac);
    const shelf = isKnown ? this.#machines : this.#strangers;
    shelf.set(mac, facts);
    if (shelf.size > this.#most) deleteOldest(shelf);
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
    if (this.#servers.size > MOST_SERVERS) deleteOldest(this.#servers);
  }

  #learnUser({ kind, address, mac }: RackEvent): void {
    if (address === undefined || mac === undefined) return;
    if (kind === 'conflict.ended' && this.#users.get(address) === mac) this.#users.delete(address);
    if (kind !== 'conflict.began') return;
    this.#users.set(address, mac);
    if (this.#users.size > MOST_USERS) deleteOldest(this.#users);
  }

  /** A watch that begins tells of all conflicts that there are. */
  #forgetQuarrels(): void {
    this.#users.clear();
    for (const facts of this.all()) facts.quarrels = [];
  }

  /** The MAC that is seen to use an address without a right to it. */
  userOf(address: string): string | undefined {
    return this.#users.get(address);
  }

  find(mac: string): MachineFacts | undefined {
    return this.#machines.get(mac) ?? this.#strangers.get(mac);
  }

  all(): readonly MachineFacts[] {
    return [...this.#strangers.values(), ...this.#machines.values()];
  }
}

function deleteOldest(shelf: Map<string, unknown>): void {
  const [oldest] = shelf.keys();
  if (oldest !== undefined) shelf.delete(oldest);
}
