import { formatIp4, type Ip4 } from '../../addr/ip4.ts';
import type { DnsSettings, Plan, Upstream as UpstreamSettings } from '../../plan/plan.ts';
import { dotSocketPath } from '../../service/dot-socket.ts';
import type { EventSink } from '../../service/service.ts';
import type { StreamConnector } from '../../system/stream.ts';
import { nameKey } from '../../wire/dns/name.ts';
import { Routes } from './routes.ts';
import { StreamExchange } from './stream-exchange.ts';
import { UdpExchange, type ExchangeGround } from './udp-exchange.ts';
import { UpstreamGroup } from './upstream-group.ts';
import { Upstream } from './upstream.ts';

const DNS_PORT = 53;

export interface DirectoryGround extends ExchangeGround {
  readonly events: EventSink;
  readonly connector: StreamConnector;
}

/** What became of a Plan's upstreams. */
export interface Directions {
  readonly routes: Routes;
  readonly addresses: ReadonlySet<Ip4>;
  /** Others than before, or asked for other names. */
  readonly areOthers: boolean;
}

/** All upstreams of a Plan, each once, however many routes lead to it: what was learned of it outlives the Plan. */
export class UpstreamDirectory {
  readonly #ground: DirectoryGround;
  #upstreams = new Map<string, Upstream>();
  #described = '';

  constructor(ground: DirectoryGround) {
    this.#ground = ground;
  }

  get all(): readonly Upstream[] {
    return [...this.#upstreams.values()];
  }

  apply({ dns, rack, subnets }: Pick<Plan, 'dns' | 'rack' | 'subnets'>): Directions {
    const before = this.#upstreams;
    this.#upstreams = new Map();
    const ours = new Set(subnets.map(({ rackAddress }) => rackAddress));
    // Ourselves among them would ask ourselves for ever
    const usable = (all: readonly UpstreamSettings[]): readonly UpstreamSettings[] =>
      all.filter(({ address, port }) => port !== DNS_PORT || !ours.has(address));
    const group = (all: readonly UpstreamSettings[], domain: string): UpstreamGroup =>
      new UpstreamGroup(
        usable(all).map((settings) => this.#upstream(settings, domain, rack.control, before)),
        this.#ground.random,
      );
    const domains = dns.routes.map(({ domain, forward }) => [domain, group(forward, domain)] as const);
    const everything = dns.forward.length > 0 ? group(dns.forward, '') : undefined;
    for (const [name, upstream] of before) if (!this.#upstreams.has(name)) this.#dismiss(upstream);
    return {
      routes: new Routes(domains, everything),
      addresses: new Set(settingsOf(dns).map(({ address }) => address)),
      // Which can be used depends on our own addresses too
      areOthers: this.#isNews([
        usable(dns.forward),
        dns.routes.map(({ domain, forward }) => [domain, usable(forward)]),
      ]),
    };
  }

  close(): void {
    for (const upstream of this.all) upstream.close();
    this.#upstreams.clear();
  }

  #dismiss(upstream: Upstream): void {
    upstream.close();
    if (!upstream.health.isUp) this.#ground.events.emit({ kind: 'dns.upstream-dismissed', upstream: upstream.name });
  }

  #isNews(directions: unknown): boolean {
    const described = JSON.stringify(directions);
    const isNews = described !== this.#described;
    this.#described = described;
    return isNews;
  }

  #upstream(
    settings: UpstreamSettings,
    domain: string,
    control: string,
    before: ReadonlyMap<string, Upstream>,
  ): Upstream {
    const name = nameOf(settings);
    const upstream = this.#upstreams.get(name) ?? before.get(name) ?? this.#create(name, settings, domain, control);
    this.#upstreams.set(name, upstream);
    return upstream;
  }

  #create(name: string, settings: UpstreamSettings, domain: string, control: string): Upstream {
    const { loop, clock, random, events, connector } = this.#ground;
    const { address, port, tls } = settings;
    return new Upstream(name, nameKey(domain), {
      loop,
      clock,
      random,
      isTrusted: tls !== undefined,
      ...(tls === undefined && { datagrams: (watcher) => new UdpExchange(this.#ground, { address, port }, watcher) }),
      streams: (watcher) =>
        new StreamExchange(
          this.#ground,
          (handler) =>
            tls === undefined
              ? connector.connect({ address, port }, handler)
              : connector.connectUnix(dotSocketPath(control, settings), handler),
          watcher,
        ),
      onDown: (_upstream, reason) => events.emit({ kind: 'dns.upstream-failed', upstream: name, reason }),
      onUp: (_upstream, milliseconds) =>
        events.emit({ kind: 'dns.upstream-works', upstream: name, seconds: Math.round(milliseconds / 1000) }),
      onForgery: () => events.emit({ kind: 'dns.upstream-forged', upstream: name }),
    });
  }
}

function settingsOf({ forward, routes }: DnsSettings): readonly UpstreamSettings[] {
  return [...forward, ...routes.flatMap((route) => route.forward)];
}

/** "192.0.2.53", "192.0.2.53:5353", "192.0.2.53:853/dns.example.net". */
function nameOf({ address, port, tls }: UpstreamSettings): string {
  const where = port === DNS_PORT && tls === undefined ? formatIp4(address) : `${formatIp4(address)}:${port}`;
  return tls === undefined ? where : `${where}/${tls}`;
}
