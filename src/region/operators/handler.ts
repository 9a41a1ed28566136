import type * as z from 'zod';

import { publish } from '../answer/publish.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/database.ts';
import type { Operator } from './keys.ts';

export type ApiVersion = '1.0' | '2.0';
export const BOTH: readonly ApiVersion[] = ['1.0', '2.0'];
export const OLD: readonly ApiVersion[] = ['1.0'];
export const NEW: readonly ApiVersion[] = ['2.0'];

/** What an action is given. */
export interface Call<P = Readonly<Record<string, unknown>>> {
  /** Of the path, in the order of the handler's `params`. */
  readonly uri: readonly string[];
  readonly parameters: P;
  readonly operator: Operator;
  /** Below it: "/MAAS/api/1.0". */
  readonly base: string;
  /** Of the request, without op. */
  readonly query: string;
}

interface Facts<S extends z.ZodObject> {
  /** As a client calls it: read, create, update, delete, or the op's name. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Of `?op=`; absent for the four that are not. */
  readonly op?: string;
  readonly doc: string;
  readonly parameters?: S;
  /** Shape of the answer; absent: words, or nothing. */
  readonly reply?: z.ZodType;
  /** Of a good answer. Default: 200, and 204 where there is nothing to say. */
  readonly status?: number;
  /** Whoever has a key may; else administrators only. All may read. */
  readonly isForAll?: true;
}

/** Reads see what is there now; changes are whole or not at all, and done again when somebody was in their way. */
type Work<C> =
  | { readonly read: (sql: Sql, call: C) => Promise<unknown>; readonly change?: never }
  | { readonly change: (sql: Sql, call: C) => Promise<unknown>; readonly read?: never };

export type Action = Facts<z.ZodObject> & Work<Call>;

/** One row of a handler, whose work is given what its parameters say. */
export function action<S extends z.ZodObject = z.ZodObject>(row: Facts<S> & Work<Call<z.output<S>>>): Action {
  // What it is called with has been read by those parameters
  return row as unknown as Action;
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

/** What was done, and whom it concerns. */
export interface Change {
  readonly did: string;
  /** "subnet 3" */
  readonly what: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly racks: readonly string[] | 'all' | 'nobody';
}

/** Writes down who changed what, and gives racks what follows from it. Throws RefusedChange. */
export async function settle(sql: Sql, { operator }: Call, { racks, ...deed }: Change): Promise<void> {
  await audit(sql, { who: operator.name, ...deed });
  if (racks !== 'nobody') await publish(sql, racks);
}
