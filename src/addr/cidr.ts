import { formatIp4, parseIp4, toIp4, type Ip4 } from './ip4.ts';

/** An IPv4 network: `network` has no host bit set. */
export interface Cidr {
  readonly network: Ip4;
  readonly prefix: number;
}

/** Reads "192.0.2.0/24"; undefined for bad spelling, a prefix above 32, or an address with host bits set. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, length, ...rest] = text.split('/');
  if (address === undefined || length === undefined || rest.length > 0 || !/^(0|[1-9]\d?)$/.test(length))
    return undefined;
  const network = parseIp4(address);
  const prefix = Number(length);
  if (network === undefined || prefix > 32) return undefined;
  return toIp4(network & netmask(prefix)) === network ? { network, prefix } : undefined;
}

/** "192.0.2.0/24" */
export function formatCidr(cidr: Cidr): string {
  return `${formatIp4(cidr.network)}/${cidr.prefix}`;
}

/** 24 → 255.255.255.0 */
export function netmask(prefix: number): Ip4 {
  return toIp4(prefix === 0 ? 0 : 0xffffffff << (32 - prefix));
}

/** The last address of the network: all host bits set. */
export function broadcastOf(cidr: Cidr): Ip4 {
  return toIp4(cidr.network | ~netmask(cidr.prefix));
}

export function cidrContains(cidr: Cidr, address: Ip4): boolean {
  return toIp4(address & netmask(cidr.prefix)) === cidr.network;
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix ? cidrContains(a, b.network) : cidrContains(b, a.network);
}
