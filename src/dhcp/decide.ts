import type { Asked } from './asked.ts';
import { handleBootp } from './bootp.ts';
import { handleDecline } from './decline.ts';
import { handleDiscover } from './discover.ts';
import type { Decision, Exchange } from './exchange.ts';
import { handleInform } from './inform.ts';
import { offerOnLink } from './link.ts';
import { handleRelease } from './release.ts';
import { handleRequest } from './request.ts';

/** What a message comes to. `on`: the exchange on the subnet that was chosen for it. */
export interface Decided {
  readonly on: Exchange;
  readonly decision: Decision;
}

export function decide(exchange: Exchange, asked: Asked): Decided {
  switch (asked) {
    // A client that has no address yet: of several subnets the first that has one for it
    case 'discover':
      return offerOnLink(exchange, handleDiscover);
    case 'bootp':
      return offerOnLink(exchange, handleBootp);
    case 'request':
      return { on: exchange, decision: handleRequest(exchange) };
    case 'decline':
      return { on: exchange, decision: handleDecline(exchange) };
    case 'release':
      return { on: exchange, decision: handleRelease(exchange) };
    case 'inform':
      return { on: exchange, decision: handleInform(exchange) };
  }
}
