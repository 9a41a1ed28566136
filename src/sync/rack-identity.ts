import type { EventSink } from '../service/service.ts';
import { messageOf } from '../system/message-of.ts';
import type { Credentials, CredentialsFile } from './credentials-file.ts';
import { RackSecret } from './rack-secret.ts';

const NOT_ENROLLED = 'it has not been enrolled: `rackboot enrol --token …` does that';
const HALF_ENROLLED = 'its enrolment was not answered: call `rackboot enrol` once more, with the same token';

/**
 * Who this rack is. It may have two keys while it takes a new one: the new one is written down first, then told to the region, and takes
 * the place of the old one when the region has taken it for a question. The key before is kept: a region that was put back to an older
 * time may know that one alone, and is told of the present one anew. Whatever is cut off on the way is taken up again.
 */
export class RackIdentity {
  readonly #file: CredentialsFile;
  readonly #events: EventSink;
  #credentials: Credentials = {};
  #stamp: string | undefined;
  #fault: string | undefined;
  /** The one that is used, where it is not the present one. */
  #inUse: RackSecret | undefined;
  /** Keys that the region did not take when they were last used. */
  readonly #unknown = new Set<RackSecret>();
  /** The region takes the key before, and not the present one. */
  #isBehind = false;

  constructor(file: CredentialsFile, events: EventSink) {
    this.#file = file;
    this.#events = events;
    this.reread();
  }

  /** Undefined: nobody. */
  get authorization(): string | undefined {
    const { rack, key } = this.#credentials;
    if (rack === undefined || !key) return undefined;
    return (this.#inUse ?? key).authorizationOf(rack);
  }

  get rack(): string | undefined {
    return this.#credentials.rack;
  }

  get whyNobody(): string {
    if (this.#fault !== undefined) return this.#fault;
    return this.#credentials.pending ? HALF_ENROLLED : NOT_ENROLLED;
  }

  /** A key that the region is still to be told of. */
  get untold(): RackSecret | undefined {
    const { key, next, previous } = this.#credentials;
    if (this.#inUse === undefined) return next;
    return this.#inUse === previous && this.#isBehind ? key : undefined;
  }

  /** To be called now and then: tells whether the file is another, and read. */
  reread(): boolean {
    const stamp = this.#file.stamp();
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    this.#inUse = undefined;
    this.#unknown.clear();
    this.#isBehind = false;
    try {
      this.#credentials = this.#file.read();
      this.#fault = undefined;
    } catch (error) {
      this.#credentials = {};
      this.#fault = messageOf(error);
    }
    return true;
  }

  /** Makes a new key because of this order, unless that was done; 0: there is none. Throws when the disk does not take it: then nothing is changed. */
  beginRotation(order: number): boolean {
    // Of what `rackboot enrol` has just written nothing is to be lost
    this.reread();
    const { rotated = 0, key } = this.#credentials;
    if (order < rotated) this.#goBack(order);
    if (order <= rotated || !key) return false;
    this.#write({ ...this.#credentials, next: this.#credentials.next ?? RackSecret.create(), rotated: order });
    return true;
  }

  /** The region was told of this key: it is used from now on. */
  told(told: RackSecret): void {
    const { key, next } = this.#credentials;
    if (told === next) this.#inUse = next;
    else if (told === key) this.#inUse = undefined;
  }

  /**
   * A question was answered that was asked by this authorization. It shows that the region knows that key and says nothing of the
   * others: it was under way for long, perhaps.
   */
  works(authorization: string | undefined): void {
    const { key, next, previous } = this.#credentials;
    const secret = this.#secretOf(authorization);
    if (!secret) return;
    this.#unknown.delete(secret);
    if (secret === next) this.#takeNext();
    if (secret === previous) this.#isBehind ||= this.#inUse === previous;
    if (secret !== key) return;
    if (previous) this.#unknown.delete(previous);
    if (this.#isBehind && this.#inUse === undefined) {
      this.#isBehind = false;
      this.#events.emit({ kind: 'region.key-restored' });
    }
  }

  /**
   * This authorization was not taken. Tells whether there is another one to try before it is worth a word: each is tried once at once,
   * and then in turn.
   */
  tryOther(authorization: string | undefined): boolean {
    const keys = this.#secrets();
    const secret = this.#secretOf(authorization);
    // Another has moved on already, or it is not even ours any more
    if (authorization !== this.authorization || !secret) return keys.some((each) => !this.#unknown.has(each));
    const isKnown = this.#unknown.has(secret);
    this.#unknown.add(secret);
    this.#isBehind = false;
    const other = keys[(keys.indexOf(secret) + 1) % keys.length] ?? secret;
    this.#inUse = other === this.#credentials.key ? undefined : other;
    return !isKnown && !this.#unknown.has(other);
  }

  hideIn(text: string): string {
    const { pending } = this.#credentials;
    const all = [...this.#secrets(), ...(pending ? [pending.key] : [])];
    return all.reduce((bare, secret) => secret.hideIn(bare), text);
  }

  /** In the order in which they are tried. */
  #secrets(): RackSecret[] {
    const { key, next, previous } = this.#credentials;
    return [key, next, previous].filter((secret) => secret !== undefined);
  }

  #secretOf(authorization: string | undefined): RackSecret | undefined {
    const { rack } = this.#credentials;
    if (rack === undefined) return undefined;
    return this.#secrets().find((secret) => secret.authorizationOf(rack) === authorization);
  }

  #takeNext(): void {
    const { key, next, previous: _older, ...rest } = this.#credentials;
    if (!key || !next) return;
    // `rackboot enrol` has just written another one, which is read soon
    if (this.#file.stamp() !== this.#stamp) return;
    try {
      this.#write({ ...rest, key: next, previous: key });
    } catch {
      // The file has both: next time
      return;
    }
    this.#inUse = undefined;
    this.#unknown.clear();
    this.#isBehind = false;
    this.#events.emit({ kind: 'region.key-changed' });
  }

  /** The region was put back to an older time: its next order is a new one all the same. */
  #goBack(order: number): void {
    const { rotated: _greater, ...rest } = this.#credentials;
    try {
      this.#write({ ...rest, ...(order > 0 && { rotated: order }) });
    } catch {
      // It says so again
    }
  }

  #write(credentials: Credentials): void {
    this.#file.write(credentials);
    this.#credentials = credentials;
    this.#stamp = this.#file.stamp();
  }
}
