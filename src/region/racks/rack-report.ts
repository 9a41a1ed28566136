import { isDeepStrictEqual } from 'node:util';

import type { StatusReport } from '../../contract/rack-words.ts';
import { publish } from '../answer/publish.ts';
import { RefusedChange } from '../answer/refused-change.ts';
import type { Database, Sql } from '../database/database.ts';
import { noticeInterfaces } from './notice-interfaces.ts';
import { unknownRack, type Rack } from './racks.ts';
import { storable } from './storable.ts';

export interface ReportOutcome {
  readonly wantsFile: boolean;
  /** What it has now no longer goes with what it is to serve. */
  readonly faults: readonly string[];
}

type Interfaces = StatusReport['interfaces'];

/** What was known of a rack before. */
interface Before {
  /** Undefined: it reports for the first time. */
  readonly interfaces: Interfaces | undefined;
  readonly fileHash: unknown;
}

export interface RackReport {
  readonly status: StatusReport;
  /** The address it came from. */
  readonly from: string;
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Keeps what a rack says of itself. Where its wires or its file are others than before its plan may be another too: all that is one
 * change, so that none of it is lost with a process that dies. Throws Refusal.
 */
export async function keepReport(database: Database, rack: Rack, report: RackReport): Promise<ReportOutcome> {
  const { file } = report.status;
  const before = await lookBack(database, rack);
  const wantsFile = file !== undefined && file.config === undefined && file.hash !== before.fileHash;
  if (!isNews(report.status, before)) {
    await write(database, rack, report);
    return { wantsFile, faults: [] };
  }
  const keepNews = async (sql: Sql): Promise<ReportOutcome> => {
    const { interfaces } = await lookBack(sql, rack);
    await write(sql, rack, report);
    await noticeInterfaces(sql, rack, interfaces ?? [], report.status.interfaces);
    return { wantsFile, faults: await publishTo(sql, rack) };
  };
  return database.transaction(keepNews);
}

function isNews({ interfaces, file }: StatusReport, before: Before): boolean {
  if (before.interfaces === undefined || (file?.config !== undefined && file.hash !== before.fileHash)) return true;
  return !isDeepStrictEqual(storable(interfaces), before.interfaces);
}

async function lookBack(sql: Sql, rack: Rack): Promise<Before> {
  const [row] = await sql.query(
    "SELECT status -> 'interfaces' AS interfaces, file_hash FROM rack_report WHERE rack_id = $1",
    [rack.id],
  );
  return { interfaces: row?.['interfaces'] as Interfaces | undefined, fileHash: row?.['file_hash'] };
}

async function write(sql: Sql, rack: Rack, { status: { file, ...status }, from, now }: RackReport): Promise<void> {
  const config = file?.config === undefined ? null : JSON.stringify(storable(file.config));
  const [row] = await sql.query(
    `INSERT INTO rack_report (rack_id, seen, seen_at, skew_ms, status, file_hash, file_config)
     SELECT id, to_timestamp($2::double precision / 1000), $3, $4, $5::jsonb, $6, $7::jsonb FROM rack WHERE id = $1 FOR KEY SHARE
     ON CONFLICT (rack_id) DO UPDATE SET
       seen = excluded.seen, seen_at = excluded.seen_at, skew_ms = excluded.skew_ms, status = excluded.status,
       file_hash = coalesce(excluded.file_hash, rack_report.file_hash),
       file_config = coalesce(excluded.file_config, rack_report.file_config)
     RETURNING 1 AS written`,
    [rack.id, now, from, status.at - now, JSON.stringify(storable(status)), config && file?.hash, config],
  );
  if (!row) throw unknownRack();
}

/** What it was to serve may not go with what it has now: then it keeps the plan it has. */
async function publishTo(sql: Sql, rack: Rack): Promise<readonly string[]> {
  try {
    await publish(sql, [rack.id]);
    return [];
  } catch (error) {
    if (error instanceof RefusedChange) return error.faults;
    throw error;
  }
}
