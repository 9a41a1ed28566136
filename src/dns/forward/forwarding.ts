import type { Plan } from '../../plan/plan.ts';
import type { Counters } from '../../service/letters.ts';
import type { DnsQuery } from '../../wire/dns/query.ts';
import { AddressSet } from '../address-set.ts';
import type { DnsClient } from '../dns-client.ts';
import type { ForwardDesk, ReplyTerms } from '../forward-desk.ts';
import { CachingForwarder, type ForwardSettings } from './caching-forwarder.ts';
import { UpstreamDirectory, type DirectoryGround, type Directions } from './upstream-directory.ts';
import type { Upstream } from './upstream.ts';

/** The forwarder of the Plan in force, with its upstreams. */
export class Forwarding implements ForwardDesk {
  readonly #ground: DirectoryGround;
  readonly #directory: UpstreamDirectory;
  #forwarder: CachingForwarder | undefined;
  #isOn = false;

  constructor(ground: DirectoryGround) {
    this.#ground = ground;
    this.#directory = new UpstreamDirectory(ground);
  }

  apply(plan: Plan): void {
    const directions = this.#directory.apply(plan);
    const settings = settingsOf(plan, directions);
    this.#isOn = plan.dns.forward.length > 0 || plan.dns.routes.length > 0;
    if (this.#forwarder) this.#forwarder.apply(settings, directions.areOthers);
    else this.#forwarder = new CachingForwarder(this.#ground, settings);
  }

  /** Whether the Plan has upstreams. */
  get isOn(): boolean {
    return this.#isOn;
  }

  ask(query: DnsQuery, client: DnsClient, into: Buffer, { limit, options, cookie }: ReplyTerms): number {
    const { bytes, questionEnd, edns } = query;
    return this.#forwarder?.ask({ query, client, into, bytes, questionEnd, edns, limit, options, cookie }) ?? 0;
  }

  counters(): Counters {
    const forwarder = this.#forwarder;
    if (!forwarder) return {};
    const { entries, bytes, evicted } = forwarder.cacheLevels;
    const counters: Record<string, number> = {
      'cache.entries': entries,
      'cache.bytes': bytes,
      'cache.evicted': evicted,
      'forward.questions': forwarder.questions,
      'forward.waiting': forwarder.waiting,
    };
    for (const [name, count] of Object.entries(forwarder.counts)) counters[`forward.${counterName(name)}`] = count;
    for (const upstream of this.#directory.all) Object.assign(counters, upstreamCounters(upstream));
    return counters;
  }

  close(): void {
    this.#forwarder?.close();
    this.#directory.close();
  }
}

function settingsOf({ dns, subnets }: Plan, { routes, addresses }: Directions): ForwardSettings {
  return {
    routes,
    upstreamAddresses: addresses,
    clients: new AddressSet([...subnets.map(({ cidr }) => cidr), ...dns.allow]),
    cacheBytes: dns.cache.sizeBytes,
    staleSeconds: dns.cache.staleSeconds,
    prefetch: dns.cache.prefetch,
    leastTtl: dns.cache.leastTtlSeconds,
    mostTtl: dns.cache.mostTtlSeconds,
  };
}

/** `up`: 1 or 0; `rtt`: microseconds, absent until it was measured. */
function upstreamCounters({ name, counts, health }: Upstream): Record<string, number> {
  const counters: Record<string, number> = { [`upstream.${name}.up`]: health.isUp ? 1 : 0 };
  if (health.roundTrip !== undefined) counters[`upstream.${name}.rtt`] = Math.round(health.roundTrip * 1000);
  for (const [what, count] of Object.entries(counts)) counters[`upstream.${name}.${what}`] = count;
  return counters;
}

/** "overloadClient" → "overload-client". */
function counterName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
