import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { TimerHeap } from '../system/timer-heap.ts';
import type { ClientKey } from './lease.ts';

/** An address promised to one client for a moment, or kept from everyone (`client` absent). */
interface Hold {
  readonly client: ClientKey | undefined;
  /** Who was seen to use the address kept from everyone: that one may have it still. */
  readonly user?: Mac;
  readonly until: number;
}

/**
 * Addresses held without a lease: offered and not yet requested, or declined and in quarantine. Memory only: an
 * offer binds nobody (RFC 2131 §3.1/2). Times are monotonic milliseconds.
 */
export class Offers {
  readonly #holds = new Map<Ip4, Hold>();
  readonly #byClient = new Map<ClientKey, Ip4>();
  readonly #ends = new TimerHeap<Ip4>();

  holder(address: Ip4): Hold | undefined {
    return this.#holds.get(address);
  }

  /** The address offered to `client`. */
  of(client: ClientKey): Ip4 | undefined {
    return this.#byClient.get(client);
  }

  /** Holds `address` for `client`; what that client was offered before comes free and is returned. */
  offer(address: Ip4, client: ClientKey, until: number): Ip4 | undefined {
    const earlier = this.#byClient.get(client);
    const freed = earlier !== undefined && earlier !== address ? this.release(client) : undefined;
    this.#hold(address, { client, until });
    this.#byClient.set(client, address);
    return freed;
  }

  /** Keeps `address` from everyone, but for a `user` that was seen with it. */
  quarantine(address: Ip4, until: number, user?: Mac): void {
    this.#hold(address, { client: undefined, until, ...(user !== undefined && { user }) });
  }

  /** The client took its offer, or something else: returns the address that is no longer held. */
  release(client: ClientKey): Ip4 | undefined {
    const address = this.#byClient.get(client);
    if (address === undefined) return undefined;
    this.#byClient.delete(client);
    this.#holds.delete(address);
    return address;
  }

  get nextEnd(): number | undefined {
    return this.#ends.earliest;
  }

  /** Addresses whose hold ended up to `now`. */
  takeEnded(now: number): Ip4[] {
    const ended: Ip4[] = [];
    for (let address = this.#ends.popDue(now); address !== undefined; address = this.#ends.popDue(now)) {
      const hold = this.#holds.get(address);
      if (!hold || hold.until > now) continue;
      this.#holds.delete(address);
      if (hold.client !== undefined) this.#byClient.delete(hold.client);
      ended.push(address);
    }
    return ended;
  }

  #hold(address: Ip4, hold: Hold): void {
    // A repeated DISCOVER extends the hold within the same minute: no new entry in the heap for each
    const present = this.#holds.get(address);
    if (present?.client !== undefined && present.client !== hold.client) this.#byClient.delete(present.client);
    const isSame = present?.client === hold.client && present?.user === hold.user;
    if (present && isSame && hold.until - present.until < 1000) return;
    this.#holds.set(address, hold);
    // Another user for the same time: it ends with the entry that is there
    if (present?.until !== hold.until) this.#ends.push(hold.until, address);
  }
}
