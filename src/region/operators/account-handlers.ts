import * as z from 'zod';

import type { Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { text } from './form-words.ts';
import { action, BOTH, NEW, settle, type Call, type Handler } from './handler.ts';
import { createKey, type Operator } from './keys.ts';

const userShape = z.strictObject({ username: z.string(), email: z.string(), is_superuser: z.boolean() });
const tokenName = text('What it is for.', 100);
const token = text('The key: its second part, or all three with colons between.', 300);

const version: Handler = {
  name: 'VersionHandler',
  versions: BOTH,
  doc: 'What this is.',
  path: 'version/',
  isAnonymous: true,
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'The version, and what can be done.',
      reply: z.strictObject({ version: z.string(), subversion: z.string(), capabilities: z.array(z.string()) }),
      read: () =>
        Promise.resolve({
          // What clients tell apart by it: that of MAAS in whose shapes this is
          version: '2.9.0',
          subversion: 'rackboot',
          capabilities: ['networks-management', 'static-ipaddresses', 'authenticate-api'],
        }),
    }),
  ],
};

const users: Handler = {
  name: 'UsersHandler',
  versions: BOTH,
  doc: 'Operators.',
  path: 'users/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List operators: for administrators all, for others themselves.',
      reply: z.array(userShape),
      read: async (sql, { operator }) => {
        const rows = await sql.query(
          'SELECT name, email, is_admin FROM operator WHERE $1::boolean OR id = $2 ORDER BY name',
          [operator.isAdmin, operator.id],
        );
        return rows.map((row) => ({ username: row['name'], email: row['email'], is_superuser: row['is_admin'] }));
      },
    }),
    action({
      name: 'whoami',
      method: 'GET',
      op: 'whoami',
      doc: 'Who asks.',
      reply: userShape,
      read: (_sql, { operator }) => Promise.resolve(userView(operator)),
    }),
  ],
};

const account: Handler = {
  name: 'AccountHandler',
  versions: BOTH,
  doc: "One's own keys.",
  path: 'account/',
  actions: [
    action({
      name: 'create_authorisation_token',
      method: 'POST',
      op: 'create_authorisation_token',
      doc: 'Make another key. Its secret is told here and nowhere else.',
      isForAll: true,
      parameters: z.object({ name: tokenName.optional() }),
      reply: z.strictObject({
        token_key: z.string(),
        token_secret: z.string(),
        consumer_key: z.string(),
        name: z.string(),
      }),
      change: async (sql, { operator, parameters: { name = 'a key' } }) => {
        const key = await createKey(sql, operator.name, name, operator.name);
        return { token_key: key.token, token_secret: key.secret, consumer_key: key.consumer, name };
      },
    }),
    action({
      name: 'list_authorisation_tokens',
      method: 'GET',
      op: 'list_authorisation_tokens',
      doc: "One's keys, by their first two parts: their secrets are not known here.",
      reply: z.array(z.strictObject({ name: z.string(), token: z.string() })),
      read: (sql, { operator }) =>
        sql.query(
          "SELECT name, consumer_key || ':' || token_key AS token FROM api_key WHERE operator_id = $1 ORDER BY id",
          [operator.id],
        ),
    }),
    action({
      name: 'update_token_name',
      method: 'POST',
      op: 'update_token_name',
      doc: 'Call a key otherwise.',
      isForAll: true,
      parameters: z.object({ token, name: tokenName }),
      change: async (sql, call) => {
        const { operator, parameters } = call;
        const rows = await sql.query(
          'UPDATE api_key SET name = $3 WHERE operator_id = $1 AND token_key = $2 RETURNING id',
          [operator.id, tokenKeyOf(parameters.token), parameters.name],
        );
        await settleKey(sql, call, rows[0]?.['id'], 'rename');
        return 'Accepted';
      },
    }),
    action({
      name: 'delete_authorisation_token',
      method: 'POST',
      op: 'delete_authorisation_token',
      doc: 'Make a key worthless.',
      isForAll: true,
      parameters: z.object({ token_key: token }),
      change: async (sql, call) => {
        const rows = await sql.query('DELETE FROM api_key WHERE operator_id = $1 AND token_key = $2 RETURNING id', [
          call.operator.id,
          tokenKeyOf(call.parameters.token_key),
        ]);
        await settleKey(sql, call, rows[0]?.['id'], 'revoke');
        return null;
      },
    }),
  ],
};

const user: Handler = {
  name: 'UserHandler',
  versions: NEW,
  doc: 'One operator.',
  path: 'users/{username}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read an operator.',
      reply: userShape,
      read: async (sql, { uri: [name], operator }) => {
        const [row] = await sql.query(
          'SELECT name, email, is_admin FROM operator WHERE name = $1 AND ($2::boolean OR id = $3)',
          [name, operator.isAdmin, operator.id],
        );
        if (!row) throw new Refusal(404, 'there is no such operator');
        return { username: row['name'], email: row['email'], is_superuser: row['is_admin'] };
      },
    }),
  ],
};

export const ACCOUNT_HANDLERS: readonly Handler[] = [version, users, user, account];

function userView({ name, email, isAdmin }: Operator) {
  return { username: name, email, is_superuser: isAdmin };
}

function tokenKeyOf(word: string): string {
  const parts = word.split(':');
  return parts.length > 1 ? (parts[1] ?? '') : word;
}

async function settleKey(sql: Sql, call: Call, id: unknown, did: string): Promise<void> {
  if (id === undefined) throw new Refusal(404, 'you have no such key');
  const what = `key ${Number(id)} of operator ${call.operator.name}`;
  await settle(sql, call, { did, what, racks: 'nobody' });
}
