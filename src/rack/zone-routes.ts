import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Context } from 'koa';

import type { ZoneAnswer, ZoneFact, ZoneOrder } from '../service/letters.ts';
import { nameKey } from '../wire/dns/name.ts';
import { WireError } from '../wire/wire-error.ts';
import { formatZone } from '../zones/format-zone.ts';
import { recordsOf, type ZoneColumns } from '../zones/zone-columns.ts';
import type { Rack } from './rack.ts';
import type { KeptZone } from './zone-keeper.ts';

/** Lines between which others get their turn: some milliseconds. */
const LINES_AT_ONCE = 512;

/**
 * A zone as `rackboot zones --json` prints it. Serial, names and records are of what is served, absent where nothing is yet;
 * `loaded`: ISO 8601, when its file was last read without a fault. `faults`: why the file as it is now is not served.
 */
export interface ZoneLine {
  readonly zone: string;
  readonly kind: 'rack' | 'file';
  readonly serial?: number;
  readonly names?: number;
  readonly records?: number;
  readonly file?: string;
  readonly loaded?: string;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** `GET /zones`: all zones, those of the file that are not served too. */
export async function listZones(context: Context, rack: Rack): Promise<void> {
  const { zones, fault } = await askDns(rack, { kind: 'list' });
  if (fault !== undefined) return refuse(context, 503, fault);
  const kept = new Map(rack.zones.zones().map((zone) => [zone.settings.name, zone]));
  const served = new Set(zones.map(({ zone }) => zone));
  const lines = zones.map((fact) => lineOf(fact, kept.get(fact.zone)));
  const missing = [...kept.values()].filter(({ settings }) => !served.has(settings.name));
  context.body = [
    ...lines,
    ...missing.map((zone) => lineOf({ zone: zone.settings.name, kind: 'file' }, zone)),
  ].toSorted((a, b) => (a.zone < b.zone ? -1 : 1));
}

/** `GET /zones/dump?of=NAME`: what is served of a zone, as a master file. */
export async function dumpZone(context: Context, rack: Rack): Promise<void> {
  const { of } = context.query;
  const zone = typeof of === 'string' ? asZoneName(of) : undefined;
  if (zone === undefined) return refuse(context, 400, 'expected of= and the name of a zone');
  const { content, fault } = await askDns(rack, { kind: 'dump', zone });
  if (fault !== undefined) return refuse(context, 503, fault);
  if (!content) return refuse(context, 404, `no zone ${zone} is served`);
  context.type = 'text/dns; charset=utf-8';
  context.body = Readable.from(textOf(content));
}

/** In pieces, so that a large zone holds nobody up. */
async function* textOf(content: ZoneColumns): AsyncGenerator<string> {
  let lines: string[] = [];
  for (const line of formatZone(recordsOf(content))) {
    if (lines.push(line) < LINES_AT_ONCE) continue;
    yield `${lines.join('\n')}\n`;
    lines = [];
    await nextTurn();
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

function lineOf(fact: Pick<ZoneFact, 'zone' | 'kind'> & Partial<ZoneFact>, kept: KeptZone | undefined): ZoneLine {
  const { settings, content, faults = [], warnings = [] } = kept ?? {};
  return {
    ...fact,
    ...(settings?.file !== undefined && { file: settings.file }),
    ...(settings?.file !== undefined &&
      content?.loadedAt !== undefined && { loaded: new Date(content.loadedAt).toISOString() }),
    faults,
    warnings,
  };
}

/** Lower case, without a dot at the end. */
function asZoneName(text: string): string | undefined {
  try {
    nameKey(text);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
  return text.toLowerCase().replace(/(?<=.)\.$/, '');
}

function askDns(rack: Rack, order: ZoneOrder): Promise<ZoneAnswer> {
  const dns = rack.threads.find(({ name }) => name === 'dns');
  return dns?.orderZones(order) ?? Promise.resolve({ zones: [], fault: 'this rack has no DNS' });
}

function refuse(context: Context, status: number, reason: string): void {
  context.status = status;
  context.body = `${reason}\n`;
}
