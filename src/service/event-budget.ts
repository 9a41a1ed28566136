import type { Clock } from '../system/clock.ts';
import type { EventBody } from '../timeline/event.ts';

/** How many events at once, and how many a second after that. */
export interface EventRate {
  readonly burst: number;
  readonly perSecond: number;
}

/** A thousand machines that power up make some 20,000 events within seconds. */
export const ORDINARY: EventRate = { burst: 20_000, perSecond: 2_000 };
/** Refusals and failures: a flood of forged packets must push neither history nor our own errors out of sight. */
export const TROUBLE: EventRate = { burst: 500, perSecond: 50 };

/** What is told once when it begins and once when it ends: lost in a flood, nobody would ever hear of it. */
export const LASTING: EventRate = { burst: 200, perSecond: 10 };

const LASTING_KINDS: ReadonlySet<EventBody['kind']> = new Set<EventBody['kind']>([
  'dhcp.store-failed',
  'dhcp.store-works',
  'dhcp.store-replaced',
  'dhcp.exhausted',
  'dhcp.range-claimed',
  'dhcp.range-believed',
  'dhcp.conflict-check-off',
  'dhcp.conflict-check-on',
  'dhcp.clock-set',
  'http.certificate-failed',
  'http.certificate-loaded',
  'image.published',
  'image.import-ended',
  'image.spoilt',
  'image.index-replaced',
  'image.removal-held',
  'image.removal-resumed',
  'dns.upstream-failed',
  'dns.upstream-works',
  'dns.upstream-dismissed',
  'dns.tls-failed',
  'dns.tls-works',
  'conflict.began',
  'conflict.ended',
  'conflict.hidden',
  'conflict.shown',
  'dhcp-server.found',
  'dhcp-server.gone',
  'dhcp-server.hidden',
  'dhcp-server.shown',
  'watch.blind',
  'watch.sees',
  'watch.store-failed',
  'watch.store-works',
  'watch.store-replaced',
  'region.connected',
  'region.lost',
  'region.refused',
  'region.forgotten',
  'region.clock-wrong',
  'region.clock-right',
  'region.key-changed',
  'region.key-restored',
  'region.key-failed',
  'region.outbox-failed',
  'region.outbox-works',
  'region.outbox-replaced',
  'region.went-back',
  'region.doubled',
]);

const TROUBLE_KINDS: ReadonlySet<EventBody['kind']> = new Set<EventBody['kind']>([
  'dhcp.ignored',
  'dhcp.nak',
  'dhcp.conflict',
  'tftp.failed',
  'tftp.refused',
  'http.failed',
  'http.refused',
  'image.refused',
  'dns.upstream-forged',
  'plan.refused',
  'service.failed',
  'region.record-refused',
]);

/** The rate that events of this kind are told at. */
export function rateOf(kind: EventBody['kind']): EventRate {
  if (TROUBLE_KINDS.has(kind)) return TROUBLE;
  return LASTING_KINDS.has(kind) ? LASTING : ORDINARY;
}

/** How many events a service may still tell: a bucket that fills with time. What it forbids is counted instead. */
export class EventBudget {
  readonly #clock: Clock;
  readonly #rate: EventRate;
  #left: number;
  #filledAt: number;
  #dropped = 0;

  constructor(clock: Clock, rate: EventRate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#left = rate.burst;
    this.#filledAt = clock.monotonic();
  }

  /** Events that were not told. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether an event may be told; one that may not is counted. */
  admits(): boolean {
    if (this.#left < 1) this.#fill();
    if (this.#left >= 1) return true;
    this.#dropped++;
    return false;
  }

  /** Takes one event's worth; false when there is none. */
  take(): boolean {
    if (!this.admits()) return false;
    this.#left--;
    return true;
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
  }
}
