import * as z from 'zod';

import { zoneNameText } from '../../plan/text-forms.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { addresses, countOrNothing, domainName, idOf, text, truth } from './form-words.ts';
import { action, NEW, settle, type Call, type Handler } from './handler.ts';

const LONGEST_TTL = 365 * 86_400;

const domainFields = {
  name: domainName('The domain: lab.example.'),
  authoritative: truth('Whether racks answer for it; else its names are given to none.').optional(),
  ttl: countOrNothing(
    'Seconds for which resolvers may keep its names; nothing: as default_dns_ttl says.',
    0,
    LONGEST_TTL,
  ).optional(),
};
const domainParameters = z.object(domainFields);
const domainUpdate = domainParameters.partial();

const domainShape = z.strictObject({
  authoritative: z.boolean(),
  ttl: z.int().nullable(),
  is_default: z.boolean(),
  id: z.int(),
  name: z.string(),
  resource_record_count: z.int(),
  resource_uri: z.string(),
});

const ipsField = addresses('Its addresses, IPv4 and IPv6.');
const resourceFields = {
  fqdn: text('The whole name, instead of name and domain.', 253).optional(),
  name: text('The name in the domain; @: the domain itself.', 253).optional(),
  domain: text('The domain, by name or id.', 253).optional(),
  address_ttl: countOrNothing(
    'Seconds for which resolvers may keep it; nothing: as the domain says.',
    0,
    LONGEST_TTL,
  ).optional(),
  ip_addresses: ipsField.optional(),
};
const resourceParameters = z.object(resourceFields);
const newResourceParameters = z.object({ ...resourceFields, ip_addresses: ipsField });
type ResourceWish = z.output<typeof resourceParameters>;

const resourceShape = z.strictObject({
  id: z.int(),
  fqdn: z.string(),
  address_ttl: z.int().nullable(),
  ip_addresses: z.array(z.strictObject({ ip: z.string() })),
  resource_records: z.array(z.never()),
  resource_uri: z.string(),
});

const domains: Handler = {
  name: 'DomainsHandler',
  versions: NEW,
  doc: 'Manage domains.',
  path: 'domains/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List domains.',
      reply: z.array(domainShape),
      read: async (sql, { base }) =>
        (await sql.query(`${DOMAINS} ORDER BY domain.id`)).map((row) => domainView(row, base)),
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create a domain.',
      parameters: domainParameters,
      reply: domainShape,
      status: 201,
      change: async (sql, call) => {
        const { name, authoritative = true, ttl = null } = call.parameters;
        const [row] = await sql.query(
          'INSERT INTO domain (name, authoritative, ttl) VALUES ($1, $2, $3) RETURNING id',
          [name, authoritative, ttl],
        );
        const after = domainView(await domainOf(sql, String(row?.['id'])), call.base);
        await settle(sql, call, { did: 'create', what: `domain ${after.id}`, after, racks: 'all' });
        return after;
      },
    }),
  ],
};

const domain: Handler = {
  name: 'DomainHandler',
  versions: NEW,
  doc: 'Manage one domain, by its id or name.',
  path: 'domains/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a domain.',
      reply: domainShape,
      read: async (sql, { uri: [id], base }) => domainView(await domainOf(sql, id), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a domain.',
      parameters: domainUpdate,
      reply: domainShape,
      change: async (sql, call) => {
        const old = await domainOf(sql, call.uri[0]);
        const { name, authoritative, ttl } = call.parameters;
        await sql.query(
          'UPDATE domain SET name = coalesce($2, name), authoritative = coalesce($3, authoritative), ttl = $4 WHERE id = $1',
          [old['id'], name ?? null, authoritative ?? null, ttl === undefined ? old['ttl'] : ttl],
        );
        const before = domainView(old, call.base);
        const after = domainView(await domainOf(sql, String(before.id)), call.base);
        await settle(sql, call, { did: 'update', what: `domain ${after.id}`, before, after, racks: 'all' });
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a domain that no subnet and no name is in. The first one stays.',
      change: async (sql, call) => {
        const old = await domainOf(sql, call.uri[0]);
        const before = domainView(old, call.base);
        if (before.is_default) throw new FieldFaults({ __all__: ['the first domain stays: call it otherwise'] });
        await sql.query('DELETE FROM domain WHERE id = $1', [old['id']]);
        await settle(sql, call, { did: 'delete', what: `domain ${before.id}`, before, racks: 'all' });
        return null;
      },
    }),
  ],
};

const resources: Handler = {
  name: 'DNSResourcesHandler',
  versions: NEW,
  doc: 'Manage names that no machine has: racks answer for them.',
  path: 'dnsresources/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List names.',
      parameters: z.object({ fqdn: resourceFields.fqdn, name: resourceFields.name, domain: resourceFields.domain }),
      reply: z.array(resourceShape),
      read: async (sql, { base, parameters: { fqdn, name, domain: of } }) => {
        const rows = await sql.query(
          `SELECT * FROM (${RESOURCES}) AS named
           WHERE ($1::text IS NULL OR fqdn = $1) AND ($2::text IS NULL OR name = $2)
             AND ($3::text IS NULL OR domain = $3 OR domain_id::text = $3) ORDER BY fqdn`,
          [fqdn?.toLowerCase() ?? null, name?.toLowerCase() ?? null, of?.toLowerCase() ?? null],
        );
        return rows.map((row) => resourceView(row, base));
      },
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create a name.',
      parameters: newResourceParameters,
      reply: resourceShape,
      status: 201,
      change: async (sql, call) => {
        const { address_ttl: ttl = null, ip_addresses: ips } = call.parameters;
        const place = await placeOf(sql, call.parameters);
        if (!place) throw new FieldFaults({ fqdn: ['expected fqdn, or name and domain'] });
        const [row] = await sql.query(
          'INSERT INTO dns_resource (domain_id, name, ttl, addresses) VALUES ($1, $2, $3, $4::inet[]) RETURNING id',
          [place.domain, place.name, ttl, ips],
        );
        const after = resourceView(await resourceOf(sql, Number(row?.['id'])), call.base);
        await settle(sql, call, { did: 'create', what: `name ${after.fqdn}`, after, racks: 'all' });
        return after;
      },
    }),
  ],
};

const resource: Handler = {
  name: 'DNSResourceHandler',
  versions: NEW,
  doc: 'Manage one name.',
  path: 'dnsresources/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a name.',
      reply: resourceShape,
      read: async (sql, { uri: [id], base }) => resourceView(await resourceOf(sql, idOf(id)), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a name.',
      parameters: resourceParameters,
      reply: resourceShape,
      change: async (sql, call) => {
        const old = await resourceOf(sql, idOf(call.uri[0]));
        const { address_ttl: ttl, ip_addresses: ips } = call.parameters;
        const { name = String(old['name']), domain: of = String(old['domain']), fqdn } = call.parameters;
        const place = await placeOf(sql, fqdn === undefined ? { name, domain: of } : call.parameters);
        await sql.query(
          `UPDATE dns_resource SET domain_id = $2, name = $3, ttl = $4, addresses = coalesce($5::inet[], addresses) WHERE id = $1`,
          [
            old['id'],
            place?.domain ?? old['domain_id'],
            place?.name ?? old['name'],
            ttl === undefined ? old['ttl'] : ttl,
            ips ?? null,
          ],
        );
        const before = resourceView(old, call.base);
        const after = resourceView(await resourceOf(sql, before.id), call.base);
        await settle(sql, call, { did: 'update', what: `name ${after.fqdn}`, before, after, racks: 'all' });
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a name.',
      change: async (sql, call: Call) => {
        const old = await resourceOf(sql, idOf(call.uri[0]));
        await sql.query('DELETE FROM dns_resource WHERE id = $1', [old['id']]);
        const before = resourceView(old, call.base);
        await settle(sql, call, { did: 'delete', what: `name ${before.fqdn}`, before, racks: 'all' });
        return null;
      },
    }),
  ],
};

export const DOMAIN_HANDLERS: readonly Handler[] = [domains, domain, resources, resource];

const DOMAINS = `SELECT domain.*, id = (SELECT min(id) FROM domain) AS is_default,
  (SELECT count(*) FROM dns_resource WHERE domain_id = domain.id) AS resource_record_count FROM domain`;
const RESOURCES = `SELECT dns_resource.id, dns_resource.name, dns_resource.ttl, domain_id, domain.name AS domain,
  CASE WHEN dns_resource.name = '@' THEN domain.name ELSE dns_resource.name || '.' || domain.name END AS fqdn,
  ARRAY(SELECT host(each) FROM unnest(addresses) AS each) AS addresses
  FROM dns_resource JOIN domain ON domain.id = domain_id`;

/** By id or name. */
async function domainOf(sql: Sql, word = ''): Promise<Row> {
  const [row] = await sql.query(`${DOMAINS} WHERE id::text = $1 OR name = $1`, [word.toLowerCase()]);
  if (!row) throw new Refusal(404, 'there is no such domain');
  return row;
}

async function resourceOf(sql: Sql, id: number): Promise<Row> {
  const [row] = await sql.query(`SELECT * FROM (${RESOURCES}) AS named WHERE id = $1`, [id]);
  if (!row) throw new Refusal(404, 'there is no such name');
  return row;
}

/** Where a name is to be; undefined where too little is said. Throws FieldFaults. */
async function placeOf(
  sql: Sql,
  { fqdn, name, domain: of }: Pick<ResourceWish, 'fqdn' | 'name' | 'domain'>,
): Promise<{ readonly domain: unknown; readonly name: string } | undefined> {
  if (name !== undefined && of !== undefined) {
    const row = await domainOf(sql, of);
    const label = name.toLowerCase();
    if (label !== '@') checkName('name', `${label}.${String(row['name'])}`);
    return { domain: row['id'], name: label };
  }
  if (fqdn === undefined || name !== undefined || of !== undefined) return undefined;
  const whole = checkName('fqdn', fqdn);
  // The longest of the domains that hold it
  const [row] = await sql.query(
    `SELECT id, name FROM domain WHERE $1 = name OR right($1, length(name) + 1) = '.' || name
     ORDER BY length(name) DESC LIMIT 1`,
    [whole],
  );
  if (!row) throw new FieldFaults({ fqdn: ['expected a name in a domain of this region: create that first'] });
  const label = whole.slice(0, -String(row['name']).length - 1);
  return { domain: row['id'], name: label === '' ? '@' : label };
}

function checkName(field: string, name: string): string {
  const result = zoneNameText.safeParse(name);
  if (!result.success) throw new FieldFaults({ [field]: ['expected a name as DNS has them'] });
  return result.data;
}

function domainView(row: Row, base: string) {
  const id = Number(row['id']);
  return {
    authoritative: row['authoritative'],
    ttl: row['ttl'],
    is_default: row['is_default'] === true,
    id,
    name: row['name'],
    resource_record_count: Number(row['resource_record_count']),
    resource_uri: `${base}/domains/${id}/`,
  };
}

function resourceView(row: Row, base: string) {
  const id = Number(row['id']);
  return {
    id,
    fqdn: String(row['fqdn']),
    address_ttl: row['ttl'],
    ip_addresses: (row['addresses'] as string[]).map((ip) => ({ ip })),
    resource_records: [],
    resource_uri: `${base}/dnsresources/${id}/`,
  };
}
