import type { Ip4 } from '../addr/ip4.ts';
import { readUdpDatagram } from './ip/udp-datagram.ts';
import { WireError } from './wire-error.ts';

/** A UDP datagram of a capture. `bytes` is a view of it. */
export interface CapturedDatagram {
  /** Which packet of the capture, counted from 1 as Wireshark does. */
  readonly number: number;
  readonly source: Ip4;
  readonly sourcePort: number;
  readonly destination: Ip4;
  readonly port: number;
  readonly bytes: Uint8Array;
}

interface Frame {
  readonly linkType: number;
  readonly bytes: Uint8Array;
}

/** Classic pcap, with microseconds or nanoseconds (draft-ietf-opsawg-pcap). */
const PCAP_MAGICS: ReadonlySet<number> = new Set([0xa1b2c3d4, 0xa1b23c4d]);
const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
/** draft-ietf-opsawg-pcapng. */
const SECTION_BLOCK = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_BLOCK = 1;
const ENHANCED_PACKET_BLOCK = 6;

const ETHERTYPE_IPV4 = 0x0800;
const VLAN_TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
/** Bytes before the EtherType, by link type: Ethernet, Linux "cooked" and its second version. */
const ETHERTYPE_AT: ReadonlyMap<number, number> = new Map([
  [1, 12],
  [113, 14],
]);
const RAW_IP: ReadonlySet<number> = new Set([12, 101, 228]);
const COOKED_2 = 276;
const COOKED_2_HEADER = 20;

/** The unfragmented UDP datagrams over IPv4 of a capture file, pcap or pcapng. Throws WireError when it is neither, or of other links. */
export function readCapture(file: Uint8Array): CapturedDatagram[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const datagrams: CapturedDatagram[] = [];
  const linkTypes = new Set<number>();
  let number = 0;
  for (const frame of framesOf(file, view)) {
    number++;
    linkTypes.add(frame.linkType);
    const datagram = readDatagram(frame, number);
    if (datagram) datagrams.push(datagram);
  }
  if (linkTypes.size > 0 && !Array.from(linkTypes).some(isReadable)) {
    const found = `only link type ${[...linkTypes].join(', ')}`;
    throw new WireError(`expected frames of Ethernet, Linux cooked or bare IP, found ${found}`);
  }
  return datagrams;
}

function isReadable(linkType: number): boolean {
  return RAW_IP.has(linkType) || ETHERTYPE_AT.has(linkType) || linkType === COOKED_2;
}

function framesOf(file: Uint8Array, view: DataView): Iterable<Frame> {
  if (file.length >= PCAP_HEADER) {
    if (view.getUint32(0) === SECTION_BLOCK) return pcapngFrames(file, view);
    if (PCAP_MAGICS.has(view.getUint32(0, true))) return pcapFrames(file, view, true);
    if (PCAP_MAGICS.has(view.getUint32(0, false))) return pcapFrames(file, view, false);
  }
  throw new WireError('expected a capture as pcap or pcapng, found something else');
}

/** A record that is cut off ends the file: a capture may be copied while it is written. */
function* pcapFrames(file: Uint8Array, view: DataView, little: boolean): Generator<Frame> {
  const linkType = view.getUint32(20, little) & 0xffff;
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= file.length;) {
    const start = at + RECORD_HEADER;
    const end = start + view.getUint32(at + 8, little);
    if (end > file.length) return;
    yield { linkType, bytes: file.subarray(start, end) };
    at = end;
  }
}

function* pcapngFrames(file: Uint8Array, view: DataView): Generator<Frame> {
  let little = true;
  let linkTypes: number[] = [];
  for (let at = 0; at + 12 <= file.length;) {
    const isSection = view.getUint32(at) === SECTION_BLOCK;
    if (isSection) {
      little = view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC;
      linkTypes = [];
    }
    const type = view.getUint32(at, little);
    const length = view.getUint32(at + 4, little);
    const end = at + length;
    if (length < 12 || end > file.length) return;
    if (type === INTERFACE_BLOCK) linkTypes.push(view.getUint16(at + 8, little));
    if (type === ENHANCED_PACKET_BLOCK && length >= 32) {
      const start = at + 28;
      const bytes = file.subarray(start, Math.min(end, start + view.getUint32(at + 20, little)));
      yield { linkType: linkTypes[view.getUint32(at + 8, little)] ?? 0, bytes };
    }
    at = end;
  }
}

function readDatagram(frame: Frame, number: number): CapturedDatagram | undefined {
  const packet = ipPacketOf(frame);
  const datagram = packet && readUdpDatagram(packet);
  if (!datagram) return undefined;
  const { payload: bytes, ...where } = datagram;
  return { number, ...where, bytes };
}

function ipPacketOf({ linkType, bytes }: Frame): Uint8Array | undefined {
  if (RAW_IP.has(linkType)) return bytes;
  if (linkType === COOKED_2) return readU16(bytes, 0) === ETHERTYPE_IPV4 ? bytes.subarray(COOKED_2_HEADER) : undefined;
  let at = ETHERTYPE_AT.get(linkType);
  if (at === undefined) return undefined;
  while (VLAN_TAGS.has(readU16(bytes, at))) at += 4;
  return readU16(bytes, at) === ETHERTYPE_IPV4 ? bytes.subarray(at + 2) : undefined;
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
