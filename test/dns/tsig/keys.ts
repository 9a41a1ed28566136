import type { KeyFinder } from '../../../src/dns/tsig/verify-tsig.ts';
import { TsigSecret } from '../../../src/dns/tsig/tsig-secret.ts';

/** The octets "12345678901234567890123456789012". */
export const SECRET = Buffer.from('MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=', 'base64');
export const XFER = new TsigSecret('xfer.example', 'hmac-sha256', SECRET);
export const RACK = new TsigSecret('rack.example', 'hmac-sha512', SECRET);

export function keysOf(...secrets: readonly TsigSecret[]): KeyFinder {
  return { find: (name) => secrets.find((secret) => secret.name === name) };
}
