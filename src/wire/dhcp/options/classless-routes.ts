import { netmask, type Cidr } from '../../../addr/cidr.ts';
import { readIp4, toIp4, writeIp4, type Ip4 } from '../../../addr/ip4.ts';

export interface ClasslessRoute {
  readonly to: Cidr;
  /** 0.0.0.0: on the link itself (RFC 3442, "Local Subnet Routes"). */
  readonly via: Ip4;
}

/**
 * Option 121 (RFC 3442), and Microsoft's 249 of the same form: prefix length, as many bytes of the network as that takes,
 * router. Bits behind the prefix count as zero. Undefined for none, a prefix above 32, or a route cut off.
 */
export function decodeClasslessRoutes(value: Uint8Array | undefined): readonly ClasslessRoute[] | undefined {
  if (!value || value.length === 0) return undefined;
  const routes: ClasslessRoute[] = [];
  let at = 0;
  while (at < value.length) {
    const prefix = value[at] ?? 0;
    const router = at + 1 + significantBytes(prefix);
    if (prefix > 32 || router + 4 > value.length) return undefined;
    const network = new Uint8Array(4);
    network.set(value.subarray(at + 1, router));
    routes.push({
      to: { network: toIp4(readIp4(network, 0) & netmask(prefix)), prefix },
      via: readIp4(value, router),
    });
    at = router + 4;
  }
  return routes;
}

export function encodeClasslessRoutes(routes: readonly ClasslessRoute[]): Uint8Array {
  const size = routes.reduce((sum, { to }) => sum + 5 + significantBytes(to.prefix), 0);
  const value = new Uint8Array(size);
  const network = new Uint8Array(4);
  let at = 0;
  for (const { to, via } of routes) {
    const length = significantBytes(to.prefix);
    writeIp4(network, 0, to.network);
    value[at] = to.prefix;
    value.set(network.subarray(0, length), at + 1);
    writeIp4(value, at + 1 + length, via);
    at += 5 + length;
  }
  return value;
}

/** RFC 3442, "Classless Route Option Format": the significant octets of the subnet number. */
function significantBytes(prefix: number): number {
  return Math.ceil(prefix / 8);
}
