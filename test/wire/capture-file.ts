/** Captures written by hand, to be read by the code under test. */
import type { CaptureSource } from '../../src/wire/pcap.ts';

/** An IPv4 UDP packet; checksums are left zero, as captures of offloading cards have them. */
export function udpPacket(
  payload: Uint8Array,
  source = '0.0.0.0',
  destination = '255.255.255.255',
  port = 67,
): Uint8Array {
  const length = payload.length + 8;
  const ip = [0x45, 0, ...u16(length + 20), 0, 0, 0, 0, 64, 17, 0, 0, ...quad(source), ...quad(destination)];
  return Uint8Array.from([...ip, ...u16(68), ...u16(port), ...u16(length), 0, 0, ...payload]);
}

export function ethernet(packet: Uint8Array, tags: readonly number[] = []): Uint8Array {
  const macs = Array.from({ length: 12 }, () => 0x52);
  return Uint8Array.from([...macs, ...tags.flatMap((tag) => [0x81, 0, ...u16(tag)]), 8, 0, ...packet]);
}

export function pcap(frames: readonly Uint8Array[], linkType = 1, little = true): Uint8Array {
  const u32 = (value: number): number[] => order(value, little);
  const header = [...u32(0xa1b2c3d4), ...half(2, little), ...half(4, little), ...u32(0), ...u32(0), ...u32(65_535)];
  const records = frames.flatMap((frame) => [
    ...u32(1),
    ...u32(0),
    ...u32(frame.length),
    ...u32(frame.length),
    ...frame,
  ]);
  return Uint8Array.from([...header, ...u32(linkType), ...records]);
}

export function pcapng(frames: readonly Uint8Array[], linkType = 1, little = true): Uint8Array {
  const u32 = (value: number): number[] => order(value, little);
  const block = (type: number, body: readonly number[]): number[] => {
    const padded = [...body, ...Array.from({ length: (4 - (body.length % 4)) % 4 }, () => 0)];
    return [...u32(type), ...u32(padded.length + 12), ...padded, ...u32(padded.length + 12)];
  };
  const section = [...u32(0x1a2b3c4d), ...half(1, little), ...half(0, little), ...u32(0xffffffff), ...u32(0xffffffff)];
  const packets = frames.flatMap((frame) =>
    block(6, [...u32(0), ...u32(0), ...u32(0), ...u32(frame.length), ...u32(frame.length), ...frame]),
  );
  const blocks = [block(0x0a0d0d0a, section), block(1, [...half(linkType, little), 0, 0, ...u32(0)]), packets];
  return Uint8Array.from(blocks.flat());
}

function quad(address: string): number[] {
  return address.split('.').map(Number);
}

function u16(value: number): number[] {
  return [value >>> 8, value & 255];
}

function half(value: number, little: boolean): number[] {
  return little ? u16(value).toReversed() : u16(value);
}

function order(value: number, little: boolean): number[] {
  const bytes = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return little ? bytes.toReversed() : bytes;
}

/** A file in memory. */
export function sourceOf(file: Uint8Array): CaptureSource {
  return { size: file.length, read: (at, count) => file.subarray(at, at + count) };
}
