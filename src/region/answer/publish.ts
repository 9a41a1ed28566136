import { isDeepStrictEqual } from 'node:util';

import { parseIp4 } from '../../addr/ip4.ts';
import type { Orders, StatusReport } from '../../contract/rack-words.ts';
import { broughtFaults } from '../../plan/brought-faults.ts';
import { compilePlan } from '../../plan/compile-plan.ts';
import { formatFault, type Fault } from '../../plan/fault.ts';
import type { RegionPart } from '../../plan/region-document.ts';
import type { Surroundings } from '../../plan/surroundings.ts';
import type { Row, Sql } from '../database/database.ts';
import { commonConfig, rackConfigs, type RackConfig } from './rack-config.ts';
import { RefusedChange } from './refused-change.ts';

/** The channel on which each process hears whose plan is another now. */
export const PLAN_CHANNEL = 'plan';

/** Racks whose answers are in memory at one time. */
const AT_ONCE = 100;
/** Any number that no other program on this database takes. */
const LOCK = 5_240_068;

/**
 * Gives racks what follows from a change, in its transaction: a plan that is another than before has a new version, and whoever waits
 * for it is woken once that is committed. Throws RefusedChange where a rack would refuse it, as it would not what it has now.
 */
export async function publish(sql: Sql, racks: readonly string[] | 'all'): Promise<void> {
  // One after the other: two that are at it at once would each go by what was before the other
  await sql.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  const ids =
    racks === 'all' ? (await sql.query('SELECT id FROM rack ORDER BY id')).map((row) => String(row['id'])) : racks;
  // There may be no rack yet, or none that this concerns
  if (racks === 'all') judge(await commonConfig(sql));
  for (let i = 0; i < ids.length; i += AT_ONCE) await publishSome(sql, ids.slice(i, i + AT_ONCE));
}

async function publishSome(sql: Sql, ids: readonly string[]): Promise<void> {
  const rows = await sql.query(
    `SELECT id, name, plan, plan_version, status, file_config FROM known_rack
     WHERE id = ANY($1::uuid[]) ORDER BY id`,
    [ids],
  );
  const configs = await rackConfigs(sql, ids);
  const changed: { readonly id: string; readonly plan: unknown }[] = [];
  for (const row of rows) {
    const id = String(row['id']);
    const plan = configs.get(id) ?? {};
    if (isDeepStrictEqual(plan, row['plan'])) continue;
    checkChange(row, plan);
    changed.push({ id, plan });
  }
  if (changed.length === 0) return;
  await sql.query(
    `UPDATE rack SET plan = new.plan, plan_version = plan_version + 1
     FROM jsonb_to_recordset($1::jsonb) AS new (id uuid, plan jsonb) WHERE rack.id = new.id`,
    [JSON.stringify(changed)],
  );
  await tell(
    sql,
    changed.map(({ id }) => id),
  );
}

/** What it would refuse already, as its wires or its file are others now, is no reason to refuse what has nothing to do with it. */
function checkChange(row: Row, plan: unknown): void {
  const version = Number(row['plan_version']) + 1;
  const faults = faultsOf(row, version, plan);
  if (faults.length === 0) return;
  const old = new Set(faultsOf(row, version, row['plan']));
  const added = faults.filter((fault) => !old.has(fault));
  if (added.length > 0) throw new RefusedChange(`rack ${String(row['name'])}`, added);
}

/** What no rack has been given yet. Throws RefusedChange where any would refuse it. */
export function judge(config: RackConfig): void {
  const faults = faultsOf({ name: 'rack', status: null, file_config: null }, 1, config);
  if (faults.length > 0) throw new RefusedChange('any rack', faults);
}

/** Has racks do something once: each does what has a greater number than it last did, the lesser numbers of all kinds first. */
export async function order(sql: Sql, racks: readonly string[] | 'all', kind: keyof Orders): Promise<void> {
  const rows = await sql.query(
    `UPDATE rack SET plan_version = plan_version + 1,
       orders = orders || jsonb_build_object(
         $1::text, (SELECT coalesce(max(value::bigint), 0) + 1 FROM jsonb_each_text(orders)))
     WHERE $2::uuid[] IS NULL OR id = ANY($2::uuid[]) RETURNING id`,
    [kind, racks === 'all' ? null : racks],
  );
  await tell(
    sql,
    rows.map((row) => String(row['id'])),
  );
}

/** Whoever waits for one of their plans, once this is committed. */
async function tell(sql: Sql, racks: readonly string[]): Promise<void> {
  await sql.query('SELECT pg_notify($1, id) FROM unnest($2::text[]) AS id', [PLAN_CHANNEL, racks]);
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
