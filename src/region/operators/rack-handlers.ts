import * as z from 'zod';

import type { StatusReport } from '../../contract/rack-words.ts';
import { order } from '../answer/publish.ts';
import type { Row, Sql } from '../database/database.ts';
import { removeRack } from '../racks/racks.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { mac, truth, words } from './form-words.ts';
import { action, NEW, settle, type Handler } from './handler.ts';

/** A rack reports every half minute. */
const SILENT_SECONDS = 120;
/** Some 20 MB of them: whoever asks has to hold that, too. */
const MOST_LEASES = 100_000;

const imageShape = z.strictObject({ name: z.string(), version: z.string(), state: z.string(), bytes: z.int() });

const rackShape = z.strictObject({
  system_id: z.uuid(),
  hostname: z.string(),
  version: z.string(),
  last_seen: z.iso.datetime().nullable(),
  service_set: z.array(z.strictObject({ name: z.string(), status: z.string(), status_info: z.string() })),
  interface_set: z.array(
    z.strictObject({
      name: z.string(),
      mac_address: z.string().nullable(),
      links: z.array(
        z.strictObject({
          ip_address: z.string(),
          mode: z.literal('static'),
          subnet: z.strictObject({ cidr: z.string() }),
        }),
      ),
    }),
  ),
  plan: z.strictObject({
    version: z.int(),
    taken: z.int().nullable(),
    refused: z.strictObject({ version: z.int(), faults: z.array(z.string()) }).nullable(),
    conflicts: z.array(z.string()),
  }),
  notices: z.array(z.string()),
  resource_uri: z.string(),
});

const rackControllers: Handler = {
  name: 'RackControllersHandler',
  versions: NEW,
  doc: 'The racks.',
  path: 'rackcontrollers/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List the racks.',
      reply: z.array(rackShape),
      read: async (sql, { base }) => (await sql.query(`${RACKS} ORDER BY name`)).map((row) => rackView(row, base)),
    }),
    action({
      name: 'import_boot_images',
      method: 'POST',
      op: 'import_boot_images',
      doc: 'Have every rack import its images.',
      change: async (sql, call) => {
        await order(sql, 'all', 'import');
        await settle(sql, call, { did: 'import', what: 'images of all racks', racks: 'nobody' });
        return 'Import of boot images started on all rack controllers';
      },
    }),
  ],
};

const rackController: Handler = {
  name: 'RackControllerHandler',
  versions: NEW,
  doc: 'One rack, by its system_id or name.',
  path: 'rackcontrollers/{system_id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a rack.',
      reply: rackShape,
      read: async (sql, { uri: [id], base }) => rackView(await rackOf(sql, id), base),
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Forget a rack and its subnets: it serves on by what it has, and is not heard any more.',
      parameters: z.object({ force: truth('true: although it serves subnets by what is said here.').optional() }),
      change: async (sql, call) => {
        const { id, name } = await rackOf(sql, call.uri[0]);
        const served = await sql.query(
          "SELECT cidr FROM subnet WHERE rack_id = $1 AND management <> 'none' ORDER BY id",
          [id],
        );
        if (served.length > 0 && call.parameters.force !== true) {
          const list = served.map(({ cidr }) => String(cidr)).join(', ');
          throw new Refusal(409, `rack ${String(name)} serves ${list}: force=true takes these away with it`);
        }
        await removeRack(sql, String(id));
        await settle(sql, call, { did: 'delete', what: `rack ${String(name)}`, racks: 'nobody' });
        return null;
      },
    }),
    action({
      name: 'import_boot_images',
      method: 'POST',
      op: 'import_boot_images',
      doc: 'Have this rack import its images.',
      change: async (sql, call) => {
        const { id, name } = await rackOf(sql, call.uri[0]);
        await order(sql, [String(id)], 'import');
        await settle(sql, call, { did: 'import', what: `images of rack ${String(name)}`, racks: 'nobody' });
        return `Import of boot images started on ${String(name)}`;
      },
    }),
    action({
      name: 'list_boot_images',
      method: 'GET',
      op: 'list_boot_images',
      doc: 'The images that this rack has.',
      reply: z.strictObject({
        images: z.array(imageShape),
        connected: z.boolean(),
        status: z.enum(['synced', 'syncing', 'unknown']),
      }),
      read: async (sql, { uri: [id] }) => {
        const row = await rackOf(sql, id);
        const status = row['status'] as StatusReport | null;
        const state = status?.isImporting === true ? 'syncing' : 'synced';
        return {
          images: status?.images ?? [],
          connected: row['is_heard'],
          status: status === null ? 'unknown' : state,
        };
      },
    }),
  ],
};

const leases: Handler = {
  name: 'LeasesHandler',
  versions: NEW,
  doc: 'Who has which address, at all racks. Beyond MAAS.',
  path: 'leases/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: `List leases, ${MOST_LEASES} at most: of more a part must be asked for.`,
      parameters: z.object({
        rack: words('Of these racks.').optional(),
        mac_address: mac('Of this machine.').optional(),
      }),
      reply: z.array(
        z.strictObject({
          rack: z.string(),
          ip: z.string(),
          mac_address: z.string(),
          hostname: z.string().nullable(),
          expires: z.iso.datetime().nullable(),
        }),
      ),
      read: async (sql, { parameters: { rack, mac_address: card } }) => {
        const rows = await sql.query(
          `SELECT rack.name AS rack, host(address) AS ip, mac AS mac_address, lease.name AS hostname, expires
           FROM lease JOIN rack ON rack.id = rack_id
           WHERE ($1::text[] IS NULL OR rack.name = ANY($1::text[])) AND ($2::macaddr IS NULL OR mac = $2::macaddr)
           ORDER BY rack.name, address LIMIT $3`,
          [rack ?? null, card ?? null, MOST_LEASES + 1],
        );
        if (rows.length <= MOST_LEASES) return rows;
        throw new FieldFaults({ rack: [`there are more than ${MOST_LEASES} leases: ask for those of fewer racks`] });
      },
    }),
  ],
};

export const RACK_HANDLERS: readonly Handler[] = [rackControllers, rackController, leases];

const RACKS = `SELECT id, name, plan_version, status, seen,
  coalesce(seen > now() - interval '${SILENT_SECONDS} seconds', false) AS is_heard FROM known_rack`;

async function rackOf(sql: Sql, id = ''): Promise<Row> {
  const [row] = await sql.query(`${RACKS} WHERE id::text = $1 OR name = $1`, [id]);
  if (!row) throw new Refusal(404, 'there is no such rack');
  return row;
}

function rackView(row: Row, base: string) {
  const status = row['status'] as StatusReport | null;
  const { seen, is_heard: isHeard } = row;
  return {
    system_id: row['id'],
    hostname: row['name'],
    version: status?.version ?? '',
    last_seen: seen instanceof Date ? seen.toISOString() : null,
    service_set: (status?.services ?? []).map(({ name, state }) => ({
      name,
      status: isHeard === true ? (state === 'serving' ? 'running' : 'dead') : 'unknown',
      status_info: isHeard === true ? '' : 'the rack is not heard of',
    })),
    interface_set: (status?.interfaces ?? []).map(({ name, address, prefix, mac: card }) => ({
      name,
      mac_address: card ?? null,
      links: [{ ip_address: address, mode: 'static', subnet: { cidr: `${address}/${prefix}` } }],
    })),
    plan: {
      version: row['plan_version'],
      taken: status?.plan.version ?? null,
      refused: status?.plan.refused ?? null,
      conflicts: status?.plan.conflicts ?? [],
    },
    notices: status?.notices ?? [],
    resource_uri: `${base}/rackcontrollers/${String(row['id'])}/`,
  };
}
