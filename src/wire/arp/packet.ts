import { readIp4, UNSPECIFIED, writeIp4, type Ip4 } from '../../addr/ip4.ts';
import { readMac, writeMac, type Mac } from '../../addr/mac.ts';
import { WireError } from '../wire-error.ts';

const ETHERNET = 1;
const IPV4 = 0x0800;

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

/** Bytes of an ARP packet for IPv4 on Ethernet. A frame is longer: what follows is padding. */
export const ARP_SIZE = 28;

export interface ArpPacket {
  /** 1 is a request, 2 a reply; others are of protocols beside ARP (RFC 5494). */
  readonly operation: number;
  readonly senderMac: Mac;
  /** 0.0.0.0: it asks before it uses an address (RFC 5227 §2.1.1). */
  readonly sender: Ip4;
  readonly targetMac: Mac;
  readonly target: Ip4;
}

/*
 *  0                   2                   4         5         6
 * |   Hardware type   |   Protocol type   |  6      |  4      |     RFC 826
 * |     Operation     |          Sender hardware address          |
 * |         Sender protocol address       |
 * |                  Target hardware address                  |
 * |         Target protocol address       |
 */
/** Reads the payload of a frame. Throws WireError when it is not ARP for IPv4 on Ethernet. */
export function decodeArp(bytes: Uint8Array): ArpPacket {
  if (bytes.length < ARP_SIZE) throw new WireError(`expected ${ARP_SIZE} bytes of ARP, found ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, ARP_SIZE);
  const [hardware, protocol] = [view.getUint16(0), view.getUint16(2)];
  const [hardwareLength, protocolLength] = [view.getUint8(4), view.getUint8(5)];
  if (hardware !== ETHERNET || hardwareLength !== 6) {
    throw new WireError(`expected Ethernet (type 1, 6 bytes), found type ${hardware} with ${hardwareLength} bytes`);
  }
  if (protocol !== IPV4 || protocolLength !== 4) {
    throw new WireError(`expected IPv4 (type 2048, 4 bytes), found type ${protocol} with ${protocolLength} bytes`);
  }
  return {
    operation: view.getUint16(6),
    senderMac: readMac(bytes, 8),
    sender: readIp4(bytes, 14),
    targetMac: readMac(bytes, 18),
    target: readIp4(bytes, 24),
  };
}

/** Writes a packet; returns its length. Throws RangeError when `into` is too small. */
export function encodeArp(into: Uint8Array, packet: ArpPacket): number {
  if (into.length < ARP_SIZE) throw new RangeError(`${into.length} bytes are too few for an ARP packet`);
  const view = new DataView(into.buffer, into.byteOffset, ARP_SIZE);
  view.setUint16(0, ETHERNET);
  view.setUint16(2, IPV4);
  view.setUint8(4, 6);
  view.setUint8(5, 4);
  view.setUint16(6, packet.operation);
  writeMac(into, 8, packet.senderMac);
  writeIp4(into, 14, packet.sender);
  writeMac(into, 18, packet.targetMac);
  writeIp4(into, 24, packet.target);
  return ARP_SIZE;
}

/** The question who has `target`, by a sender without an address (RFC 5227 §2.1.1: sender 0.0.0.0, target MAC 0). */
export function arpProbe(senderMac: Mac, target: Ip4): ArpPacket {
  return { operation: ARP_REQUEST, senderMac, sender: UNSPECIFIED, targetMac: 0 as Mac, target };
}
