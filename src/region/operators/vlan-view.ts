import * as z from 'zod';

import type { Row } from '../database/database.ts';

/** The one VLAN of a fabric, and what is on it is not tagged: a rack names what it is on by its interfaces. */
const VID = 0;

export const vlanShape = z.strictObject({
  id: z.int(),
  vid: z.literal(VID),
  name: z.literal('untagged'),
  fabric: z.string(),
  fabric_id: z.int(),
  dhcp_on: z.boolean(),
  external_dhcp: z.string().nullable(),
  primary_rack: z.string().nullable(),
  secondary_rack: z.null(),
  relay_vlan: z.null(),
  resource_uri: z.string(),
});

/** Of a row of SUBNETS. */
export function vlanView(row: Row, base: string) {
  const id = Number(row['vlan_id']);
  return {
    id,
    vid: VID,
    name: 'untagged',
    fabric: fabricName(id),
    fabric_id: id,
    dhcp_on: row['dhcp_on'],
    external_dhcp: row['external_dhcp'],
    primary_rack: row['rack_id'],
    secondary_rack: null,
    relay_vlan: null,
    resource_uri: `${base}/vlans/${id}/`,
  };
}

export function fabricName(id: number): string {
  return `fabric-${id}`;
}
