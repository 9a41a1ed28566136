import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Context } from 'koa';

import type { ZoneAnswer, ZoneFact, ZoneOrder, ZoneUpdates } from '../service/letters.ts';
import { nameKey } from '../wire/dns/name.ts';
import { WireError } from '../wire/wire-error.ts';
import { formatZone } from '../zones/format-zone.ts';
import { recordsOf } from '../zones/zone-columns.ts';
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
  /** Records that updates added or deleted, and those of them that the file leaves no place for; absent where none. */
  readonly updated?: number;
  readonly overruled?: number;
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
  const zone = zoneAsked(context);
  if (zone === undefined) return;
  const { content, fault } = await askDns(rack, { kind: 'dump', zone });
  if (fault !== undefined) return refuse(context, 503, fault);
  if (!content) return refuse(context, 404, `no zone ${zone} is served`);
  context.type = 'text/dns; charset=utf-8';
  context.body = Readable.from(inPieces(formatZone(recordsOf(content))));
}

/**
 * `GET /zones/updates?of=NAME` and `POST /zones/updates/forget?of=NAME`: what updates did to a zone, or what of that was undone,
 * a line each.
 */
export async function zoneUpdates(context: Context, rack: Rack, kind: 'updates' | 'forget-updates'): Promise<void> {
  const zone = zoneAsked(context);
  if (zone === undefined) return;
  if (kind === 'forget-updates' && isRecalled(rack, zone))
    return refuse(
      context,
      409,
      `the file of ${zone} is not read yet: what is served came with its updates from before`,
    );
  const { updates, fault } = await askDns(rack, { kind, zone });
  if (fault !== undefined) return refuse(context, 503, fault);
  if (!updates) return refuse(context, 404, `no zone ${zone} takes updates`);
  context.type = 'text/plain; charset=utf-8';
  context.body = Readable.from(inPieces(updateLines(updates)));
}

/** What is served of it is not what its file says, but what was published before this start: updates can't be told from it. */
function isRecalled(rack: Rack, name: string): boolean {
  const kept = rack.zones.zones().find(({ settings }) => settings.name === name);
  return kept?.content !== undefined && kept.content.loadedAt === undefined;
}

function* updateLines({ added, deleted, overruled }: ZoneUpdates): Generator<string> {
  const idle = new Set(formatZone(recordsOf(overruled)));
  const note = (line: string): string => (idle.has(line) ? '  ; not in force: the file leaves no place for it' : '');
  for (const line of formatZone(recordsOf(added))) yield `+ ${line}${note(line)}`;
  for (const line of formatZone(recordsOf(deleted))) yield `- ${line}${note(line)}`;
}

/** In pieces, so that a large zone holds nobody up. */
async function* inPieces(all: Iterable<string>): AsyncGenerator<string> {
  let lines: string[] = [];
  for (const line of all) {
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

/** The zone that `of` names; undefined when it names none, which is then answered. */
function zoneAsked(context: Context): string | undefined {
  const { of } = context.query;
  const zone = typeof of === 'string' ? asZoneName(of) : undefined;
  if (zone === undefined) refuse(context, 400, 'expected of= and the name of a zone');
  return zone;
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
