import * as z from 'zod';

import type { StatusReport } from '../../contract/rack-words.ts';
import { order, publish } from '../answer/publish.ts';
import { audit } from '../audit.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { count, idOf, text, truth, words } from './form-words.ts';
import type { Call, Handler } from './handler.ts';
import { FieldFaults } from './field-faults.ts';

const BOTH = ['1.0', '2.0'] as const;

const sourceFields = {
  url: text('Where it is: a simplestreams mirror.', 2_000),
  name: text('What it is called.', 100).optional(),
  keyring_filename: text('Path of the keys of who signs it, on the racks.', 500).optional(),
  keyring_data: text('The same keys themselves, in base64.', 1_000_000).optional(),
  priority: count('Of two that have an image, the one with the greater number gives it.').optional(),
  enabled: truth('Whether anything is taken of it.').optional(),
  skip_keyring_verification: truth('true: it is believed without a signature.').optional(),
};
type SourceWish = z.output<z.ZodObject<typeof sourceFields>>;

const selectionFields = {
  os: text('ubuntu, centos …', 100),
  release: text('noble, jammy …', 100),
  arches: words('amd64, arm64 …').optional(),
  subarches: words('Kernels.').optional(),
  labels: words('stable, candidate …').optional(),
};
type SelectionWish = z.output<z.ZodObject<typeof selectionFields>>;

const bootSources: Handler = {
  name: 'BootSourcesHandler',
  versions: BOTH,
  doc: 'Manage where images come from.',
  path: 'boot-sources/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List boot sources.',
      read: async (sql, call) => (await sourcesOf(sql)).map((row) => sourceView(row, call.base)),
    },
    {
      name: 'create',
      method: 'POST',
      doc: 'Create a boot source.',
      parameters: z.object(sourceFields),
      change: async (sql, call) => {
        const wish = call.parameters as SourceWish;
        const [top] = await sql.query('SELECT coalesce(max(priority), 0)::int AS most FROM boot_source');
        const [row] = await sql.query('INSERT INTO boot_source (url, priority) VALUES ($1, $2) RETURNING id', [
          wish.url,
          wish.priority ?? Number(top?.['most']) + 1,
        ]);
        return { status: 201, body: await changeSource(sql, call, Number(row?.['id']), wish, 'create') };
      },
    },
  ],
};

const bootSource: Handler = {
  name: 'BootSourceHandler',
  versions: BOTH,
  doc: 'Manage one boot source.',
  path: 'boot-sources/{id}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a boot source.',
      read: async (sql, { uri: [id], base }) => sourceView(await sourceOf(sql, idOf(id)), base),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update a boot source.',
      parameters: z.object({ ...sourceFields, url: sourceFields.url.optional() }),
      change: (sql, call) => changeSource(sql, call, idOf(call.uri[0]), call.parameters, 'update'),
    },
    {
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a boot source.',
      change: async (sql, { uri: [id], operator }) => {
        const before = await sourceOf(sql, idOf(id));
        await sql.query('DELETE FROM boot_source WHERE id = $1', [idOf(id)]);
        await audit(sql, {
          who: operator.name,
          did: 'delete',
          what: `boot source ${idOf(id)}`,
          before: { url: before['url'] },
        });
        await publish(sql, 'all');
        return null;
      },
    },
  ],
};

const bootSourceSelections: Handler = {
  name: 'BootSourceSelectionsHandler',
  versions: BOTH,
  doc: 'Manage what is taken of a boot source.',
  path: 'boot-sources/{boot_source_id}/selections/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List the selections of a boot source.',
      read: async (sql, { uri: [id], base }) => {
        await sourceOf(sql, idOf(id));
        const rows = await sql.query('SELECT * FROM boot_source_selection WHERE source_id = $1 ORDER BY id', [
          idOf(id),
        ]);
        return rows.map((row) => selectionView(row, base));
      },
    },
    {
      name: 'create',
      method: 'POST',
      doc: 'Create a selection of a boot source.',
      parameters: z.object(selectionFields),
      change: async (sql, { uri: [id], parameters, operator, base }) => {
        await sourceOf(sql, idOf(id));
        const wish = parameters as SelectionWish;
        const all = ['*'];
        const [row] = await sql.query(
          `INSERT INTO boot_source_selection (source_id, os, release, arches, subarches, labels)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING *`,
          [idOf(id), wish.os, wish.release, wish.arches ?? all, wish.subarches ?? all, wish.labels ?? all],
        );
        const view = selectionView(row ?? {}, base);
        await audit(sql, { who: operator.name, did: 'create', what: `selection ${view.id}`, after: view });
        await publish(sql, 'all');
        return { status: 201, body: view };
      },
    },
  ],
};

const bootSourceSelection: Handler = {
  name: 'BootSourceSelectionHandler',
  versions: BOTH,
  doc: 'Manage one selection of a boot source.',
  path: 'boot-sources/{boot_source_id}/selections/{id}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a selection.',
      read: async (sql, { uri, base }) => selectionView(await selectionOf(sql, uri), base),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update a selection.',
      parameters: z.object(selectionFields).partial(),
      change: async (sql, { uri, parameters, operator, base }) => {
        const before = await selectionOf(sql, uri);
        const wish = parameters as Partial<SelectionWish>;
        const [row] = await sql.query(
          `UPDATE boot_source_selection SET os = coalesce($2, os), release = coalesce($3, release),
             arches = coalesce($4, arches), subarches = coalesce($5, subarches), labels = coalesce($6, labels)
           WHERE id = $1 RETURNING *`,
          [
            before['id'],
            wish.os ?? null,
            wish.release ?? null,
            wish.arches ?? null,
            wish.subarches ?? null,
            wish.labels ?? null,
          ],
        );
        const view = selectionView(row ?? {}, base);
        await audit(sql, {
          who: operator.name,
          did: 'update',
          what: `selection ${view.id}`,
          before: selectionView(before, base),
          after: view,
        });
        await publish(sql, 'all');
        return view;
      },
    },
    {
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a selection.',
      change: async (sql, { uri, operator, base }) => {
        const before = await selectionOf(sql, uri);
        await sql.query('DELETE FROM boot_source_selection WHERE id = $1', [before['id']]);
        await audit(sql, {
          who: operator.name,
          did: 'delete',
          what: `selection ${String(before['id'])}`,
          before: selectionView(before, base),
        });
        await publish(sql, 'all');
        return null;
      },
    },
  ],
};

const bootResources: Handler = {
  name: 'BootResourcesHandler',
  versions: BOTH,
  doc: 'The images that racks have, and their import.',
  path: 'boot-resources/',
  actions: [
    { name: 'read', method: 'GET', doc: 'List the images that racks have.', read: imagesOfRacks },
    {
      name: 'import',
      method: 'POST',
      op: 'import',
      doc: 'Have every rack import what the boot sources have.',
      change: async (sql, { operator }) => {
        await order(sql, 'all', 'import');
        await audit(sql, { who: operator.name, did: 'import', what: 'boot resources' });
        return 'Import of boot resources started';
      },
    },
    {
      name: 'stop_import',
      method: 'POST',
      op: 'stop_import',
      doc: 'Have every rack stop the import that runs.',
      change: async (sql, { operator }) => {
        await order(sql, 'all', 'stopImport');
        await audit(sql, { who: operator.name, did: 'stop import', what: 'boot resources' });
        return 'Import of boot resources is being stopped';
      },
    },
    {
      name: 'is_importing',
      method: 'GET',
      op: 'is_importing',
      doc: 'Whether any rack imports just now.',
      read: async (sql) => {
        const [row] = await sql.query(
          "SELECT coalesce(bool_or((status ->> 'isImporting')::boolean), false) AS yes FROM rack_report",
        );
        return row?.['yes'] === true;
      },
    },
  ],
};

export const IMAGE_HANDLERS: readonly Handler[] = [
  bootSources,
  bootSource,
  bootSourceSelections,
  bootSourceSelection,
  bootResources,
];

const SOURCES = "SELECT *, translate(encode(keyring_data, 'base64'), E'\\n', '') AS data FROM boot_source";

function sourcesOf(sql: Sql): Promise<Row[]> {
  return sql.query(`${SOURCES} ORDER BY priority DESC, id`);
}

async function sourceOf(sql: Sql, id: number): Promise<Row> {
  const [row] = await sql.query(`${SOURCES} WHERE id = $1`, [id]);
  if (!row) throw new Refusal(404, 'there is no such boot source');
  return row;
}

async function selectionOf(sql: Sql, [source, id]: readonly string[]): Promise<Row> {
  const [row] = await sql.query('SELECT * FROM boot_source_selection WHERE source_id = $1 AND id = $2', [
    idOf(source),
    idOf(id),
  ]);
  if (!row) throw new Refusal(404, 'there is no such selection');
  return row;
}

async function changeSource(
  sql: Sql,
  call: Call,
  id: number,
  wish: Partial<SourceWish>,
  did: string,
): Promise<unknown> {
  const before = await sourceOf(sql, id);
  const data = wish.keyring_data?.replaceAll(/\s/g, '');
  if (data !== undefined && !/^[A-Za-z0-9+/]*={0,2}$/.test(data))
    throw new FieldFaults({ keyring_data: ['expected base64'] });
  await sql.query(
    `UPDATE boot_source SET url = coalesce($2, url), name = coalesce($3, name), keyring_filename = coalesce($4, keyring_filename),
       keyring_data = coalesce(decode($5, 'base64'), keyring_data), priority = coalesce($6, priority),
       enabled = coalesce($7, enabled), is_unsigned = coalesce($8, is_unsigned) WHERE id = $1`,
    [
      id,
      wish.url ?? null,
      wish.name ?? null,
      wish.keyring_filename ?? null,
      data ?? null,
      wish.priority ?? null,
      wish.enabled ?? null,
      wish.skip_keyring_verification ?? null,
    ],
  );
  const view = sourceView(await sourceOf(sql, id), call.base);
  await audit(sql, {
    who: call.operator.name,
    did,
    what: `boot source ${id}`,
    ...(did === 'update' && { before: sourceView(before, call.base) }),
    after: view,
  });
  await publish(sql, 'all');
  return view;
}

function sourceView(row: Row, base: string) {
  const id = Number(row['id']);
  return {
    url: row['url'],
    keyring_data: row['data'],
    resource_uri: `${base}/boot-sources/${id}/`,
    keyring_filename: row['keyring_filename'],
    id,
    ...(base.endsWith('2.0') && {
      name: row['name'],
      priority: row['priority'],
      enabled: row['enabled'],
      skip_keyring_verification: row['is_unsigned'],
    }),
  };
}

function selectionView(row: Row, base: string) {
  const id = Number(row['id']);
  return {
    labels: row['labels'],
    arches: row['arches'],
    subarches: row['subarches'],
    release: row['release'],
    os: row['os'],
    id,
    resource_uri: `${base}/boot-sources/${String(row['source_id'])}/selections/${id}/`,
  };
}

/** Each once, with the racks that have it. */
async function imagesOfRacks(sql: Sql): Promise<unknown[]> {
  const rows = await sql.query('SELECT name, status FROM known_rack WHERE status IS NOT NULL ORDER BY name');
  const images = new Map<string, { racks: string[]; image: StatusReport['images'][number] }>();
  for (const row of rows) {
    for (const image of (row['status'] as StatusReport).images) {
      const key = `${image.name} ${image.version}`;
      const known = images.get(key) ?? { racks: [], image };
      known.racks.push(String(row['name']));
      images.set(key, known);
    }
  }
  return [...images.values()].map(({ image, racks }, i) => {
    const [os = '', release = '', arch = '', subarch = ''] = image.name.split('/');
    return {
      id: i + 1,
      type: 'Synced',
      name: `${os}/${release}`,
      architecture: `${arch}/${subarch}`,
      version: image.version,
      size: image.bytes,
      racks,
    };
  });
}
