import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { EventSink, Subject } from '../service/service.ts';
import type { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';

/** One event for a reason and a sender in this time: what is wrong with a packet is wrong with the next one. */
const QUIET_MILLISECONDS = 60_000;
/** Reasons and senders remembered. */
const MOST = 4_096;

/** Who sent a packet that is refused, as far as it can be read. */
export interface Sender {
  readonly mac?: Mac;
  readonly source: Ip4;
}

/** Counts packets that are refused, each by its reason, and tells of them in plain words, seldom enough to be read. */
export class Refusals {
  readonly #tally: Tally;
  readonly #events: EventSink;
  readonly #clock: Clock;
  readonly #toldAt = new Map<string, number>();

  constructor(tally: Tally, events: EventSink, clock: Clock) {
    this.#tally = tally;
    this.#events = events;
    this.#clock = clock;
  }

  refuse(counter: string, reason: string, sender: Sender): void {
    this.#tally.add(`refused.${counter}`);
    const subject = subjectOf(sender);
    if (this.#isDue(`${counter} ${subject.mac ?? subject.address ?? ''}`)) {
      this.#events.emit({ kind: 'dhcp.ignored', reason }, subject);
    }
  }

  #isDue(key: string): boolean {
    const now = this.#clock.monotonic();
    const toldAt = this.#toldAt.get(key);
    if (toldAt !== undefined && now - toldAt < QUIET_MILLISECONDS) return false;
    if (this.#toldAt.size >= MOST) this.#toldAt.clear();
    this.#toldAt.set(key, now);
    return true;
  }
}

function subjectOf({ mac, source }: Sender): Subject {
  return mac === undefined ? { address: formatIp4(source) } : { mac: formatMac(mac) };
}
