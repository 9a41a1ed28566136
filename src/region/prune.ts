import type { Database, Sql } from './database/database.ts';

/** What is kept of a table that only grows. */
interface Bounds {
  /** Seconds. */
  readonly age: number;
  readonly most: number;
}

export interface PruneBounds {
  readonly events: Bounds;
  readonly audit: Bounds;
}

/** Any number that no other program on this database takes. */
const LOCK = 5_240_069;
/** In one transaction, so that none is long. */
const AT_ONCE = 10_000;
/** A rack has one, and a new one with each outbox that it loses; who makes more of them is no honest rack. */
const MOST_STREAMS = 100;

/** Takes away AT_ONCE rows at most, and gives as `gone` how many. */
interface Sweep {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Forgets what is too old or too much of what racks told, and of who changed what; and what racks told that were removed. Gives how
 * many rows. Where another process is at it, it is left to that one. `signal`: stops between two steps.
 */
export async function prune(database: Database, bounds: PruneBounds, signal?: AbortSignal): Promise<number> {
  let total = 0;
  for (const sweep of sweepsOf(bounds)) {
    for (let gone = AT_ONCE; gone >= AT_ONCE;) {
      if (signal?.aborted === true) return total;
      gone = await database.transaction((sql) => sweepOnce(sql, sweep), 'read committed');
      total += gone;
    }
  }
  return total;
}

async function sweepOnce(sql: Sql, { text, values }: Sweep): Promise<number> {
  const [lock] = await sql.query('SELECT pg_try_advisory_xact_lock($1) AS mine', [LOCK]);
  if (lock?.['mine'] !== true) return 0;
  const [row] = await sql.query(`WITH gone AS (${text} RETURNING 1) SELECT count(*) AS gone FROM gone`, values);
  return Number(row?.['gone'] ?? 0);
}

/** What has no index for it is small. */
function sweepsOf({ events, audit }: PruneBounds): readonly Sweep[] {
  return [
    {
      text: `DELETE FROM event WHERE id IN
               (SELECT event.id FROM removed_rack JOIN event ON event.rack_id = removed_rack.id LIMIT $1)`,
      values: [AT_ONCE],
    },
    {
      text: `DELETE FROM removed_rack WHERE id IN
               (SELECT id FROM removed_rack WHERE NOT EXISTS (SELECT 1 FROM event WHERE rack_id = removed_rack.id) LIMIT $1)`,
      values: [AT_ONCE],
    },
    oldest('event', 'received', events),
    oldest('audit', 'at', audit),
    {
      // The last one of a rack stays, so that a rack that is back after a year is known by it
      text: `DELETE FROM stream WHERE (rack_id, stream) IN
               (SELECT rack_id, stream FROM
                  (SELECT rack_id, stream, told, row_number() OVER (PARTITION BY rack_id ORDER BY told DESC) AS place FROM stream) AS known
                WHERE place > $1 OR (place > 1 AND told < now() - make_interval(secs => $2)) LIMIT $3)`,
      values: [MOST_STREAMS, events.age, AT_ONCE],
    },
    {
      text: `DELETE FROM machine WHERE mac IN
               (SELECT mac FROM machine WHERE seen < now() - make_interval(secs => $1) LIMIT $2)`,
      values: [events.age, AT_ONCE],
    },
  ];
}

/** Ids grow with time: the oldest are those with the least. */
function oldest(table: 'event' | 'audit', since: 'received' | 'at', { age, most }: Bounds): Sweep {
  return {
    text: `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} ORDER BY id LIMIT $3)
             AND (${since} < now() - make_interval(secs => $1) OR id <= (SELECT max(id) FROM ${table}) - $2::bigint)`,
    values: [age, most, AT_ONCE],
  };
}
