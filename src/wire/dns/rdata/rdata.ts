import { WireError } from '../../wire-error.ts';
import { keyOfName } from '../compressed-name.ts';
import type { NameKey } from '../name.ts';
import { typeName } from '../record-type.ts';
import { hexOctets, toHex } from './encoded-octets.ts';
import { toNumber } from './number.ts';
import { RdataReader } from './rdata-reader.ts';
import { RDATA_TABLE } from './rdata-table.ts';
import { TextError } from './text-error.ts';
import { type Words } from './words.ts';

const MOST = 0xffff;

/**
 * The data of a record in master-file text → wire form, names uncompressed and spelled as they are. Types without a
 * layout, and any other, may be written `\# length hex` (RFC 3597 §5). Throws TextError.
 */
export function parseRdata(type: number, words: Words): string {
  if (words.isGeneric) return parseGeneric(type, words);
  const layout = RDATA_TABLE.get(type);
  if (!layout) throw new TextError(`data like \\# 4 0a000001, as ${typeName(type)} is not known`, 'other text');
  let data = '';
  for (const field of layout.fields) data += field.parse(words);
  words.end();
  if (data.length > MOST) throw new TextError(`at most ${MOST} octets of data`, String(data.length));
  const fault = layout.fault?.(data);
  if (fault !== undefined) throw new TextError(`right ${typeName(type)} data`, fault);
  return data;
}

/** A layout, where there is one, must hold for these octets too: names in them are whole (RFC 3597 §5). */
function parseGeneric(type: number, words: Words): string {
  words.take('\\#');
  const length = toNumber(words.take('the length of the data').text, MOST, 'the length of the data');
  const text = words.takeRest().map((word) => word.text);
  const data = hexOctets(text.join(''), 'data');
  if (data.length !== length) throw new TextError(`${length} octets of data`, String(data.length));
  const bytes = Buffer.from(data, 'latin1');
  try {
    if (checkRdata(type, bytes, 0, bytes.length) !== data) throw new WireError('a compressed name');
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new TextError(`right ${typeName(type)} data`, error.message);
  }
  return data;
}

/**
 * The data between `start` and `end` of a message, once they are known to be well formed, with names whole. Of a type
 * without a layout all octets are right. Throws WireError.
 */
export function checkRdata(type: number, bytes: Uint8Array, start: number, end: number): string {
  const reader = new RdataReader(bytes, start, end);
  const layout = RDATA_TABLE.get(type);
  if (!layout) return reader.takeRest();
  let data = '';
  for (const field of layout.fields) data += field.read(reader);
  reader.end();
  const fault = layout.fault?.(data);
  if (fault !== undefined) throw new WireError(fault);
  return data;
}

/** Wire form → master-file text, which every server reads; what its type's layout can't read comes out as `\# …`. */
export function formatRdata(type: number, data: string): string {
  const layout = RDATA_TABLE.get(type);
  if (!layout) return formatGeneric(data);
  const reader = new RdataReader(Buffer.from(data, 'latin1'));
  try {
    const texts = layout.fields.map((field) => field.format(reader));
    reader.end();
    return texts.filter((text) => text !== '').join(' ');
  } catch (error) {
    if (error instanceof WireError) return formatGeneric(data);
    throw error;
  }
}

function formatGeneric(data: string): string {
  return `\\# ${data.length} ${toHex(data)}`.trimEnd();
}

/** Data that say the same are the same text: names in them in lower case (RFC 4034 §6.2). They must be well formed. */
export function comparableRdata(type: number, data: string): string {
  const layout = RDATA_TABLE.get(type);
  if (!layout?.fields.some(({ isName }) => isName)) return data;
  const reader = new RdataReader(Buffer.from(data, 'latin1'));
  return layout.fields.map((field) => (field.isName ? keyOfName(field.read(reader)) : field.read(reader))).join('');
}

/** The name in a record's data whose addresses who asked will want next (RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1). */
export function targetOf(type: number, data: string): NameKey | undefined {
  const at = RDATA_TABLE.get(type)?.targetAt;
  return at === undefined ? undefined : keyOfName(data.slice(at, nameEnd(data, at)));
}

function nameEnd(data: string, start: number): number {
  let at = start;
  while (data.charCodeAt(at) > 0) at += 1 + data.charCodeAt(at);
  return at + 1;
}
