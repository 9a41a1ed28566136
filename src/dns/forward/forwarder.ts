import type { DnsQuery } from '../../wire/dns/query.ts';
import type { Client } from './open-questions.ts';

/** Answers what is not in our zones with what others know. */
export interface Forwarder {
  /**
   * Returns the length of the reply that was written into `into`, which does not overlap the query, `limit` at most. 0: there is
   * none yet, and the function that `later` returns gets it, valid only inside the call, or never, where the client must ask
   * again. `later` is called for such a query only.
   */
  ask(query: DnsQuery, client: Client, into: Buffer, limit: number, later: () => (reply: Uint8Array) => void): number;
}
