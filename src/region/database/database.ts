/** A row as the database gives it: bigint as number, timestamptz as Date, jsonb as its value, bytea as bytes, inet, cidr, macaddr and uuid as text. */
export type Row = Readonly<Record<string, unknown>>;

/** Asks and changes. `$1` and so on stand for `values`; JSON goes in as text with `::jsonb`, a list with `::text[]`. */
export interface Sql {
  query(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export type Isolation = 'serializable' | 'read committed';

/** PostgreSQL, a server of it or the one inside this process: the same SQL for both. */
export interface Database extends Sql {
  /**
   * Does `work` whole or not at all, as if nobody else were there (serializable): done again when somebody was.
   * So `work` must do nothing but ask the `Sql` it is given. `read committed` is for what locks the rows it goes by.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, isolation?: Isolation): Promise<T>;
  /** Calls `hear` with what any process notifies `channel` of; tells by `lost` when some may have been missed. */
  listen(channel: string, hear: (payload: string) => void, lost: () => void): Promise<void>;
  /** What a server of PostgreSQL does by itself: to be called each few minutes. */
  tend(): Promise<void>;
  close(): Promise<void>;
}

/** SQLSTATE 40001 and 40P01: somebody was there at the same time. */
export function isCollision(error: unknown): boolean {
  const code = codeOf(error);
  return code === '40001' || code === '40P01';
}

/** SQLSTATE 23505: there is one like it already. `constraint`: which one. */
export function duplicateOf(error: unknown): string | undefined {
  if (codeOf(error) !== '23505') return undefined;
  return error instanceof Error && 'constraint' in error ? String(error.constraint) : '';
}

/** SQLSTATE 23503, and 23001 since PostgreSQL 18: what is to go is named by something else. */
export function isReferred(error: unknown): boolean {
  const code = codeOf(error);
  return code === '23503' || code === '23001';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
