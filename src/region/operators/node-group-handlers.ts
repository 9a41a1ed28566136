import * as z from 'zod';

import { formatCidr, netmask, parseCidr } from '../../addr/cidr.ts';
import { formatIp4, parseIp4 } from '../../addr/ip4.ts';
import type { StatusReport } from '../../contract/rack-words.ts';
import { publish } from '../answer/publish.ts';
import { audit } from '../audit.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { addressOrNothing, domainName, oneOf, text } from './form-words.ts';
import type { Call, Handler } from './handler.ts';
import { FieldFaults } from './field-faults.ts';
import { setRange } from './ranges.ts';

/** MAAS 1.x has numbers for what a cluster does on a network. */
const MANAGEMENT = ['none', 'dhcp', 'dhcp+dns'] as const;
const ACCEPTED = 1;

const interfaceFields = {
  ip: addressOrNothing('The address of the rack there; it is what it is.').optional(),
  interface: text('The interface of the rack.', 15).optional(),
  name: text('The same.', 15).optional(),
  management: oneOf(['0', '1', '2'], '0: nothing, 1: DHCP, 2: DHCP and DNS.').optional(),
  subnet_mask: addressOrNothing('The mask of the network; it is what it is.').optional(),
  broadcast_ip: addressOrNothing('Broadcast address.').optional(),
  router_ip: addressOrNothing('Default gateway.').optional(),
  ip_range_low: addressOrNothing('First of the addresses for whoever asks.').optional(),
  ip_range_high: addressOrNothing('Last of them.').optional(),
  static_ip_range_low: addressOrNothing('First of the addresses that machines keep.').optional(),
  static_ip_range_high: addressOrNothing('Last of them.').optional(),
};
type InterfaceWish = z.output<z.ZodObject<typeof interfaceFields>>;

const nodeGroups: Handler = {
  name: 'NodeGroupsHandler',
  versions: ['1.0'],
  doc: 'The racks, which MAAS 1.x calls node groups or clusters.',
  path: 'nodegroups/',
  actions: [
    {
      name: 'list',
      method: 'GET',
      op: 'list',
      doc: 'List the racks.',
      read: async (sql) => (await sql.query(`${GROUPS} ORDER BY rack.name`)).map(groupView),
    },
  ],
};

const nodeGroup: Handler = {
  name: 'NodeGroupHandler',
  versions: ['1.0'],
  doc: 'One rack.',
  path: 'nodegroups/{uuid}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a rack.',
      read: async (sql, { uri: [uuid] }) => groupView(await groupOf(sql, uuid)),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update a rack.',
      parameters: z.object({ name: domainName('The domain of its machines.') }),
      change: async (sql, { uri: [uuid], parameters, operator }) => {
        const group = await groupOf(sql, uuid);
        const domain = String(parameters['name']);
        const [row] = await sql.query(
          'INSERT INTO domain (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id',
          [domain],
        );
        await sql.query('UPDATE subnet SET domain_id = $2 WHERE rack_id = $1', [group['id'], row?.['id']]);
        await audit(sql, {
          who: operator.name,
          did: 'update',
          what: `rack ${String(group['name'])}`,
          after: { domain },
        });
        await publish(sql, [String(group['id'])]);
        return groupView(await groupOf(sql, uuid));
      },
    },
  ],
};

const interfaces: Handler = {
  name: 'NodeGroupInterfacesHandler',
  versions: ['1.0'],
  doc: 'The networks of a rack.',
  path: 'nodegroups/{uuid}/interfaces/',
  actions: [
    {
      name: 'list',
      method: 'GET',
      op: 'list',
      doc: 'List the networks of a rack.',
      read: async (sql, { uri: [uuid] }) => {
        const group = await groupOf(sql, uuid);
        const rows = await sql.query(`${INTERFACES} WHERE rack_id = $1 AND interface IS NOT NULL ORDER BY subnet.id`, [
          group['id'],
        ]);
        return rows.map((row) => interfaceView(row));
      },
    },
  ],
};

const oneInterface: Handler = {
  name: 'NodeGroupInterfaceHandler',
  versions: ['1.0'],
  doc: 'One network of a rack.',
  path: 'nodegroups/{uuid}/interfaces/{name}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a network of a rack.',
      read: async (sql, { uri }) => interfaceView(await interfaceOf(sql, uri)),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update a network of a rack.',
      parameters: z.object(interfaceFields),
      change: updateInterface,
    },
  ],
};

const networks: Handler = {
  name: 'NetworksHandler',
  versions: ['1.0'],
  doc: 'The networks that racks are on.',
  path: 'networks/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List networks.',
      read: async (sql, { base }) => {
        const rows = await sql.query(`${INTERFACES} ORDER BY subnet.id`);
        return rows.map((row) => networkView(row, base));
      },
    },
  ],
};

export const NODE_GROUP_HANDLERS: readonly Handler[] = [nodeGroups, nodeGroup, interfaces, oneInterface, networks];

const GROUPS = `SELECT rack.id, rack.name,
  coalesce((SELECT domain.name FROM subnet JOIN domain ON domain.id = domain_id WHERE rack_id = rack.id ORDER BY subnet.id LIMIT 1), 'maas') AS domain
  FROM rack`;
const INTERFACES = `SELECT subnet.*, host(router) AS router_ip, host(broadcast) AS broadcast_ip, known_rack.name AS rack, status,
  ARRAY(SELECT host(each) FROM unnest(dns) AS each) AS dns_servers,
  (SELECT host(low) FROM ip_range WHERE subnet_id = subnet.id AND type = 'dynamic' ORDER BY id LIMIT 1) AS dynamic_low,
  (SELECT host(high) FROM ip_range WHERE subnet_id = subnet.id AND type = 'dynamic' ORDER BY id LIMIT 1) AS dynamic_high,
  (SELECT host(low) FROM ip_range WHERE subnet_id = subnet.id AND type = 'static' ORDER BY id LIMIT 1) AS static_low,
  (SELECT host(high) FROM ip_range WHERE subnet_id = subnet.id AND type = 'static' ORDER BY id LIMIT 1) AS static_high
  FROM subnet LEFT JOIN known_rack ON known_rack.id = rack_id`;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function groupOf(sql: Sql, uuid = ''): Promise<Row> {
  const [row] = UUID.test(uuid) ? await sql.query(`${GROUPS} WHERE rack.id = $1`, [uuid]) : [];
  if (!row) throw new Refusal(404, 'there is no such node group');
  return row;
}

async function interfaceOf(sql: Sql, [uuid, name]: readonly string[]): Promise<Row> {
  const { id } = await groupOf(sql, uuid);
  const [row] = await sql.query(`${INTERFACES} WHERE rack_id = $1 AND interface = $2 ORDER BY subnet.id LIMIT 1`, [
    id,
    name,
  ]);
  if (!row) throw new Refusal(404, 'there is no such interface');
  return row;
}

async function updateInterface(sql: Sql, { uri, parameters, operator }: Call): Promise<unknown> {
  const before = await interfaceOf(sql, uri);
  const wish = parameters as InterfaceWish;
  const view = interfaceView(before);
  for (const name of ['ip', 'subnet_mask', 'interface', 'name'] as const) {
    const wanted = wish[name];
    if (wanted !== undefined && wanted !== view[name]) {
      throw new FieldFaults({ [name]: [`the rack has ${String(view[name])} there: change it on the rack itself`] });
    }
  }
  const subnet = Number(before['id']);
  const management = wish.management === undefined ? before['management'] : MANAGEMENT[Number(wish.management)];
  await sql.query('UPDATE subnet SET management = $2, router = $3, broadcast = $4 WHERE id = $1', [
    subnet,
    management,
    wish.router_ip === undefined ? before['router_ip'] : wish.router_ip,
    wish.broadcast_ip === undefined ? before['broadcast_ip'] : wish.broadcast_ip,
  ]);
  await setRange(sql, subnet, 'dynamic', [
    wish.ip_range_low === undefined ? before['dynamic_low'] : wish.ip_range_low,
    wish.ip_range_high === undefined ? before['dynamic_high'] : wish.ip_range_high,
  ]);
  await setRange(sql, subnet, 'static', [
    wish.static_ip_range_low === undefined ? before['static_low'] : wish.static_ip_range_low,
    wish.static_ip_range_high === undefined ? before['static_high'] : wish.static_ip_range_high,
  ]);
  const after = interfaceView(await interfaceOf(sql, uri));
  await audit(sql, { who: operator.name, did: 'update', what: `subnet ${subnet}`, before: view, after });
  await publish(sql, [String(before['rack_id'])]);
  return after;
}

function groupView(row: Row) {
  return { cluster_name: row['name'], status: ACCEPTED, name: row['domain'], uuid: row['id'] };
}

function interfaceView(row: Row) {
  const cidr = parseCidr(String(row['cidr']));
  const management = MANAGEMENT.findIndex((word) => word === row['management']);
  return {
    ip_range_high: row['dynamic_high'],
    ip_range_low: row['dynamic_low'],
    broadcast_ip: row['broadcast_ip'],
    static_ip_range_low: row['static_low'],
    name: row['interface'],
    ip: addressOf(row),
    subnet_mask: cidr ? formatIp4(netmask(cidr.prefix)) : null,
    management: Math.max(0, management),
    static_ip_range_high: row['static_high'],
    interface: row['interface'],
    router_ip: row['router_ip'],
  };
}

function networkView(row: Row, base: string) {
  const cidr = parseCidr(String(row['cidr']));
  const servers = row['dns_servers'] as unknown[];
  return {
    dns_servers: servers.length === 0 ? null : servers.join(' '),
    name: row['name'],
    default_gateway: row['router_ip'],
    ip: cidr ? formatIp4(cidr.network) : null,
    netmask: cidr ? formatIp4(netmask(cidr.prefix)) : null,
    vlan_tag: null,
    resource_uri: `${base}/networks/${String(row['name'])}/`,
    description: row['description'],
  };
}

/** The rack's own address in the network. */
function addressOf(row: Row): string | null {
  const status = row['status'] as StatusReport | null;
  const cidr = parseCidr(String(row['cidr']));
  const own = status?.interfaces.find(({ name, address, prefix }) => {
    const ip = parseIp4(address);
    if (name !== row['interface'] || ip === undefined || !cidr) return false;
    return (
      prefix === cidr.prefix &&
      formatCidr({ network: cidr.network, prefix }) === formatCidr(cidr) &&
      (ip ^ cidr.network) >>> 0 < 2 ** (32 - prefix)
    );
  });
  return own?.address ?? null;
}
