import type { Sql } from './database/database.ts';

/** Who changed what. */
export interface Deed {
  /** An operator's name, a rack's, or "command line". */
  readonly who: string;
  /** create, update, delete … */
  readonly did: string;
  /** "subnet 3" */
  readonly what: string;
  /** Anything JSON, without secrets. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** In the transaction of the change: there is none without its line here. */
export async function audit(sql: Sql, { who, did, what, before, after }: Deed): Promise<void> {
  await sql.query('INSERT INTO audit (who, did, what, before, after) VALUES ($1, $2, $3, $4::jsonb, $5::jsonb)', [
    who,
    did,
    what,
    jsonOf(before),
    jsonOf(after),
  ]);
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
