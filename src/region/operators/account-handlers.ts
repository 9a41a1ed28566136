import * as z from 'zod';

import { publish } from '../answer/publish.ts';
import { audit } from '../audit.ts';
import { Refusal } from '../refusal.ts';
import { text } from './form-words.ts';
import type { Handler } from './handler.ts';
import { createKey, type Operator } from './keys.ts';
import { FieldFaults } from './field-faults.ts';

const BOTH = ['1.0', '2.0'] as const;

/** Settings of MAAS that mean something here, and two of ours. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ['upstream_dns', 'Resolvers that racks ask for other names: addresses with blanks between.'],
  ['boot_image', 'What machines boot that nobody has said anything of: ubuntu/noble; nothing: their own disk.'],
]);

const version: Handler = {
  name: 'VersionHandler',
  versions: BOTH,
  doc: 'What this is.',
  path: 'version/',
  isAnonymous: true,
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'The version, and what can be done.',
      isForAll: true,
      read: () =>
        Promise.resolve({
          version: '2.9.0',
          subversion: 'rackboot',
          capabilities: ['networks-management', 'static-ipaddresses', 'authenticate-api'],
        }),
    },
  ],
};

const users: Handler = {
  name: 'UsersHandler',
  versions: BOTH,
  doc: 'Operators.',
  path: 'users/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List operators.',
      read: async (sql) =>
        (await sql.query('SELECT name, email, is_admin FROM operator ORDER BY name')).map((row) => ({
          username: row['name'],
          email: row['email'],
          is_superuser: row['is_admin'],
        })),
    },
    {
      name: 'whoami',
      method: 'GET',
      op: 'whoami',
      doc: 'Who asks.',
      isForAll: true,
      read: (_sql, { operator }) => Promise.resolve(view(operator)),
    },
  ],
};

const account: Handler = {
  name: 'AccountHandler',
  versions: BOTH,
  doc: "One's own keys.",
  path: 'account/',
  actions: [
    {
      name: 'create_authorisation_token',
      method: 'POST',
      op: 'create_authorisation_token',
      doc: 'Make another key.',
      isForAll: true,
      parameters: z.object({ name: text('What it is for.', 100).optional() }),
      change: async (sql, { operator, parameters }) => {
        const { name = 'a key' } = parameters as { readonly name?: string };
        const key = await createKey(sql, operator.name, name, operator.name);
        return {
          token_key: key.token,
          token_secret: key.secret,
          consumer_key: key.consumer,
          name,
        };
      },
    },
    {
      name: 'list_authorisation_tokens',
      method: 'GET',
      op: 'list_authorisation_tokens',
      doc: "One's keys, without what is secret of them.",
      isForAll: true,
      read: async (sql, { operator }) =>
        (await sql.query('SELECT name, token_key FROM api_key WHERE operator_id = $1 ORDER BY id', [operator.id])).map(
          (row) => ({
            name: row['name'],
            token: row['token_key'],
          }),
        ),
    },
    {
      name: 'delete_authorisation_token',
      method: 'POST',
      op: 'delete_authorisation_token',
      doc: 'Make a key worthless.',
      isForAll: true,
      parameters: z.object({ token_key: text('The second part of it.', 100) }),
      change: async (sql, { operator, parameters }) => {
        const [row] = await sql.query('DELETE FROM api_key WHERE operator_id = $1 AND token_key = $2 RETURNING id', [
          operator.id,
          parameters['token_key'],
        ]);
        if (!row) throw new Refusal(404, 'you have no such key');
        await audit(sql, {
          who: operator.name,
          did: 'revoke',
          what: `key ${String(row['id'])} of operator ${operator.name}`,
        });
        return null;
      },
    },
  ],
};

const maas: Handler = {
  name: 'MaasHandler',
  versions: BOTH,
  doc: 'Settings for all racks.',
  path: 'maas/',
  actions: [
    {
      name: 'get_config',
      method: 'GET',
      op: 'get_config',
      doc: describeSettings('Read a setting.'),
      parameters: z.object({ name: text('Which.', 100) }),
      read: async (sql, { parameters }) => {
        const name = knownSetting(parameters['name']);
        const [row] = await sql.query('SELECT value FROM setting WHERE name = $1', [name]);
        return JSON.stringify(row?.['value'] ?? '');
      },
    },
    {
      name: 'set_config',
      method: 'POST',
      op: 'set_config',
      doc: describeSettings('Write a setting.'),
      parameters: z.object({ name: text('Which.', 100), value: text('What it is to be.') }),
      change: async (sql, { parameters, operator }) => {
        const name = knownSetting(parameters['name']);
        const value = JSON.stringify(parameters['value']);
        await sql.query(
          'INSERT INTO setting (name, value) VALUES ($1, $2::jsonb) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
          [name, value],
        );
        await audit(sql, { who: operator.name, did: 'set', what: `setting ${name}`, after: parameters['value'] });
        await publish(sql, 'all');
        return 'OK';
      },
    },
  ],
};

export const ACCOUNT_HANDLERS: readonly Handler[] = [version, users, account, maas];

function view({ name, email, isAdmin }: Operator) {
  return { username: name, email, is_superuser: isAdmin };
}

function knownSetting(name: unknown): string {
  if (typeof name === 'string' && SETTINGS.has(name)) return name;
  throw new FieldFaults({ name: [`expected one of ${[...SETTINGS.keys()].join(', ')}`] });
}

function describeSettings(doc: string): string {
  return [doc, '', ...Array.from(SETTINGS, ([name, words]) => `${name}: ${words}`)].join('\n');
}
