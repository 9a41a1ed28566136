import { netmask, type Cidr } from '../addr/cidr.ts';
import { toIp4, type Ip4 } from '../addr/ip4.ts';
import { childKey, nameKey, type NameKey } from '../wire/dns/name.ts';

const IN_ADDR_ARPA = nameKey('in-addr.arpa');

/** "4.3.2.1.in-addr.arpa" for 1.2.3.4 (RFC 1035 §3.5). */
export function reverseKey(address: Ip4): NameKey {
  return reverseName(address, 32);
}

/**
 * Origins of the reverse zones that cover a subnet. Delegation in in-addr.arpa goes by whole octets, so a prefix
 * between two of them takes all the blocks of the next octet (a /22 takes four /24), and one longer than 24 takes
 * the /24 it is in, which other subnets may share, so that whoever asks the rack itself is answered; and beside it the
 * zone of its own that a parent delegates, whose CNAMEs lead there (RFC 2317 §4).
 */
export function reverseOrigins(cidr: Cidr): NameKey[] {
  const classless = classlessOrigin(cidr);
  return classless ? [...octetOrigins(cidr), classless] : octetOrigins(cidr);
}

/** "5.0/26.2.0.192.in-addr.arpa" for 192.0.2.5 in 192.0.2.0/26; undefined where reverse names end at an octet. */
export function classlessKey(cidr: Cidr, address: Ip4): NameKey | undefined {
  const origin = classlessOrigin(cidr);
  return origin && childKey(String(address & 255), origin);
}

/** The first address and the prefix length are its label, as in the examples of RFC 2317. */
function classlessOrigin({ network, prefix }: Cidr): NameKey | undefined {
  return prefix <= 24 ? undefined : childKey(`${network & 255}/${prefix}`, reverseName(network, 24));
}

function octetOrigins(cidr: Cidr): NameKey[] {
  const block = cidr.prefix <= 8 ? 8 : cidr.prefix <= 16 ? 16 : 24;
  const first = toIp4(cidr.network & netmask(block));
  const count = 2 ** Math.max(0, block - cidr.prefix);
  const step = 2 ** (32 - block);
  return Array.from({ length: count }, (_, index) => reverseName(toIp4(first + index * step), block));
}

/** `bits`: how much of the address is in the name, in whole octets. */
function reverseName(address: Ip4, bits: number): NameKey {
  let key = '';
  for (let shift = 32 - bits; shift < 32; shift += 8) {
    const octet = String((address >>> shift) & 255);
    key += String.fromCharCode(octet.length) + octet;
  }
  return (key + IN_ADDR_ARPA) as NameKey;
}
