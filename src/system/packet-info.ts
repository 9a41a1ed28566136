import { readIp4, toIp4, type Ip4 } from '../addr/ip4.ts';
import type { Outbound } from './datagram.ts';
import { PACKET_INFO_SPACE, type MessageBatch } from './message-batch.ts';

export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;

/*
 * struct cmsghdr { size_t len; int level; int type } and behind it
 * struct in_pktinfo { int ifindex; in_addr spec_dst; in_addr addr }; addr is the destination in the header of what came.
 */

/** Which interface a received message came in by, and the address it was sent to; zeros when the kernel did not tell. */
export function readPacketInfo(batch: MessageBatch, index: number): { ifindex: number; destination: Ip4 } {
  if (batch.receivedControl(index) < PACKET_INFO_SPACE - 4) return { ifindex: 0, destination: toIp4(0) };
  const at = batch.controlOffset(index);
  return { ifindex: batch.arenaView.getInt32(at + 16, true), destination: readIp4(batch.arena, at + 24) };
}

/** The control message that names our address and interface; returns its length, 0 for none. */
export function writePacketInfo(batch: MessageBatch, index: number, to: Outbound): number {
  if (to.source === undefined && to.ifindex === undefined) return 0;
  const at = batch.controlOffset(index);
  const view = batch.arenaView;
  view.setBigUint64(at, 28n, true);
  view.setUint32(at + 8, IPPROTO_IP, true);
  view.setUint32(at + 12, IP_PKTINFO, true);
  view.setInt32(at + 16, to.ifindex ?? 0, true);
  view.setUint32(at + 20, to.source ?? 0);
  view.setUint32(at + 24, 0);
  return PACKET_INFO_SPACE;
}
