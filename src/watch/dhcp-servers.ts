import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { EventSink } from '../service/service.ts';
import type { DhcpServerFact } from '../service/watch-letters.ts';
import type { Clock } from '../system/clock.ts';
import type { ServerWord } from './dhcp-message.ts';

/** More at a time are made up; as many again that answered us, so that what is only said hides none of them. */
const MOST_HEARD = 16;
const MOST_ANSWERING = 16;

interface Stranger extends DhcpServerFact {
  /** It answered our own question. */
  readonly answers: boolean;
  /** Monotonic milliseconds. */
  readonly heardAt: number;
}

/** Who may speak as a server on a wire. */
export interface Acquaintances {
  /** Our own addresses, and those of known servers and relays. */
  readonly addresses: ReadonlySet<Ip4>;
  readonly isOurs: (mac: Mac) => boolean;
  /** In whose name we ask. */
  readonly probe: Mac | undefined;
}

/** DHCP servers that nobody knows: told when they are first heard, and when they were silent for long. */
export class DhcpServers {
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #strangers = new Map<string, Stranger>();
  #areHidden = false;

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
  }

  get size(): number {
    return this.#strangers.size;
  }

  all(): DhcpServerFact[] {
    return [...this.#strangers.values()].map(({ heardAt: _heardAt, answers: _answers, ...fact }) => fact);
  }

  /** Something was said of a server. Whether it is a stranger. */
  hear(device: string, word: ServerWord, { addresses, isOurs, probe }: Acquaintances): boolean {
    const { server, sender, client, ...said } = word;
    const isKnown = addresses.has(server) || (sender !== undefined && addresses.has(sender));
    if (isKnown || (said.mac !== undefined && isOurs(said.mac))) return false;
    const key = `${server} ${device}`;
    const present = this.#strangers.get(key);
    const answers = present?.answers || (client !== undefined && client === probe && this.#hasRoom(true));
    if (!present && !answers && !this.#hasRoom(false)) return this.#hide();
    const [now, heardAt] = [this.#clock.now(), this.#clock.monotonic()];
    const before = present ?? { interface: device, address: server, since: now };
    this.#strangers.set(key, { ...before, ...said, answers, lastSeen: now, heardAt });
    // Of one that only its clients spoke of, it is now known which it is
    if (!present || (present.mac === undefined && said.mac !== undefined)) this.#tellFound(device, word);
    return true;
  }

  #hasRoom(answers: boolean): boolean {
    const others = [...this.#strangers.values()].filter((each) => each.answers === answers);
    return others.length < (answers ? MOST_ANSWERING : MOST_HEARD);
  }

  #hide(): true {
    if (!this.#areHidden) this.#events.emit({ kind: 'dhcp-server.hidden', shown: this.#strangers.size });
    this.#areHidden = true;
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
    if (!this.#areHidden || this.#strangers.size > MOST_HEARD / 2) return;
    this.#areHidden = false;
    this.#events.emit({ kind: 'dhcp-server.shown' });
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
