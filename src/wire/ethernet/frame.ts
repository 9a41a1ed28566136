import { readMac, writeMac, type Mac } from '../../addr/mac.ts';
import { WireError } from '../wire-error.ts';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
/** IEEE 802.1Q, and the outer one of two tags: 802.1ad. */
const TAGS: ReadonlySet<number> = new Set([0x8100, 0x88a8]);

/** Bytes before the payload of a frame without a tag. */
const ETHERNET_HEADER = 14;
const TAG = 4;
/** 802.1ad has two; with more of them it is nothing that an end station sends. */
const MOST_TAGS = 2;
/** Of a tag's 16 bits the lower ones; above them are priority and drop eligibility. */
const VLAN_ID = 0xfff;

export interface EthernetFrame {
  readonly destination: Mac;
  readonly source: Mac;
  /** The VLAN of the outermost tag that has one: a tag with id 0 says a priority only. 0: untagged. */
  readonly vlan: number;
  /** The VLAN inside that one; 0: none. */
  readonly innerVlan: number;
  readonly type: number;
  /** A view of the frame, padding included. */
  readonly payload: Uint8Array;
}

/*
 * |  Destination (6)  |    Source (6)     | Tag: TPID (2), TCI (2), … | EtherType (2) |     IEEE 802.3 §3.2, 802.1Q §9.6
 */
/**
 * Reads a frame. `taken`: the TCI of a tag that was in front and that the network card or the kernel has taken off. Throws
 * WireError when it is too short for its header.
 */
export function decodeEthernet(bytes: Uint8Array, taken = 0): EthernetFrame {
  let [vlan, innerVlan, end] = [taken & VLAN_ID, 0, ETHERNET_HEADER];
  for (let tags = 0; tags < MOST_TAGS && TAGS.has(typeAt(bytes, end)); tags++) {
    const id = readU16(bytes, end) & VLAN_ID;
    if (vlan === 0) vlan = id;
    else innerVlan = id;
    end += TAG;
  }
  return {
    destination: readMac(bytes, 0),
    source: readMac(bytes, 6),
    vlan,
    innerVlan,
    type: typeAt(bytes, end),
    payload: bytes.subarray(end),
  };
}

/** Writes the header of an untagged frame; returns its length. Throws RangeError when `into` is too small. */
export function encodeEthernet(
  into: Uint8Array,
  { destination, source, type }: Pick<EthernetFrame, 'destination' | 'source' | 'type'>,
): number {
  if (into.length < ETHERNET_HEADER) throw new RangeError(`${into.length} bytes are too few for an Ethernet header`);
  writeMac(into, 0, destination);
  writeMac(into, 6, source);
  into[12] = type >>> 8;
  into[13] = type & 255;
  return ETHERNET_HEADER;
}

/** The EtherType that ends at `end`. */
function typeAt(bytes: Uint8Array, end: number): number {
  if (bytes.length < end) throw new WireError(`expected an Ethernet header of ${end} bytes, found ${bytes.length}`);
  return readU16(bytes, end - 2);
}

function readU16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
