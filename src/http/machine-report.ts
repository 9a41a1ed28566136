import { formatMac, parseMac } from '../addr/mac.ts';
import type { MachineReport } from '../timeline/event.ts';

/** Bytes of JSON that a machine may send (design: POST /report). */
export const REPORT_LIMIT = 64 * 1024;

/** Far above any machine we know of, far below what would hurt. */
const MAX_ITEMS = 256;
const MAX_TEXT = 128;
const MAX_CORES = 65_536;

export type ParsedReport = { readonly report: MachineReport } | { readonly fault: string };

/** Reads the body of POST /report. Total: any bytes give a report or a sentence that says what is wrong. Unknown keys are dropped. */
export function parseReport(body: Uint8Array): ParsedReport {
  try {
    return { report: reportOf(decode(body)) };
  } catch (error) {
    if (error instanceof ReportFault) return { fault: error.message };
    throw error;
  }
}

class ReportFault extends Error {}

type Json = Readonly<Record<string, unknown>>;

function decode(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new ReportFault('the report is not JSON in UTF-8');
  }
}

function reportOf(value: unknown): MachineReport {
  const from = object(value, 'the report');
  return {
    stage: text(from['stage'], 'stage'),
    ...optional('name', from, text),
    ...optional('cores', from, (given, name) => whole(given, name, MAX_CORES)),
    ...optional('memoryBytes', from, whole),
    ...optional('disks', from, (given, name) => list(given, name, diskOf)),
    ...optional('nics', from, (given, name) => list(given, name, nicOf)),
  };
}

function diskOf(value: unknown, where: string): { name: string; bytes: number } {
  const from = object(value, where);
  return { name: text(from['name'], `${where}.name`), bytes: whole(from['bytes'], `${where}.bytes`) };
}

function nicOf(value: unknown, where: string): { name: string; mac: string } {
  const from = object(value, where);
  const mac = parseMac(text(from['mac'], `${where}.mac`));
  if (mac === undefined) throw new ReportFault(`${where}.mac: expected a MAC address like 52:54:00:12:34:56`);
  return { name: text(from['name'], `${where}.name`), mac: formatMac(mac) };
}

function optional<K extends string, T>(
  key: K,
  from: Json,
  read: (value: unknown, name: string) => T,
): { readonly [name in K]?: T } {
  if (from[key] === undefined) return {};
  return { [key]: read(from[key], key) } as { readonly [name in K]: T };
}

function object(value: unknown, where: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new ReportFault(`${where}: expected an object`);
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw new ReportFault(`${where}: expected a text`);
  if (value.length > MAX_TEXT) throw new ReportFault(`${where}: expected at most ${MAX_TEXT} characters`);
  if (/\p{Cc}/u.test(value)) throw new ReportFault(`${where}: expected no control characters`);
  return value;
}

function whole(value: unknown, where: string, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new ReportFault(`${where}: expected a whole number from 0 to ${most}`);
}

function list<T>(value: unknown, where: string, read: (item: unknown, where: string) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > MAX_ITEMS) {
    throw new ReportFault(`${where}: expected a list of at most ${MAX_ITEMS}`);
  }
  return value.map((item, index) => read(item, `${where}[${index}]`));
}
