import type { EventBatch, EventRecord } from '../../contract/rack-words.ts';
import type { Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { storable } from './storable.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Keeps what of a batch is not here yet, and what follows from it: who has which lease, who is on which wire. Gives the number up to
 * which all of the stream is here. A batch that comes twice changes nothing the second time.
 */
export async function keepBatch(sql: Sql, rack: string, batch: EventBatch): Promise<number> {
  const { stream, forgotten } = batch;
  await sql.query('INSERT INTO stream (rack_id, stream, kept) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING', [
    rack,
    stream,
  ]);
  // Whoever has this row is alone with the stream
  const [row] = await sql.query('SELECT kept FROM stream WHERE rack_id = $1 AND stream = $2 FOR UPDATE', [
    rack,
    stream,
  ]);
  const kept = Number(row?.['kept'] ?? 0);
  const records = newRecords(batch.records, kept);
  const last = records.at(-1)?.number ?? kept;
  if (records.length === 0) return kept;
  await keepEvents(sql, rack, records);
  await keepLeases(sql, rack, records);
  await keepNeighbours(sql, rack, records);
  await keepServers(sql, rack, records);
  await keepMachines(sql, rack, records);
  await sql.query('UPDATE stream SET kept = $3, forgotten = forgotten + $4 WHERE rack_id = $1 AND stream = $2', [
    rack,
    stream,
    last,
    forgotten?.count ?? 0,
  ]);
  return last;
}

function newRecords(records: readonly EventRecord[], kept: number): EventRecord[] {
  for (const [i, record] of records.entries()) {
    if (i > 0 && record.number <= (records[i - 1]?.number ?? 0)) {
      throw new Refusal(400, `records[${i}].number: expected one that is greater than that before it`);
    }
  }
  return records.filter(({ number }) => number > kept).map((record) => storable(record) as EventRecord);
}

/** Leases have a table of their own. */
async function keepEvents(sql: Sql, rack: string, records: readonly EventRecord[]): Promise<void> {
  const rows = records
    .filter(({ kind }) => !kind.startsWith('lease.'))
    .map(({ number: _number, at, kind, mac, address, ...body }) => ({ at, kind, mac, address, body }));
  await insert(
    sql,
    rows,
    `INSERT INTO event (rack_id, at, kind, mac, address, body)
     SELECT $2::uuid, to_timestamp(at / 1000.0), kind, mac, address, body
     FROM jsonb_to_recordset($1::jsonb) AS new (at double precision, kind text, mac macaddr, address inet, body jsonb)`,
    rack,
  );
}

/** In their order: a whole telling has a beginning and an end, and what it does not name is no more. */
async function keepLeases(sql: Sql, rack: string, records: readonly EventRecord[]): Promise<void> {
  let changes = new Map<string, EventRecord>();
  const settle = async (): Promise<void> => {
    await applyLeases(sql, rack, [...changes.values()]);
    changes = new Map();
  };
  for (const record of records) {
    const { kind, address } = record;
    if (address !== undefined && (kind === 'lease.bound' || kind === 'lease.ended')) changes.set(address, record);
    if (kind === 'lease.all-begun') {
      await settle();
      await sql.query('UPDATE lease SET told = false WHERE rack_id = $1', [rack]);
    }
    if (kind === 'lease.all-ended') {
      await settle();
      await sql.query('DELETE FROM lease WHERE rack_id = $1 AND NOT told', [rack]);
    }
  }
  await settle();
}

async function applyLeases(sql: Sql, rack: string, changes: readonly EventRecord[]): Promise<void> {
  const ended = changes.filter(({ kind, mac }) => kind === 'lease.ended' || mac === undefined);
  const bound = changes.filter(({ kind, mac }) => kind === 'lease.bound' && mac !== undefined);
  if (ended.length > 0) {
    await sql.query(
      `DELETE FROM lease WHERE rack_id = $2 AND address IN (SELECT value::inet FROM jsonb_array_elements_text($1::jsonb))`,
      [JSON.stringify(ended.map(({ address }) => address)), rack],
    );
  }
  await insert(
    sql,
    bound.map(({ address, mac, ...rest }) => ({
      address,
      mac,
      name: textOf(rest['name']),
      expires: numberOf(rest['expires']),
    })),
    `INSERT INTO lease (rack_id, address, mac, name, expires)
     SELECT $2::uuid, address, mac, name, to_timestamp(expires)
     FROM jsonb_to_recordset($1::jsonb) AS new (address inet, mac macaddr, name text, expires double precision)
     ON CONFLICT (rack_id, address) DO UPDATE
     SET mac = excluded.mac, name = excluded.name, expires = excluded.expires, told = true`,
    rack,
  );
}

async function keepNeighbours(sql: Sql, rack: string, records: readonly EventRecord[]): Promise<void> {
  const rows = new Map<string, Fields>();
  for (const { kind, mac, address, at, ...rest } of records) {
    const device = textOf(rest['interface']);
    if (!kind.startsWith('neighbour.') || mac === undefined || address === undefined || device === null) continue;
    const vlan = textOf(rest['vlan']) ?? '';
    rows.set(JSON.stringify([device, vlan, address]), { interface: device, vlan, address, mac, at });
  }
  await insert(
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

async function keepServers(sql: Sql, rack: string, records: readonly EventRecord[]): Promise<void> {
  const rows = new Map<string, Fields>();
  for (const { kind, at, number: _number, ...rest } of records) {
    const [device, server] = [textOf(rest['interface']), textOf(rest['server'])];
    if (!kind.startsWith('dhcp-server.') || device === null || server === null) continue;
    rows.set(JSON.stringify([device, server]), {
      interface: device,
      server,
      at,
      body: rest,
      gone: kind === 'dhcp-server.gone',
    });
  }
  for (const row of rows.values()) {
    const key = [rack, row['interface'], row['server']];
    if (row['gone'] === true) {
      await sql.query('DELETE FROM foreign_dhcp_server WHERE rack_id = $1 AND interface = $2 AND server = $3', key);
    } else {
      await sql.query(
        `INSERT INTO foreign_dhcp_server (rack_id, interface, server, since, body)
         VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000.0), $5::jsonb)
         ON CONFLICT (rack_id, interface, server) DO UPDATE SET body = excluded.body`,
        [...key, row['at'], JSON.stringify(row['body'])],
      );
    }
  }
}

async function keepMachines(sql: Sql, rack: string, records: readonly EventRecord[]): Promise<void> {
  const rows = new Map<string, { mac: string; at: number; kind: string; report: unknown }>();
  for (const { kind, mac, at, ...rest } of records) {
    // A card that is only seen on the wire is no machine
    if (mac === undefined || /^(?:neighbour|conflict|dhcp-server|lease)\./.test(kind)) continue;
    const before = rows.get(mac);
    const report = kind === 'machine.report' ? rest['report'] : before?.report;
    rows.set(mac, { mac, at: Math.max(at, before?.at ?? 0), kind, report });
  }
  await insert(
    sql,
    // In one order for all racks, so that two of them never wait for one another
    [...rows.values()].toSorted((a, b) => (a.mac < b.mac ? -1 : 1)),
    `INSERT INTO machine (mac, rack_id, seen, kind, report)
     SELECT mac, $2::uuid, to_timestamp(at / 1000.0), kind, report
     FROM jsonb_to_recordset($1::jsonb) AS new (mac macaddr, at double precision, kind text, report jsonb)
     ON CONFLICT (mac) DO UPDATE SET
       rack_id = excluded.rack_id, seen = greatest(machine.seen, excluded.seen), kind = excluded.kind,
       report = coalesce(excluded.report, machine.report)`,
    rack,
  );
}

async function insert(sql: Sql, rows: readonly Fields[], statement: string, rack: string): Promise<void> {
  if (rows.length > 0) await sql.query(statement, [JSON.stringify(rows), rack]);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.slice(0, 255) : null;
}

/** Unix seconds that PostgreSQL has a date for. */
function numberOf(value: unknown): number | null {
  return typeof value === 'number' && value > 0 && value < 9e12 ? value : null;
}
