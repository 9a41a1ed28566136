import { formatIp4, parseIp4, toIp4 } from '../../../addr/ip4.ts';
import { formatIp6, parseIp6 } from '../../../addr/ip6.ts';
import type { Field } from './field.ts';
import { uint } from './number.ts';
import { TextError } from './text-error.ts';
import { showWord } from './words.ts';

const EXPECTED_IP4 = 'an IPv4 address like 192.0.2.1';
const EXPECTED_IP6 = 'an IPv6 address like 2001:db8::1';

/** RFC 1035 §3.4.1 */
export const ip4: Field = {
  parse: (words) => ip4Wire(words.take(EXPECTED_IP4).text),
  read: (reader) => reader.take(4),
  format: (reader) => formatIp4(toIp4(reader.u32())),
};

/** RFC 3596 §2.2 */
export const ip6: Field = {
  parse: (words) => ip6Wire(words.take(EXPECTED_IP6).text),
  read: (reader) => reader.take(16),
  format: (reader) => formatIp6(reader.take(16)),
};

export function ip4Wire(text: string): string {
  const address = parseIp4(text);
  if (address === undefined) throw new TextError(EXPECTED_IP4, showWord(text));
  return uint(address, 4);
}

export function ip6Wire(text: string): string {
  const octets = parseIp6(text);
  if (octets === undefined) throw new TextError(EXPECTED_IP6, showWord(text));
  return octets;
}
