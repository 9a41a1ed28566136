import type { RackEvent } from '../timeline/event.ts';
import type { EventOf } from './machine-facts.ts';

/** More DHCP servers on one network are made up. */
const MOST_SERVERS = 4;
/** A server that a machine chose may be gone since; one that was found on the wire is told of when it is. */
const CHOSEN_LATELY = 60 * 60_000;
/** The watch tells of no more at a time. */
const MOST_CONFLICTS = 128;

/** What the watch says of a machine that uses an address. */
export type Conflict = EventOf<'conflict.began'>;

/** What is so on the wires now, whichever machine it is told of: who uses whose address, and which other DHCP servers there are. */
export class WireBook {
  /** When machines last chose them. */
  readonly #chosen = new Map<string, number>();
  readonly #found = new Set<string>();
  readonly #conflicts = new Map<string, Conflict>();

  learn(event: RackEvent): void {
    this.#learnServers(event);
    if (event.kind === 'conflict.began' && this.#conflicts.size < MOST_CONFLICTS)
      this.#conflicts.set(keyOf(event), event);
    if (event.kind === 'conflict.ended') this.#conflicts.delete(keyOf(event));
    if (event.kind === 'service.ready' && event.service === 'watch') this.#beginAnew();
  }

  /** Other DHCP servers that are on the wire, or that machines chose within the last hour. */
  otherServers(now: number): string[] {
    const chosen = Array.from(this.#chosen).flatMap(([server, at]) => (now - at < CHOSEN_LATELY ? [server] : []));
    return [...new Set([...this.#found, ...chosen])].slice(0, MOST_SERVERS);
  }

  conflicts(): Conflict[] {
    return [...this.#conflicts.values()];
  }

  #learnServers(event: RackEvent): void {
    if (event.kind === 'dhcp.ignored' && event.server !== undefined) this.#choose(event.server, event.at);
    if (event.kind === 'dhcp-server.found' && this.#found.size < MOST_SERVERS) this.#found.add(event.server);
    if (event.kind !== 'dhcp-server.gone') return;
    this.#found.delete(event.server);
    this.#chosen.delete(event.server);
  }

  /** A watch that starts looks for itself, and tells what it finds. */
  #beginAnew(): void {
    this.#found.clear();
    this.#conflicts.clear();
  }

  #choose(server: string, at: number): void {
    this.#chosen.delete(server);
    this.#chosen.set(server, at);
    const [oldest] = this.#chosen.keys();
    if (oldest !== undefined && this.#chosen.size > MOST_SERVERS) this.#chosen.delete(oldest);
  }
}

function keyOf({ interface: device, mac, address }: Pick<Conflict, 'interface' | 'mac' | 'address'>): string {
  return `${device} ${mac} ${address}`;
}
