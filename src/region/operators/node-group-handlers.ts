import * as z from 'zod';

import { cidrContains, formatCidr, netmask, parseCidr } from '../../addr/cidr.ts';
import { formatIp4, parseIp4, toIp4 } from '../../addr/ip4.ts';
import type { StatusReport } from '../../contract/rack-words.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { address, addressOrNothing, count, domainName, interfaceName, mask, oneOf, text } from './form-words.ts';
import { action, OLD, settle, type Call, type Handler } from './handler.ts';
import { setRange, settleSubnets } from './subnet-store.ts';

/** MAAS 1.x has numbers for what a cluster does on a network. */
const MANAGEMENT = ['none', 'dhcp', 'dhcp+dns'] as const;
const ACCEPTED = 1;

const ipField = address('The address of the rack there; it is what it is.');
const maskField = mask('The mask of the network; it is what it is.');
const managementField = oneOf(['0', '1', '2'], '0: nothing, 1: DHCP, 2: DHCP and DNS.');
const interfaceFields = {
  ip: ipField.optional(),
  interface: interfaceName('The interface of the rack.').optional(),
  name: text('What it is called.', 50).optional(),
  management: managementField.optional(),
  subnet_mask: maskField.optional(),
  broadcast_ip: addressOrNothing('Broadcast address.').optional(),
  router_ip: addressOrNothing('Default gateway.').optional(),
  ip_range_low: addressOrNothing('First of the addresses for whoever asks.').optional(),
  ip_range_high: addressOrNothing('Last of them.').optional(),
  static_ip_range_low: addressOrNothing('First of the addresses that machines keep.').optional(),
  static_ip_range_high: addressOrNothing('Last of them.').optional(),
};
const interfaceParameters = z.object(interfaceFields);
const newInterfaceParameters = z.object({
  ...interfaceFields,
  ip: ipField,
  subnet_mask: maskField,
  management: managementField,
});
type InterfaceWish = z.output<typeof interfaceParameters>;

const groupShape = z.strictObject({
  cluster_name: z.string(),
  status: z.literal(ACCEPTED),
  name: z.string(),
  uuid: z.uuid(),
});

const interfaceShape = z.strictObject({
  ip_range_high: z.string().nullable(),
  ip_range_low: z.string().nullable(),
  broadcast_ip: z.string().nullable(),
  static_ip_range_low: z.string().nullable(),
  name: z.string(),
  ip: z.string().nullable(),
  subnet_mask: z.string(),
  management: z.int(),
  static_ip_range_high: z.string().nullable(),
  interface: z.string().nullable(),
});

const networkShape = z.strictObject({
  dns_servers: z.string().nullable(),
  name: z.string(),
  default_gateway: z.string().nullable(),
  ip: z.string(),
  netmask: z.string(),
  vlan_tag: z.null(),
  resource_uri: z.string(),
  description: z.string(),
});

const nodeGroups: Handler = {
  name: 'NodeGroupsHandler',
  versions: OLD,
  doc: 'The racks, which MAAS 1.x calls node groups or clusters.',
  path: 'nodegroups/',
  actions: [
    action({
      name: 'list',
      method: 'GET',
      op: 'list',
      doc: 'List the racks.',
      reply: z.array(groupShape),
      read: async (sql) => (await sql.query(`${GROUPS} ORDER BY rack.name`)).map(groupView),
    }),
  ],
};

const nodeGroup: Handler = {
  name: 'NodeGroupHandler',
  versions: OLD,
  doc: 'One rack.',
  path: 'nodegroups/{uuid}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a rack.',
      reply: groupShape,
      read: async (sql, { uri: [uuid] }) => groupView(await groupOf(sql, uuid)),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a rack.',
      parameters: z.object({
        name: domainName('The domain of its machines.').optional(),
        cluster_name: text('The name of the rack; it is what it is.', 63).optional(),
        status: count('1: it is accepted, as all that are enrolled are.', ACCEPTED, ACCEPTED).optional(),
      }),
      reply: groupShape,
      change: async (sql, call) => {
        const old = await groupOf(sql, call.uri[0]);
        const { name: domain, cluster_name: name = old['name'] } = call.parameters;
        if (name !== old['name'])
          throw new FieldFaults({ cluster_name: ['a rack is called as its own file says: change it there'] });
        if (domain !== undefined) await setDomain(sql, old['id'], domain);
        const row = await groupOf(sql, call.uri[0]);
        const [before, after] = [groupView(old), groupView(row)];
        const what = `rack ${String(name)}`;
        await settle(sql, call, { did: 'update', what, before, after, racks: [String(old['id'])] });
        return after;
      },
    }),
  ],
};

const interfaces: Handler = {
  name: 'NodeGroupInterfacesHandler',
  versions: OLD,
  doc: 'The networks of a rack.',
  path: 'nodegroups/{uuid}/interfaces/',
  actions: [
    action({
      name: 'list',
      method: 'GET',
      op: 'list',
      doc: 'List the networks of a rack.',
      reply: z.array(interfaceShape),
      read: async (sql, { uri: [uuid] }) => {
        const { id } = await groupOf(sql, uuid);
        return (await sql.query(`${INTERFACES} WHERE rack_id = $1 ORDER BY subnet.id`, [id])).map(interfaceView);
      },
    }),
    action({
      name: 'new',
      method: 'POST',
      op: 'new',
      doc: 'Add a network of a rack. Those it is on itself are there already.',
      parameters: newInterfaceParameters,
      reply: interfaceShape,
      status: 201,
      change: addInterface,
    }),
  ],
};

const oneInterface: Handler = {
  name: 'NodeGroupInterfaceHandler',
  versions: OLD,
  doc: 'One network of a rack.',
  path: 'nodegroups/{uuid}/interfaces/{name}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a network of a rack.',
      reply: interfaceShape,
      read: async (sql, { uri }) => interfaceView(await interfaceOf(sql, uri)),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a network of a rack.',
      parameters: interfaceParameters,
      reply: interfaceShape,
      change: async (sql, call) => {
        const old = await interfaceOf(sql, call.uri);
        const before = interfaceView(old);
        checkSame(before, call.parameters);
        const subnet = Number(old['id']);
        await writeInterface(sql, old, call.parameters);
        const row = await interfaceOf(sql, call.uri);
        const after = interfaceView(row);
        await settleSubnets(sql, call, { did: 'update', what: `subnet ${subnet}`, before, after }, [row]);
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a network of a rack.',
      change: async (sql, call) => {
        const old = await interfaceOf(sql, call.uri);
        await sql.query('DELETE FROM subnet WHERE id = $1', [old['id']]);
        const what = `subnet ${String(old['id'])}`;
        await settleSubnets(sql, call, { did: 'delete', what, before: interfaceView(old) }, [old]);
        return null;
      },
    }),
  ],
};

const networks: Handler = {
  name: 'NetworksHandler',
  versions: OLD,
  doc: 'The networks that racks are on.',
  path: 'networks/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List networks.',
      reply: z.array(networkShape),
      read: async (sql, { base }) =>
        (await sql.query(`${INTERFACES} ORDER BY subnet.id`)).map((row) => networkView(row, base)),
    }),
  ],
};

const network: Handler = {
  name: 'NetworkHandler',
  versions: OLD,
  doc: 'One network, by its name.',
  path: 'networks/{name}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a network.',
      reply: networkShape,
      read: async (sql, { uri: [name], base }) => {
        const [row] = await sql.query(`${INTERFACES} WHERE subnet.name = $1 ORDER BY subnet.id LIMIT 1`, [name]);
        if (!row) throw new Refusal(404, 'there is no such network');
        return networkView(row, base);
      },
    }),
  ],
};

export const NODE_GROUP_HANDLERS: readonly Handler[] = [
  nodeGroups,
  nodeGroup,
  interfaces,
  oneInterface,
  networks,
  network,
];

const GROUPS = `SELECT rack.id, rack.name, coalesce(
  (SELECT domain.name FROM subnet JOIN domain ON domain.id = domain_id WHERE rack_id = rack.id ORDER BY subnet.id LIMIT 1),
  (SELECT name FROM domain ORDER BY id LIMIT 1)) AS domain FROM rack`;

/** The first network at an interface has its name, others have their number behind it, and one behind relays only that. */
const NAME = `CASE WHEN interface IS NULL THEN 'subnet-' || subnet.id
  WHEN EXISTS (SELECT 1 FROM subnet AS other
    WHERE other.rack_id = subnet.rack_id AND other.interface = subnet.interface AND other.id < subnet.id)
  THEN interface || '-' || subnet.id ELSE interface END`;
const INTERFACES = `SELECT subnet.*, ${NAME} AS called, host(router) AS router_ip, host(broadcast) AS broadcast_ip, known_rack.status,
  ARRAY(SELECT host(each) FROM unnest(dns) AS each) AS dns_servers,
  host(dynamic.low) AS dynamic_low, host(dynamic.high) AS dynamic_high,
  host(static.low) AS static_low, host(static.high) AS static_high
  FROM subnet LEFT JOIN known_rack ON known_rack.id = rack_id
  LEFT JOIN ip_range AS dynamic ON dynamic.subnet_id = subnet.id AND dynamic.type = 'dynamic'
  LEFT JOIN ip_range AS static ON static.subnet_id = subnet.id AND static.type = 'static'`;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function groupOf(sql: Sql, uuid = ''): Promise<Row> {
  const [row] = UUID.test(uuid) ? await sql.query(`${GROUPS} WHERE rack.id = $1`, [uuid]) : [];
  if (!row) throw new Refusal(404, 'there is no such node group');
  return row;
}

async function interfaceOf(sql: Sql, [uuid, name]: readonly string[]): Promise<Row> {
  const { id } = await groupOf(sql, uuid);
  const [row] = await sql.query(`${INTERFACES} WHERE rack_id = $1 AND ${NAME} = $2`, [id, name]);
  if (!row) throw new Refusal(404, 'there is no such interface');
  return row;
}

async function setDomain(sql: Sql, rack: unknown, domain: string): Promise<void> {
  const [row] = await sql.query(
    'INSERT INTO domain (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id',
    [domain],
  );
  await sql.query('UPDATE subnet SET domain_id = $2 WHERE rack_id = $1', [rack, row?.['id']]);
}

async function addInterface(sql: Sql, call: Call<z.output<typeof newInterfaceParameters>>): Promise<unknown> {
  const group = await groupOf(sql, call.uri[0]);
  const { ip, subnet_mask: bits, interface: device = null, name } = call.parameters;
  const cidr = networkAround(ip, bits);
  const [made] = await sql.query(
    `INSERT INTO subnet (rack_id, interface, name, cidr, domain_id)
     VALUES ($1, $2, $3, $4, (SELECT id FROM domain WHERE name = $5)) RETURNING id`,
    [group['id'], device, name ?? `${String(group['name'])}-${device ?? cidr}`, cidr, group['domain']],
  );
  const find = async (): Promise<Row> => {
    const [row] = await sql.query(`${INTERFACES} WHERE subnet.id = $1`, [made?.['id']]);
    if (!row) throw new Refusal(404, 'there is no such interface');
    return row;
  };
  await writeInterface(sql, await find(), call.parameters);
  const row = await find();
  const after = interfaceView(row);
  await settleSubnets(sql, call, { did: 'create', what: `subnet ${String(made?.['id'])}`, after }, [row]);
  return after;
}

/** The network that an address is in. */
function networkAround(ip: string, bits: string): string {
  const prefix = Array.from({ length: 33 }, (_, length) => length).find(
    (length) => formatIp4(netmask(length)) === bits,
  );
  return formatCidr({ network: toIp4((parseIp4(ip) ?? 0) & netmask(prefix ?? 0)), prefix: prefix ?? 0 });
}

/** What only the rack itself can change. */
function checkSame(view: ReturnType<typeof interfaceView>, wish: InterfaceWish): void {
  for (const name of ['ip', 'subnet_mask', 'interface', 'name'] as const) {
    const wanted = wish[name];
    if (wanted !== undefined && wanted !== view[name]) {
      throw new FieldFaults({ [name]: [`the rack has ${String(view[name])} there: change it on the rack itself`] });
    }
  }
}

async function writeInterface(sql: Sql, before: Row, wish: InterfaceWish): Promise<void> {
  const subnet = Number(before['id']);
  await sql.query('UPDATE subnet SET management = $2, router = $3, broadcast = $4 WHERE id = $1', [
    subnet,
    wish.management === undefined ? before['management'] : MANAGEMENT[Number(wish.management)],
    wish.router_ip === undefined ? before['router_ip'] : wish.router_ip,
    wish.broadcast_ip === undefined ? before['broadcast_ip'] : wish.broadcast_ip,
  ]);
  await setRange(sql, subnet, 'dynamic', [wish.ip_range_low, wish.ip_range_high]);
  await setRange(sql, subnet, 'static', [wish.static_ip_range_low, wish.static_ip_range_high]);
}

function groupView(row: Row) {
  return { cluster_name: row['name'], status: ACCEPTED, name: row['domain'], uuid: row['id'] };
}

function interfaceView(row: Row) {
  const { bits } = placeOf(row);
  const management = MANAGEMENT.findIndex((word) => word === row['management']);
  return {
    ip_range_high: row['dynamic_high'],
    ip_range_low: row['dynamic_low'],
    broadcast_ip: row['broadcast_ip'],
    static_ip_range_low: row['static_low'],
    name: row['called'],
    ip: addressOf(row),
    subnet_mask: bits,
    // MAAS 1.x has no number for a server of boot files alone
    management: Math.max(0, management),
    static_ip_range_high: row['static_high'],
    interface: row['interface'],
  };
}

function networkView(row: Row, base: string) {
  const { network: ip, bits } = placeOf(row);
  const servers = row['dns_servers'] as unknown[];
  return {
    dns_servers: servers.length === 0 ? null : servers.join(' '),
    name: row['name'],
    default_gateway: row['router_ip'],
    ip,
    netmask: bits,
    vlan_tag: null,
    resource_uri: `${base}/networks/${encodeURIComponent(String(row['name']))}/`,
    description: row['description'],
  };
}

function placeOf(row: Row): { readonly network: string; readonly bits: string } {
  const cidr = parseCidr(String(row['cidr']));
  if (!cidr) throw new Error(`subnet ${String(row['id'])} has no IPv4 network`);
  return { network: formatIp4(cidr.network), bits: formatIp4(netmask(cidr.prefix)) };
}

/** The rack's own address in the network. */
function addressOf(row: Row): string | null {
  const status = row['status'] as StatusReport | null;
  const cidr = parseCidr(String(row['cidr']));
  const found = status?.interfaces.find(({ name, address: own }) => {
    const ip = parseIp4(own);
    return name === row['interface'] && ip !== undefined && cidr !== undefined && cidrContains(cidr, ip);
  });
  return found?.address ?? null;
}
