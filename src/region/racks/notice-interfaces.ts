import { cidrsOverlap, formatCidr, netmask, parseCidr, type Cidr } from '../../addr/cidr.ts';
import { parseIp4, toIp4 } from '../../addr/ip4.ts';
import type { StatusReport } from '../../contract/rack-words.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/database.ts';
import type { Rack } from './racks.ts';

type Interfaces = StatusReport['interfaces'];

/** A network of a rack that nobody has made a subnet of. */
interface Sighting {
  readonly name: string;
  readonly cidr: Cidr;
}

/** A network that machines are on: not one of a tunnel or of a container's single address. */
const [WIDEST, NARROWEST] = [8, 30];
const LOOPBACK = { network: toIp4(0x7f000000), prefix: 8 };
const LINK_LOCAL = { network: toIp4(0xa9fe0000), prefix: 16 };

/**
 * Makes a subnet of each network that a rack is on now and was not on before, for operators to find: nothing is served there until
 * one of them says what. Those that one took away do not come back by themselves.
 */
export async function noticeInterfaces(sql: Sql, rack: Rack, before: Interfaces, now: Interfaces): Promise<void> {
  const known = new Set(before.map(placeOf));
  const added = now.filter((row) => !known.has(placeOf(row))).flatMap(sightingOf);
  if (added.length === 0) return;
  const rows = await sql.query('SELECT cidr, interface FROM subnet WHERE rack_id = $1', [rack.id]);
  const taken = rows.flatMap((row) => parseCidr(String(row['cidr'])) ?? []);
  // A wire with two networks needs somebody who says that they are on one
  const wired = new Set(rows.map((row) => row['interface']));
  for (const { name, cidr } of added) {
    if (wired.has(name) || taken.some((other) => cidrsOverlap(other, cidr))) continue;
    wired.add(name);
    taken.push(cidr);
    await create(sql, rack, { name, cidr });
  }
}

async function create(sql: Sql, rack: Rack, { name, cidr }: Sighting): Promise<void> {
  const text = formatCidr(cidr);
  const [row] = await sql.query(
    `INSERT INTO subnet (rack_id, interface, name, cidr, domain_id, description)
     VALUES ($1, $2, $3, $4, (SELECT min(id) FROM domain), $5) RETURNING id`,
    [
      rack.id,
      name,
      `${rack.name}-${name}`,
      text,
      `Auto created when creating interface ${name} on cluster ${rack.name}`,
    ],
  );
  const what = `subnet ${String(row?.['id'])}`;
  await audit(sql, { who: rack.name, did: 'create', what, after: { cidr: text, interface: name } });
}

function placeOf({ name, address, prefix }: Interfaces[number]): string {
  return `${name} ${address}/${prefix}`;
}

function sightingOf({ name, address, prefix }: Interfaces[number]): Sighting[] {
  const ip = parseIp4(address);
  if (ip === undefined || prefix < WIDEST || prefix > NARROWEST) return [];
  const cidr = { network: toIp4(ip & netmask(prefix)), prefix };
  return cidrsOverlap(cidr, LOOPBACK) || cidrsOverlap(cidr, LINK_LOCAL) ? [] : [{ name, cidr }];
}
