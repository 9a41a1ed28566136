import * as z from 'zod';

import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { idOf, text, truth } from './form-words.ts';
import { action, NEW, type Call, type Handler } from './handler.ts';
import { settleSubnets, SUBNETS } from './subnet-store.ts';
import { fabricName, vlanShape, vlanView } from './vlan-view.ts';

const fabricShape = z.strictObject({
  id: z.int(),
  name: z.string(),
  class_type: z.null(),
  vlans: z.array(vlanShape),
  resource_uri: z.string(),
});

const vlanParameters = z.object({
  dhcp_on: truth(
    'true: the rack gives addresses and names there, as `management: dhcp+dns`; false: it does nothing.',
  ).optional(),
  primary_rack: text('The rack that serves it, by name or system_id, where nobody does yet.', 100).optional(),
});
type VlanWish = z.output<typeof vlanParameters>;

const fabrics: Handler = {
  name: 'FabricsHandler',
  versions: NEW,
  doc: 'What racks are on: a fabric with one VLAN for each of their interfaces, and for each subnet behind relays.',
  path: 'fabrics/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List fabrics.',
      reply: z.array(fabricShape),
      read: async (sql, { base }) => {
        const rows = await sql.query(
          `SELECT DISTINCT ON (vlan_id) * FROM (${SUBNETS}) AS all_of_them ORDER BY vlan_id`,
        );
        return rows.map((row) => fabricView(row, base));
      },
    }),
  ],
};

const fabric: Handler = {
  name: 'FabricHandler',
  versions: NEW,
  doc: 'One fabric, by its id or name.',
  path: 'fabrics/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a fabric.',
      reply: fabricShape,
      read: async (sql, { uri: [id], base }) => fabricView((await subnetsOfVlan(sql, id))[0], base),
    }),
  ],
};

const vlans: Handler = {
  name: 'VlansHandler',
  versions: NEW,
  doc: 'The VLANs of a fabric.',
  path: 'fabrics/{fabric_id}/vlans/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List the VLANs of a fabric.',
      reply: z.array(vlanShape),
      read: async (sql, { uri: [id], base }) => [vlanView((await subnetsOfVlan(sql, id))[0], base)],
    }),
  ],
};

const vlan: Handler = {
  name: 'VlanHandler',
  versions: NEW,
  doc: 'One VLAN of a fabric: its vid is 0.',
  path: 'fabrics/{fabric_id}/vlans/{vid}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a VLAN.',
      reply: vlanShape,
      read: async (sql, { uri, base }) => vlanView((await subnetsOfVlan(sql, ...uri))[0], base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Turn DHCP on or off for all subnets of a VLAN.',
      parameters: vlanParameters,
      reply: vlanShape,
      change: async (sql, call) => updateVlan(sql, call, await subnetsOfVlan(sql, ...call.uri)),
    }),
  ],
};

const vlanById: Handler = {
  name: 'VlanByIdHandler',
  versions: NEW,
  doc: 'One VLAN, by its id.',
  path: 'vlans/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a VLAN.',
      reply: vlanShape,
      read: async (sql, { uri: [id], base }) => vlanView((await subnetsOfVlan(sql, id))[0], base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Turn DHCP on or off for all subnets of a VLAN.',
      parameters: vlanParameters,
      reply: vlanShape,
      change: async (sql, call) => updateVlan(sql, call, await subnetsOfVlan(sql, call.uri[0])),
    }),
  ],
};

export const VLAN_HANDLERS: readonly Handler[] = [fabrics, fabric, vlans, vlan, vlanById];

type Subnets = readonly [Row, ...Row[]];

/** At least one. Throws Refusal where there is no such fabric, or it has no such VLAN. */
async function subnetsOfVlan(sql: Sql, fabricWord = '', vid = '0'): Promise<Subnets> {
  const id = idOf(fabricWord.replace(/^fabric-/, ''));
  const [first, ...rest] = await sql.query(`SELECT * FROM (${SUBNETS}) AS all_of_them WHERE vlan_id = $1 ORDER BY id`, [
    id,
  ]);
  if (!first || (vid !== '0' && vid !== 'untagged')) throw new Refusal(404, 'there is no such VLAN');
  return [first, ...rest];
}

async function updateVlan(sql: Sql, call: Call<VlanWish>, before: Subnets): Promise<unknown> {
  const { dhcp_on: isOn, primary_rack: wanted } = call.parameters;
  const rack = wanted === undefined ? undefined : await rackFor(sql, before, wanted);
  if (isOn === true && rack === undefined && before[0]['rack_id'] === null)
    throw new FieldFaults({ primary_rack: ['expected the rack that is to serve it'] });
  for (const { id, management } of before) {
    await sql.query('UPDATE subnet SET rack_id = coalesce($2, rack_id), management = $3 WHERE id = $1', [
      id,
      rack ?? null,
      isOn === undefined ? management : managementFor(isOn, String(management)),
    ]);
  }
  const after = await subnetsOfVlan(sql, String(before[0]['vlan_id']));
  const view = vlanView(after[0], call.base);
  const deed = { did: 'update', what: `VLAN ${view.id}`, before: vlanView(before[0], call.base), after: view };
  await settleSubnets(sql, call, deed, [...before, ...after]);
  return view;
}

/** What already gives addresses goes on as it does. */
function managementFor(isOn: boolean, now: string): string {
  if (!isOn) return 'none';
  return now.startsWith('dhcp') ? now : 'dhcp+dns';
}

/** What is at an interface of one rack no other can serve. */
async function rackFor(sql: Sql, [first]: Subnets, word: string): Promise<unknown> {
  const [row] = await sql.query('SELECT id FROM rack WHERE name = $1 OR id::text = $1', [word]);
  if (!row) throw new FieldFaults({ primary_rack: ['there is no such rack'] });
  const { interface: device, rack, rack_id: id } = first;
  if (typeof device === 'string' && row['id'] !== id) {
    const place = `${device} of rack ${String(rack)}`;
    throw new FieldFaults({ primary_rack: [`expected the rack it is at: this is ${place}`] });
  }
  return row['id'];
}

function fabricView(row: Row, base: string) {
  const id = Number(row['vlan_id']);
  return {
    id,
    name: fabricName(id),
    class_type: null,
    vlans: [vlanView(row, base)],
    resource_uri: `${base}/fabrics/${id}/`,
  };
}
