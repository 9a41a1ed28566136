import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import { readClientKey } from './lease-store.ts';
import type { Lease } from './lease.ts';

const LAST_ADDRESS = 0xffffffff;
const LAST_MAC = 0xffffffffffff;
/** The year 2500: a later end is no end that we wrote. */
const LATEST = 16_725_225_600;
/** Reads that may fail before the rest is given up: half a second, and enough for a hundred bad pages. */
const MOST_FAILURES = 20_000;

/** Addresses not yet known to be readable, both ends included. */
interface Span {
  readonly first: number;
  readonly last: number;
}

/**
 * The leases that can still be read in a damaged file, as many as there are. Reads towards each damaged place from
 * both sides, then looks between, in ever smaller spans. `file` is not written to.
 */
export function readDamagedLeases(file: string): Lease[] {
  const found = new Map<number, Lease>();
  try {
    const database = new DatabaseSync(file, { readOnly: true, defensive: false });
    try {
      // Lets SQLite open a file that is shorter than its first page says
      database.exec('PRAGMA writable_schema = ON');
      readAround(database, found);
    } finally {
      database.close();
    }
  } catch {
    // Not even its first page makes sense: nothing more is to be had
  }
  return [...found.values()];
}

function readAround(database: DatabaseSync, found: Map<number, Lease>): void {
  const columns = 'SELECT address, client, mac, expires, kept, name FROM lease WHERE address BETWEEN ? AND ?';
  const up = database.prepare(`${columns} ORDER BY address ASC`);
  const down = database.prepare(`${columns} ORDER BY address DESC`);
  const spans: Span[] = [{ first: 0, last: LAST_ADDRESS }];
  let failures = 0;
  // Large spans first: what lies far from the damage is read before patience ends
  for (let span = spans.shift(); span && failures < MOST_FAILURES; span = spans.shift()) {
    const low = readUntilDamage(up, span, found);
    if (low === undefined) continue;
    const high = readUntilDamage(down, span, found);
    failures += 2;
    const first = low === 'nothing' ? span.first : low + 1;
    const last = high === 'nothing' || high === undefined ? span.last : high - 1;
    if (first >= last) continue;
    const middle = Math.floor((first + last) / 2);
    spans.push({ first, last: middle }, { first: middle + 1, last });
  }
}

/** Returns the last address read before the damage; undefined when there was none. */
function readUntilDamage(
  select: StatementSync,
  { first, last }: Span,
  found: Map<number, Lease>,
): number | 'nothing' | undefined {
  let reached: number | 'nothing' = 'nothing';
  try {
    for (const row of select.iterate(first, last)) {
      const lease = readLease(row);
      if (!lease) continue;
      found.set(lease.address, lease);
      reached = lease.address;
    }
    return undefined;
  } catch {
    return reached;
  }
}

/** What stands on a damaged page may be anything. */
function readLease({ address, client, mac, expires, kept, name }: Record<string, SQLOutputValue>): Lease | undefined {
  if (typeof client !== 'string' || client === '' || !isWhole(address, LAST_ADDRESS)) return undefined;
  if (!isWhole(mac, LAST_MAC) || !isWhole(expires, LATEST)) return undefined;
  const lease = {
    address: address as Ip4,
    client: readClientKey(client, mac as Mac),
    mac: mac as Mac,
    expires,
    kept: kept === 1,
  };
  return typeof name === 'string' ? { ...lease, name } : lease;
}

function isWhole(value: SQLOutputValue | undefined, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}
