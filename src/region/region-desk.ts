import * as z from 'zod';

import type { StatusReport } from '../contract/rack-words.ts';
import { order } from './answer/publish.ts';
import { audit } from './audit.ts';
import type { Database, Row } from './database/database.ts';
import { createKey, createOperator, formatKey } from './operators/keys.ts';
import { createToken } from './racks/enrol-token.ts';
import { removeRack } from './racks/racks.ts';
import { Refusal } from './refusal.ts';

const name = z.string().regex(/^[A-Za-z0-9@.+_-]{1,150}$/, 'a name of letters, digits and @.+-_');
const rackName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'the name of a rack: a-z, 0-9 and -');

/** What whoever has the region's machine may ask of it. */
export const deskOrderSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('init'), source: z.boolean() }),
  z.object({
    kind: z.literal('createadmin'),
    name,
    email: z.string().max(254),
    password: z.string().min(1).max(1_000),
  }),
  z.object({ kind: z.literal('apikey'), name }),
  z.object({ kind: z.literal('apikeys'), name }),
  z.object({ kind: z.literal('revoke'), name, key: z.int() }),
  z.object({
    kind: z.literal('enrol-rack'),
    rack: rackName.optional(),
    seconds: z
      .int()
      .min(60)
      .max(30 * 86_400),
  }),
  z.object({ kind: z.literal('racks') }),
  z.object({ kind: z.literal('remove-rack'), rack: rackName }),
  z.object({ kind: z.literal('rotate-key'), rack: rackName }),
  z.object({ kind: z.literal('audit'), limit: z.int().min(1).max(10_000) }),
]);
export type DeskOrder = z.output<typeof deskOrderSchema>;

/** A rack as `rackboot region racks --json` prints it; times are ISO 8601. */
export interface RackLine {
  readonly name: string;
  readonly id: string;
  readonly version?: string;
  readonly seen?: string;
  readonly from?: string;
  /** The newest of its plans, and the one in force there. */
  readonly plan: number;
  readonly taken?: number;
  readonly refused?: readonly string[];
  readonly conflicts?: readonly string[];
  /** Events that wait there. */
  readonly waiting?: number;
  /** What its clock is ahead of the region's. */
  readonly skewMilliseconds?: number;
  /** Events that it gave up, as they could not be told in time. */
  readonly forgotten: number;
  /** Events that were not as they should be. */
  readonly mended: number;
}

const RACKS = `
  SELECT id, name, plan_version, seen, seen_at, skew_ms, status,
    (SELECT coalesce(sum(mended), 0)::bigint FROM stream WHERE stream.rack_id = known_rack.id) AS mended,
    (SELECT coalesce(max(forgotten), 0)::bigint FROM stream WHERE stream.rack_id = known_rack.id) AS forgotten
  FROM known_rack ORDER BY name`;

const WHO = 'command line';
/** Where images come from until somebody says otherwise. */
const FIRST_SOURCE = {
  url: 'http://images.maas.io/ephemeral-v3/stable/',
  keyring: '/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg',
  selection: ['ubuntu', 'noble', ['amd64'], ['*'], ['stable']],
} as const;

/** Does what is asked; gives lines, or JSON. Throws Refusal. */
export async function obeyDesk(database: Database, wish: DeskOrder): Promise<unknown> {
  switch (wish.kind) {
    case 'init':
      return wish.source ? database.transaction(createFirstSource) : [];
    case 'createadmin':
      await database.transaction((sql) => createOperator(sql, { ...wish, isAdmin: true }, WHO));
      return [];
    case 'apikey':
      return [formatKey(await database.transaction((sql) => createKey(sql, wish.name, 'command line', WHO)))];
    case 'apikeys':
      return (await keysOf(database, wish.name)).map(
        (row) => `${String(row['id'])} ${String(row['name'])} ${String(row['created'])}`,
      );
    case 'revoke':
      return revoke(database, wish.name, wish.key);
    case 'enrol-rack':
      return [await database.transaction((sql) => createToken(sql, { ...wish, who: WHO }))];
    case 'racks':
      return (await database.query(RACKS)).map((row) => rackLine(row));
    case 'remove-rack':
      return removeNamed(database, wish.rack);
    case 'rotate-key':
      return rotateKey(database, wish.rack);
    case 'audit':
      return (
        await database.query('SELECT at, who, did, what, before, after FROM audit ORDER BY id DESC LIMIT $1', [
          wish.limit,
        ])
      ).toReversed();
  }
}

async function createFirstSource(sql: Pick<Database, 'query'>): Promise<string[]> {
  const [row] = await sql.query(
    `INSERT INTO boot_source (url, keyring_filename, priority) SELECT $1, $2, 1
     WHERE NOT EXISTS (SELECT 1 FROM boot_source) RETURNING id`,
    [FIRST_SOURCE.url, FIRST_SOURCE.keyring],
  );
  if (!row) return [];
  await sql.query(
    'INSERT INTO boot_source_selection (source_id, os, release, arches, subarches, labels) VALUES ($1, $2, $3, $4, $5, $6)',
    [row['id'], ...FIRST_SOURCE.selection],
  );
  return [`images come from ${FIRST_SOURCE.url}: ubuntu noble for amd64`];
}

function keysOf(database: Database, operator: string): Promise<Row[]> {
  return database.query(
    `SELECT api_key.id, api_key.name, to_char(api_key.created, 'YYYY-MM-DD"T"HH24:MI:SSOF') AS created
     FROM api_key JOIN operator ON operator.id = operator_id WHERE operator.name = $1 ORDER BY api_key.id`,
    [operator],
  );
}

async function revoke(database: Database, operator: string, key: number): Promise<string[]> {
  await database.transaction(async (sql) => {
    const [row] = await sql.query(
      'DELETE FROM api_key USING operator WHERE operator.id = operator_id AND operator.name = $1 AND api_key.id = $2 RETURNING api_key.id',
      [operator, key],
    );
    if (!row) throw new Refusal(404, `${operator} has no key ${key}`);
    await audit(sql, { who: WHO, did: 'revoke', what: `key ${key} of operator ${operator}` });
  });
  return [];
}

async function removeNamed(database: Database, rack: string): Promise<string[]> {
  await database.transaction(async (sql) => {
    const [row] = await sql.query('SELECT id FROM rack WHERE name = $1', [rack]);
    if (!row) throw new Refusal(404, `there is no rack ${rack}`);
    await removeRack(sql, String(row['id']));
    await audit(sql, { who: WHO, did: 'delete', what: `rack ${rack}` });
  });
  return [`${rack} is removed: it serves on by what it has, and is not heard any more`];
}

async function rotateKey(database: Database, rack: string): Promise<string[]> {
  await database.transaction(async (sql) => {
    const [row] = await sql.query('SELECT id FROM rack WHERE name = $1', [rack]);
    if (!row) throw new Refusal(404, `there is no rack ${rack}`);
    await order(sql, [String(row['id'])], 'rotateKey');
    await audit(sql, { who: WHO, did: 'order a new key', what: `rack ${rack}` });
  });
  return [`${rack} makes itself a new key when it hears of this`];
}

function rackLine(row: Row): RackLine {
  const status = row['status'] as StatusReport | null;
  const seen = row['seen'];
  const refused = status?.plan.refused?.faults;
  return {
    name: String(row['name']),
    id: String(row['id']),
    plan: Number(row['plan_version']),
    forgotten: Number(row['forgotten']),
    mended: Number(row['mended']),
    ...(typeof row['skew_ms'] === 'number' && { skewMilliseconds: row['skew_ms'] }),
    ...(seen instanceof Date && { seen: seen.toISOString() }),
    ...(typeof row['seen_at'] === 'string' && { from: row['seen_at'] }),
    ...(status && { version: status.version, waiting: status.outbox.waiting, conflicts: status.plan.conflicts }),
    ...(status?.plan.version !== undefined && { taken: status.plan.version }),
    ...(refused && { refused }),
  };
}
