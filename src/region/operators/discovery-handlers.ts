import * as z from 'zod';

import { order } from '../answer/publish.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { address, mac, truth, words } from './form-words.ts';
import { action, NEW, settle, type Call, type Handler } from './handler.ts';
import { maasTime } from './maas-time.ts';
import { fabricName } from './vlan-view.ts';

const MOST_ROWS = 100_000;

const discoveryShape = z.strictObject({
  discovery_id: z.string(),
  ip: z.string(),
  mac_address: z.string(),
  hostname: z.string().nullable(),
  first_seen: z.string(),
  last_seen: z.string(),
  fabric_name: z.string().nullable(),
  vid: z.string().nullable(),
  observer: z.strictObject({ system_id: z.uuid(), hostname: z.string(), interface_name: z.string() }),
  resource_uri: z.string(),
});

const IS_UNKNOWN_MAC = `NOT EXISTS (SELECT 1 FROM machine WHERE machine.mac = neighbour.mac)
  AND NOT EXISTS (SELECT 1 FROM reserved_ip WHERE reserved_ip.mac = neighbour.mac)`;
const IS_UNKNOWN_IP = `NOT EXISTS (SELECT 1 FROM lease WHERE lease.rack_id = neighbour.rack_id AND lease.address = neighbour.address)
  AND NOT EXISTS (SELECT 1 FROM reserved_ip JOIN subnet ON subnet.id = subnet_id
    WHERE subnet.rack_id = neighbour.rack_id AND reserved_ip.ip = neighbour.address)`;

const discoveries: Handler = {
  name: 'DiscoveriesHandler',
  versions: NEW,
  doc: 'Who racks see on their wires.',
  path: 'discovery/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List all, who was seen last first.',
      reply: z.array(discoveryShape),
      read: (sql, call) => list(sql, call, 'true'),
    }),
    action({
      name: 'by_unknown_mac',
      method: 'GET',
      op: 'by_unknown_mac',
      doc: 'Those whose card no machine and no reserved address has.',
      reply: z.array(discoveryShape),
      read: (sql, call) => list(sql, call, IS_UNKNOWN_MAC),
    }),
    action({
      name: 'by_unknown_ip',
      method: 'GET',
      op: 'by_unknown_ip',
      doc: 'Those whose address nobody was given there.',
      reply: z.array(discoveryShape),
      read: (sql, call) => list(sql, call, IS_UNKNOWN_IP),
    }),
    action({
      name: 'by_unknown_ip_and_mac',
      method: 'GET',
      op: 'by_unknown_ip_and_mac',
      doc: 'Those of which neither is known.',
      reply: z.array(discoveryShape),
      read: (sql, call) => list(sql, call, `${IS_UNKNOWN_MAC} AND ${IS_UNKNOWN_IP}`),
    }),
    action({
      name: 'scan',
      method: 'POST',
      op: 'scan',
      doc: 'Have racks look for them now.',
      parameters: z.object({
        cidr: words('Only the racks that have one of these subnets. Default: all racks.').optional(),
      }),
      reply: z.strictObject({ result: z.string(), scan_started_on: z.array(z.string()) }),
      change: async (sql, call) => {
        const { cidr } = call.parameters;
        const racks = await sql.query(
          `SELECT id, name FROM rack WHERE $1::text[] IS NULL
             OR EXISTS (SELECT 1 FROM subnet WHERE rack_id = rack.id AND cidr::text = ANY($1::text[])) ORDER BY name`,
          [cidr ?? null],
        );
        if (cidr && racks.length === 0) throw new FieldFaults({ cidr: ['no rack has such a subnet'] });
        await order(
          sql,
          racks.map(({ id }) => String(id)),
          'scan',
        );
        const names = racks.map(({ name }) => String(name));
        await settle(sql, call, { did: 'scan', what: 'networks', after: names, racks: 'nobody' });
        return { result: `Scanning is in progress on ${names.length} rack controllers.`, scan_started_on: names };
      },
    }),
    action({
      name: 'clear',
      method: 'POST',
      op: 'clear',
      doc: 'Forget all that racks have told of their wires; who is there is told of again when it is seen anew.',
      parameters: z.object({
        all: truth('true: all of it.').optional(),
        neighbours: truth('true: the same.').optional(),
      }),
      change: async (sql, call) => {
        const { all, neighbours } = call.parameters;
        if (all !== true && neighbours !== true)
          throw new FieldFaults({ __all__: ['expected all=true or neighbours=true'] });
        await sql.query('DELETE FROM neighbour');
        await settle(sql, call, { did: 'clear', what: 'discoveries', racks: 'nobody' });
        return null;
      },
    }),
    action({
      name: 'clear_by_mac_and_ip',
      method: 'POST',
      op: 'clear_by_mac_and_ip',
      doc: 'Forget one.',
      parameters: z.object({ mac: mac('Its card.'), ip: address('Its address.') }),
      change: async (sql, call) => {
        const { mac: card, ip } = call.parameters;
        const rows = await sql.query('DELETE FROM neighbour WHERE mac = $1 AND address = $2 RETURNING rack_id', [
          card,
          ip,
        ]);
        if (rows.length === 0) throw new Refusal(404, 'there is no such discovery');
        await settle(sql, call, { did: 'clear', what: `discovery of ${card} at ${ip}`, racks: 'nobody' });
        return null;
      },
    }),
  ],
};

const discovery: Handler = {
  name: 'DiscoveryHandler',
  versions: NEW,
  doc: 'One of them.',
  path: 'discovery/{discovery_id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read it.',
      reply: discoveryShape,
      read: async (sql, { uri: [id = ''], base }) => {
        const [ip = '', card = ''] = Buffer.from(id, 'base64url').toString('latin1').split(',');
        const [row] = await sql.query(
          `${DISCOVERIES} WHERE host(neighbour.address) = $1 AND neighbour.mac::text = $2 ORDER BY last_seen DESC LIMIT 1`,
          [ip, card].map((word) => word.replaceAll(/[^\da-f.:]/g, '')),
        );
        if (!row) throw new Refusal(404, 'there is no such discovery');
        return discoveryView(row, base);
      },
    }),
  ],
};

export const DISCOVERY_HANDLERS: readonly Handler[] = [discoveries, discovery];

const DISCOVERIES = `SELECT host(neighbour.address) AS ip, neighbour.mac, last_seen, first_seen, neighbour.interface, vlan,
    rack.name AS rack, rack.id AS rack_id, lease.name AS hostname,
    (SELECT min(subnet.id) FROM subnet WHERE subnet.rack_id = rack.id AND subnet.interface = neighbour.interface) AS fabric
  FROM neighbour JOIN rack ON rack.id = neighbour.rack_id
  LEFT JOIN lease ON lease.rack_id = neighbour.rack_id AND lease.address = neighbour.address`;

async function list(sql: Sql, { base }: Call, condition: string): Promise<unknown[]> {
  const rows = await sql.query(
    `${DISCOVERIES} WHERE ${condition} ORDER BY last_seen DESC, neighbour.address LIMIT ${MOST_ROWS}`,
  );
  return rows.map((row) => discoveryView(row, base));
}

function discoveryView(row: Row, base: string) {
  const { ip, mac: card, vlan, fabric, interface: device } = row;
  const id = Buffer.from(`${String(ip)},${String(card)}`).toString('base64url');
  return {
    discovery_id: id,
    ip,
    mac_address: card,
    hostname: row['hostname'],
    first_seen: maasTime(row['first_seen']),
    last_seen: maasTime(row['last_seen']),
    fabric_name: fabric === null ? null : fabricName(Number(fabric)),
    vid: vlan === '' ? null : vlan,
    observer: { system_id: row['rack_id'], hostname: row['rack'], interface_name: device },
    resource_uri: `${base}/discovery/${id}/`,
  };
}
