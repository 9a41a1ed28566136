import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeU8 } from '../wire/dhcp/options/integer.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { handleBootp } from './bootp.ts';
import { handleDecline } from './decline.ts';
import { handleDiscover } from './discover.ts';
import type { Decision, Exchange } from './exchange.ts';
import { handleInform } from './inform.ts';
import { offerOnLink } from './link.ts';
import { handleRelease } from './release.ts';
import { handleRequest } from './request.ts';

/** The kinds of message a server takes from clients. */
export type Asked = 'discover' | 'request' | 'decline' | 'release' | 'inform' | 'bootp';

const ASKED: ReadonlyMap<number, Asked> = new Map([
  [MessageType.discover, 'discover'],
  [MessageType.request, 'request'],
  [MessageType.decline, 'decline'],
  [MessageType.release, 'release'],
  [MessageType.inform, 'inform'],
]);

/** Option 53; without it BOOTP (RFC 1534 §2). Undefined for what only servers send. */
export function askedOf({ options }: DhcpPacket): Asked | undefined {
  if (!options.has(OptionCode.messageType)) return 'bootp';
  return ASKED.get(decodeU8(options.get(OptionCode.messageType)) ?? 0);
}

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
