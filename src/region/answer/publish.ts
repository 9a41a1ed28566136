import { parseIp4 } from '../../addr/ip4.ts';
import type { Orders, StatusReport } from '../../contract/rack-words.ts';
import { broughtFaults } from '../../plan/brought-faults.ts';
import { compilePlan } from '../../plan/compile-plan.ts';
import { formatFault, type Fault } from '../../plan/fault.ts';
import type { RegionPart } from '../../plan/region-document.ts';
import type { Surroundings } from '../../plan/surroundings.ts';
import type { Row, Sql } from '../database/database.ts';
import { rackConfig } from './rack-config.ts';
import { RefusedChange } from './refused-change.ts';

/** The channel on which each process hears whose plan is another now. */
export const PLAN_CHANNEL = 'plan';

/**
 * Gives racks what follows from a change, in its transaction: a plan that is another than before has a new version, and whoever waits
 * for it is woken once that is committed. Throws RefusedChange where a rack would refuse it.
 */
export async function publish(sql: Sql, racks: readonly string[] | 'all'): Promise<void> {
  const rows =
    racks === 'all'
      ? await sql.query('SELECT id, name, plan_version, status, file_config FROM rack ORDER BY id')
      : await sql.query(
          'SELECT id, name, plan_version, status, file_config FROM rack WHERE id = ANY($1::uuid[]) ORDER BY id',
          [racks],
        );
  for (const row of rows) await publishOne(sql, row);
}

async function publishOne(sql: Sql, row: Row): Promise<void> {
  const rack = String(row['id']);
  const config = await rackConfig(sql, rack);
  const text = JSON.stringify(config);
  const [changed] = await sql.query('SELECT 1 AS yes FROM rack WHERE id = $1 AND plan IS DISTINCT FROM $2::jsonb', [
    rack,
    text,
  ]);
  if (!changed) return;
  const version = Number(row['plan_version']) + 1;
  const faults = faultsOf(row, version, config);
  if (faults.length > 0) throw new RefusedChange(String(row['name']), faults);
  await sql.query('UPDATE rack SET plan = $2::jsonb, plan_version = $3 WHERE id = $1', [rack, text, version]);
  await sql.query('SELECT pg_notify($1, $2)', [PLAN_CHANNEL, rack]);
}

/** Has racks do something once: each does what has a greater number than it last did. */
export async function order(sql: Sql, racks: readonly string[] | 'all', kind: keyof Orders): Promise<void> {
  const rows = await sql.query(
    `UPDATE rack SET plan_version = plan_version + 1,
       orders = orders || jsonb_build_object($1::text, coalesce((orders ->> $1)::bigint, 0) + 1)
     WHERE $2::uuid[] IS NULL OR id = ANY($2::uuid[]) RETURNING id`,
    [kind, racks === 'all' ? null : racks],
  );
  for (const row of rows) await sql.query('SELECT pg_notify($1, $2)', [PLAN_CHANNEL, row['id']]);
}

/** What the rack would say of it, by the file it has and the wires it is on. */
function faultsOf(row: Row, version: number, config: unknown): string[] {
  const status = row['status'] as StatusReport | null;
  const file = JSON.stringify({
    ...(row['file_config'] as Record<string, unknown> | null),
    rack: { name: row['name'] },
    region: { url: 'https://region.example' },
  });
  const ground = groundOf(status, String(row['name']));
  const compile = (part?: RegionPart): readonly Fault[] => compilePlan(file, 'rackboot.yaml', ground, part).faults;
  const name = `region plan ${version}`;
  return broughtFaults(compile({ name, config }), name, compile)
    .filter(({ path }) => status !== null || !path.endsWith('.interface'))
    .map(formatOwn);
}

/** The lines are those of the JSON that its file is reported as. */
function formatOwn(fault: Fault): string {
  return formatFault({ ...fault, line: 0 });
}

/** Files are the rack's own matter: it says itself what it has not. */
function groundOf(status: StatusReport | null, hostName: string): Surroundings {
  return {
    hostName,
    interfaces: (status?.interfaces ?? []).flatMap(({ name, address, prefix }) => {
      const ip = parseIp4(address);
      return ip === undefined ? [] : [{ name, address: ip, prefix }];
    }),
    excuses: () => false,
    fileExists: () => true,
    directoryExists: () => true,
  };
}
