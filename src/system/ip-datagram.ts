import type { LinkDestination } from './datagram.ts';
import { writeIp4 } from '../addr/ip4.ts';

const IP_HEADER = 20;
const UDP_HEADER = 8;
/** Bytes ahead of a payload. */
export const IP_AND_UDP = IP_HEADER + UDP_HEADER;
const UDP = 17;

/*
 *  0                   1                   2                   3
 * |Version|  IHL  |Type of Service|          Total Length         |   RFC 791 §3.1
 * |         Identification        |Flags|      Fragment Offset    |
 * |  Time to Live |    Protocol   |         Header Checksum       |
 * |                       Source Address                          |
 * |                    Destination Address                        |
 * |          Source Port          |       Destination Port        |   RFC 768
 * |            Length             |           Checksum            |
 */

/** Writes an IPv4 UDP datagram at `offset`; returns its length. DF is clear, TTL 64. */
export function writeIpDatagram(into: Uint8Array, offset: number, payload: Uint8Array, to: LinkDestination): number {
  const view = new DataView(into.buffer, into.byteOffset + offset);
  const total = IP_HEADER + UDP_HEADER + payload.length;
  view.setUint16(0, 0x4500);
  view.setUint16(2, total);
  view.setUint32(4, 0);
  view.setUint16(8, (64 << 8) | UDP);
  view.setUint16(10, 0);
  writeIp4(into, offset + 12, to.source);
  writeIp4(into, offset + 16, to.address);
  view.setUint16(20, to.sourcePort);
  view.setUint16(22, to.port);
  view.setUint16(24, UDP_HEADER + payload.length);
  view.setUint16(26, 0);
  into.set(payload, offset + IP_HEADER + UDP_HEADER);
  view.setUint16(10, checksum(view, 0, IP_HEADER, 0));
  // The pseudo header of RFC 768: both addresses, protocol and UDP length
  const pseudo = UDP + UDP_HEADER + payload.length;
  const sum = checksum(view, 12, total - 12, pseudo);
  view.setUint16(26, sum === 0 ? 0xffff : sum);
  return total;
}

/** One's complement of the one's complement sum of 16-bit words (RFC 1071), `start` added in. */
function checksum(view: DataView, offset: number, length: number, start: number): number {
  let sum = start;
  const even = length & ~1;
  for (let i = 0; i < even; i += 2) sum += view.getUint16(offset + i);
  if (length & 1) sum += view.getUint8(offset + even) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
