import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

import { cidrContains, type Cidr } from '../addr/cidr.ts';
import { parseIp4 } from '../addr/ip4.ts';

const OF_PROXIES = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'] as const;

/**
 * Leaves of what proxies say of a request only what one of ours says: who asked it, and whether that was encrypted. Anybody else could
 * write it himself. `from`: who is at the other end of the connection.
 */
export function vouchHeaders(headers: IncomingHttpHeaders, from: string | undefined, proxies: readonly Cidr[]): void {
  const isOurs = (address: string): boolean => {
    const ip = parseIp4(address);
    return ip !== undefined && proxies.some((proxy) => cidrContains(proxy, ip));
  };
  const [chain, scheme] = [headers['x-forwarded-for'], headers['x-forwarded-proto']];
  for (const name of OF_PROXIES) delete headers[name];
  if (from === undefined || !isOurs(from)) return;
  headers['x-forwarded-for'] = askerOf(wordsOf(chain), from, isOurs);
  const last = wordsOf(scheme).at(-1)?.toLowerCase();
  if (last === 'https' || last === 'http') headers['x-forwarded-proto'] = last;
}

/** Each proxy writes at the end whom it has the request from: what stands before one that is none of ours is that one's word. */
function askerOf(chain: readonly string[], from: string, isOurs: (address: string) => boolean): string {
  let asker = from;
  for (const address of chain.toReversed()) {
    if (isIP(address) === 0) return asker;
    asker = address;
    if (!isOurs(address)) return asker;
  }
  return asker;
}

function wordsOf(header: string | readonly string[] | undefined): string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
