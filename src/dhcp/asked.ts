import { MessageType, messageTypeName } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeU8 } from '../wire/dhcp/options/integer.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';

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
export function askedOf({ options }: Pick<DhcpPacket, 'options'>): Asked | undefined {
  if (!options.has(OptionCode.messageType)) return 'bootp';
  return ASKED.get(decodeU8(options.get(OptionCode.messageType)) ?? 0);
}

/** Why a message that is none of these is not looked at. */
export function whyNotAsked({ options }: Pick<DhcpPacket, 'options'>): string {
  const found = messageTypeName(decodeU8(options.get(OptionCode.messageType)) ?? 0);
  return `expected a message of a DHCP client, found ${found}`;
}
