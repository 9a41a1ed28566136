import type { DnsSettings } from '../../src/plan/plan.ts';

/** What a Plan says of DNS whose file says nothing of it, but for `rack.name` as NSID. */
export const NO_DNS: DnsSettings = {
  zones: [],
  domains: [],
  names: [],
  keys: [],
  transfer: [],
  notify: [],
  forward: [],
  routes: [],
  allow: [],
  cache: {
    sizeBytes: 32 * 1024 * 1024,
    staleSeconds: 86_400,
    prefetch: true,
    leastTtlSeconds: 0,
    mostTtlSeconds: 86_400,
  },
  rateLimit: { responses: 200, windowSeconds: 15, slip: 2 },
  threads: 1,
  nsid: 'rack-a1',
  queryLog: false,
};
