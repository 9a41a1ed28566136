import * as z from 'zod';

import { formatMac, parseMac } from '../../addr/mac.ts';
import { describeEvent } from '../../timeline/describe-event.ts';
import { DETAILS, ERRORS, levelOf, WARNINGS } from '../../timeline/event-level.ts';
import type { EventBody } from '../../timeline/event.ts';
import type { Row, Sql } from '../database/database.ts';
import { FieldFaults } from './field-faults.ts';
import { count, oneOf, words } from './form-words.ts';
import { action, NEW, type Call, type Handler } from './handler.ts';
import { maasTime } from './maas-time.ts';

const MOST_EVENTS = 1_000;
const USUAL_EVENTS = 100;
const MOST_ID = Number.MAX_SAFE_INTEGER - 1;
/** The words of MAAS, and which kinds are told with each. */
const LEVELS = {
  CRITICAL: { among: [...ERRORS] },
  ERROR: { among: [...ERRORS] },
  WARNING: { among: [...ERRORS, ...WARNINGS] },
  INFO: { besides: [...DETAILS] },
  DEBUG: { besides: [] },
} as const satisfies Readonly<
  Record<string, { readonly among: readonly string[] } | { readonly besides: readonly string[] }>
>;
const LEVEL_NAMES = ['CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG'] as const;
const LEVEL_WORDS = { error: 'ERROR', warn: 'WARNING', info: 'INFO', debug: 'DEBUG' } as const;

const parameters = z.object({
  limit: count('At most so many. Default: 100.', 0, MOST_EVENTS).optional(),
  before: count('Older than the event of this id.', 0, MOST_ID).optional(),
  after: count('Newer than the event of this id.', 0, MOST_ID).optional(),
  mac_address: words('Of these machines.', 'MAC addresses', usualMac).optional(),
  hostname: words('Of the machines that have these names.').optional(),
  agent_name: words('At these racks.').optional(),
  level: oneOf(LEVEL_NAMES, 'This level and above. Default: INFO.').optional(),
});
type Query = z.output<typeof parameters>;

const events: Handler = {
  name: 'EventsHandler',
  versions: NEW,
  doc: 'What happened at racks.',
  path: 'events/',
  actions: [
    action({
      name: 'query',
      method: 'GET',
      op: 'query',
      doc: 'List events, the newest first. next_uri tells where there will be newer ones, prev_uri where there are older ones.',
      parameters,
      reply: z.strictObject({
        count: z.int(),
        events: z.array(
          z.strictObject({
            node: z.string().nullable().describe('The MAC address of the machine.'),
            hostname: z.string(),
            id: z.int(),
            level: z.string(),
            created: z.string(),
            type: z.string(),
            description: z.string(),
            ip: z.string().nullable(),
            rack: z.string().describe('Beyond MAAS, as what follows.'),
            at: z.iso.datetime(),
            body: z.record(z.string(), z.unknown()),
          }),
        ),
        next_uri: z.string(),
        prev_uri: z.string().nullable(),
      }),
      read: query,
    }),
  ],
};

export const EVENT_HANDLERS: readonly Handler[] = [events];

function usualMac(word: string): string | undefined {
  const card = parseMac(word);
  return card === undefined ? undefined : formatMac(card);
}

async function query(sql: Sql, call: Call<Query>): Promise<unknown> {
  const { before, after } = call.parameters;
  if (before !== undefined && after !== undefined)
    throw new FieldFaults({ before: ['expected before or after, not both'] });
  const limit = Math.max(1, call.parameters.limit ?? USUAL_EVENTS);
  const rows = await find(sql, call.parameters, limit);
  const uri = (changed: Readonly<Record<string, number>>): string => {
    const sought = new URLSearchParams(call.query);
    for (const name of ['before', 'after']) sought.delete(name);
    sought.set('op', 'query');
    for (const [name, value] of Object.entries(changed)) sought.set(name, String(value));
    return `${call.base}/events/?${sought.toString()}`;
  };
  const [newest, oldest] = [rows[0], rows.at(-1)];
  const newer = newest ? Number(newest['id']) : (after ?? (before === undefined ? undefined : before - 1));
  const older = oldest ? Number(oldest['id']) : after === undefined ? undefined : after + 1;
  return {
    count: rows.length,
    events: rows.map(eventView),
    next_uri: uri(newer === undefined ? {} : { after: Math.max(0, newer) }),
    // Older than nothing there is nothing, and never will be
    prev_uri: older === undefined ? null : uri({ before: older }),
  };
}

/** The newest first. */
async function find(sql: Sql, wish: Query, limit: number): Promise<Row[]> {
  const values: unknown[] = [];
  const conditions = ['true'];
  const where = (value: unknown, condition: (place: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  const level: { readonly among?: readonly string[]; readonly besides?: readonly string[] } =
    LEVELS[wish.level ?? 'INFO'];
  where(level.among, (place) => `kind = ANY(${place}::text[])`);
  where(level.besides, (place) => `kind <> ALL(${place}::text[])`);
  where(wish.before, (place) => `event.id < ${place}`);
  where(wish.after, (place) => `event.id > ${place}`);
  where(wish.mac_address, (place) => `event.mac = ANY(${place}::macaddr[])`);
  where(
    wish.hostname?.map((name) => name.toLowerCase()),
    (place) => `event.mac IN (SELECT mac FROM lease WHERE lower(lease.name) = ANY(${place}::text[])
      UNION SELECT mac FROM reserved_ip WHERE lower(comment) = ANY(${place}::text[]))`,
  );
  where(wish.agent_name, (place) => `event.rack_id IN (SELECT id FROM rack WHERE name = ANY(${place}::text[]))`);
  // The oldest of what is newer, so that a reader who goes on misses none
  const isForward = wish.after !== undefined;
  const rows = await sql.query(
    `SELECT event.id, event.at, kind, event.mac, host(event.address) AS ip, body, rack.name AS rack,
       (SELECT lease.name FROM lease WHERE lease.mac = event.mac AND lease.rack_id = event.rack_id
        ORDER BY address LIMIT 1) AS hostname
     FROM event JOIN rack ON rack.id = rack_id
     WHERE ${conditions.join(' AND ')} ORDER BY event.id ${isForward ? 'ASC' : 'DESC'} LIMIT ${limit}`,
    values,
  );
  return isForward ? rows.toReversed() : rows;
}

function eventView(row: Row) {
  const { at, body } = row;
  const kind = String(row['kind']);
  return {
    node: row['mac'],
    hostname: row['hostname'] ?? '',
    id: row['id'],
    level: LEVEL_WORDS[levelOf(kind)],
    created: maasTime(at),
    type: kind,
    description: sentenceOf(kind, body),
    ip: row['ip'],
    rack: row['rack'],
    at: at instanceof Date ? at.toISOString() : '',
    body,
  };
}

/** Of a rack that is newer or older than this region there may be events that it has no sentence for. */
function sentenceOf(kind: string, body: unknown): string {
  try {
    const sentence: unknown = describeEvent({ ...(body as object), kind } as EventBody);
    return typeof sentence === 'string' ? sentence : kind;
  } catch {
    return kind;
  }
}
