import type { Ip4 } from '../addr/ip4.ts';
import { UNSPECIFIED } from '../addr/ip4.ts';
import type { ClassMatch, Host, OptionWishes, Plan, Subnet } from '../plan/plan.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeClasslessRoutes, encodeClasslessRoutes } from '../wire/dhcp/options/classless-routes.ts';
import { decodeIp4List } from '../wire/dhcp/options/ip4.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { isOfClass } from './client-class.ts';
import type { Client } from './client.ts';
import { encodeOption } from './encode-option.ts';
import type { OptionSet } from './option-set.ts';
import { standingOptions, type StandingOptions } from './standing-options.ts';

/** Lists of wishes remembered for a subnet: a rack meets some ten makes of client, and a flood of made-up ones costs no more. */
const MOST_LISTS = 256;
/** Route options whose reader ignores option 3 (RFC 3442): 121, and Microsoft's own number for it. */
const ROUTE_CODES = [OptionCode.classlessRoutes, OptionCode.msClasslessRoutes] as const;
const NOTHING: OptionSet = { options: new Map(), always: new Set() };

/** The Plan's options, encoded once; a client's are those of all, its subnet, its classes and its host, laid over each other. */
export class OptionLayers {
  /** Those of all clients and the subnet. */
  readonly #subnets: ReadonlyMap<Subnet, OptionSet>;
  /** The same with default routes, for whom no class and no host says more. */
  readonly #usual: ReadonlyMap<Subnet, OptionSet>;
  /** What comes of the usual layers, by the bytes of option 55. */
  readonly #standing = new Map<Subnet, Map<string | undefined, StandingOptions>>();
  readonly #classes: readonly { readonly match: ClassMatch; readonly layer: OptionSet }[];
  readonly #hosts: ReadonlyMap<Host, OptionSet>;

  constructor(plan: Pick<Plan, 'options' | 'subnets' | 'classes' | 'hosts'>) {
    const all = encodeLayer(plan.options);
    this.#subnets = new Map(plan.subnets.map((subnet) => [subnet, overlay([all, encodeLayer(subnet.options)])]));
    this.#usual = new Map(Array.from(this.#subnets, ([subnet, layer]) => [subnet, withDefaultRoutes(layer, subnet)]));
    this.#classes = (plan.classes ?? []).map(({ match, options }) => ({ match, layer: encodeLayer(options) }));
    const hosts = plan.hosts.filter((host) => host.options !== undefined);
    this.#hosts = new Map(hosts.map((host) => [host, encodeLayer(host.options)]));
  }

  /** What this client is sent whatever it is granted. */
  standing(client: Client, packet: DhcpPacket, subnet: Subnet, host: Host | undefined): StandingOptions {
    const set = this.of(client, packet, subnet, host);
    const list = packet.options.get(OptionCode.parameterList);
    if (set !== this.#usual.get(subnet)) return standingOptions(subnet, set, list);
    const known = this.#shelf(subnet);
    const key = list && Buffer.from(list.buffer, list.byteOffset, list.length).toString('latin1');
    const present = known.get(key);
    if (present) return present;
    const made = standingOptions(subnet, set, list);
    if (known.size >= MOST_LISTS) known.clear();
    known.set(key, made);
    return made;
  }

  #shelf(subnet: Subnet): Map<string | undefined, StandingOptions> {
    const present = this.#standing.get(subnet);
    if (present) return present;
    const made = new Map<string | undefined, StandingOptions>();
    this.#standing.set(subnet, made);
    return made;
  }

  of(client: Client, packet: DhcpPacket, subnet: Subnet, host: Host | undefined): OptionSet {
    const classes = this.#classes.filter(({ match }) => isOfClass(match, client, packet));
    const own = host && this.#hosts.get(host);
    if (classes.length === 0 && !own) return this.#usual.get(subnet) ?? NOTHING;
    const layers = [this.#subnets.get(subnet) ?? NOTHING, ...classes.map(({ layer }) => layer), own ?? NOTHING];
    return withDefaultRoutes(overlay(layers), subnet);
  }
}

function encodeLayer(wishes: OptionWishes | undefined): OptionSet {
  if (!wishes) return NOTHING;
  const options = new Map(wishes.settings.map((setting) => [setting.code, encodeOption(setting)]));
  return { options, always: new Set(wishes.always) };
}

/** Later layers win; by rising number, so that the same client always gets the same reply. */
function overlay(layers: readonly OptionSet[]): OptionSet {
  const options = layers.flatMap((layer) => [...layer.options]).toSorted(([a], [b]) => a - b);
  return { options: new Map(options), always: new Set(layers.flatMap((layer) => [...layer.always])) };
}

/**
 * A client that reads classless routes MUST ignore the router option (RFC 3442), and would be left without its default
 * route: routes that have none get one by way of the router.
 */
function withDefaultRoutes(set: OptionSet, subnet: Subnet): OptionSet {
  const router = decodeIp4List(set.options.get(OptionCode.router)?.value)?.[0] ?? subnet.router;
  if (router === undefined || !ROUTE_CODES.some((code) => set.options.has(code))) return set;
  const options = new Map(set.options);
  for (const code of ROUTE_CODES) {
    const option = options.get(code);
    if (option) options.set(code, { code, value: addDefaultRoute(option.value, router) });
  }
  return { ...set, options };
}

/** Raw bytes that are no routes stay as they are written. */
function addDefaultRoute(value: Uint8Array, router: Ip4): Uint8Array {
  const routes = decodeClasslessRoutes(value);
  if (!routes || routes.some(({ to }) => to.prefix === 0)) return value;
  return encodeClasslessRoutes([...routes, { to: { network: UNSPECIFIED, prefix: 0 }, via: router }]);
}
