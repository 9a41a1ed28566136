import { readIp4, writeIp4, type Ip4 } from '../../../addr/ip4.ts';

/** One address: 1, 28, 50, 54, 118. Undefined for any length but four. */
export function decodeIp4(value: Uint8Array | undefined): Ip4 | undefined {
  return value?.length === 4 ? readIp4(value, 0) : undefined;
}

export function encodeIp4(address: Ip4): Uint8Array {
  return encodeIp4List([address]);
}

/** One address or more: 3, 6, 42, 150. Undefined for none, or for a broken last one. */
export function decodeIp4List(value: Uint8Array | undefined): readonly Ip4[] | undefined {
  if (!value || value.length === 0 || value.length % 4 !== 0) return undefined;
  const addresses: Ip4[] = [];
  for (let at = 0; at < value.length; at += 4) addresses.push(readIp4(value, at));
  return addresses;
}

export function encodeIp4List(addresses: readonly Ip4[]): Uint8Array {
  const value = new Uint8Array(addresses.length * 4);
  for (const [index, address] of addresses.entries()) writeIp4(value, index * 4, address);
  return value;
}
