import { readIp4, toIp4, writeIp4 } from '../../../addr/ip4.ts';

/** RFC 2131 §3.3: a time that never ends. */
export const FOREVER = 0xffffffff;

/** A time span: 51, 58, 59. Undefined for any length but four. */
export function decodeSeconds(value: Uint8Array | undefined): number | undefined {
  return value?.length === 4 ? readIp4(value, 0) : undefined;
}

/** `seconds`: 0 to FOREVER. */
export function encodeSeconds(seconds: number): Uint8Array {
  const value = new Uint8Array(4);
  writeIp4(value, 0, toIp4(seconds));
  return value;
}
