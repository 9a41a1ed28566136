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
/** Seconds between two secrets (RFC 7873 §7.1). The one before is good for as long again, so much longer than any cookie. */
const SECRET_AGE = 86_400;

/** What a client's cookie says of its address: it is its own, or nothing is known. */
export type CookieState = 'none' | 'client' | 'bad' | 'good';

/** Server cookies as other servers make them too (RFC 9018): who returns one has heard us at its address. */
export class ServerCookies {
  readonly #clock: Clock;
  readonly #newSecret: () => Uint8Array;
  readonly #input = new Uint8Array(HASHED);
  readonly #hash = new Uint8Array(8);
  #current: SipHash;
  #previous: SipHash | undefined;
  #since: number;

  /** `newSecret` makes 16 random bytes. */
  constructor(clock: Clock, newSecret: () => Uint8Array) {
    this.#clock = clock;
    this.#newSecret = newSecret;
    this.#current = new SipHash(newSecret());
    this.#since = clock.monotonic();
  }

  /** Looks at the cookie of `length` octets at `at`. */
  check(bytes: Uint8Array, at: number, length: number, address: Ip4): CookieState {
    if (length === CLIENT_COOKIE) return 'client';
    if (length !== CLIENT_COOKIE + SERVER_COOKIE || bytes[at + CLIENT_COOKIE] !== VERSION) return 'bad';
    const age = this.#ageOf(bytes, at);
    if (age > OLDEST || age < -FUTURE) return 'bad';
    this.#takeInput(bytes, at, address);
    const isOurs = this.#matches(this.#current, bytes, at) || this.#matches(this.#previous, bytes, at);
    return isOurs ? 'good' : 'bad';
  }

  /** Writes the client's cookie and ours to `into` at `to`: the one it has if that is `good` and not old, else a new one. */
  write(bytes: Uint8Array, at: number, state: CookieState, address: Ip4, into: Uint8Array, to: number): void {
    const keep = state === 'good' && this.#ageOf(bytes, at) < RENEW;
    const length = CLIENT_COOKIE + (keep ? SERVER_COOKIE : 0);
    for (let i = 0; i < length; i++) into[to + i] = bytes[at + i] ?? 0;
    if (keep) return;
    this.#rotate();
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
    this.#current.hash(this.#input, HASHED, into, server + 8);
  }

  /** Seconds, in the arithmetic of RFC 1982, as the time has 32 bits. */
  #ageOf(bytes: Uint8Array, at: number): number {
    const time = at + CLIENT_COOKIE + 4;
    const made =
      ((bytes[time] ?? 0) << 24) |
      ((bytes[time + 1] ?? 0) << 16) |
      ((bytes[time + 2] ?? 0) << 8) |
      (bytes[time + 3] ?? 0);
    return (this.#now() - made) | 0;
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000) | 0;
  }

  #takeInput(bytes: Uint8Array, at: number, address: Ip4): void {
    for (let i = 0; i < CLIENT_COOKIE + 8; i++) this.#input[i] = bytes[at + i] ?? 0;
    writeIp4(this.#input, CLIENT_COOKIE + 8, address);
  }

  /** Whoever measures how long it takes learns nothing of how much of it was right. */
  #matches(secret: SipHash | undefined, bytes: Uint8Array, at: number): boolean {
    if (!secret) return false;
    secret.hash(this.#input, HASHED, this.#hash, 0);
    let difference = 0;
    for (let i = 0; i < 8; i++) difference |= (this.#hash[i] ?? 0) ^ (bytes[at + CLIENT_COOKIE + 8 + i] ?? 0);
    return difference === 0;
  }

  #rotate(): void {
    const now = this.#clock.monotonic();
    if (now - this.#since < SECRET_AGE * 1000) return;
    this.#since = now;
    this.#previous = this.#current;
    this.#current = new SipHash(this.#newSecret());
  }
}
