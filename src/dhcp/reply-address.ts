import { LIMITED_BROADCAST, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { BROADCAST_FLAG } from '../wire/dhcp/packet.ts';
import type { DhcpReply } from './reply.ts';

export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;

/** Where a reply goes. `link`: to the client's hardware address, as it has no IP address that would answer ARP. */
export type ReplyAddress =
  | { readonly kind: 'udp'; readonly address: Ip4; readonly port: number }
  | { readonly kind: 'link'; readonly address: Ip4; readonly port: number };

/** RFC 2131 §4.1, in its order: relay, NAK, configured client, broadcast on request, else unicast at layer 2. */
export function replyAddress(reply: DhcpReply): ReplyAddress {
  if (reply.sender) return { kind: 'udp', ...reply.sender };
  // RFC 2131 §4.3.5: to ciaddr itself, past the relay
  if (reply.answers === 'inform') return { kind: 'udp', address: reply.ciaddr, port: CLIENT_PORT };
  if (reply.giaddr !== UNSPECIFIED) return { kind: 'udp', address: reply.giaddr, port: reply.relayPort ?? SERVER_PORT };
  if (reply.type === MessageType.nak) return { kind: 'udp', address: LIMITED_BROADCAST, port: CLIENT_PORT };
  if (reply.ciaddr !== UNSPECIFIED) return { kind: 'udp', address: reply.ciaddr, port: CLIENT_PORT };
  if (reply.flags & BROADCAST_FLAG) return { kind: 'udp', address: LIMITED_BROADCAST, port: CLIENT_PORT };
  return { kind: 'link', address: reply.yiaddr, port: CLIENT_PORT };
}
