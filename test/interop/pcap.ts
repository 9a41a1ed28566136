import { closeSync, openSync, readSync } from 'node:fs';

/*
 * Captures as tcpdump writes them: a header of 24 bytes, then for each packet its time (seconds, microseconds), the
 * length kept and the length it had, all in the writer's byte order, and the frame.
 */

export const ETHERNET = 1;

interface Captured {
  /** Seconds since 1970. */
  readonly time: number;
  readonly frame: Buffer;
}

const HEADER = 24;
const RECORD = 16;
const MAGIC = 0xa1b2c3d4;
const MOST_OF_A_FRAME = 65_535;

export function pcapHeader(linkType = ETHERNET): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(MOST_OF_A_FRAME, 16);
  header.writeUInt32LE(linkType, 20);
  return header;
}

/** One packet; `time` in seconds. */
export function pcapRecord(frame: Uint8Array, time: number): Buffer {
  const record = Buffer.alloc(RECORD + frame.length);
  record.writeUInt32LE(Math.floor(time), 0);
  record.writeUInt32LE(Math.floor((time % 1) * 1e6), 4);
  record.writeUInt32LE(frame.length, 8);
  record.writeUInt32LE(frame.length, 12);
  record.set(frame, RECORD);
  return record;
}

/** The packets of a file, one after another: it may be larger than memory. A packet that was written in part ends it. */
export function* readPcap(path: string): Generator<Captured> {
  const file = openSync(path, 'r');
  try {
    if (take(file, HEADER)?.readUInt32LE(0) !== MAGIC) throw new Error(`${path} is not a pcap file`);
    for (let record = take(file, RECORD); record; record = take(file, RECORD)) {
      const frame = take(file, record.readUInt32LE(8));
      if (!frame) return;
      yield { time: record.readUInt32LE(0) + record.readUInt32LE(4) / 1e6, frame };
    }
  } finally {
    closeSync(file);
  }
}

/** What a UDP datagram in an Ethernet frame carries; undefined for any other frame, and for a fragment. */
export function udpPayload(frame: Buffer): Buffer | undefined {
  const ip = 14;
  if (frame.readUInt16BE(12) !== 0x0800 || frame.readUInt8(ip + 9) !== 17) return undefined;
  if ((frame.readUInt16BE(ip + 6) & 0x3fff) !== 0) return undefined;
  const udp = ip + (frame.readUInt8(ip) & 15) * 4;
  return frame.subarray(udp + 8, udp + frame.readUInt16BE(udp + 4));
}

function take(file: number, count: number): Buffer | undefined {
  const bytes = Buffer.alloc(count);
  return readSync(file, bytes) === count ? bytes : undefined;
}
