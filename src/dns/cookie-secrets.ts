import { createHmac } from 'node:crypto';

const SECRET = 16;

/**
 * The secrets of server cookies by the day (RFC 7873 §7.1), from a key that is the rack's and lives as long as that: who finds out
 * one of them knows no other.
 */
export function cookieSecrets(key: Uint8Array): (day: number) => Uint8Array {
  return (day) => createHmac('sha256', key).update(`cookies of day ${day}`).digest().subarray(0, SECRET);
}
