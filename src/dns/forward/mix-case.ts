import type { NameKey } from '../../wire/dns/name.ts';
import type { RandomBits } from '../../system/random-bits.ts';

const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const CASE_BIT = 0x20;

/**
 * The name with each letter large or small at random (draft-vixie-dnsext-dns0x20): a server repeats the question as it
 * came, and who forges an answer has to guess it.
 */
export function mixCase(key: NameKey, random: RandomBits): string {
  let mixed = '';
  let bits = 0;
  let left = 0;
  for (let i = 0; i < key.length; i++) {
    const char = key.charCodeAt(i);
    // Length octets are below 64
    const isLetter = char >= LOWER_A && char <= LOWER_Z;
    if (isLetter && left === 0) {
      bits = random.uint16();
      left = 16;
    }
    mixed += String.fromCharCode(isLetter && (bits & 1) === 1 ? char ^ CASE_BIT : char);
    if (!isLetter) continue;
    bits >>>= 1;
    left--;
  }
  return mixed;
}
