import * as z from 'zod';

import type { StatusReport } from '../../contract/rack-words.ts';
import { order } from '../answer/publish.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { base64, count, idOf, text, truth, words } from './form-words.ts';
import { action, BOTH, settle, type Call, type Handler } from './handler.ts';

const MOST_PRIORITY = 1_000_000;

const sourceFields = {
  url: text('Where it is: a simplestreams mirror.', 2_000),
  name: text('What it is called.', 100).optional(),
  keyring_filename: text('Path of the keys of who signs it, on the racks.', 500).optional(),
  keyring_data: base64('The same keys themselves, in base64.').optional(),
  priority: count('Of two that have an image, the one with the greater number gives it.', 0, MOST_PRIORITY).optional(),
  enabled: truth('Whether anything is taken of it.').optional(),
  skip_keyring_verification: truth('true: it is believed without a signature.').optional(),
};
const sourceParameters = z.object(sourceFields);
const sourceUpdate = z.object({ ...sourceFields, url: sourceFields.url.optional() });
type SourceWish = z.output<typeof sourceUpdate>;

const sourceShape = z.strictObject({
  url: z.string(),
  keyring_data: z.string(),
  resource_uri: z.string(),
  keyring_filename: z.string(),
  id: z.int(),
  // Of 2.0
  name: z.string().optional(),
  priority: z.int().optional(),
  enabled: z.boolean().optional(),
  skip_keyring_verification: z.boolean().optional(),
});

const selectionFields = {
  os: text('ubuntu, centos …', 100),
  release: text('noble, jammy …', 100),
  arches: words('amd64, arm64 … Default: all.').optional(),
  subarches: words('Kernels. Default: all.').optional(),
  labels: words('stable, candidate … Default: all.').optional(),
};
const selectionParameters = z.object(selectionFields);
const selectionUpdate = selectionParameters.partial();

const selectionShape = z.strictObject({
  labels: z.array(z.string()),
  arches: z.array(z.string()),
  subarches: z.array(z.string()),
  release: z.string(),
  os: z.string(),
  id: z.int(),
  resource_uri: z.string(),
});

const imageShape = z.strictObject({
  id: z.int(),
  type: z.literal('Synced'),
  name: z.string(),
  architecture: z.string(),
  label: z.string(),
  version: z.string(),
  size: z.int(),
  racks: z.array(z.string()).describe('Who has it. Beyond MAAS.'),
});

const bootSources: Handler = {
  name: 'BootSourcesHandler',
  versions: BOTH,
  doc: 'Manage where images come from.',
  path: 'boot-sources/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List boot sources, the one that goes before the others first.',
      reply: z.array(sourceShape),
      read: async (sql, { base }) =>
        (await sql.query(`${SOURCES} ORDER BY priority DESC, id`)).map((row) => sourceView(row, base)),
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create a boot source.',
      parameters: sourceParameters,
      reply: sourceShape,
      status: 201,
      change: async (sql, call) => {
        const { url } = call.parameters;
        const [row] = await sql.query(
          `INSERT INTO boot_source (url, priority)
           SELECT $1, least(coalesce(max(priority), 0) + 1, $2) FROM boot_source RETURNING id`,
          [url, MOST_PRIORITY],
        );
        const id = Number(row?.['id']);
        const after = await writeSource(sql, id, call);
        await settle(sql, call, { did: 'create', what: `boot source ${id}`, after, racks: 'all' });
        return after;
      },
    }),
  ],
};

const bootSource: Handler = {
  name: 'BootSourceHandler',
  versions: BOTH,
  doc: 'Manage one boot source.',
  path: 'boot-sources/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a boot source.',
      reply: sourceShape,
      read: async (sql, { uri: [id], base }) => sourceView(await sourceOf(sql, id), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a boot source.',
      parameters: sourceUpdate,
      reply: sourceShape,
      change: async (sql, call) => {
        const row = await sourceOf(sql, call.uri[0]);
        const id = Number(row['id']);
        const after = await writeSource(sql, id, call);
        const before = sourceView(row, call.base);
        await settle(sql, call, { did: 'update', what: `boot source ${id}`, before, after, racks: 'all' });
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a boot source. Images that racks have of it they keep while no other has them newer.',
      change: async (sql, call) => {
        const row = await sourceOf(sql, call.uri[0]);
        await sql.query('DELETE FROM boot_source WHERE id = $1', [row['id']]);
        const before = sourceView(row, call.base);
        await settle(sql, call, { did: 'delete', what: `boot source ${before.id}`, before, racks: 'all' });
        return null;
      },
    }),
  ],
};

const bootSourceSelections: Handler = {
  name: 'BootSourceSelectionsHandler',
  versions: BOTH,
  doc: 'Manage what is taken of a boot source.',
  path: 'boot-sources/{boot_source_id}/selections/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List the selections of a boot source.',
      reply: z.array(selectionShape),
      read: async (sql, { uri: [source], base }) => {
        const { id } = await sourceOf(sql, source);
        const rows = await sql.query('SELECT * FROM boot_source_selection WHERE source_id = $1 ORDER BY id', [id]);
        return rows.map((row) => selectionView(row, base));
      },
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create a selection of a boot source.',
      parameters: selectionParameters,
      reply: selectionShape,
      status: 201,
      change: async (sql, call) => {
        const { id } = await sourceOf(sql, call.uri[0]);
        const { os, release, arches, subarches, labels } = call.parameters;
        const [row] = await sql.query(
          `INSERT INTO boot_source_selection (source_id, os, release, arches, subarches, labels)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING *`,
          [id, os, release, allOr(arches), allOr(subarches), allOr(labels)],
        );
        const after = selectionView(row ?? {}, call.base);
        await settle(sql, call, { did: 'create', what: `selection ${after.id}`, after, racks: 'all' });
        return after;
      },
    }),
  ],
};

const bootSourceSelection: Handler = {
  name: 'BootSourceSelectionHandler',
  versions: BOTH,
  doc: 'Manage one selection of a boot source.',
  path: 'boot-sources/{boot_source_id}/selections/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a selection.',
      reply: selectionShape,
      read: async (sql, { uri, base }) => selectionView(await selectionOf(sql, uri), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a selection.',
      parameters: selectionUpdate,
      reply: selectionShape,
      change: async (sql, call) => {
        const old = await selectionOf(sql, call.uri);
        const { os, release, arches, subarches, labels } = call.parameters;
        const [row] = await sql.query(
          `UPDATE boot_source_selection SET os = coalesce($2, os), release = coalesce($3, release),
             arches = coalesce($4, arches), subarches = coalesce($5, subarches), labels = coalesce($6, labels)
           WHERE id = $1 RETURNING *`,
          [
            old['id'],
            os ?? null,
            release ?? null,
            arches && allOr(arches),
            subarches && allOr(subarches),
            labels && allOr(labels),
          ].map((value) => value ?? null),
        );
        const [before, after] = [selectionView(old, call.base), selectionView(row ?? {}, call.base)];
        await settle(sql, call, { did: 'update', what: `selection ${after.id}`, before, after, racks: 'all' });
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a selection. A boot source with none is taken whole.',
      change: async (sql, call) => {
        const row = await selectionOf(sql, call.uri);
        await sql.query('DELETE FROM boot_source_selection WHERE id = $1', [row['id']]);
        const before = selectionView(row, call.base);
        await settle(sql, call, { did: 'delete', what: `selection ${before.id}`, before, racks: 'all' });
        return null;
      },
    }),
  ],
};

const bootResources: Handler = {
  name: 'BootResourcesHandler',
  versions: BOTH,
  doc: 'The images that racks have, and their import.',
  path: 'boot-resources/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List the images that racks have.',
      reply: z.array(imageShape),
      read: imagesOfRacks,
    }),
    action({
      name: 'import',
      method: 'POST',
      op: 'import',
      doc: 'Have every rack import what the boot sources have.',
      change: async (sql, call) => {
        await order(sql, 'all', 'import');
        await settle(sql, call, { did: 'import', what: 'boot resources', racks: 'nobody' });
        return 'Import of boot resources started';
      },
    }),
    action({
      name: 'stop_import',
      method: 'POST',
      op: 'stop_import',
      doc: 'Have every rack stop the import that runs.',
      change: async (sql, call) => {
        await order(sql, 'all', 'stopImport');
        await settle(sql, call, { did: 'stop import', what: 'boot resources', racks: 'nobody' });
        return 'Import of boot resources is being stopped';
      },
    }),
    action({
      name: 'is_importing',
      method: 'GET',
      op: 'is_importing',
      doc: 'Whether any rack imports just now.',
      reply: z.boolean(),
      read: async (sql) => {
        const [row] = await sql.query(
          "SELECT coalesce(bool_or((status ->> 'isImporting')::boolean), false) AS yes FROM known_rack",
        );
        return row?.['yes'] === true;
      },
    }),
  ],
};

export const IMAGE_HANDLERS: readonly Handler[] = [
  bootSources,
  bootSource,
  bootSourceSelections,
  bootSourceSelection,
  bootResources,
];

const SOURCES = `SELECT id, url, name, keyring_filename, priority, enabled, is_unsigned,
  translate(encode(keyring_data, 'base64'), E'\\n', '') AS data FROM boot_source`;

async function sourceOf(sql: Sql, id: string | undefined): Promise<Row> {
  const [row] = await sql.query(`${SOURCES} WHERE id = $1`, [idOf(id)]);
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

/** What is not wished for stays. A source has its keys as a file or in itself: the one takes the place of the other. */
async function writeSource(sql: Sql, id: number, { parameters, base }: Call<SourceWish>): Promise<unknown> {
  const { keyring_filename: file, keyring_data: data } = parameters;
  await sql.query(
    `UPDATE boot_source SET url = coalesce($2, url), name = coalesce($3, name),
       keyring_filename = coalesce($4, keyring_filename), keyring_data = coalesce(decode($5, 'base64'), keyring_data),
       priority = coalesce($6, priority), enabled = coalesce($7, enabled), is_unsigned = coalesce($8, is_unsigned)
     WHERE id = $1`,
    [
      id,
      parameters.url ?? null,
      parameters.name ?? null,
      file ?? (data === undefined || data === '' ? null : ''),
      data ?? (file === undefined || file === '' ? null : ''),
      parameters.priority ?? null,
      parameters.enabled ?? null,
      parameters.skip_keyring_verification ?? null,
    ],
  );
  return sourceView(await sourceOf(sql, String(id)), base);
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

/** None is as good as all. */
function allOr(list: readonly string[] = []): readonly string[] {
  return list.length === 0 ? ['*'] : list;
}

/** Each once, with the racks that have it. */
async function imagesOfRacks(sql: Sql): Promise<unknown[]> {
  const rows = await sql.query(
    "SELECT name, status -> 'images' AS images FROM known_rack WHERE status IS NOT NULL ORDER BY name",
  );
  const images = new Map<string, { readonly racks: string[]; readonly image: StatusReport['images'][number] }>();
  for (const row of rows) {
    for (const image of row['images'] as StatusReport['images']) {
      const key = `${image.name} ${image.version}`;
      const known = images.get(key) ?? { racks: [], image };
      known.racks.push(String(row['name']));
      images.set(key, known);
    }
  }
  const sorted = [...images].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, { image, racks }], i) => {
    const [os = '', release = '', arch = '', subarch = '', label = ''] = image.name.split('/');
    return {
      id: i + 1,
      type: 'Synced',
      name: `${os}/${release}`,
      architecture: `${arch}/${subarch}`,
      label,
      version: image.version,
      size: image.bytes,
      racks,
    };
  });
}
