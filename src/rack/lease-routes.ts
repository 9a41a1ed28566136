import type { Context } from 'koa';

import { cidrContains } from '../addr/cidr.ts';
import { formatIp4, parseIp4 } from '../addr/ip4.ts';
import { formatMac, parseMac } from '../addr/mac.ts';
import { KEA_COLUMNS } from '../leases/import/kea.ts';
import { FOREIGN_SERVERS, parseForeignLeases } from '../leases/import/parse-foreign-leases.ts';
import { keaRow } from '../leases/kea-row.ts';
import type { LeaseAnswer, LeaseOrder } from '../service/letters.ts';
import type { Rack } from './rack.ts';

/** A million leases of ISC dhcpd are some 300 MB; a rack has a tenth of that at most. */
const LONGEST_FILE = 64 * 1024 * 1024;
/** The DHCP service answers nobody while it takes these over: some 20 ms. */
const LEASES_AT_ONCE = 2_000;

/** What came of an import: as `rackboot leases import --json` prints it. */
export interface ImportReport {
  readonly taken: readonly { readonly address: string; readonly mac: string; readonly name?: string }[];
  readonly refused: LeaseAnswer['refused'];
}

/** `POST /leases/release?of=ADDRESS|MAC`: ends leases and answers with them. */
export async function releaseLeases(context: Context, rack: Rack): Promise<void> {
  const order = readRelease(context.query['of']);
  if (!order) return refuse(context, 400, 'expected of= and an IPv4 or MAC address');
  const { done, fault } = await askDhcp(rack, order);
  if (fault !== undefined) return refuse(context, 503, fault);
  if (done.length === 0) return refuse(context, 404, `nobody has a lease under ${String(context.query['of'])}`);
  context.body = done.map(lineOf);
}

/** `GET /leases/export`: all leases in the columns of Kea's memfile. */
export function exportLeases(context: Context, rack: Rack, now: number): void {
  const { subnets } = rack.plan;
  const rows = rack.leases
    .all()
    .toSorted((a, b) => a.address - b.address)
    .map(({ address, mac, name, expires }) => {
      const index = subnets.findIndex(({ cidr }) => cidrContains(cidr, address));
      const lifetimeSeconds = subnets[index]?.leaseSeconds ?? 3600;
      // A host keeps its address for good; who takes this over need not
      const end = expires ?? Math.ceil(now / 1000) + lifetimeSeconds;
      const optional = name === undefined ? {} : { name };
      return keaRow({ address, mac, expires: end, lifetimeSeconds, subnetId: index + 1, ...optional });
    });
  context.type = 'text/csv';
  context.body = [KEA_COLUMNS, ...rows, ''].join('\n');
}

/** `POST /leases/import?from=SERVER`, the file as body: takes over what can be, and answers with both lists. */
export async function importLeases(context: Context, rack: Rack): Promise<void> {
  // First of all: who is refused while still sending may not hear why
  const text = await readBody(context);
  const from = String(context.query['from']);
  if (!FOREIGN_SERVERS.includes(from))
    return refuse(context, 400, `expected from= one of ${FOREIGN_SERVERS.join(', ')}`);
  const parsed = text === undefined ? undefined : parseForeignLeases(from, text);
  if (!parsed) return refuse(context, 413, `expected at most ${LONGEST_FILE} bytes`);
  const done: LeaseAnswer['done'][number][] = [];
  const refused = [...parsed.unusable];
  // The longest first: of two leases of one machine on one network that one counts
  const ordered = parsed.leases.toSorted((a, b) => b.expires - a.expires);
  for (let at = 0; at < ordered.length; at += LEASES_AT_ONCE) {
    const leases = ordered.slice(at, at + LEASES_AT_ONCE);
    const answer = await askDhcp(rack, { kind: 'import', leases });
    if (answer.fault !== undefined) return refuse(context, 503, `${done.length} leases taken, then: ${answer.fault}`);
    done.push(...answer.done);
    refused.push(...answer.refused);
  }
  const report: ImportReport = { taken: done.map(lineOf), refused: refused.toSorted((a, b) => a.line - b.line) };
  context.body = report;
}

function readRelease(of: unknown): LeaseOrder | undefined {
  if (typeof of !== 'string') return undefined;
  const address = parseIp4(of);
  if (address !== undefined) return { kind: 'release', of: address };
  const mac = parseMac(of);
  return mac === undefined ? undefined : { kind: 'release', of: { mac } };
}

function askDhcp(rack: Rack, order: LeaseOrder): Promise<LeaseAnswer> {
  const dhcp = rack.threads.find(({ name }) => name === 'dhcp');
  return dhcp?.order(order) ?? Promise.resolve({ done: [], refused: [], fault: 'this rack has no DHCP' });
}

function lineOf({ address, mac, name }: LeaseAnswer['done'][number]): ImportReport['taken'][number] {
  return { address: formatIp4(address), mac: formatMac(mac), ...(name === undefined ? {} : { name }) };
}

async function readBody(context: Context): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of context.req) {
    size += (chunk as Buffer).length;
    // Read on to the end: an answer to a request half read is often lost
    if (size <= LONGEST_FILE) chunks.push(chunk as Buffer);
  }
  return size > LONGEST_FILE ? undefined : Buffer.concat(chunks).toString('utf8');
}

function refuse(context: Context, status: number, reason: string): void {
  context.status = status;
  context.body = `${reason}\n`;
}
