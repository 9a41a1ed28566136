import type { EventBatch } from '../../contract/rack-words.ts';
import type { Sql } from '../database/database.ts';
import { readTelling } from './lease-telling.ts';
import { unknownRack } from './racks.ts';
import { readRecords, type KeptRecord } from './read-records.ts';

/** A batch whose records nobody has looked at yet. */
export type RawBatch = Omit<EventBatch, 'records'> & { readonly records: readonly unknown[] };

export interface BatchOutcome {
  /** All of the stream up to this number is here. */
  readonly kept: number;
  /** So many records were not as they should be. */
  readonly mended: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** Of a key of a table. */
const LONGEST_WORD = 255;

/**
 * Keeps what of a batch is not here yet, and what follows from it: who has which lease, who is on which wire. A batch that comes
 * twice changes nothing the second time. However long it is, it takes one statement a table. `now`: Unix milliseconds. Throws Refusal.
 */
export async function keepBatch(sql: Sql, rack: string, batch: RawBatch, now: number): Promise<BatchOutcome> {
  const { stream, forgotten, sentAt } = batch;
  // So that it can't be removed in the middle of this
  await sql.query(
    `INSERT INTO stream (rack_id, stream, kept) SELECT id, $2::uuid, 0 FROM rack WHERE id = $1 FOR KEY SHARE
     ON CONFLICT DO NOTHING`,
    [rack, stream],
  );
  // Whoever has this row is alone with the stream
  const [row] = await sql.query('SELECT kept FROM stream WHERE rack_id = $1 AND stream = $2 FOR UPDATE', [
    rack,
    stream,
  ]);
  if (!row) throw unknownRack();
  const before = Number(row['kept']);
  const { records, mended } = readRecords(batch.records, before, sentAt);
  const kept = records.at(-1)?.number ?? before;
  /** By our own clock, so that those of several racks compare; nothing was seen that is still to come. */
  const seen = (at: number): number => Math.min(now, Math.max(0, at + now - sentAt));
  await keepEvents(sql, rack, records);
  await keepLeases(sql, rack, records);
  await keepNeighbours(sql, rack, records, seen);
  await keepServers(sql, rack, records, seen);
  await keepMachines(sql, rack, records, seen);
  await sql.query(
    `UPDATE stream SET kept = $3, forgotten = greatest(forgotten, $4), mended = mended + $5, told = now()
     WHERE rack_id = $1 AND stream = $2`,
    [rack, stream, kept, forgotten?.count ?? 0, mended],
  );
  return { kept, mended };
}

/** Leases have a table of their own. */
async function keepEvents(sql: Sql, rack: string, records: readonly KeptRecord[]): Promise<void> {
  await each(
    sql,
    records.filter(({ kind }) => !kind.startsWith('lease.')),
    `INSERT INTO event (rack_id, at, kind, mac, address, body)
     SELECT $2::uuid, to_timestamp(at / 1000.0), kind, mac, address, body
     FROM jsonb_to_recordset($1::jsonb)
       AS new (number bigint, at double precision, kind text, mac macaddr, address inet, body jsonb)
     ORDER BY number`,
    rack,
  );
}

async function keepLeases(sql: Sql, rack: string, records: readonly KeptRecord[]): Promise<void> {
  const { isAllGone, dropsUntold, isUntold, ended, bound } = readTelling(records);
  if (isAllGone || dropsUntold) {
    await sql.query('DELETE FROM lease WHERE rack_id = $1 AND ($2 OR NOT told)', [rack, isAllGone]);
  }
  if (isUntold && !isAllGone) await sql.query('UPDATE lease SET told = false WHERE rack_id = $1 AND told', [rack]);
  await each(
    sql,
    ended,
    `DELETE FROM lease WHERE rack_id = $2 AND address IN (SELECT value::inet FROM jsonb_array_elements_text($1::jsonb))`,
    rack,
  );
  await each(
    sql,
    bound,
    `INSERT INTO lease (rack_id, address, mac, name, expires, told)
     SELECT $2::uuid, address, mac, name, to_timestamp(expires), told
     FROM jsonb_to_recordset($1::jsonb)
       AS new (address inet, mac macaddr, name text, expires double precision, told boolean)
     ON CONFLICT (rack_id, address) DO UPDATE
     SET mac = excluded.mac, name = excluded.name, expires = excluded.expires, told = excluded.told`,
    rack,
  );
}

async function keepNeighbours(
  sql: Sql,
  rack: string,
  records: readonly KeptRecord[],
  seen: (at: number) => number,
): Promise<void> {
  const rows = new Map<string, Fields>();
  for (const { kind, mac, address, at, body } of records) {
    const device = wordOf(body['interface']);
    if (!kind.startsWith('neighbour.') || mac === undefined || address === undefined || device === null) continue;
    const vlan = wordOf(body['vlan']) ?? '';
    rows.set(JSON.stringify([device, vlan, address]), { interface: device, vlan, address, mac, at: seen(at) });
  }
  await each(
    sql,
    [...rows.values()],
    `INSERT INTO neighbour (rack_id, interface, vlan, address, mac, first_seen, last_seen)
     SELECT $2::uuid, interface, vlan, address, mac, to_timestamp(at / 1000.0), to_timestamp(at / 1000.0)
     FROM jsonb_to_recordset($1::jsonb) AS new (interface text, vlan text, address inet, mac macaddr, at double precision)
     ON CONFLICT (rack_id, interface, vlan, address) DO UPDATE SET
       first_seen = CASE WHEN neighbour.mac = excluded.mac THEN neighbour.first_seen ELSE excluded.first_seen END,
       mac = excluded.mac, last_seen = excluded.last_seen`,
    rack,
  );
}

async function keepServers(
  sql: Sql,
  rack: string,
  records: readonly KeptRecord[],
  seen: (at: number) => number,
): Promise<void> {
  const rows = new Map<string, Fields & { readonly isGone: boolean }>();
  for (const { kind, at, mac, address, body } of records) {
    const [device, server] = [wordOf(body['interface']), wordOf(body['server'])];
    if (!kind.startsWith('dhcp-server.') || device === null || server === null) continue;
    const isGone = kind === 'dhcp-server.gone';
    const said = { ...body, ...(mac !== undefined && { mac }), ...(address !== undefined && { address }) };
    rows.set(JSON.stringify([device, server]), { interface: device, server, at: seen(at), body: said, isGone });
  }
  const all = [...rows.values()];
  await each(
    sql,
    all.filter(({ isGone }) => isGone),
    `DELETE FROM foreign_dhcp_server AS known USING jsonb_to_recordset($1::jsonb) AS gone (interface text, server text)
     WHERE rack_id = $2 AND known.interface = gone.interface AND known.server = gone.server`,
    rack,
  );
  await each(
    sql,
    all.filter(({ isGone }) => !isGone),
    `INSERT INTO foreign_dhcp_server (rack_id, interface, server, since, body)
     SELECT $2::uuid, interface, server, to_timestamp(at / 1000.0), body
     FROM jsonb_to_recordset($1::jsonb) AS new (interface text, server text, at double precision, body jsonb)
     ON CONFLICT (rack_id, interface, server) DO UPDATE SET body = excluded.body`,
    rack,
  );
}

async function keepMachines(
  sql: Sql,
  rack: string,
  records: readonly KeptRecord[],
  seen: (at: number) => number,
): Promise<void> {
  const rows = new Map<string, { mac: string; at: number; kind: string; report: unknown }>();
  for (const { kind, mac, at, body } of records) {
    // A card that is only seen on the wire is no machine
    if (mac === undefined || /^(?:neighbour|conflict|dhcp-server|lease|record)\./.test(kind)) continue;
    const report = kind === 'machine.report' ? body['report'] : rows.get(mac)?.report;
    rows.set(mac, { mac, at: seen(at), kind, report });
  }
  await each(
    sql,
    // In one order for all racks, so that two of them never wait for one another
    [...rows.values()].toSorted((a, b) => (a.mac < b.mac ? -1 : 1)),
    `INSERT INTO machine (mac, rack_id, seen, kind, report)
     SELECT mac, $2::uuid, to_timestamp(at / 1000.0), kind, report
     FROM jsonb_to_recordset($1::jsonb) AS new (mac macaddr, at double precision, kind text, report jsonb)
     ORDER BY mac
     ON CONFLICT (mac) DO UPDATE SET
       rack_id = excluded.rack_id, seen = excluded.seen, kind = excluded.kind,
       report = coalesce(excluded.report, machine.report)
     WHERE machine.rack_id = excluded.rack_id OR machine.seen <= excluded.seen`,
    rack,
  );
}

async function each(sql: Sql, rows: readonly unknown[], statement: string, rack: string): Promise<void> {
  if (rows.length > 0) await sql.query(statement, [JSON.stringify(rows), rack]);
}

/** Cut, but never through a pair of surrogates: half of one is no text. */
function wordOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, LONGEST_WORD).toWellFormed() : null;
}
