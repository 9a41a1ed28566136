import * as z from 'zod';

import { cidrContains, parseCidr, type Cidr } from '../../addr/cidr.ts';
import { formatIp4, parseIp4, toIp4 } from '../../addr/ip4.ts';
import { publish } from '../answer/publish.ts';
import { audit } from '../audit.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { address, addressOrNothing, domainName, idOf, mac, network, oneOf, text, truth, words } from './form-words.ts';
import type { Call, Handler } from './handler.ts';

const NEW: readonly '2.0'[] = ['2.0'];

const subnetFields = {
  name: text('What it is called.', 100).optional(),
  description: text('What it is for.').optional(),
  cidr: network('The network.'),
  gateway_ip: addressOrNothing('Default gateway.').optional(),
  dns_servers: words('Name servers for clients.').optional(),
  managed: truth('false: racks do nothing there.').optional(),
  rack: text('The rack that serves it: its name or system_id. Beyond MAAS.', 100).optional(),
  interface: text(
    'The interface of that rack it is on; nothing: it is reached through relays. Beyond MAAS.',
    15,
  ).optional(),
  management: oneOf(['none', 'proxy', 'dhcp', 'dhcp+dns'], 'What the rack does there. Beyond MAAS.').optional(),
  domain: domainName('The domain of its machines. Beyond MAAS.').optional(),
};
type SubnetWish = Partial<z.output<z.ZodObject<typeof subnetFields>>>;

const subnets: Handler = {
  name: 'SubnetsHandler',
  versions: NEW,
  doc: 'Manage subnets.',
  path: 'subnets/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List subnets.',
      read: async (sql, { base }) =>
        (await sql.query(`${SUBNETS()} ORDER BY subnet.id`)).map((row) => subnetView(row, base)),
    },
    {
      name: 'create',
      method: 'POST',
      doc: 'Create a subnet.',
      parameters: z.object(subnetFields),
      change: async (sql, call) => {
        const wish = call.parameters as SubnetWish;
        const [row] = await sql.query(
          'INSERT INTO subnet (name, cidr, domain_id) VALUES ($1, $2, (SELECT min(id) FROM domain)) RETURNING id',
          [wish.name ?? wish.cidr, wish.cidr],
        );
        return { status: 201, body: await changeSubnet(sql, call, Number(row?.['id']), 'create') };
      },
    },
  ],
};

const subnet: Handler = {
  name: 'SubnetHandler',
  versions: NEW,
  doc: 'Manage one subnet, by its id or its network.',
  path: 'subnets/{id}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a subnet.',
      read: async (sql, { uri: [id], base }) => subnetView(await subnetOf(sql, id), base),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update a subnet.',
      parameters: z.object(subnetFields).partial(),
      change: async (sql, call) => changeSubnet(sql, call, Number((await subnetOf(sql, call.uri[0]))['id']), 'update'),
    },
    {
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a subnet.',
      change: async (sql, { uri: [id], operator, base }) => {
        const before = await subnetOf(sql, id);
        await sql.query('DELETE FROM subnet WHERE id = $1', [before['id']]);
        await audit(sql, {
          who: operator.name,
          did: 'delete',
          what: `subnet ${String(before['id'])}`,
          before: subnetView(before, base),
        });
        await publishFor(sql, [before]);
        return null;
      },
    },
    {
      name: 'reserved_ip_ranges',
      method: 'GET',
      op: 'reserved_ip_ranges',
      doc: 'Ranges that no machine is given an address of by itself.',
      read: async (sql, { uri: [id] }) => {
        const row = await subnetOf(sql, id);
        const ranges = await sql.query(
          'SELECT host(low) AS start, host(high) AS end, type FROM ip_range WHERE subnet_id = $1 ORDER BY low',
          [row['id']],
        );
        return ranges.map((range) => spanView(String(range['start']), String(range['end']), String(range['type'])));
      },
    },
    {
      name: 'ip_addresses',
      method: 'GET',
      op: 'ip_addresses',
      doc: 'Who has which address of it.',
      read: async (sql, { uri: [id] }) => {
        const { cidr } = await subnetOf(sql, id);
        return sql.query(
          `SELECT host(address) AS ip, mac AS mac_address, name AS hostname, expires FROM lease WHERE address << $1::cidr ORDER BY address`,
          [cidr],
        );
      },
    },
    {
      name: 'statistics',
      method: 'GET',
      op: 'statistics',
      doc: 'How many of its addresses are taken.',
      read: async (sql, { uri: [id] }) => {
        const { cidr } = await subnetOf(sql, id);
        const [row] = await sql.query('SELECT count(*) AS n FROM lease WHERE address << $1::cidr', [cidr]);
        const total = sizeOf(parseCidr(String(cidr)));
        const used = Number(row?.['n']);
        return {
          num_available: total - used,
          num_unavailable: used,
          total_addresses: total,
          usage: total === 0 ? 0 : used / total,
        };
      },
    },
  ],
};

const ranges: Handler = {
  name: 'IPRangesHandler',
  versions: NEW,
  doc: 'Manage ranges of addresses.',
  path: 'ipranges/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List ranges.',
      read: async (sql, { base }) => (await sql.query(`${RANGES} ORDER BY id`)).map((row) => rangeView(row, base)),
    },
    {
      name: 'create',
      method: 'POST',
      doc: 'Create a range.',
      parameters: z.object({
        type: oneOf(
          ['dynamic', 'static', 'reserved'],
          'dynamic: for whoever asks; static: for machines that keep them (beyond MAAS); reserved: kept out of these.',
        ),
        start_ip: address('First address.'),
        end_ip: address('Last address.'),
        subnet: text('Its id or network; the one that holds both ends where it is not given.', 50).optional(),
        comment: text('What it is for.').optional(),
      }),
      change: createRange,
    },
  ],
};

const range: Handler = {
  name: 'IPRangeHandler',
  versions: NEW,
  doc: 'Manage one range.',
  path: 'ipranges/{id}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read a range.',
      read: async (sql, { uri: [id], base }) => rangeView(await rangeOf(sql, id), base),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update a range.',
      parameters: z
        .object({
          start_ip: address('First address.'),
          end_ip: address('Last address.'),
          comment: text('What it is for.'),
        })
        .partial(),
      change: async (sql, { uri: [id], parameters, operator, base }) => {
        const before = await rangeOf(sql, id);
        await sql.query(
          'UPDATE ip_range SET low = coalesce($2, low), high = coalesce($3, high), comment = coalesce($4, comment) WHERE id = $1',
          [before['id'], parameters['start_ip'] ?? null, parameters['end_ip'] ?? null, parameters['comment'] ?? null],
        );
        const after = await rangeOf(sql, id);
        await checkReserved(sql, after);
        await audit(sql, {
          who: operator.name,
          did: 'update',
          what: `range ${String(before['id'])}`,
          before: rangeView(before, base),
          after: rangeView(after, base),
        });
        await publishFor(sql, [await subnetOf(sql, String(before['subnet_id']))]);
        return rangeView(after, base);
      },
    },
    {
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a range.',
      change: async (sql, { uri: [id], operator, base }) => {
        const before = await rangeOf(sql, id);
        await sql.query('DELETE FROM ip_range WHERE id = $1', [before['id']]);
        await audit(sql, {
          who: operator.name,
          did: 'delete',
          what: `range ${String(before['id'])}`,
          before: rangeView(before, base),
        });
        await publishFor(sql, [await subnetOf(sql, String(before['subnet_id']))]);
        return null;
      },
    },
  ],
};

const reservedIps: Handler = {
  name: 'ReservedIpsHandler',
  versions: NEW,
  doc: 'Manage addresses that machines keep for good.',
  path: 'reservedips/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'List reserved addresses.',
      read: async (sql, { base }) => (await sql.query(`${RESERVED} ORDER BY id`)).map((row) => reservedView(row, base)),
    },
    {
      name: 'create',
      method: 'POST',
      doc: 'Reserve an address.',
      parameters: z.object({
        ip: address('The address.'),
        mac_address: mac('Whose it is.'),
        subnet: text('Its id or network; the one that holds the address where it is not given.', 50).optional(),
        comment: text("The machine's name, where it could be one.").optional(),
      }),
      change: async (sql, { parameters, operator, base }) => {
        const ip = String(parameters['ip']);
        const of = await subnetFor(sql, parameters['subnet'], [ip]);
        const [row] = await sql.query(
          'INSERT INTO reserved_ip (subnet_id, ip, mac, comment) VALUES ($1, $2, $3, $4) RETURNING id',
          [of['id'], ip, parameters['mac_address'], parameters['comment'] ?? ''],
        );
        const view = reservedView(await reservedOf(sql, String(row?.['id'])), base);
        await audit(sql, {
          who: operator.name,
          did: 'create',
          what: `reserved address ${String(row?.['id'])}`,
          after: view,
        });
        await publishFor(sql, [of]);
        return { status: 201, body: view };
      },
    },
  ],
};

const reservedIp: Handler = {
  name: 'ReservedIpHandler',
  versions: NEW,
  doc: 'Manage one reserved address.',
  path: 'reservedips/{id}/',
  actions: [
    {
      name: 'read',
      method: 'GET',
      doc: 'Read it.',
      read: async (sql, { uri: [id], base }) => reservedView(await reservedOf(sql, id), base),
    },
    {
      name: 'update',
      method: 'PUT',
      doc: 'Update it.',
      parameters: z
        .object({ comment: text("The machine's name, where it could be one."), mac_address: mac('Whose it is.') })
        .partial(),
      change: async (sql, { uri: [id], parameters, operator, base }) => {
        const before = await reservedOf(sql, id);
        await sql.query(
          'UPDATE reserved_ip SET comment = coalesce($2, comment), mac = coalesce($3, mac) WHERE id = $1',
          [before['id'], parameters['comment'] ?? null, parameters['mac_address'] ?? null],
        );
        const view = reservedView(await reservedOf(sql, id), base);
        await audit(sql, {
          who: operator.name,
          did: 'update',
          what: `reserved address ${view.id}`,
          before: reservedView(before, base),
          after: view,
        });
        await publishFor(sql, [await subnetOf(sql, String(before['subnet_id']))]);
        return view;
      },
    },
    {
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete it.',
      change: async (sql, { uri: [id], operator, base }) => {
        const before = await reservedOf(sql, id);
        await sql.query('DELETE FROM reserved_ip WHERE id = $1', [before['id']]);
        await audit(sql, {
          who: operator.name,
          did: 'delete',
          what: `reserved address ${String(before['id'])}`,
          before: reservedView(before, base),
        });
        await publishFor(sql, [await subnetOf(sql, String(before['subnet_id']))]);
        return null;
      },
    },
  ],
};

export const SUBNET_HANDLERS: readonly Handler[] = [subnets, subnet, ranges, range, reservedIps, reservedIp];

function SUBNETS(): string {
  return `SELECT subnet.*, host(router) AS gateway_ip, domain.name AS domain, rack.name AS rack,
    ARRAY(SELECT host(each) FROM unnest(dns) AS each) AS dns_servers
    FROM subnet JOIN domain ON domain.id = domain_id LEFT JOIN rack ON rack.id = rack_id`;
}
const RANGES = 'SELECT id, subnet_id, type, host(low) AS start_ip, host(high) AS end_ip, comment FROM ip_range';
const RESERVED = 'SELECT id, subnet_id, host(ip) AS ip, mac, comment FROM reserved_ip';

/** By id, or by network where only one has it. */
async function subnetOf(sql: Sql, id = ''): Promise<Row> {
  const cidr = /^\d+$/.test(id) ? undefined : parseCidr(id);
  const [row] = cidr
    ? await sql.query(`${SUBNETS()} WHERE cidr = $1::cidr ORDER BY subnet.id LIMIT 1`, [id])
    : await sql.query(`${SUBNETS()} WHERE subnet.id = $1`, [idOf(id)]);
  if (!row) throw new Refusal(404, 'there is no such subnet');
  return row;
}

async function rangeOf(sql: Sql, id: string | undefined): Promise<Row> {
  const [row] = await sql.query(`${RANGES} WHERE id = $1`, [idOf(id)]);
  if (!row) throw new Refusal(404, 'there is no such range');
  return row;
}

async function reservedOf(sql: Sql, id: string | undefined): Promise<Row> {
  const [row] = await sql.query(`${RESERVED} WHERE id = $1`, [idOf(id)]);
  if (!row) throw new Refusal(404, 'there is no such reserved address');
  return row;
}

/** The one that is named, or that holds the addresses. */
async function subnetFor(sql: Sql, named: unknown, addresses: readonly string[]): Promise<Row> {
  if (typeof named === 'string') return subnetOf(sql, named);
  const rows = (await sql.query(`${SUBNETS()} ORDER BY subnet.id`)).filter((row) =>
    addresses.every((ip) => holds(row, ip)),
  );
  const [first, second] = rows;
  if (!first || second) {
    throw new FieldFaults({ subnet: [first ? 'several subnets hold this: say which' : 'no subnet holds this'] });
  }
  return first;
}

function holds(row: Row, ip: string): boolean {
  const [cidr, parsed] = [parseCidr(String(row['cidr'])), parseIp4(ip)];
  return cidr !== undefined && parsed !== undefined && cidrContains(cidr, parsed);
}

async function createRange(sql: Sql, { parameters, operator, base }: Call): Promise<unknown> {
  const { type, start_ip: low, end_ip: high } = parameters;
  const of = await subnetFor(sql, parameters['subnet'], [String(low), String(high)]);
  const [other] = await sql.query("SELECT id FROM ip_range WHERE subnet_id = $1 AND type = $2 AND type <> 'reserved'", [
    of['id'],
    type,
  ]);
  if (other) {
    throw new FieldFaults({
      type: [`a rack has one ${String(type)} range on each subnet: change range ${String(other['id'])}`],
    });
  }
  const [row] = await sql.query(
    'INSERT INTO ip_range (subnet_id, type, low, high, comment) VALUES ($1, $2, $3, $4, $5) RETURNING id',
    [of['id'], type, low, high, parameters['comment'] ?? ''],
  );
  const created = await rangeOf(sql, String(row?.['id']));
  await checkReserved(sql, created);
  const view = rangeView(created, base);
  await audit(sql, { who: operator.name, did: 'create', what: `range ${view.id}`, after: view });
  await publishFor(sql, [of]);
  return { status: 201, body: view };
}

/** What is reserved is in no other range; that of the others the rack judges. */
async function checkReserved(sql: Sql, row: Row): Promise<void> {
  const [other] = await sql.query(
    `SELECT other.id FROM ip_range AS other JOIN ip_range AS this ON this.id = $1 AND other.id <> this.id
     WHERE other.subnet_id = this.subnet_id AND other.low <= this.high AND other.high >= this.low
       AND 'reserved' IN (other.type, this.type)`,
    [row['id']],
  );
  if (other) throw new FieldFaults({ __all__: [`it overlaps with range ${String(other['id'])}`] });
  const [low, high] = [parseIp4(String(row['start_ip'])) ?? 0, parseIp4(String(row['end_ip'])) ?? 0];
  if (low > high) throw new FieldFaults({ end_ip: ['expected one that is not before start_ip'] });
}

async function changeSubnet(
  sql: Sql,
  { parameters, operator, base }: Call,
  id: number,
  did: 'create' | 'update',
): Promise<unknown> {
  const before = await subnetOf(sql, String(id));
  const wish = parameters as SubnetWish;
  const rack = wish.rack === undefined ? before['rack_id'] : await rackOf(sql, wish.rack);
  const servers = wish.dns_servers;
  if (servers?.some((server) => parseIp4(server) === undefined))
    throw new FieldFaults({ dns_servers: ['expected IPv4 addresses'] });
  const management = wish.managed === false ? 'none' : (wish.management ?? before['management']);
  await sql.query(
    `UPDATE subnet SET rack_id = $2, interface = $3, name = coalesce($4, name), description = coalesce($5, description),
       cidr = coalesce($6, cidr), router = $7, dns = coalesce($8::inet[], dns), management = $9, domain_id = coalesce($10, domain_id)
     WHERE id = $1`,
    [
      id,
      rack,
      wish.interface === undefined ? before['interface'] : wish.interface || null,
      wish.name ?? null,
      wish.description ?? null,
      wish.cidr ?? null,
      wish.gateway_ip === undefined ? before['gateway_ip'] : wish.gateway_ip,
      servers ?? null,
      management,
      wish.domain === undefined ? null : await domainOf(sql, wish.domain),
    ],
  );
  const after = await subnetOf(sql, String(id));
  const view = subnetView(after, base);
  await audit(sql, {
    who: operator.name,
    did,
    what: `subnet ${id}`,
    ...(did === 'update' && { before: subnetView(before, base) }),
    after: view,
  });
  await publishFor(sql, [before, after]);
  return view;
}

async function rackOf(sql: Sql, name: string): Promise<unknown> {
  const [row] = await sql.query('SELECT id FROM rack WHERE name = $1 OR id::text = $1', [name]);
  if (!row) throw new FieldFaults({ rack: ['there is no such rack'] });
  return row['id'];
}

async function domainOf(sql: Sql, name: string): Promise<unknown> {
  const [row] = await sql.query('SELECT id FROM domain WHERE name = $1', [name]);
  if (!row) throw new FieldFaults({ domain: ['there is no such domain: create it first'] });
  return row['id'];
}

/** For the racks that serve these. */
async function publishFor(sql: Sql, rows: readonly Row[]): Promise<void> {
  const racks = new Set(rows.flatMap((row) => (typeof row['rack_id'] === 'string' ? [row['rack_id']] : [])));
  await publish(sql, [...racks]);
}

function subnetView(row: Row, base: string) {
  const id = Number(row['id']);
  const isOn = String(row['management']).startsWith('dhcp');
  return {
    name: row['name'],
    description: row['description'],
    cidr: row['cidr'],
    gateway_ip: row['gateway_ip'],
    dns_servers: row['dns_servers'],
    managed: row['management'] !== 'none',
    vlan: {
      id,
      vid: 0,
      name: 'untagged',
      dhcp_on: isOn,
      primary_rack: row['rack_id'],
      secondary_rack: null,
      relay_vlan: null,
    },
    rack: row['rack'],
    interface: row['interface'],
    management: row['management'],
    domain: row['domain'],
    id,
    resource_uri: `${base}/subnets/${id}/`,
  };
}

function rangeView(row: Row, base: string) {
  const id = Number(row['id']);
  const { subnet_id: of, type, start_ip: start, end_ip: end, comment } = row;
  return {
    subnet: { id: of },
    type,
    start_ip: start,
    end_ip: end,
    comment,
    id,
    resource_uri: `${base}/ipranges/${id}/`,
  };
}

function reservedView(row: Row, base: string) {
  const id = Number(row['id']);
  const { subnet_id: of, ip, mac: card, comment } = row;
  return { id, ip, mac_address: card, comment, subnet: { id: of }, resource_uri: `${base}/reservedips/${id}/` };
}

function spanView(start: string, end: string, purpose: string) {
  const [low, high] = [parseIp4(start) ?? toIp4(0), parseIp4(end) ?? toIp4(0)];
  return { start: formatIp4(low), end: formatIp4(high), num_addresses: high - low + 1, purpose: [purpose] };
}

/** Addresses that machines can have. */
function sizeOf(cidr: Cidr | undefined): number {
  if (!cidr) return 0;
  return cidr.prefix >= 31 ? 2 ** (32 - cidr.prefix) : 2 ** (32 - cidr.prefix) - 2;
}
