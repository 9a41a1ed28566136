import { parseIp4 } from '../../addr/ip4.ts';
import type { Range } from '../../addr/range.ts';
import { audit } from '../audit.ts';
import { judge, publish } from '../answer/publish.ts';
import { idleConfig } from '../answer/rack-config.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import type { Call, Change } from './handler.ts';

/** A rack has one of each on every subnet. */
export type ServedType = 'dynamic' | 'static';

export const RANGES = 'SELECT id, subnet_id, type, host(low) AS start_ip, host(high) AS end_ip, comment FROM ip_range';

/** Sets, changes or takes away (null) the one of `type`; what is undefined stays. Throws FieldFaults. */
export async function setRange(
  sql: Sql,
  subnet: number,
  type: ServedType,
  [low, high]: readonly [string | null | undefined, string | null | undefined],
): Promise<void> {
  if (low === undefined && high === undefined) return;
  const [before] = await sql.query(`${RANGES} WHERE subnet_id = $1 AND type = $2`, [subnet, type]);
  const start = low === undefined ? (before?.['start_ip'] ?? null) : low;
  const end = high === undefined ? (before?.['end_ip'] ?? null) : high;
  if ((start === null) !== (end === null)) {
    const prefix = type === 'static' ? 'static_' : '';
    throw new FieldFaults({
      [`${prefix}ip_range_${start === null ? 'low' : 'high'}`]: ['expected both ends of the range'],
    });
  }
  if (start === null) {
    await sql.query('DELETE FROM ip_range WHERE id = $1', [before?.['id'] ?? 0]);
  } else {
    const [row] = before
      ? await sql.query('UPDATE ip_range SET low = $2, high = $3 WHERE id = $1 RETURNING id', [
          before['id'],
          start,
          end,
        ])
      : await sql.query('INSERT INTO ip_range (subnet_id, type, low, high) VALUES ($1, $2, $3, $4) RETURNING id', [
          subnet,
          type,
          start,
          end,
        ]);
    await checkApart(sql, Number(row?.['id']));
  }
}

/** What is reserved is in no other range; that of the others the rack judges. Throws FieldFaults. */
export async function checkApart(sql: Sql, range: number): Promise<void> {
  const [row] = await sql.query(
    `SELECT other.type, host(other.low) || '-' || host(other.high) AS range
     FROM ip_range AS other JOIN ip_range AS this ON this.id = $1 AND other.id <> this.id
     WHERE other.subnet_id = this.subnet_id AND other.low <= this.high AND other.high >= this.low
       AND 'reserved' IN (other.type, this.type) ORDER BY other.low LIMIT 1`,
    [range],
  );
  if (!row) return;
  throw new FieldFaults({
    __all__: [`expected a range apart from the ${String(row['type'])} range ${String(row['range'])}`],
  });
}

/** As an operator wrote them. Throws FieldFaults where the end comes first. */
export function rangeOf(start: string, end: string): Range {
  const [first, last] = [parseIp4(start), parseIp4(end)];
  if (first === undefined || last === undefined || first > last)
    throw new FieldFaults({ end_ip: ['expected an address that is not before start_ip'] });
  return { first, last };
}

/** By id, or by network where only one has it. Throws Refusal. */
export async function subnetOf(sql: Sql, word = ''): Promise<Row> {
  const rows = /^\d{1,9}$/.test(word)
    ? await sql.query(`${SUBNETS} WHERE subnet.id = $1`, [Number(word)])
    : await sql.query(`${SUBNETS} WHERE subnet.cidr::text = $1`, [word.replace(/^cidr:/, '')]);
  const [first, second] = rows;
  if (!first) throw new Refusal(404, 'there is no such subnet');
  if (second) throw new Refusal(409, `several racks have ${word}: say which by its id`);
  return first;
}

/** All subnets at one interface of a rack are on one VLAN, which has the id of the first of them. */
export const SUBNETS = `SELECT subnet.*, host(router) AS gateway_ip, host(broadcast) AS broadcast_ip, domain.name AS domain,
    rack.name AS rack, ARRAY(SELECT host(each) FROM unnest(dns) AS each) AS dns_servers,
    coalesce(vlan.id, subnet.id) AS vlan_id, coalesce(vlan.dhcp_on, management LIKE 'dhcp%') AS dhcp_on,
    (SELECT server FROM foreign_dhcp_server AS other WHERE other.rack_id = subnet.rack_id
     AND other.interface = subnet.interface ORDER BY since LIMIT 1) AS external_dhcp
  FROM subnet JOIN domain ON domain.id = domain_id LEFT JOIN rack ON rack.id = rack_id
  LEFT JOIN LATERAL (
    SELECT min(other.id) AS id, bool_or(other.management LIKE 'dhcp%') AS dhcp_on FROM subnet AS other
    WHERE other.rack_id = subnet.rack_id AND other.interface = subnet.interface
  ) AS vlan ON true`;

/**
 * Writes down a change of these subnets and gives the racks that serve them what follows from it; one that nobody serves is judged as
 * if somebody did, so that nothing is stored that will not do. Throws RefusedChange.
 */
export async function settleSubnets(
  sql: Sql,
  { operator }: Call,
  deed: Omit<Change, 'racks'>,
  rows: readonly Row[],
): Promise<void> {
  await audit(sql, { who: operator.name, ...deed });
  const racks = new Set(rows.flatMap(({ rack_id: rack }) => (typeof rack === 'string' ? [rack] : [])));
  await publish(sql, [...racks]);
  for (const id of new Set(rows.map((row) => Number(row['id'])))) {
    const idle = await idleConfig(sql, id);
    if (idle) judge(idle);
  }
}
