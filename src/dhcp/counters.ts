import { MessageType } from '../wire/dhcp/message-type.ts';
import type { Asked } from './asked.ts';
import type { DhcpReply } from './reply.ts';

/** What a message is counted as when it comes. */
export const RECEIVED: Readonly<Record<Asked, string>> = {
  discover: 'received.discover',
  request: 'received.request',
  decline: 'received.decline',
  release: 'received.release',
  inform: 'received.inform',
  bootp: 'received.bootp',
};

const SENT: Readonly<Record<DhcpReply['type'], string>> = {
  [MessageType.offer]: 'sent.offer',
  [MessageType.ack]: 'sent.ack',
  [MessageType.nak]: 'sent.nak',
};

/** What a reply is counted as when it leaves. */
export function sentCounter({ answers, type }: DhcpReply): string {
  if (answers === 'bootp') return 'sent.bootp';
  if (answers === 'proxy') return type === MessageType.offer ? 'sent.proxy-offer' : 'sent.proxy-ack';
  return SENT[type];
}
