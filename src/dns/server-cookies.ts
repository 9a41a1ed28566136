import { writeIp4, type Ip4 } from '../addr/ip4.ts';
import type { Clock } from '../system/clock.ts';
import { CLIENT_COOKIE } from '../wire/dns/query.ts';
import { SipHash } from '../wire/dns/sip-hash.ts';

/** Octets of a server cookie: version, reserved, timestamp, hash (RFC 9018 §4). */
export const SERVER_COOKIE = 16;
const VERSION = 1;
/** Client cookie, the first half of the server's, and an IPv4 address: what the hash is of. */
const HASHED = 20;
/** Seconds that a cookie is good, how far it may come from the future, and from when on it is replaced (RFC 9018 §4.3). */
const OLDEST = 3600;
const FUTURE = 300;
const RENEW = 1800;
/** Seconds that a secret is used (RFC 7873 §7.1). */
const SECRET_AGE = 86_400;

interface Secret {
  readonly day: number;
  readonly hash: SipHash;
}

/** What a client's cookie says of its address: it is its own, or nothing is known. */
export type CookieState = 'none' | 'client' | 'bad' | 'good';

/**
 * Server cookies as other servers make them too (RFC 9018): who returns one has heard us at its address. Each day has a secret
 * of its own, which is that of all cookies made then: threads that make the same secrets take each other's cookies at any time.
 */
export class ServerCookies {
  readonly #clock: Clock;
  readonly #secretOf: (day: number) => Uint8Array;
  readonly #input = new Uint8Array(HASHED);
  readonly #hash = new Uint8Array(8);
  /** Those of two days: no cookie that is good, or made now, is of a third. */
  #secret: Secret;
  #other: Secret;

  /** `secretOf` makes the 16 bytes of a day since 1970. */
  constructor(clock: Clock, secretOf: (day: number) => Uint8Array) {
    this.#clock = clock;
    this.#secretOf = secretOf;
    this.#secret = this.#make(dayOf(this.#now()));
    this.#other = this.#secret;
  }

  /** Looks at the cookie of `length` octets at `at`. */
  check(bytes: Uint8Array, at: number, length: number, address: Ip4): CookieState {
    if (length === CLIENT_COOKIE) return 'client';
    if (length !== CLIENT_COOKIE + SERVER_COOKIE || bytes[at + CLIENT_COOKIE] !== VERSION) return 'bad';
    const age = this.#ageOf(bytes, at);
    if (age > OLDEST || age < -FUTURE) return 'bad';
    this.#takeInput(bytes, at, address);
    const secret = this.#find(dayOf(timeOf(bytes, at)));
    return this.#matches(secret, bytes, at) ? 'good' : 'bad';
  }

  /** Writes the client's cookie and ours to `into` at `to`: the one it has if that is `good` and not old, else a new one. */
  write(bytes: Uint8Array, at: number, state: CookieState, address: Ip4, into: Uint8Array, to: number): void {
    const keep = state === 'good' && this.#ageOf(bytes, at) < RENEW;
    const length = CLIENT_COOKIE + (keep ? SERVER_COOKIE : 0);
    for (let i = 0; i < length; i++) into[to + i] = bytes[at + i] ?? 0;
    if (keep) return;
    const server = to + CLIENT_COOKIE;
    const now = this.#now();
    into[server] = VERSION;
    into[server + 1] = 0;
    into[server + 2] = 0;
    into[server + 3] = 0;
    into[server + 4] = now >>> 24;
    into[server + 5] = (now >>> 16) & 255;
    into[server + 6] = (now >>> 8) & 255;
    into[server + 7] = now & 255;
    this.#takeInput(into, to, address);
    this.#find(dayOf(now)).hash(this.#input, HASHED, into, server + 8);
  }

  /** Seconds, in the arithmetic of RFC 1982, as the time has 32 bits. */
  #ageOf(bytes: Uint8Array, at: number): number {
    return (this.#now() - timeOf(bytes, at)) | 0;
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000) | 0;
  }

  #takeInput(bytes: Uint8Array, at: number, address: Ip4): void {
    for (let i = 0; i < CLIENT_COOKIE + 8; i++) this.#input[i] = bytes[at + i] ?? 0;
    writeIp4(this.#input, CLIENT_COOKIE + 8, address);
  }

  /** Whoever measures how long it takes learns nothing of how much of it was right. */
  #matches(secret: SipHash, bytes: Uint8Array, at: number): boolean {
    secret.hash(this.#input, HASHED, this.#hash, 0);
    let difference = 0;
    for (let i = 0; i < 8; i++) difference |= (this.#hash[i] ?? 0) ^ (bytes[at + CLIENT_COOKIE + 8 + i] ?? 0);
    return difference === 0;
  }

  #find(day: number): SipHash {
    if (this.#secret.day === day) return this.#secret.hash;
    if (this.#other.day !== day) this.#other = this.#make(day);
    [this.#secret, this.#other] = [this.#other, this.#secret];
    return this.#secret.hash;
  }

  #make(day: number): Secret {
    return { day, hash: new SipHash(this.#secretOf(day)) };
  }
}

/** When a cookie was made, in seconds as they stand in it. */
function timeOf(bytes: Uint8Array, at: number): number {
  const time = at + CLIENT_COOKIE + 4;
  return (
    ((bytes[time] ?? 0) << 24) | ((bytes[time + 1] ?? 0) << 16) | ((bytes[time + 2] ?? 0) << 8) | (bytes[time + 3] ?? 0)
  );
}

function dayOf(seconds: number): number {
  return Math.floor((seconds >>> 0) / SECRET_AGE);
}
