import type { DnsQuery } from '../wire/dns/query.ts';
import type { DnsClient } from './dns-client.ts';
import type { ReplyOptions } from './reply-options.ts';
import type { CookieState } from './server-cookies.ts';

/** What a reply must keep to. */
export interface ReplyTerms {
  /** Octets, OPT included. */
  readonly limit: number;
  /** Who writes its OPT. */
  readonly options: Pick<ReplyOptions, 'size' | 'write'>;
  readonly cookie: CookieState;
}

/** Answers what is not in our zones. */
export interface ForwardDesk {
  /**
   * Returns the length of the reply written into `into`, which does not overlap the query. 0: there is none yet, and the client is
   * told by `later`; or it waits for the very same already.
   */
  ask(query: DnsQuery, client: DnsClient, into: Buffer, terms: ReplyTerms): number;
}
