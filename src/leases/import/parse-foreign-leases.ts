import { parseDnsmasqLeases } from './dnsmasq.ts';
import type { ForeignLeases } from './foreign-leases.ts';
import { parseIscLeases } from './isc.ts';
import { parseKeaLeases } from './kea.ts';

const PARSERS: ReadonlyMap<string, (text: string) => ForeignLeases> = new Map([
  ['kea', parseKeaLeases],
  ['isc', parseIscLeases],
  ['dnsmasq', parseDnsmasqLeases],
]);

/** The servers whose lease files can be read. */
export const FOREIGN_SERVERS: readonly string[] = [...PARSERS.keys()];

/** Reads a lease file of `server`; undefined for one we don't know. */
export function parseForeignLeases(server: string, text: string): ForeignLeases | undefined {
  return PARSERS.get(server)?.(text);
}
