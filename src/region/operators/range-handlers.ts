import * as z from 'zod';

import { cidrContains, parseCidr } from '../../addr/cidr.ts';
import { parseIp4 } from '../../addr/ip4.ts';
import type { Row, Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { FieldFaults } from './field-faults.ts';
import { address, idOf, mac, oneOf, text } from './form-words.ts';
import { action, NEW, type Handler } from './handler.ts';
import { checkApart, RANGES, rangeOf, settleSubnets, subnetOf, SUBNETS } from './subnet-store.ts';

const ofSubnet = z.strictObject({ id: z.int(), cidr: z.string() });

const rangeShape = z.strictObject({
  subnet: ofSubnet,
  type: z.enum(['dynamic', 'static', 'reserved']),
  start_ip: z.string(),
  end_ip: z.string(),
  comment: z.string(),
  id: z.int(),
  resource_uri: z.string(),
});

const reservedShape = z.strictObject({
  id: z.int(),
  ip: z.string(),
  mac_address: z.string(),
  comment: z.string(),
  subnet: ofSubnet,
  resource_uri: z.string(),
});

const first = address('First address.');
const last = address('Last address.');
const ipText = address('The address.');
const card = mac('Whose it is.');
const rangeComment = text('What it is for.');
const hostComment = text("The machine's name, where it could be one: it is then known by it.");
const inSubnet = text('Its id or network; the one that holds the addresses where it is not given.', 50);

const ranges: Handler = {
  name: 'IPRangesHandler',
  versions: NEW,
  doc: 'Manage ranges of addresses.',
  path: 'ipranges/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List ranges.',
      reply: z.array(rangeShape),
      read: async (sql, { base }) =>
        (await sql.query(`${NAMED_RANGES} ORDER BY named.id`)).map((row) => rangeView(row, base)),
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Create a range.',
      parameters: z.object({
        type: oneOf(
          ['dynamic', 'static', 'reserved'],
          'dynamic: for whoever asks; static: for machines that keep them (beyond MAAS); reserved: kept out of these.',
        ),
        start_ip: first,
        end_ip: last,
        subnet: inSubnet.optional(),
        comment: rangeComment.optional(),
      }),
      reply: rangeShape,
      status: 201,
      change: async (sql, call) => {
        const { type, start_ip: low, end_ip: high, subnet, comment = '' } = call.parameters;
        rangeOf(low, high);
        const of = await subnetFor(sql, subnet, { start_ip: low, end_ip: high });
        await checkOnlyOne(sql, of, type);
        const [row] = await sql.query(
          'INSERT INTO ip_range (subnet_id, type, low, high, comment) VALUES ($1, $2, $3, $4, $5) RETURNING id',
          [of['id'], type, low, high, comment],
        );
        const after = await checkedRange(sql, Number(row?.['id']), call.base);
        await settleSubnets(sql, call, { did: 'create', what: `range ${after.id}`, after }, [of]);
        return after;
      },
    }),
  ],
};

const range: Handler = {
  name: 'IPRangeHandler',
  versions: NEW,
  doc: 'Manage one range.',
  path: 'ipranges/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read a range.',
      reply: rangeShape,
      read: async (sql, { uri: [id], base }) => rangeView(await rangeRow(sql, idOf(id)), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update a range.',
      parameters: z.object({
        start_ip: first.optional(),
        end_ip: last.optional(),
        comment: rangeComment.optional(),
      }),
      reply: rangeShape,
      change: async (sql, call) => {
        const old = await rangeRow(sql, idOf(call.uri[0]));
        const of = await subnetOf(sql, String(old['subnet_id']));
        const {
          start_ip: low = String(old['start_ip']),
          end_ip: high = String(old['end_ip']),
          comment,
        } = call.parameters;
        rangeOf(low, high);
        checkInside(of, { start_ip: low, end_ip: high });
        await sql.query('UPDATE ip_range SET low = $2, high = $3, comment = coalesce($4, comment) WHERE id = $1', [
          old['id'],
          low,
          high,
          comment ?? null,
        ]);
        const before = rangeView(old, call.base);
        const after = await checkedRange(sql, before.id, call.base);
        await settleSubnets(sql, call, { did: 'update', what: `range ${after.id}`, before, after }, [of]);
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete a range. Who has a lease in it keeps that until it ends.',
      change: async (sql, call) => {
        const old = await rangeRow(sql, idOf(call.uri[0]));
        const of = await subnetOf(sql, String(old['subnet_id']));
        await sql.query('DELETE FROM ip_range WHERE id = $1', [old['id']]);
        const before = rangeView(old, call.base);
        await settleSubnets(sql, call, { did: 'delete', what: `range ${before.id}`, before }, [of]);
        return null;
      },
    }),
  ],
};

const reservedIps: Handler = {
  name: 'ReservedIpsHandler',
  versions: NEW,
  doc: 'Manage addresses that machines keep for good.',
  path: 'reservedips/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'List reserved addresses.',
      reply: z.array(reservedShape),
      read: async (sql, { base }) =>
        (await sql.query(`${RESERVED} ORDER BY reserved_ip.id`)).map((row) => reservedView(row, base)),
    }),
    action({
      name: 'create',
      method: 'POST',
      doc: 'Reserve an address.',
      parameters: z.object({
        ip: ipText,
        mac_address: card,
        subnet: inSubnet.optional(),
        comment: hostComment.optional(),
      }),
      reply: reservedShape,
      status: 201,
      change: async (sql, call) => {
        const { ip, mac_address: whose, subnet, comment = '' } = call.parameters;
        const of = await subnetFor(sql, subnet, { ip });
        const [row] = await sql.query(
          'INSERT INTO reserved_ip (subnet_id, ip, mac, comment) VALUES ($1, $2, $3, $4) RETURNING id',
          [of['id'], ip, whose, comment],
        );
        const after = reservedView(await reservedRow(sql, Number(row?.['id'])), call.base);
        await settleSubnets(sql, call, { did: 'create', what: `reserved address ${after.id}`, after }, [of]);
        return after;
      },
    }),
  ],
};

const reservedIp: Handler = {
  name: 'ReservedIpHandler',
  versions: NEW,
  doc: 'Manage one reserved address.',
  path: 'reservedips/{id}/',
  actions: [
    action({
      name: 'read',
      method: 'GET',
      doc: 'Read it.',
      reply: reservedShape,
      read: async (sql, { uri: [id], base }) => reservedView(await reservedRow(sql, idOf(id)), base),
    }),
    action({
      name: 'update',
      method: 'PUT',
      doc: 'Update it.',
      parameters: z.object({ comment: hostComment.optional(), mac_address: card.optional() }),
      reply: reservedShape,
      change: async (sql, call) => {
        const old = await reservedRow(sql, idOf(call.uri[0]));
        const { comment, mac_address: whose } = call.parameters;
        await sql.query(
          'UPDATE reserved_ip SET comment = coalesce($2, comment), mac = coalesce($3, mac) WHERE id = $1',
          [old['id'], comment ?? null, whose ?? null],
        );
        const before = reservedView(old, call.base);
        const after = reservedView(await reservedRow(sql, before.id), call.base);
        const of = await subnetOf(sql, String(old['subnet_id']));
        await settleSubnets(sql, call, { did: 'update', what: `reserved address ${after.id}`, before, after }, [of]);
        return after;
      },
    }),
    action({
      name: 'delete',
      method: 'DELETE',
      doc: 'Delete it: the machine gets any address from then on.',
      change: async (sql, call) => {
        const old = await reservedRow(sql, idOf(call.uri[0]));
        await sql.query('DELETE FROM reserved_ip WHERE id = $1', [old['id']]);
        const before = reservedView(old, call.base);
        const of = await subnetOf(sql, String(old['subnet_id']));
        await settleSubnets(sql, call, { did: 'delete', what: `reserved address ${before.id}`, before }, [of]);
        return null;
      },
    }),
  ],
};

export const RANGE_HANDLERS: readonly Handler[] = [ranges, range, reservedIps, reservedIp];

const NAMED_RANGES = `SELECT named.id, subnet_id, type, start_ip, end_ip, comment, cidr
  FROM (${RANGES}) AS named JOIN subnet ON subnet.id = subnet_id`;
const RESERVED = `SELECT reserved_ip.id, subnet_id, host(ip) AS ip, mac, comment, cidr
  FROM reserved_ip JOIN subnet ON subnet.id = subnet_id`;

async function rangeRow(sql: Sql, id: number): Promise<Row> {
  const [row] = await sql.query(`${NAMED_RANGES} WHERE named.id = $1`, [id]);
  if (!row) throw new Refusal(404, 'there is no such range');
  return row;
}

async function reservedRow(sql: Sql, id: number): Promise<Row> {
  const [row] = await sql.query(`${RESERVED} WHERE reserved_ip.id = $1`, [id]);
  if (!row) throw new Refusal(404, 'there is no such reserved address');
  return row;
}

async function checkedRange(sql: Sql, id: number, base: string) {
  await checkApart(sql, id);
  return rangeView(await rangeRow(sql, id), base);
}

/** The one that is named, or that alone holds the addresses. */
async function subnetFor(sql: Sql, named: string | undefined, fields: Readonly<Record<string, string>>): Promise<Row> {
  if (named !== undefined) {
    const of = await subnetOf(sql, named);
    checkInside(of, fields);
    return of;
  }
  const [ip] = Object.values(fields);
  const rows = await sql.query(`${SUBNETS} WHERE $1::inet << cidr ORDER BY subnet.id`, [ip]);
  const [only, another] = rows.filter((row) => outsideOf(row, fields) === undefined);
  if (only && !another) return only;
  throw new FieldFaults({ subnet: [only ? 'several subnets hold this: say which' : 'no subnet holds this'] });
}

function checkInside(subnet: Row, fields: Readonly<Record<string, string>>): void {
  const name = outsideOf(subnet, fields);
  if (name !== undefined) throw new FieldFaults({ [name]: [`expected an address inside ${String(subnet['cidr'])}`] });
}

/** Which field is not in it. */
function outsideOf(subnet: Row, fields: Readonly<Record<string, string>>): string | undefined {
  const cidr = parseCidr(String(subnet['cidr']));
  return Object.keys(fields).find((name) => {
    const ip = parseIp4(fields[name] ?? '');
    return cidr === undefined || ip === undefined || !cidrContains(cidr, ip);
  });
}

/** Of those that are served. */
async function checkOnlyOne(sql: Sql, subnet: Row, type: string): Promise<void> {
  if (type === 'reserved') return;
  const [other] = await sql.query('SELECT id FROM ip_range WHERE subnet_id = $1 AND type = $2', [subnet['id'], type]);
  if (!other) return;
  throw new FieldFaults({
    type: [`a rack has one ${type} range on each subnet: change range ${String(other['id'])}`],
  });
}

function rangeView(row: Row, base: string) {
  const id = Number(row['id']);
  const { type, start_ip: start, end_ip: end, comment } = row;
  return {
    subnet: { id: row['subnet_id'], cidr: row['cidr'] },
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
  const { ip, mac: whose, comment } = row;
  const subnet = { id: row['subnet_id'], cidr: row['cidr'] };
  return { id, ip, mac_address: whose, comment, subnet, resource_uri: `${base}/reservedips/${id}/` };
}
