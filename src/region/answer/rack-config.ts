import type { Row, Sql } from '../database/database.ts';
import { imageStreamSource } from './image-source.ts';
import { readSettings, type Settings } from './settings.ts';

/** Sections of a rack's file, as `compilePlan` takes them. */
export type RackConfig = Readonly<Record<string, unknown>>;

interface DomainNames {
  readonly domain: string;
  /** Who has subnets with names in it; nobody: it is for all. */
  readonly racks: readonly string[];
  readonly names: readonly Row[];
}

/** What all racks get, and what some of them do. */
interface Common {
  readonly settings: Settings;
  readonly images: RackConfig;
  readonly boot: RackConfig;
  readonly domains: readonly DomainNames[];
}

/** What the region has for each of these racks. */
export async function rackConfigs(sql: Sql, racks: readonly string[]): Promise<ReadonlyMap<string, RackConfig>> {
  const common = await commonOf(sql);
  const subnets = await subnetsOf(sql, "rack_id = ANY($1::uuid[]) AND management <> 'none'", [racks]);
  const hosts = await hostsOf(sql, "rack_id = ANY($1::uuid[]) AND management IN ('dhcp', 'dhcp+dns')", [racks]);
  const namers = await sql.query(
    `SELECT id FROM known_rack WHERE id = ANY($1::uuid[]) AND (
       EXISTS (SELECT 1 FROM subnet WHERE rack_id = known_rack.id AND management = 'dhcp+dns')
       OR jsonb_path_exists(file_config, '$.subnets[*] ? (@.management == "dhcp+dns")'))`,
    [racks],
  );
  const files = await sql.query(
    `SELECT id, file_config #>> '{boot,default}' AS name, file_config -> 'subnets' AS subnets
     FROM known_rack WHERE id = ANY($1::uuid[])`,
    [racks],
  );
  return new Map(
    racks.map((rack) => {
      const file = files.find(({ id }) => id === rack);
      const own = linked(
        subnets.filter(({ rackId }) => rackId === rack).map(({ subnet }) => subnet),
        file?.['subnets'],
      );
      const usual = file?.['name'];
      const known = hosts
        .filter(({ rackId }) => rackId === rack)
        .map(({ host }) => bootingAs(host, usual, common.boot));
      // Who answers no names is not made to by what is there for all
      const dns = namers.some(({ id }) => id === rack) ? dnsOf(common, rack) : {};
      return [
        rack,
        {
          ...(own.length > 0 && { subnets: own }),
          ...(known.length > 0 && { hosts: known }),
          ...common.images,
          ...common.boot,
          ...dns,
        },
      ];
    }),
  );
}

/** What any rack would get, so that it is known to be good before there is one. */
export async function commonConfig(sql: Sql): Promise<RackConfig> {
  const common = await commonOf(sql);
  const all = { ...common, domains: common.domains.map((row) => ({ ...row, racks: [] })) };
  return { ...common.images, ...common.boot, ...dnsOf(all, undefined) };
}

/** A subnet that nobody serves, as if somebody did; nothing where somebody does. */
export async function idleConfig(sql: Sql, subnet: number): Promise<RackConfig | undefined> {
  const idle = "subnet.id = $1 AND (rack_id IS NULL OR management = 'none')";
  const [row] = await subnetsOf(sql, idle, [subnet]);
  if (!row) return undefined;
  const { interface: _interface, link: _link, ...rest } = row.subnet;
  const hosts = (await hostsOf(sql, idle, [subnet])).map(({ host }) => host);
  const management = rest['management'] === 'none' ? 'dhcp' : rest['management'];
  return { subnets: [{ ...rest, management }], ...(hosts.length > 0 && { hosts }) };
}

async function commonOf(sql: Sql): Promise<Common> {
  const settings = await readSettings(sql);
  const sources = await sourcesOf(sql, settings);
  const isSaid = sources.length > 0 || !settings.boot_images_auto_import;
  return {
    settings,
    images: isSaid ? { images: { ...(!settings.boot_images_auto_import && { interval: 'off' }), sources } } : {},
    boot: bootOf(settings),
    domains: await domainsOf(sql, settings),
  };
}

async function subnetsOf(
  sql: Sql,
  condition: string,
  values: readonly unknown[],
): Promise<{ readonly rackId: unknown; readonly subnet: Row }[]> {
  const rows = await sql.query(
    `SELECT subnet.id, rack_id, cidr, interface, management, host(router) AS router, host(broadcast) AS broadcast,
       ARRAY(SELECT host(each) FROM unnest(dns) AS each) AS dns, domain.name AS domain,
       (SELECT coalesce(jsonb_object_agg(type, host(low) || '-' || host(high)), '{}') FROM ip_range
        WHERE subnet_id = subnet.id AND type <> 'reserved') AS ranges,
       (SELECT 'fabric-' || min(other.id) FROM subnet AS other
        WHERE other.rack_id = subnet.rack_id AND other.interface = subnet.interface) AS link
     FROM subnet JOIN domain ON domain.id = domain_id WHERE ${condition} ORDER BY subnet.id`,
    values,
  );
  return rows.map((row) => {
    const { rack_id: rackId, cidr, interface: device, management, router, broadcast, dns, domain } = row;
    // Another server gives these where the rack only names boot files
    const given =
      management === 'proxy'
        ? {}
        : {
            ...(row['ranges'] as Row),
            ...(router !== null && { router }),
            ...(broadcast !== null && { broadcast }),
            ...((dns as unknown[]).length > 0 && { dns }),
            domain,
          };
    return {
      rackId,
      subnet: { cidr, ...(device !== null && { interface: device, link: row['link'] }), management, ...given },
    };
  });
}

async function hostsOf(
  sql: Sql,
  condition: string,
  values: readonly unknown[],
): Promise<{ readonly rackId: unknown; readonly host: Row }[]> {
  const rows = await sql.query(
    `SELECT rack_id, host(ip) AS address, mac, comment FROM reserved_ip JOIN subnet ON subnet.id = subnet_id
     WHERE ${condition} ORDER BY ip`,
    values,
  );
  return rows.map(({ rack_id: rackId, address, mac, comment }) => {
    return { rackId, host: { name: hostName(String(comment), String(address)), mac, address } };
  });
}

/**
 * Those at one interface say that they share its link, by the name that the rack's own file has for that, or the one that operators know
 * it by.
 */
function linked(subnets: readonly Row[], inFile: unknown): Row[] {
  const names = new Map<unknown, unknown>();
  for (const [device, all] of Map.groupBy(subnets, (subnet) => subnet['interface']))
    if (device !== undefined && all.length > 1) names.set(device, all[0]?.['link']);
  // As it was reported: any JSON
  for (const subnet of Array.isArray(inFile) ? (inFile as (Row | null)[]) : [])
    if (typeof subnet?.['shared'] === 'string') names.set(subnet['interface'], subnet['shared']);
  return subnets.map(({ link: _link, ...subnet }) => {
    const shared = subnet['interface'] === undefined ? undefined : names.get(subnet['interface']);
    return shared === undefined ? subnet : { ...subnet, shared };
  });
}

/** A comment that could be a host's name is one. */
function hostName(comment: string, address: string): string {
  const name = comment.trim().toLowerCase();
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) ? name : `ip-${address.replaceAll('.', '-')}`;
}

/** As a machine that nobody has said anything of: by the rack's own file, which counts, or by what is said for all. */
function bootingAs(host: Row, usual: unknown, boot: RackConfig): Row {
  const section = boot['boot'] as { readonly default: string } | undefined;
  const name = typeof usual === 'string' ? usual : section?.default;
  return name === undefined ? host : { ...host, boot: name };
}

async function sourcesOf(sql: Sql, { http_proxy: proxy }: Settings): Promise<Row[]> {
  const sources = await sql.query(
    `SELECT id, url, keyring_filename, translate(encode(keyring_data, 'base64'), E'\\n', '') AS data, is_unsigned FROM boot_source
     WHERE enabled ORDER BY priority DESC, id`,
  );
  const selections = await sql.query(
    'SELECT source_id, os, release, arches, subarches, labels FROM boot_source_selection ORDER BY id',
  );
  const own = await imageStreamSource(sql);
  const others = sources.map(({ id, url, keyring_filename: file, data, is_unsigned: isUnsigned }) => ({
    url,
    ...(isUnsigned === true ? { unsigned: true } : keyringOf(file, data)),
    ...(proxy !== '' && /^https?:/.test(String(url)) && { proxy }),
    selections: selections
      .filter((row) => row['source_id'] === id)
      .map(({ source_id: _source, ...selection }) => selection),
  }));
  return [...own, ...others];
}

/** Where there is none at all the rack says what it wants. */
function keyringOf(file: unknown, data: unknown): RackConfig {
  if (data !== '') return { 'keyring-data': data };
  return file === '' ? {} : { keyring: file };
}

/** What machines boot that nobody has said anything of: the image that an operator named, or their own disk. */
function bootOf({ boot_image: image, kernel_opts: options }: Settings): RackConfig {
  if (image === '') return {};
  const name = image.replaceAll('/', '-');
  return { boot: { default: name, entries: { [name]: { image, ...(options !== '' && { cmdline: options }) } } } };
}

/** Those that have names of their own, and whose they are. */
async function domainsOf(sql: Sql, { default_dns_ttl: standard }: Settings): Promise<DomainNames[]> {
  const domains = await sql.query(
    `SELECT id, name, ttl, ARRAY(SELECT DISTINCT rack_id::text FROM subnet
       WHERE domain_id = domain.id AND rack_id IS NOT NULL AND management = 'dhcp+dns') AS racks
     FROM domain WHERE authoritative AND EXISTS (SELECT 1 FROM dns_resource WHERE domain_id = domain.id) ORDER BY name`,
  );
  const names = await sql.query(
    `SELECT domain_id, name, ttl, ARRAY(SELECT host(each) FROM unnest(addresses) AS each) AS addresses
     FROM dns_resource ORDER BY name, id`,
  );
  return domains.map((domain) => ({
    domain: String(domain['name']),
    racks: domain['racks'] as string[],
    names: names
      .filter((row) => row['domain_id'] === domain['id'])
      .map(({ name, ttl, addresses }) => {
        const seconds = ttl ?? domain['ttl'] ?? standard;
        return {
          name: name === '@' ? domain['name'] : `${String(name)}.${String(domain['name'])}`,
          addresses,
          ...(seconds !== null && { ttl: `${Number(seconds)}s` }),
        };
      }),
  }));
}

/**
 * Of names a rack gets those in the domains of its own subnets, and those in domains that no subnet has: in that of another rack's
 * subnet it would hide the machines there.
 */
function dnsOf({ settings, domains }: Common, rack: string | undefined): RackConfig {
  const mine = domains.filter(({ racks }) => racks.length === 0 || (rack !== undefined && racks.includes(rack)));
  const forward = settings.upstream_dns;
  const allow = settings.dns_trusted_acl;
  const dns = {
    ...(mine.length > 0 && { domains: mine.map(({ domain }) => domain), names: mine.flatMap(({ names }) => names) }),
    ...(forward.length > 0 && { forward }),
    ...(allow.length > 0 && { allow }),
  };
  return Object.keys(dns).length === 0 ? {} : { dns };
}
