import type * as z from 'zod';

import type { Sql } from '../database/database.ts';
import type { Operator } from './keys.ts';

export type ApiVersion = '1.0' | '2.0';

/** What an action is given. */
export interface Call<P = Readonly<Record<string, unknown>>> {
  /** Of the path, in the order of the handler's `params`. */
  readonly uri: readonly string[];
  readonly parameters: P;
  readonly operator: Operator;
  /** Below it: "/MAAS/api/1.0". */
  readonly base: string;
}

export interface Action {
  /** As a client calls it: read, create, update, delete, or the op's name. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Of `?op=`; absent for the four that are not. */
  readonly op?: string;
  readonly doc: string;
  readonly parameters?: z.ZodObject;
  /** Whoever has a key may; else administrators only. */
  readonly isForAll?: true;
  /** Reads: each sees what is there now. */
  readonly read?: (sql: Sql, call: Call) => Promise<unknown>;
  /**
   * Changes, whole or not at all; done again when somebody was in its way. Gives anything JSON, null for 204, or
   * `{ status, body }`.
   */
  readonly change?: (sql: Sql, call: Call) => Promise<unknown>;
}

/** One kind of thing at one place, as MAAS has it. */
export interface Handler {
  /** BootSourcesHandler */
  readonly name: string;
  readonly versions: readonly ApiVersion[];
  readonly doc: string;
  /** Below /MAAS/api/X: "boot-sources/{id}/". */
  readonly path: string;
  readonly actions: readonly Action[];
  /** Nobody needs a key. */
  readonly isAnonymous?: true;
}
