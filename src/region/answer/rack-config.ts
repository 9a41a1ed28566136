import type { Row, Sql } from '../database/database.ts';
import { imageStreamSource } from './image-source.ts';

/** What the region has for a rack, as `compilePlan` takes it. */
export async function rackConfig(sql: Sql, rack: string): Promise<Record<string, unknown>> {
  const [subnets, hosts, sources] = [await subnetsOf(sql, rack), await hostsOf(sql, rack), await sourcesOf(sql)];
  return {
    ...(subnets.length > 0 && { subnets }),
    ...(hosts.length > 0 && { hosts }),
    ...(sources.length > 0 && { images: { sources } }),
    ...(await bootOf(sql)),
    ...(await dnsOf(sql)),
  };
}

/** Those that somebody made something of: the others are only known to be there. */
async function subnetsOf(sql: Sql, rack: string): Promise<Row[]> {
  const rows = await sql.query(
    `SELECT subnet.id, cidr, interface, management, host(router) AS router, host(broadcast) AS broadcast,
       ARRAY(SELECT host(each) FROM unnest(dns) AS each) AS dns, domain.name AS domain
     FROM subnet JOIN domain ON domain.id = subnet.domain_id
     WHERE rack_id = $1 AND management <> 'none' ORDER BY subnet.id`,
    [rack],
  );
  const ranges = await sql.query(
    `SELECT subnet_id, type, host(low) || '-' || host(high) AS range FROM ip_range
     WHERE type <> 'reserved' AND subnet_id IN (SELECT id FROM subnet WHERE rack_id = $1) ORDER BY id`,
    [rack],
  );
  return rows.map(({ id, cidr, interface: device, management, router, broadcast, dns, domain }) => ({
    cidr,
    ...(device !== null && { interface: device }),
    management,
    ...Object.fromEntries(
      ranges.filter((row) => row['subnet_id'] === id).map((row) => [String(row['type']), row['range']]),
    ),
    ...(router !== null && { router }),
    ...(broadcast !== null && { broadcast }),
    ...((dns as unknown[]).length > 0 && { dns }),
    domain,
  }));
}

async function hostsOf(sql: Sql, rack: string): Promise<Row[]> {
  const rows = await sql.query(
    `SELECT host(ip) AS address, mac, comment FROM reserved_ip JOIN subnet ON subnet.id = subnet_id
     WHERE rack_id = $1 AND management IN ('dhcp', 'dhcp+dns') ORDER BY ip`,
    [rack],
  );
  return rows.map(({ address, mac, comment }) => ({ name: hostName(String(comment), String(address)), mac, address }));
}

/** A comment that could be a host's name is one. */
function hostName(comment: string, address: string): string {
  const name = comment.trim().toLowerCase();
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) ? name : `ip-${address.replaceAll('.', '-')}`;
}

async function sourcesOf(sql: Sql): Promise<Row[]> {
  const sources = await sql.query(
    `SELECT id, url, keyring_filename, encode(keyring_data, 'base64') AS data, is_unsigned FROM boot_source
     WHERE enabled ORDER BY priority DESC, id`,
  );
  const selections = await sql.query(
    'SELECT source_id, os, release, arches, subarches, labels FROM boot_source_selection ORDER BY id',
  );
  const own = await imageStreamSource(sql);
  const others = sources.map(({ id, url, keyring_filename: file, data, is_unsigned: isUnsigned }) => ({
    url,
    ...(isUnsigned === true ? { unsigned: true } : data === '' ? { keyring: file } : { 'keyring-data': data }),
    selections: selections
      .filter((row) => row['source_id'] === id)
      .map(({ source_id: _source, ...selection }) => selection),
  }));
  return [...own, ...others];
}

/** What machines boot that nobody has said anything of: the image that an operator named, or their own disk. */
async function bootOf(sql: Sql): Promise<{ readonly boot?: unknown }> {
  const [row] = await sql.query("SELECT value FROM setting WHERE name = 'boot_image'");
  const image = row?.['value'];
  if (typeof image !== 'string' || image === '') return {};
  const name = image.replaceAll('/', '-');
  return { boot: { default: name, entries: { [name]: { image } } } };
}

async function dnsOf(sql: Sql): Promise<{ readonly dns?: unknown }> {
  const [row] = await sql.query("SELECT value FROM setting WHERE name = 'upstream_dns'");
  const value = row?.['value'];
  const forward = (typeof value === 'string' ? value : '').split(/[\s,]+/).filter((address) => address !== '');
  return forward.length === 0 ? {} : { dns: { forward } };
}
