import * as z from 'zod';

import { parseCidr } from '../../addr/cidr.ts';
import { parseIp4 } from '../../addr/ip4.ts';
import type { Row, Sql } from '../database/database.ts';
import { gapsOf, rangeView, statisticsOf, usableOf, type Use } from './address-use.ts';
import { FieldFaults } from './field-faults.ts';
import { addressOrNothing, domainName, networkOf, oneOf, text, truth, words } from './form-words.ts';
import { action, NEW, type Handler } from './handler.ts';
import { RANGES, settleSubnets, subnetOf, SUBNETS } from './subnet-store.ts';
import { vlanShape, vlanView } from './vlan-view.ts';

const subnetFields = {
  cidr: networkOf('The network.'),
  name: text('What it is called.', 100).optional(),
  description: text('What it is for.').optional(),
  gateway_ip: addressOrNothing('Default gateway.').optional(),
  broadcast_ip: addressOrNothing('Broadcast address; nothing: the last of the network. Beyond MAAS.').optional(),
  dns_servers: words('Name servers for clients.', 'IPv4 addresses', ip4Word).optional(),
  managed: truth('false: racks do nothing there.').optional(),
  rack: text('The rack that serves it, by name or system_id; nothing: none. Beyond MAAS.', 100).optional(),
  interface: text('Its interface at that rack; nothing: it is reached through relays. Beyond MAAS.', 15).optional(),
  management: oneOf(['none', 'proxy', 'dhcp', 'dhcp+dns'], 'What the rack does there. Beyond MAAS.').optional(),
  domain: domainName('The domain of its machines. Beyond MAAS.').optional(),
};
const createParameters = z.object(subnetFields);
const updateParameters = createParameters.partial();
type SubnetWish = z.output<typeof updateParameters>;

const subnetShape = z.strictObject({
  name: z.string(),
  description: z.string(),
  vlan: vlanShape,
  cidr: z.string(),
  gateway_ip: z.string().nullable(),
  broadcast_ip: z.string().nullable(),
  dns_servers: z.array(z.string()),
  managed: z.boolean(),
  rack: z.string().nullable(),
  interface: z.string().nullable(),
  management: z.string(),
  domain: z.string(),
  id: z.int(),
  resource_uri: z.string(),
});
const spanShape = z.strictObject({ start: z.string(), end: z.string(), num_addresses: z.int() });

const subnets: Handler = {
  name: 'SubnetsHandler',
  versions: NEW,
  doc: 'Manage subnets.',
  path: 'subnets/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List subnets.',
      reply: z.array(subnetShape),
      read: async (sql, { base }) =>
        (await sql.query(`${SUBNETS} ORDER BY subnet.id`)).map((row) => subnetView(row, base)),
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create a subnet. Those that racks are on themselves are there already.',
      parameters: createParameters,
      reply: subnetShape,
      status: 201,
      change: async (sql, call) => {
        const { cidr, name = cidr, rack } = call.parameters;
        const [row] = await sql.query(
          'INSERT INTO subnet (rack_id, name, cidr, domain_id) VALUES ($1, $2, $3, (SELECT min(id) FROM domain)) RETURNING id',
          [rack === undefined ? null : await rackOf(sql, rack), name, cidr],
        );
        const id = Number(row?.['id']);
        const after = await writeSubnet(sql, await subnetOf(sql, String(id)), call.parameters);
        const view = subnetView(after, call.base);
        await settleSubnets(sql, call, { did: 'create', what: `subnet ${id}`, after: view }, [after]);
        return view;
      },
    }),
  ],
};

const subnet: Handler = {
  name: 'SubnetHandler',
  versions: NEW,
  doc: 'Manage one subnet, by its id or its network.',
  path: 'subnets/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a subnet.',
      reply: subnetShape,
      read: async (sql, { uri: [id], base }) => subnetView(await subnetOf(sql, id), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a subnet.',
      parameters: updateParameters,
      reply: subnetShape,
      change: async (sql, call) => {
        const old = await subnetOf(sql, call.uri[0]);
        const row = await writeSubnet(sql, old, call.parameters);
        const [before, after] = [subnetView(old, call.base), subnetView(row, call.base)];
        await settleSubnets(sql, call, { did: 'update', what: `subnet ${after.id}`, before, after }, [old, row]);
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a subnet with its ranges and reserved addresses.',
      change: async (sql, call) => {
        const old = await subnetOf(sql, call.uri[0]);
        await sql.query('DELETE FROM subnet WHERE id = $1', [old['id']]);
        const before = subnetView(old, call.base);
        await settleSubnets(sql, call, { did: 'delete', what: `subnet ${before.id}`, before }, [old]);
        return null;
      },
    }),
    action({
      name: 'reserved_ip_ranges',
      method: 'GET',
      op: 'reserved_ip_ranges',
      doc: 'What of it is in use: ranges, and addresses that somebody has.',
      reply: z.array(spanShape.extend({ purpose: z.array(z.string()) })),
      read: async (sql, { uri: [id] }) =>
        (await usesOf(sql, await subnetOf(sql, id))).map(({ range, purpose }) => ({
          ...rangeView(range),
          purpose: [purpose],
        })),
    }),
    action({
      name: 'unreserved_ip_ranges',
      method: 'GET',
      op: 'unreserved_ip_ranges',
      doc: 'What of it is free.',
      reply: z.array(spanShape),
      read: async (sql, { uri: [id] }) => {
        const row = await subnetOf(sql, id);
        return gapsOf(usableIn(row), await usesOf(sql, row)).map(rangeView);
      },
    }),
    action({
      name: 'statistics',
      method: 'GET',
      op: 'statistics',
      doc: 'How many of its addresses are in use.',
      reply: z.strictObject({
        num_available: z.int(),
        largest_available: z.int(),
        num_unavailable: z.int(),
        total_addresses: z.int(),
        usage: z.number(),
        usage_string: z.string(),
        available_string: z.string(),
        first_address: z.string(),
        last_address: z.string(),
        ip_version: z.literal(4),
      }),
      read: async (sql, { uri: [id] }) => {
        const row = await subnetOf(sql, id);
        return statisticsOf(usableIn(row), await usesOf(sql, row));
      },
    }),
    action({
      name: 'ip_addresses',
      method: 'GET',
      op: 'ip_addresses',
      doc: 'Who has which address of it.',
      reply: z.array(
        z.strictObject({
          ip: z.string(),
          mac_address: z.string(),
          hostname: z.string().nullable(),
          expires: z.iso.datetime().nullable(),
        }),
      ),
      read: async (sql, { uri: [id] }) => {
        const row = await subnetOf(sql, id);
        return sql.query(
          `SELECT host(address) AS ip, mac AS mac_address, name AS hostname, expires
           FROM lease WHERE rack_id = $1 AND address << $2::cidr ORDER BY address`,
          [row['rack_id'], row['cidr']],
        );
      },
    }),
  ],
};

export const SUBNET_HANDLERS: readonly Handler[] = [subnets, subnet];

/** Writes what is wished for, and gives what is there then. Throws FieldFaults. */
async function writeSubnet(sql: Sql, before: Row, wish: SubnetWish): Promise<Row> {
  const management = wish.managed === false ? 'none' : (wish.management ?? before['management']);
  await sql.query(
    `UPDATE subnet SET rack_id = $2, interface = $3, name = coalesce($4, name), description = coalesce($5, description),
       cidr = coalesce($6, cidr), router = $7, broadcast = $8, dns = coalesce($9::inet[], dns), management = $10,
       domain_id = coalesce($11, domain_id)
     WHERE id = $1`,
    [
      before['id'],
      wish.rack === undefined ? before['rack_id'] : await rackOf(sql, wish.rack),
      wish.interface === undefined ? before['interface'] : wish.interface || null,
      wish.name ?? null,
      wish.description ?? null,
      wish.cidr ?? null,
      wish.gateway_ip === undefined ? before['gateway_ip'] : wish.gateway_ip,
      wish.broadcast_ip === undefined ? before['broadcast_ip'] : wish.broadcast_ip,
      wish.dns_servers ?? null,
      management,
      wish.domain === undefined ? null : await domainOf(sql, wish.domain),
    ],
  );
  return subnetOf(sql, String(before['id']));
}

function ip4Word(word: string): string | undefined {
  return parseIp4(word) === undefined ? undefined : word;
}

/** By name or id; null for nothing. */
async function rackOf(sql: Sql, word: string): Promise<unknown> {
  if (word === '') return null;
  const [row] = await sql.query('SELECT id FROM rack WHERE name = $1 OR id::text = $1', [word]);
  if (!row) throw new FieldFaults({ rack: ['there is no such rack'] });
  return row['id'];
}

async function domainOf(sql: Sql, name: string): Promise<unknown> {
  const [row] = await sql.query('SELECT id FROM domain WHERE name = $1', [name]);
  if (!row) throw new FieldFaults({ domain: ['there is no such domain: create it first'] });
  return row['id'];
}

function subnetView(row: Row, base: string) {
  const id = Number(row['id']);
  return {
    name: row['name'],
    description: row['description'],
    vlan: vlanView(row, base),
    cidr: row['cidr'],
    gateway_ip: row['gateway_ip'],
    broadcast_ip: row['broadcast_ip'],
    dns_servers: row['dns_servers'],
    managed: row['management'] !== 'none',
    rack: row['rack'],
    interface: row['interface'],
    management: row['management'],
    domain: row['domain'],
    id,
    resource_uri: `${base}/subnets/${id}/`,
  };
}

/** In the order of the addresses. */
async function usesOf(sql: Sql, row: Row): Promise<Use[]> {
  const ranges = await sql.query(`${RANGES} WHERE subnet_id = $1`, [row['id']]);
  const addresses = await sql.query(
    `SELECT host(ip) AS ip FROM reserved_ip WHERE subnet_id = $1
     UNION SELECT host(address) FROM lease WHERE rack_id = $2 AND address << $3::cidr`,
    [row['id'], row['rack_id'], row['cidr']],
  );
  const gateway = row['gateway_ip'];
  const uses = [
    ...ranges.flatMap((range) => useOf(String(range['start_ip']), String(range['end_ip']), String(range['type']))),
    ...addresses.flatMap(({ ip }) => useOf(String(ip), String(ip), 'assigned-ip')),
    ...(typeof gateway === 'string' ? useOf(gateway, gateway, 'gateway-ip') : []),
  ];
  return uses.toSorted((a, b) => a.range.first - b.range.first);
}

function useOf(start: string, end: string, purpose: string): Use[] {
  const [first, last] = [parseIp4(start), parseIp4(end)];
  return first === undefined || last === undefined ? [] : [{ range: { first, last }, purpose }];
}

function usableIn(row: Row) {
  const cidr = parseCidr(String(row['cidr']));
  if (!cidr) throw new Error(`subnet ${String(row['id'])} has no IPv4 network`);
  return usableOf(cidr);
}
