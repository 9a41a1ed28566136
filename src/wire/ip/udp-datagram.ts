import { readIp4, type Ip4 } from '../../addr/ip4.ts';

const SMALLEST_IP_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;

export interface UdpDatagram {
  readonly source: Ip4;
  readonly sourcePort: number;
  readonly destination: Ip4;
  readonly port: number;
  /** A view of the packet, without what padding follows it. */
  readonly payload: Uint8Array;
  /** Some of the payload was not written down. */
  readonly isCut: boolean;
}

/*
 *  0                   1                   2                   3
 * |Version|  IHL  |Type of Service|          Total Length         |   RFC 791 §3.1
 * |         Identification        |Flags|      Fragment Offset    |
 * |  Time to Live |    Protocol   |         Header Checksum       |
 * |                       Source Address                          |
 * |                    Destination Address                        |
 * |                            Options …                          |
 * |          Source Port          |       Destination Port        |   RFC 768
 * |            Length             |           Checksum            |
 */
/**
 * Reads an IPv4 packet that is a UDP datagram, or begins one; undefined for any other: a fragment, another protocol, or one that
 * is cut short in its headers. Of data that is cut short there is what is left. No checksum is looked at: those of our own
 * machine's are not filled in before the network card.
 */
export function readUdpDatagram(packet: Uint8Array): UdpDatagram | undefined {
  const first = packet[0] ?? 0;
  const header = (first & 15) * 4;
  if (first >>> 4 !== 4 || header < SMALLEST_IP_HEADER || packet.length < header + UDP_HEADER) return undefined;
  // RFC 791 §3.1: neither more fragments to come nor an offset
  const isFragment = (readU16(packet, 6) & 0x3fff) !== 0;
  if (packet[9] !== UDP || isFragment) return undefined;
  const udp = packet.subarray(header);
  const length = readU16(udp, 4);
  return {
    source: readIp4(packet, 12),
    sourcePort: readU16(udp, 0),
    destination: readIp4(packet, 16),
    port: readU16(udp, 2),
    payload: udp.subarray(UDP_HEADER, Math.max(UDP_HEADER, length)),
    isCut: length > udp.length,
  };
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
