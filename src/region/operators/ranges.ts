import type { Sql } from '../database/database.ts';
import { FieldFaults } from './field-faults.ts';

/** A rack has one dynamic and one static range on each subnet. */
export async function setRange(
  sql: Sql,
  subnet: number,
  type: 'dynamic' | 'static',
  [low, high]: readonly [unknown, unknown],
): Promise<void> {
  if (none(low) !== none(high)) {
    const prefix = type === 'static' ? 'static_' : '';
    throw new FieldFaults({ [`${prefix}ip_range_${none(low) ? 'low' : 'high'}`]: ['expected both ends of the range'] });
  }
  await sql.query('DELETE FROM ip_range WHERE subnet_id = $1 AND type = $2', [subnet, type]);
  if (none(low)) return;
  await sql.query('INSERT INTO ip_range (subnet_id, type, low, high) VALUES ($1, $2, $3, $4)', [
    subnet,
    type,
    low,
    high,
  ]);
}

function none(value: unknown): boolean {
  return value === null || value === undefined;
}
