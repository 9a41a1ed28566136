import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { EventSink, Subject } from '../service/service.ts';
import type { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import { SeldomTold } from './seldom-told.ts';

/** Who sent a packet that is refused, as far as it can be read. */
export interface Sender {
  readonly mac?: Mac;
  readonly source: Ip4;
}

/** Counts packets that are refused, each by its reason, and tells of them in plain words, seldom enough to be read. */
export class Refusals {
  readonly #tally: Tally;
  readonly #events: EventSink;
  readonly #told: SeldomTold<string>;

  constructor(tally: Tally, events: EventSink, clock: Clock) {
    this.#tally = tally;
    this.#events = events;
    this.#told = new SeldomTold(clock);
  }

  refuse(counter: string, reason: string, sender: Sender): void {
    this.#tally.add(`refused.${counter}`);
    const subject = subjectOf(sender);
    if (this.#told.isDue(`${counter} ${subject.mac ?? subject.address ?? ''}`)) {
      this.#events.emit({ kind: 'dhcp.ignored', reason }, subject);
    }
  }
}

function subjectOf({ mac, source }: Sender): Subject {
  return mac === undefined ? { address: formatIp4(source) } : { mac: formatMac(mac) };
}
