import type { Ip4 } from '../addr/ip4.ts';
import { readUdpDatagram } from './ip/udp-datagram.ts';
import { WireError } from './wire-error.ts';

/** The bytes of a file, a piece at a time: a capture may be larger than memory. */
export interface CaptureSource {
  readonly size: number;
  /** From `at` on, `count` bytes or as many as there are; good until the next call. */
  read(at: number, count: number): Uint8Array;
}

/** A UDP datagram of a capture. `bytes` is good until the next one is asked for. */
export interface CapturedDatagram {
  /** Which packet of the capture, counted from 1 as Wireshark does. */
  readonly number: number;
  /** Unix time in milliseconds, with fraction. */
  readonly at: number;
  readonly source: Ip4;
  readonly sourcePort: number;
  readonly destination: Ip4;
  readonly port: number;
  readonly bytes: Uint8Array;
  /** The capture has no more than its beginning. */
  readonly isCut: boolean;
}

interface Frame {
  readonly at: number;
  readonly linkType: number;
  readonly bytes: Uint8Array;
}

/** Classic pcap (draft-ietf-opsawg-pcap), by what its times are counted in. */
const PCAP_UNITS: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);
const PCAP_HEADER = 24;
const RECORD_HEADER = 16;
/** draft-ietf-opsawg-pcapng. */
const SECTION_BLOCK = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const INTERFACE_BLOCK = 1;
const SIMPLE_PACKET_BLOCK = 3;
const ENHANCED_PACKET_BLOCK = 6;
const SMALLEST_BLOCK = 12;
const TIME_RESOLUTION = 9;
/** Of a block, as much as can matter: a packet and its header, or an interface with its options. */
const MOST_OF_A_BLOCK = 128 * 1024;
/** No link that we know carries more in one frame. */
const LONGEST_FRAME = 65_536 + 64;
/** A capture of more interfaces is none that a person made. */
const MOST_INTERFACES = 1_000;

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
const MOST_NAMED = 5;

/**
 * The unfragmented UDP datagrams over IPv4 of a capture file, pcap or pcapng, as far as it can be read. Throws WireError when it
 * is neither, and at its end when it was of other links altogether.
 */
export function* readCapture(source: CaptureSource): Generator<CapturedDatagram> {
  const others = new Set<number>();
  let isEmpty = true;
  let number = 0;
  for (const frame of framesOf(source)) {
    number++;
    if (isReadable(frame.linkType)) isEmpty = false;
    else if (others.size < MOST_NAMED) others.add(frame.linkType);
    const datagram = readDatagram(frame, number);
    if (datagram) yield datagram;
  }
  if (isEmpty && others.size > 0) {
    const found = `only link type ${[...others].join(', ')}`;
    throw new WireError(`expected frames of Ethernet, Linux cooked or bare IP, found ${found}`);
  }
}

function isReadable(linkType: number): boolean {
  return RAW_IP.has(linkType) || ETHERTYPE_AT.has(linkType) || linkType === COOKED_2;
}

function framesOf(source: CaptureSource): Iterable<Frame> {
  const head = viewOf(source.read(0, PCAP_HEADER));
  if (head.byteLength >= PCAP_HEADER) {
    if (head.getUint32(0) === SECTION_BLOCK) return pcapngFrames(source);
    for (const little of [true, false]) {
      const unit = PCAP_UNITS.get(head.getUint32(0, little));
      if (unit !== undefined)
        return pcapFrames(source, { little, unit, linkType: head.getUint32(20, little) & 0xffff });
    }
  }
  throw new WireError('expected a capture as pcap or pcapng, found something else');
}

/*
 * | seconds (4) | micro- or nanoseconds (4) | bytes kept (4) | bytes there were (4) | frame … |
 */
/** A record that is cut off ends the file: a capture may be copied while it is written. */
function* pcapFrames(
  source: CaptureSource,
  { little, unit, linkType }: { readonly little: boolean; readonly unit: number; readonly linkType: number },
): Generator<Frame> {
  for (let at = PCAP_HEADER; at + RECORD_HEADER <= source.size;) {
    const record = viewOf(source.read(at, RECORD_HEADER));
    if (record.byteLength < RECORD_HEADER) return;
    const time = record.getUint32(0, little) * 1e3 + record.getUint32(4, little) / unit;
    const length = record.getUint32(8, little);
    const start = at + RECORD_HEADER;
    at = start + length;
    if (at > source.size) return;
    yield { at: time, linkType, bytes: source.read(start, Math.min(length, LONGEST_FRAME)) };
  }
}

interface CapturedInterface {
  readonly linkType: number;
  /** Ticks of its clock in a millisecond. */
  readonly ticks: number;
}

const UNKNOWN_INTERFACE: CapturedInterface = { linkType: 0, ticks: 1e3 };

/*
 * | block type (4) | block length (4) | body … | block length (4) |
 */
function* pcapngFrames(source: CaptureSource): Generator<Frame> {
  let little = true;
  let interfaces: CapturedInterface[] = [];
  for (let at = 0; at + SMALLEST_BLOCK <= source.size;) {
    const head = viewOf(source.read(at, SMALLEST_BLOCK));
    if (head.byteLength < SMALLEST_BLOCK) return;
    if (head.getUint32(0) === SECTION_BLOCK) {
      little = head.getUint32(8, true) === BYTE_ORDER_MAGIC;
      interfaces = [];
    }
    const type = head.getUint32(0, little);
    const length = head.getUint32(4, little);
    if (length < SMALLEST_BLOCK || at + length > source.size) return;
    const block = source.read(at, Math.min(length, MOST_OF_A_BLOCK));
    at += length;
    if (type === INTERFACE_BLOCK && interfaces.length < MOST_INTERFACES) interfaces.push(interfaceOf(block, little));
    const frame = packetOf(type, block, little, interfaces);
    if (frame) yield frame;
  }
}

/*
 * | link type (2) | reserved (2) | snap length (4) | options … |
 */
function interfaceOf(block: Uint8Array, little: boolean): CapturedInterface {
  const view = viewOf(block);
  if (block.length < 20) return UNKNOWN_INTERFACE;
  const linkType = view.getUint16(8, little);
  for (let at = 16; at + 8 <= block.length - 4;) {
    const length = view.getUint16(at + 2, little);
    if (view.getUint16(at, little) === TIME_RESOLUTION && length === 1)
      return { linkType, ticks: ticksOf(view.getUint8(at + 4)) };
    at += 4 + length + (-length & 3);
  }
  return { ...UNKNOWN_INTERFACE, linkType };
}

/** if_tsresol: a power of ten, or of two where the highest bit is set. */
function ticksOf(resolution: number): number {
  return (resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution) / 1e3;
}

/*
 * enhanced: | interface (4) | time, high and low (8) | bytes kept (4) | bytes there were (4) | frame … |
 * simple:   | bytes there were (4) | frame … |
 */
function packetOf(
  type: number,
  block: Uint8Array,
  little: boolean,
  interfaces: readonly CapturedInterface[],
): Frame | undefined {
  const view = viewOf(block);
  if (type === SIMPLE_PACKET_BLOCK && block.length >= 16) {
    const bytes = block.subarray(12, Math.min(block.length - 4, 12 + view.getUint32(8, little)));
    return { at: 0, linkType: (interfaces[0] ?? UNKNOWN_INTERFACE).linkType, bytes };
  }
  if (type !== ENHANCED_PACKET_BLOCK || block.length < 32) return undefined;
  const { linkType, ticks } = interfaces[view.getUint32(8, little)] ?? UNKNOWN_INTERFACE;
  const at = (view.getUint32(12, little) * 2 ** 32 + view.getUint32(16, little)) / ticks;
  return { at, linkType, bytes: block.subarray(28, Math.min(block.length, 28 + view.getUint32(20, little))) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readDatagram(frame: Frame, number: number): CapturedDatagram | undefined {
  const packet = ipPacketOf(frame);
  const datagram = packet && readUdpDatagram(packet);
  if (!datagram) return undefined;
  const { payload: bytes, ...where } = datagram;
  return { number, at: frame.at, ...where, bytes };
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
