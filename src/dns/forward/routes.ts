import { nameKey, parentKey, type NameKey } from '../../wire/dns/name.ts';
import type { UpstreamGroup } from './upstream-group.ts';

/** Where a name is asked for. */
export interface Route {
  /** The longest domain that holds the name. */
  readonly domain: NameKey;
  readonly group: UpstreamGroup;
}

/** Which upstreams know about which names. */
export class Routes {
  readonly #routes: ReadonlyMap<NameKey, Route>;

  /** `everything`: for names without a route of their own; absent: they are not asked for. */
  constructor(domains: readonly (readonly [domain: string, group: UpstreamGroup])[], everything?: UpstreamGroup) {
    const all = everything ? [...domains, ['', everything] as const] : domains;
    this.#routes = new Map(
      all.map(([domain, group]) => {
        const key = nameKey(domain);
        return [key, { domain: key, group }];
      }),
    );
  }

  find(key: NameKey): Route | undefined {
    for (let above: NameKey | undefined = key; above !== undefined; above = parentKey(above)) {
      const route = this.#routes.get(above);
      if (route) return route;
    }
    return undefined;
  }
}
