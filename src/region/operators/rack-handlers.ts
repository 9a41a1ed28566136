import * as z from 'zod';

import type { StatusReport } from '../../contract/rack-words.ts';
import { order } from '../answer/publish.ts';
import { audit } from '../audit.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { count, mac, text } from './form-words.ts';
import type { Call, Handler } from './handler.ts';

const NEW: readonly '2.0'[] = ['2.0'];
/** A rack reports every half minute. */
const SILENT_SECONDS = 120;
const MOST_EVENTS = 1_000;

const rackControllers: Handler = {
  name: 'RackControllersHandler',
  versions: NEW,
  doc: 'The racks.',
  path: 'rackcontrollers/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List the racks.',
      read: async (sql, { base }) =>
        (await sql.query('SELECT * FROM known_rack ORDER BY name')).map((row) => rackView(row, base)),
    },
    {
      name: 'import_boot_images',
      method: 'POST',
      op: 'import_boot_images',
      doc: 'Have every rack import its images.',
      change: async (sql, { operator }) => {
        await order(sql, 'all', 'import');
        await audit(sql, { who: operator.name, did: 'import', what: 'images of all racks' });
        return 'Import of boot images started on all rack controllers';
      },
    },
  ],
};

const rackController: Handler = {
  name: 'RackControllerHandler',
  versions: NEW,
  doc: 'One rack, by its system_id or name.',
  path: 'rackcontrollers/{system_id}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a rack.',
      read: async (sql, { uri: [id], base }) => rackView(await rackOf(sql, id), base),
    },
    {
      name: 'delete',
      method: 'DELETE',
      doc: 'Forget a rack: it serves on by what it has, and is not heard any more.',
      change: async (sql, { uri: [id], operator }) => {
        const row = await rackOf(sql, id);
        await sql.query('DELETE FROM rack WHERE id = $1', [row['id']]);
        await audit(sql, { who: operator.name, did: 'delete', what: `rack ${String(row['name'])}` });
        return null;
      },
    },
    {
      name: 'import_boot_images',
      method: 'POST',
      op: 'import_boot_images',
      doc: 'Have this rack import its images.',
      change: async (sql, { uri: [id], operator }) => {
        const row = await rackOf(sql, id);
        await order(sql, [String(row['id'])], 'import');
        await audit(sql, { who: operator.name, did: 'import', what: `images of rack ${String(row['name'])}` });
        return `Import of boot images started on ${String(row['name'])}`;
      },
    },
    {
      name: 'list_boot_images',
      method: 'GET',
      op: 'list_boot_images',
      doc: 'The images that this rack has.',
      read: async (sql, { uri: [id] }) => {
        const status = (await rackOf(sql, id))['status'] as StatusReport | null;
        return {
          images: status?.images ?? [],
          connected: status !== null,
          status: status?.isImporting === true ? 'syncing' : 'synced',
        };
      },
    },
  ],
};

const discoveries: Handler = {
  name: 'DiscoveriesHandler',
  versions: NEW,
  doc: 'Who racks see on their wires.',
  path: 'discovery/',
  actions: [
    { name: 'read', method: 'GET', doc: 'List all.', read: (sql, call) => discoveriesOf(sql, call, 'true') },
    {
      name: 'by_unknown_mac',
      method: 'GET',
      op: 'by_unknown_mac',
      doc: 'Those whose card no machine and no reserved address has.',
      read: (sql, call) =>
        discoveriesOf(
          sql,
          call,
          'NOT EXISTS (SELECT 1 FROM machine WHERE machine.mac = neighbour.mac) AND NOT EXISTS (SELECT 1 FROM reserved_ip WHERE reserved_ip.mac = neighbour.mac)',
        ),
    },
    {
      name: 'by_unknown_ip',
      method: 'GET',
      op: 'by_unknown_ip',
      doc: 'Those whose address nobody was given.',
      read: (sql, call) =>
        discoveriesOf(
          sql,
          call,
          'NOT EXISTS (SELECT 1 FROM lease WHERE lease.address = neighbour.address) AND NOT EXISTS (SELECT 1 FROM reserved_ip WHERE reserved_ip.ip = neighbour.address)',
        ),
    },
    {
      name: 'scan',
      method: 'POST',
      op: 'scan',
      doc: 'Have every rack look for them now.',
      change: async (sql, { operator }) => {
        await order(sql, 'all', 'scan');
        await audit(sql, { who: operator.name, did: 'scan', what: 'networks of all racks' });
        return { result: 'Scanning is in progress on all rack controllers.' };
      },
    },
    {
      name: 'clear',
      method: 'POST',
      op: 'clear',
      doc: 'Forget all that racks have told of their wires.',
      change: async (sql, { operator }) => {
        await sql.query('DELETE FROM neighbour');
        await audit(sql, { who: operator.name, did: 'clear', what: 'discoveries' });
        return null;
      },
    },
  ],
};

const events: Handler = {
  name: 'EventsHandler',
  versions: NEW,
  doc: 'What happened at racks.',
  path: 'events/',
  actions: [
    {
      name: 'query',
      method: 'GET',
      op: 'query',
      doc: 'List events, the newest first.',
      parameters: z.object({
        limit: count('At most so many.', 0, MOST_EVENTS).optional(),
        before: count('Older than the event of this id.').optional(),
        after: count('Newer than the event of this id.').optional(),
        mac_address: mac('Of this machine.').optional(),
        hostname: text('Of the machine that has a lease by this name.', 253).optional(),
        agent_name: text('At this rack.', 63).optional(),
        level: text('Taken for the sake of others: all are told.', 20).optional(),
      }),
      read: queryEvents,
    },
  ],
};

const leases: Handler = {
  name: 'LeasesHandler',
  versions: NEW,
  doc: 'Who has which address, at all racks. Beyond MAAS.',
  path: 'leases/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List leases.',
      read: (sql) =>
        sql.query(
          `SELECT rack.name AS rack, host(address) AS ip, mac AS mac_address, lease.name AS hostname, expires
           FROM lease JOIN rack ON rack.id = rack_id ORDER BY rack.name, address`,
        ),
    },
  ],
};

export const RACK_HANDLERS: readonly Handler[] = [rackControllers, rackController, discoveries, events, leases];

async function rackOf(sql: Sql, id = ''): Promise<Row> {
  const [row] = await sql.query('SELECT * FROM known_rack WHERE id::text = $1 OR name = $1', [id]);
  if (!row) throw new Refusal(404, 'there is no such rack');
  return row;
}

function rackView(row: Row, base: string) {
  const status = row['status'] as StatusReport | null;
  const seen = row['seen'];
  const isHeard = seen instanceof Date && Date.now() - seen.getTime() < SILENT_SECONDS * 1000;
  return {
    system_id: row['id'],
    hostname: row['name'],
    version: status?.version ?? '',
    last_seen: seen instanceof Date ? seen.toISOString() : null,
    service_set: (status?.services ?? []).map(({ name, state }) => ({
      name,
      status: isHeard ? (state === 'serving' ? 'running' : 'dead') : 'unknown',
      status_info: isHeard ? '' : 'the rack is not heard of',
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

async function discoveriesOf(sql: Sql, { base }: Call, condition: string): Promise<unknown[]> {
  const rows = await sql.query(
    `SELECT host(neighbour.address) AS ip, neighbour.mac, last_seen, first_seen, interface, vlan, rack.name AS rack, rack.id AS rack_id,
       (SELECT lease.name FROM lease WHERE lease.rack_id = neighbour.rack_id AND lease.address = neighbour.address) AS hostname
     FROM neighbour JOIN rack ON rack.id = neighbour.rack_id WHERE ${condition} ORDER BY last_seen DESC, neighbour.address LIMIT 100000`,
  );
  return rows.map(
    ({ ip, mac: card, last_seen: last, first_seen: first, interface: device, vlan, rack, rack_id: id, hostname }) => {
      const discovery = Buffer.from(`${String(ip)},${String(card)}`).toString('base64url');
      return {
        discovery_id: discovery,
        ip,
        mac_address: card,
        hostname,
        first_seen: first,
        last_seen: last,
        vid: vlan === '' ? null : vlan,
        observer: { system_id: id, hostname: rack, interface_name: device },
        resource_uri: `${base}/discovery/${discovery}/`,
      };
    },
  );
}

async function queryEvents(sql: Sql, { parameters, base }: Call): Promise<unknown> {
  const limit = Number(parameters['limit'] ?? 100);
  const conditions = ['true'];
  const values: unknown[] = [];
  const where = (condition: string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  where('event.id < ?', parameters['before']);
  where('event.id > ?', parameters['after']);
  where('event.mac = ?::macaddr', parameters['mac_address']);
  where('event.mac IN (SELECT mac FROM lease WHERE lease.name = ?)', parameters['hostname']);
  where('rack.name = ?', parameters['agent_name']);
  // The oldest of what is newer, so that a reader who goes on misses none
  const isForward = parameters['after'] !== undefined && parameters['before'] === undefined;
  const rows = await sql.query(
    `SELECT event.id, event.at, kind, event.mac, host(event.address) AS ip, body, rack.name AS rack FROM event JOIN rack ON rack.id = rack_id
     WHERE ${conditions.join(' AND ')} ORDER BY event.id ${isForward ? 'ASC' : 'DESC'} LIMIT ${limit}`,
    values,
  );
  const newest = isForward ? rows.toReversed() : rows;
  const uri = (name: string, id: unknown): string =>
    `${base}/events/?op=query&limit=${limit}&${name}=${Number(id ?? 0)}`;
  return {
    count: newest.length,
    events: newest.map(({ id, at, kind, mac: card, ip, body, rack }) => ({
      id,
      created: at,
      type: kind,
      node: card,
      ip,
      hostname: rack,
      level: 'INFO',
      description: body,
    })),
    next_uri: uri('after', newest[0]?.['id'] ?? parameters['after']),
    prev_uri: uri('before', newest.at(-1)?.['id'] ?? parameters['before']),
  };
}
