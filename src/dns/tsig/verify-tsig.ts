import type { NameKey } from '../../wire/dns/name.ts';
import { findTsig, readTsig, TSIG_ERROR, tsigVariables, type Tsig } from '../../wire/dns/tsig.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { TsigSecret } from './tsig-secret.ts';
import { withLength } from './tsig-signer.ts';

/** RFC 8945 §5.2.2.1: no MAC of fewer octets is looked at. */
const SHORTEST_MAC = 10;

/** What a message's signature is worth. */
export type Verdict =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'good'; readonly tsig: Tsig; readonly secret: TsigSecret }
  /** Told by an answer without a MAC: it would prove nothing (BADKEY), or help to forge one (BADSIG). */
  | { readonly kind: 'unproven'; readonly tsig: Tsig; readonly error: number }
  /** The key is right, but not the time, or the MAC is cut short: told by a signed answer (RFC 8945 §5.2.3, §5.2.4). */
  | { readonly kind: 'unfit'; readonly tsig: Tsig; readonly secret: TsigSecret; readonly error: number }
  | { readonly kind: 'malformed' };

/** Finds a key by its name. */
export interface KeyFinder {
  find(name: NameKey): TsigSecret | undefined;
}

/**
 * Checks the signature of a message in the order of RFC 8945 §5.2: key, MAC, time, truncation. `now`: Unix seconds;
 * `requestMac`: where the message is an answer, what it must cover.
 */
export function verifyTsig(bytes: Uint8Array, keys: KeyFinder, now: number, requestMac?: Uint8Array): Verdict {
  const found = locate(bytes);
  if (!found) return { kind: found === undefined ? 'unsigned' : 'malformed' };
  const { tsig, start } = found;
  const secret = keys.find(tsig.key);
  if (secret?.algorithm !== tsig.algorithm) return { kind: 'unproven', tsig, error: TSIG_ERROR.BADKEY };
  if (!isLengthAllowed(tsig.mac.length, secret.macSize)) return { kind: 'malformed' };
  const before = requestMac ? [withLength(requestMac)] : [];
  const parts = [...before, ...withoutTsig(bytes, tsig, start), tsigVariables(tsig)];
  if (!secret.isMac(tsig.mac, parts)) return { kind: 'unproven', tsig, error: TSIG_ERROR.BADSIG };
  const isInTime = Math.abs(now - tsig.timeSigned) <= tsig.fudge;
  if (!isInTime) return { kind: 'unfit', tsig, secret, error: TSIG_ERROR.BADTIME };
  if (tsig.mac.length < secret.macSize) return { kind: 'unfit', tsig, secret, error: TSIG_ERROR.BADTRUNC };
  return { kind: 'good', tsig, secret };
}

/** Undefined for a message without TSIG, null for one that can't be read. */
function locate(bytes: Uint8Array): { readonly tsig: Tsig; readonly start: number } | undefined | null {
  try {
    const start = findTsig(bytes);
    return start === undefined ? undefined : { tsig: readTsig(bytes, start), start };
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

/** RFC 8945 §5.2.2.1: neither longer than the algorithm's, nor shorter than half of it, nor than ten octets. */
function isLengthAllowed(length: number, whole: number): boolean {
  return length <= whole && length >= Math.max(SHORTEST_MAC, whole / 2);
}

/** The message as it was before it was signed: without the record, with its own ID (RFC 8945 §4.3.2). */
function withoutTsig(bytes: Uint8Array, { originalId }: Tsig, start: number): Uint8Array[] {
  const header = Buffer.from(bytes.subarray(0, 12));
  header.writeUInt16BE(originalId, 0);
  header.writeUInt16BE(header.readUInt16BE(10) - 1, 10);
  return [header, bytes.subarray(12, start)];
}
