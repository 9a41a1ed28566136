import type { LeaseBook } from '../leases/lease-book.ts';
import type { EventSink } from '../service/service.ts';
import type { Tally } from '../service/tally.ts';
import type { Addresses } from './addresses.ts';
import { messageOf } from '../system/message-of.ts';

/** Writes leases down, and knows whether the disk takes them. */
export class LeaseCommits {
  readonly #tally: Tally;
  readonly #events: EventSink;
  #fault: string | undefined;

  constructor({ tally, events }: { tally: Tally; events: EventSink }) {
    this.#tally = tally;
    this.#events = events;
  }

  /** Why leases can't be written now. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Whether every lease of this batch is on disk. */
  commit(addresses: Addresses): boolean {
    try {
      addresses.commit();
      return true;
    } catch (error) {
      this.#tally.add('refused.store-failed');
      this.failed(messageOf(error));
      return false;
    }
  }

  /** One event when it begins and one when it ends, however many packets come in between. */
  failed(reason: string): void {
    if (this.#fault === undefined) this.#events.emit({ kind: 'dhcp.store-failed', reason });
    this.#fault = reason;
  }

  /** Asks a disk that refused whether it takes leases again. */
  retry(book: LeaseBook): void {
    if (this.#fault === undefined) return;
    try {
      book.write();
    } catch {
      return;
    }
    this.#fault = undefined;
    this.#events.emit({ kind: 'dhcp.store-works' });
  }
}
