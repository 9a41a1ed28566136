import { formatIp4, parseIp4 } from '../../addr/ip4.ts';
import { parseMac } from '../../addr/mac.ts';
import {
  ForeignLeaseGatherer,
  NEVER,
  parseSeconds,
  type ForeignLease,
  type ForeignLeases,
  type Unusable,
} from './foreign-leases.ts';

/** The columns of Kea's memfile for DHCPv4, as Kea 2.2 writes them. */
export const KEA_COLUMNS =
  'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id';

const INFINITE_LIFETIME = 0xffffffff;
const STATES = ['active', 'declined', 'expired and reclaimed', 'released'];

/**
 * Reads Kea's memfile (`kea-leases4.csv`): rows are appended, so that the last of an address counts. The first row
 * names the columns; without it they are taken to be KEA_COLUMNS. Total: any text gives a result.
 */
export function parseKeaLeases(text: string): ForeignLeases {
  const gatherer = new ForeignLeaseGatherer();
  let columns = KEA_COLUMNS.split(',');
  let line = 0;
  for (const row of text.split('\n')) {
    line++;
    const cells = row.trim().split(',');
    if (cells[0] === 'address') columns = cells;
    else if (row.trim() !== '') readRow(gatherer, line, new Map(columns.map((name, i) => [name, cells[i] ?? ''])));
  }
  return gatherer.finish();
}

function readRow(gatherer: ForeignLeaseGatherer, line: number, cells: ReadonlyMap<string, string>): void {
  const written = cells.get('address') ?? '';
  const address = parseIp4(written);
  if (address === undefined) gatherer.refuse(line, `expected an IPv4 address, found "${written}"`);
  else gatherer.say(address, readLease(line, address, cells));
}

function readLease(
  line: number,
  address: ForeignLease['address'],
  cells: ReadonlyMap<string, string>,
): ForeignLease | Unusable {
  const refuse = (reason: string): Unusable => ({ line, reason: `${formatIp4(address)}: ${reason}` });
  const state = cells.get('state') || '0';
  if (state !== '0') return refuse(`its state is ${STATES[Number(state)] ?? state}`);
  const hardware = cells.get('hwaddr') ?? '';
  const mac = parseMac(hardware);
  if (mac === undefined) return refuse(`expected a MAC address, found "${hardware}"`);
  const lifetime = parseSeconds(cells.get('valid_lifetime'));
  // A lifetime of 0 is how Kea strikes a lease out
  if (lifetime === 0) return refuse('it was deleted');
  const expires = lifetime === INFINITE_LIFETIME ? NEVER : parseSeconds(cells.get('expire'));
  if (expires === undefined) return refuse(`expected Unix seconds for its end, found "${cells.get('expire') ?? ''}"`);
  const name = cells.get('hostname') ?? '';
  return { line, address, mac, expires: Math.min(expires, NEVER), ...(name === '' ? {} : { name }) };
}
