import type { Database } from './database/database.ts';

/** What is kept of events. */
export interface EventBounds {
  /** Seconds. */
  readonly age: number;
  readonly most: number;
}

/** Any number that no other program on this database takes. */
const LOCK = 5_240_069;
/** In one transaction, so that none is long. */
const AT_ONCE = 10_000;

/**
 * Forgets events that are too old, by when they came here, or too many; gives how many. Where another process is at it, it is left to
 * that one. `signal`: stops between two steps.
 */
export async function pruneEvents(database: Database, bounds: EventBounds, signal?: AbortSignal): Promise<number> {
  let total = 0;
  for (;;) {
    const gone = await database.transaction((sql) => pruneSome(sql, bounds), 'read committed');
    total += gone;
    if (gone < AT_ONCE || signal?.aborted === true) return total;
  }
}

/** Numbers grow with time: the oldest are those with the least. */
async function pruneSome(sql: Pick<Database, 'query'>, { age, most }: EventBounds): Promise<number> {
  const [lock] = await sql.query('SELECT pg_try_advisory_xact_lock($1) AS mine', [LOCK]);
  if (lock?.['mine'] !== true) return 0;
  const [row] = await sql.query(
    `WITH gone AS (
       DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT $3)
         AND (received < now() - make_interval(secs => $1) OR id <= (SELECT max(id) FROM event) - $2::bigint)
       RETURNING 1
     ) SELECT count(*) AS gone FROM gone`,
    [age, most, AT_ONCE],
  );
  return Number(row?.['gone'] ?? 0);
}
