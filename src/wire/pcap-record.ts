/** Packets begin with their IP header: what a socket of ours hears of the wire. */
const LINKTYPE_RAW = 101;
const MAGIC = 0xa1b2c3d4;
const LONGEST = 65_535;
/** Bytes ahead of the packets of a file, and ahead of each packet. */
export const PCAP_HEADER = 24;
export const PCAP_RECORD = 16;

/*
 * | magic (4) | version (2, 2) | zone, accuracy (4, 4) | most of a packet (4) | link type (4) |    draft-ietf-opsawg-pcap
 */
/** What a capture of bare IP packets begins with; times are in microseconds. */
export function encodePcapHeader(): Uint8Array {
  const bytes = new Uint8Array(PCAP_HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, LONGEST, true);
  view.setUint32(20, LINKTYPE_RAW, true);
  return bytes;
}

/** Writes what is ahead of a packet of `length` bytes of which `kept` follow. `at`: Unix time in milliseconds. */
export function encodePcapRecord(
  into: Uint8Array,
  { at, kept, length }: { readonly at: number; readonly kept: number; readonly length: number },
): void {
  const view = new DataView(into.buffer, into.byteOffset);
  view.setUint32(0, Math.floor(at / 1000), true);
  view.setUint32(4, Math.floor((at % 1000) * 1000), true);
  view.setUint32(8, kept, true);
  view.setUint32(12, length, true);
}
