import { formatIp4 } from '../addr/ip4.ts';
import { optionText } from '../dhcp/option-text.ts';
import { optionName } from '../plan/option-table.ts';
import { decodeDhcp, type DhcpPacket } from '../wire/dhcp/packet.ts';
import { WireError } from '../wire/wire-error.ts';

/** One thing that two replies say differently; absent where one says nothing of it. */
export interface Difference {
  readonly what: string;
  readonly ours?: string;
  readonly theirs?: string;
}

type Field = readonly [what: string, read: (packet: DhcpPacket) => string];

/** In wire order (RFC 2131 §2). */
const FIELDS: readonly Field[] = [
  ['secs', ({ secs }) => String(secs)],
  ['flags', ({ flags }) => `0x${flags.toString(16).padStart(4, '0')}`],
  ['ciaddr', ({ ciaddr }) => formatIp4(ciaddr)],
  ['yiaddr', ({ yiaddr }) => formatIp4(yiaddr)],
  ['siaddr', ({ siaddr }) => formatIp4(siaddr)],
  ['giaddr', ({ giaddr }) => formatIp4(giaddr)],
  ['sname', ({ sname }) => printable(sname)],
  ['file', ({ file }) => printable(file)],
];

/** What two replies to one question say differently; empty when they are the same to the byte. */
export function compareReplies(ours: Uint8Array, theirs: Uint8Array): Difference[] {
  if (Buffer.compare(ours, theirs) === 0) return [];
  const other = read(theirs);
  if (typeof other === 'string') return [{ what: 'packet', ours: 'a DHCP message', theirs: other }];
  const mine = decodeDhcp(ours);
  const fields = FIELDS.flatMap(([what, text]) => difference(what, text(mine), text(other)));
  const codes = new Set([...mine.options, ...other.options].map(({ code }) => code));
  const options = Array.from(codes).flatMap((code) =>
    difference(`${code} ${optionName(code)}`, valueOf(mine, code), valueOf(other, code)),
  );
  const found = [...fields, ...options];
  return found.length > 0
    ? found
    : [{ what: 'layout', ours: `${ours.length} bytes`, theirs: `${theirs.length} bytes` }];
}

function difference(what: string, ours: string | undefined, theirs: string | undefined): Difference[] {
  if (ours === theirs) return [];
  return [{ what, ...(ours !== undefined && { ours }), ...(theirs !== undefined && { theirs }) }];
}

function valueOf({ options }: DhcpPacket, code: number): string | undefined {
  const value = options.get(code);
  return value && printable(optionText({ code, value }));
}

function read(bytes: Uint8Array): DhcpPacket | string {
  try {
    return decodeDhcp(bytes);
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** Strangers wrote it: nothing of it may steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, '.');
}
