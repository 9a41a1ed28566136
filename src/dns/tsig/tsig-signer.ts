import type { NameKey } from '../../wire/dns/name.ts';
import { TSIG_ERROR, tsigSize, tsigTimers, tsigVariables, writeTsig, type Tsig } from '../../wire/dns/tsig.ts';
import type { TsigSecret } from './tsig-secret.ts';

/** Seconds that the clocks of two parties may be apart (RFC 8945 §10 recommends it). */
const FUDGE = 300;
const NOTHING = new Uint8Array();

/** What an answer says of the signature that it answers. */
export interface TsigFault {
  readonly error: number;
  /** The time of the request, and ours, where these are too far apart (RFC 8945 §5.2.3). */
  readonly timeSigned?: number;
  readonly other?: Uint8Array;
}

/** Signs one message, or those of one answer: each MAC covers the one before it. */
export class TsigSigner {
  readonly #secret: TsigSecret;
  readonly #fault: TsigFault;
  /** Of the request, then of the last message that was signed. */
  #previous: Uint8Array | undefined;
  #isFirst = true;

  /** `requestMac`: what is answered; absent for a request. */
  constructor(secret: TsigSecret, requestMac?: Uint8Array, fault: TsigFault = { error: TSIG_ERROR.NONE }) {
    this.#secret = secret;
    this.#previous = requestMac && Buffer.from(requestMac);
    this.#fault = fault;
  }

  /** Octets that it adds to a message, at most. */
  get size(): number {
    return tsigSize(this.#secret.name, this.#secret.algorithm, this.#secret.macSize);
  }

  /** The MAC of the message signed last: what the answer to a request is checked with. */
  get mac(): Uint8Array {
    return this.#previous ?? NOTHING;
  }

  /** Signs the message that fills `bytes` up to `length`, in place; returns its new length. `now`: Unix seconds. */
  sign(bytes: Buffer, length: number, now: number): number {
    const unsigned: Tsig = {
      key: this.#secret.name,
      algorithm: this.#secret.algorithm,
      timeSigned: this.#fault.timeSigned ?? now,
      fudge: FUDGE,
      mac: NOTHING,
      originalId: bytes.readUInt16BE(0),
      error: this.#fault.error,
      other: this.#fault.other ?? NOTHING,
    };
    const variables = this.#isFirst ? tsigVariables(unsigned) : tsigTimers(unsigned);
    const before = this.#previous ? withLength(this.#previous) : NOTHING;
    const mac = this.#secret.mac([before, bytes.subarray(0, length), variables]);
    this.#previous = mac;
    this.#isFirst = false;
    return writeTsig({ ...unsigned, mac }, bytes, length);
  }
}

/** A MAC as the next one covers it (RFC 8945 §4.3.1). */
export function withLength(mac: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([mac.length >>> 8, mac.length & 255]), mac]);
}

/** The record of an answer that can't be signed, as the key is not known or the signature is wrong (RFC 8945 §5.3.2). */
export function writeUnsignedFault(request: Tsig, error: number, bytes: Buffer, length: number): number {
  return writeTsig({ ...request, mac: NOTHING, error, other: NOTHING }, bytes, length);
}

/** Octets of that record. */
export function unsignedFaultSize({ key, algorithm }: { readonly key: NameKey; readonly algorithm: NameKey }): number {
  return tsigSize(key, algorithm, 0);
}
