import { hexByte } from './hex.ts';

/** A 48-bit Ethernet address as a number, first byte most significant (a double holds 53 bits exactly). */
export type Mac = number & { readonly Mac: unique symbol };

export const BROADCAST_MAC = 0xffffffffffff as Mac;

const SPELLINGS = [
  /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i,
  /^[0-9a-f]{12}$/i,
  /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i,
];

/** Reads 52:54:00:12:34:56, 52-54-00-12-34-56, 5254.0012.3456 or 525400123456; undefined for anything else. */
export function parseMac(text: string): Mac | undefined {
  if (!SPELLINGS.some((spelling) => spelling.test(text))) return undefined;
  return Number.parseInt(text.replaceAll(/[^0-9a-f]/gi, ''), 16) as Mac;
}

/** "52:54:00:12:34:56", or with another separator. */
export function formatMac(mac: Mac, separator = ':'): string {
  const high = Math.floor(mac / 0x1000000);
  const low = mac % 0x1000000;
  const first = hexByte(high >>> 16) + separator + hexByte((high >>> 8) & 255) + separator + hexByte(high & 255);
  return (
    first + separator + hexByte(low >>> 16) + separator + hexByte((low >>> 8) & 255) + separator + hexByte(low & 255)
  );
}

/** The address of six bytes at `offset`; the caller has checked that they are there. */
export function readMac(bytes: Uint8Array, offset: number): Mac {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (bytes[offset + i] ?? 0);
  return value as Mac;
}

/** Puts the six bytes of `mac` at `offset`. */
export function writeMac(bytes: Uint8Array, offset: number, mac: Mac): void {
  let rest: number = mac;
  for (let i = 5; i >= 0; i--) {
    bytes[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}
