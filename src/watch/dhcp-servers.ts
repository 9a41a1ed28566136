import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { EventSink } from '../service/service.ts';
import type { DhcpServerFact } from '../service/watch-letters.ts';
import type { Clock } from '../system/clock.ts';
import type { ServerWord } from './dhcp-message.ts';

/** More at a time are made up. */
const MOST_SERVERS = 32;

interface Stranger extends DhcpServerFact {
  /** Monotonic milliseconds. */
  readonly heardAt: number;
}

/** Who may speak as a server on a wire. */
export interface Acquaintances {
  /** Our own addresses, and those of known servers and relays. */
  readonly addresses: ReadonlySet<Ip4>;
  readonly isOurs: (mac: Mac) => boolean;
}

/** DHCP servers that nobody knows: told when they are first heard, and when they were silent for long. */
export class DhcpServers {
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #strangers = new Map<string, Stranger>();

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
  }

  get size(): number {
    return this.#strangers.size;
  }

  all(): DhcpServerFact[] {
    return [...this.#strangers.values()].map(({ heardAt: _heardAt, ...fact }) => fact);
  }

  /** Something was said of a server. Whether it is a stranger. */
  hear(device: string, word: ServerWord, { addresses, isOurs }: Acquaintances): boolean {
    const { server, sender, ...said } = word;
    const isKnown = addresses.has(server) || (sender !== undefined && addresses.has(sender));
    if (isKnown || (said.mac !== undefined && isOurs(said.mac))) return false;
    const key = `${server} ${device}`;
    const present = this.#strangers.get(key);
    if (!present && this.#strangers.size >= MOST_SERVERS) return true;
    const [now, heardAt] = [this.#clock.now(), this.#clock.monotonic()];
    const before = present ?? { interface: device, address: server, since: now };
    this.#strangers.set(key, { ...before, ...said, lastSeen: now, heardAt });
    if (!present) this.#tellFound(device, word);
    return true;
  }

  /** Forgets those that are known now, are on interfaces no more, or were silent for so long. */
  sweep(silence: number, isStrange: (device: string, server: Ip4) => boolean): void {
    const now = this.#clock.monotonic();
    for (const [key, { interface: device, address, mac, heardAt }] of this.#strangers) {
      if (now - heardAt < silence && isStrange(device, address)) continue;
      this.#strangers.delete(key);
      const server = formatIp4(address);
      this.#events.emit({ kind: 'dhcp-server.gone', interface: device, server }, subjectOf(mac));
    }
  }

  #tellFound(device: string, { server, mac, offered, router, bootFile }: ServerWord): void {
    this.#events.emit(
      {
        kind: 'dhcp-server.found',
        interface: device,
        server: formatIp4(server),
        ...(offered !== undefined && { offers: formatIp4(offered) }),
        ...(router !== undefined && { router: formatIp4(router) }),
        ...(bootFile !== undefined && { bootFile }),
      },
      subjectOf(mac),
    );
  }
}

function subjectOf(mac: Mac | undefined): { mac?: string } {
  return mac === undefined ? {} : { mac: formatMac(mac) };
}
