import type { Plan, Upstream } from '../plan/plan.ts';
import { dotSocketPath } from '../service/dot-socket.ts';
import type { Counters } from '../service/letters.ts';
import type { Service, ServiceContext } from '../service/service.ts';
import { TlsBridge } from './tls-bridge.ts';

/**
 * DNS over TLS (RFC 7858) for the DNS service, which lives on a thread where TLS can't: what comes by a socket in the file
 * system goes to the upstream that belongs to it, and back.
 */
export class DotService implements Service {
  readonly #context: ServiceContext;
  #bridges = new Map<string, TlsBridge>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  apply(plan: Plan): void {
    const before = this.#bridges;
    this.#bridges = new Map();
    for (const upstream of upstreamsOverTls(plan)) {
      const path = dotSocketPath(plan.rack.control, upstream);
      const bridge = before.get(path) ?? new TlsBridge(this.#context, path, upstream);
      bridge.useAuthorities(upstream.ca);
      this.#bridges.set(path, bridge);
    }
    for (const [path, bridge] of before) if (!this.#bridges.has(path)) bridge.close();
  }

  counters(): Counters {
    const counters: Record<string, number> = {};
    for (const { name, counts } of this.#bridges.values()) {
      for (const [what, count] of Object.entries(counts)) counters[`${name}.${what}`] = count;
    }
    return counters;
  }

  close(): void {
    for (const bridge of this.#bridges.values()) bridge.close();
    this.#bridges.clear();
  }
}

function upstreamsOverTls({ dns }: Plan): (Upstream & { readonly tls: string })[] {
  return [dns.forward, ...dns.routes.map(({ forward }) => forward)]
    .flat()
    .flatMap((upstream) => (upstream.tls === undefined ? [] : [{ ...upstream, tls: upstream.tls }]));
}
