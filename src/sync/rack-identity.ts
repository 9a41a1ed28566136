import type { EventSink } from '../service/service.ts';
import { messageOf } from '../system/message-of.ts';
import type { Credentials, CredentialsFile } from './credentials-file.ts';
import { RackSecret } from './rack-secret.ts';

const NOT_ENROLLED = 'it has not been enrolled: `rackboot enrol --token …` does that';
const HALF_ENROLLED = 'its enrolment was not answered: call `rackboot enrol` once more, with the same token';

/**
 * Who this rack is. It may have two keys while it takes a new one: the new one is written down first, then told to the region, and the
 * old one is forgotten when the region has taken the new one for a question. Whatever is cut off on the way is taken up again.
 */
export class RackIdentity {
  readonly #file: CredentialsFile;
  readonly #events: EventSink;
  #credentials: Credentials = {};
  #stamp: string | undefined;
  #fault: string | undefined;
  /** The new key is used, to see whether the region knows it. */
  #triesNext = false;

  constructor(file: CredentialsFile, events: EventSink) {
    this.#file = file;
    this.#events = events;
    this.reread();
  }

  /** Undefined: nobody. */
  get authorization(): string | undefined {
    const { rack, key, next } = this.#credentials;
    if (rack === undefined || !key) return undefined;
    return (this.#triesNext && next ? next : key).authorizationOf(rack);
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
    return this.#triesNext ? undefined : this.#credentials.next;
  }

  /** To be called now and then: tells whether the file is another, and read. */
  reread(): boolean {
    const stamp = this.#file.stamp();
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    this.#triesNext = false;
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

  /** The region was told of the new key: it is used from now on. */
  told(): void {
    this.#triesNext = this.#credentials.next !== undefined;
  }

  /**
   * A question was answered that was asked by this authorization. Only one by the new key shows that the region knows that: others were
   * under way for long, perhaps.
   */
  works(authorization: string | undefined): void {
    const { rack, next, ...rest } = this.#credentials;
    if (rack === undefined || !next || authorization !== next.authorizationOf(rack)) return;
    // `rackboot enrol` has just written another one, which is read soon
    if (this.#file.stamp() !== this.#stamp) return;
    try {
      this.#write({ ...rest, rack, key: next });
    } catch {
      // The file has both: next time
      return;
    }
    this.#triesNext = false;
    this.#events.emit({ kind: 'region.key-changed' });
  }

  /** The key in use was not taken. Tells whether there is another one to try before it is worth a word. */
  tryOther(): boolean {
    if (!this.#credentials.next) return false;
    this.#triesNext = !this.#triesNext;
    return this.#triesNext;
  }

  hideIn(text: string): string {
    const { key, next } = this.#credentials;
    const bare = key?.hideIn(text) ?? text;
    return next?.hideIn(bare) ?? bare;
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
