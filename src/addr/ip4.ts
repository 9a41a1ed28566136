/** An IPv4 address as an unsigned 32-bit number, most significant byte first. */
export type Ip4 = number & { readonly Ip4: unique symbol };

/** 0.0.0.0: "this host", or no address yet (RFC 1122 §3.2.1.3). */
export const UNSPECIFIED = 0 as Ip4;
/** 255.255.255.255: everyone on this link. */
export const LIMITED_BROADCAST = 0xffffffff as Ip4;

const DOTTED_QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Reads "192.0.2.1"; undefined for anything else, octal-looking "010.0.0.1" included. */
export function parseIp4(text: string): Ip4 | undefined {
  const match = DOTTED_QUAD.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || String(byte) !== part) return undefined;
    value = value * 256 + byte;
  }
  return value as Ip4;
}

/** "192.0.2.1" */
export function formatIp4(address: Ip4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Any number as an address, modulo 2³². */
export function toIp4(value: number): Ip4 {
  return (value >>> 0) as Ip4;
}

/** The address of four bytes at `offset`; the caller has checked that they are there. */
export function readIp4(bytes: Uint8Array, offset: number): Ip4 {
  const a = bytes[offset] ?? 0;
  const b = bytes[offset + 1] ?? 0;
  const c = bytes[offset + 2] ?? 0;
  const d = bytes[offset + 3] ?? 0;
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) as Ip4;
}

/** Puts the four bytes of `address` at `offset`. */
export function writeIp4(bytes: Uint8Array, offset: number, address: Ip4): void {
  bytes[offset] = address >>> 24;
  bytes[offset + 1] = (address >>> 16) & 255;
  bytes[offset + 2] = (address >>> 8) & 255;
  bytes[offset + 3] = address & 255;
}
