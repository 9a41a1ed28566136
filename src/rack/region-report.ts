import { createHash } from 'node:crypto';
import { networkInterfaces } from 'node:os';

import { parse } from 'yaml';

import { formatIp4 } from '../addr/ip4.ts';
import { isPublished, sizeOf } from '../images/image-row.ts';
import { imageIndex, readImageIndex } from '../images/open-image-store.ts';
import { imageKey } from '../images/streams/select-versions.ts';
import { longestLength, unknownVariables } from '../plan/command-line-variables.ts';
import type { InterfaceAddress } from '../plan/surroundings.ts';
import { cmdlineText, LONGEST_CMDLINE } from '../plan/text-forms.ts';
import type { RackFacts } from '../service/region-letters.ts';
import type { LeaseTable } from '../service/lease-table.ts';
import type { ImageDesk } from './image-desk.ts';
import { noticesOf, type NoticeGround } from './notices-of.ts';
import type { PlanAttempt } from './plan-source.ts';
import type { ServiceThread } from './service-thread.ts';

/** What the contract has room for. */
const MOST_SENTENCES = 100;
const LONGEST_SENTENCE = 2_000;
const MOST_IMAGES = 10_000;
const MOST_INTERFACES = 1_000;
/** Sections of the file by which the region sees whether a plan of its own goes with it. */
const SECTIONS = ['subnets', 'hosts', 'classes', 'options', 'always', 'boot', 'dns'] as const;

/** What of a rack is reported. */
export interface ReportedRack extends NoticeGround {
  readonly attempt: PlanAttempt;
  readonly startedAt: number;
  readonly threads: readonly Pick<ServiceThread, 'name' | 'state' | 'restarts'>[];
  readonly images: Pick<ImageDesk, 'progress'>;
  readonly leases: Pick<LeaseTable, 'size'>;
}

/** What a rack reports to its region. `withFile`: what stands in its file too, but nothing that may be secret. */
export function reportOf(rack: ReportedRack, interfaces: readonly InterfaceAddress[], withFile: boolean): RackFacts {
  const { attempt, plan, standing } = rack;
  const refused = standing?.refused;
  return {
    startedAt: rack.startedAt,
    services: rack.threads.map(({ name, state, restarts }) => ({ name, state, restarts })),
    plan: {
      ...(standing?.version !== undefined && { version: standing.version }),
      ...(refused && { refused: { version: refused.version, faults: sentences(refused.faults) } }),
      conflicts: sentences(standing?.conflicts ?? []),
    },
    interfaces: rowsOf(interfaces),
    images: imagesIn(plan.rack.state),
    isImporting: rack.images.progress !== undefined,
    leases: rack.leases.size,
    notices: sentences(noticesOf(rack)),
    ...(attempt.text !== undefined && { file: fileOf(attempt.text, withFile) }),
  };
}

function sentences(all: readonly string[]): string[] {
  return all.slice(0, MOST_SENTENCES).map((sentence) => sentence.slice(0, LONGEST_SENTENCE));
}

function rowsOf(interfaces: readonly InterfaceAddress[]): RackFacts['interfaces'] {
  const cards = networkInterfaces();
  return interfaces
    .filter(({ name }) => name !== 'lo')
    .slice(0, MOST_INTERFACES)
    .map(({ name, address, prefix }) => {
      const mac = cards[name]?.[0]?.mac;
      return { name, address: formatIp4(address), prefix, ...(mac !== undefined && { mac }) };
    });
}

function imagesIn(state: string): RackFacts['images'] {
  const rows = readImageIndex(imageIndex(state))?.images ?? [];
  return rows.slice(0, MOST_IMAGES).map((row) => ({
    name: imageKey(row),
    version: row.version,
    state: isPublished(row) ? 'published' : 'old',
    bytes: sizeOf(row),
  }));
}

function fileOf(text: string, withConfig: boolean): RackFacts['file'] {
  const hash = createHash('sha256').update(text).digest('hex');
  return { hash, ...(withConfig && { config: sectionsOf(text) }) };
}

/** Nothing of a file that is no YAML, or that JSON can't say, as one that is held by itself. */
function sectionsOf(text: string): Record<string, unknown> {
  return asMapping(orNothing(() => JSON.parse(JSON.stringify(shownSections(asMapping(parse(text)))))));
}

function shownSections(file: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sections = SECTIONS.filter((name) => file[name] !== undefined).map((name) => [name, file[name]] as const);
  const config: Record<string, unknown> = Object.fromEntries(sections);
  if (config['boot'] !== undefined) config['boot'] = withHiddenCommandLines(asMapping(config['boot']));
  return config;
}

/** Installers are given passwords and tokens by their command line. */
function withHiddenCommandLines(boot: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(asMapping(boot['entries'])).map(([name, written]) => {
    const entry = asMapping(written);
    return [name, { ...entry, ...('cmdline' in entry && { cmdline: hidden(entry['cmdline']) }) }] as const;
  });
  return { ...boot, ...(boot['entries'] !== undefined && { entries: Object.fromEntries(entries) }) };
}

/**
 * What the region sees in the place of a command line: that the file has one, as that counts and not the region's; and one that is
 * good where this is, as an entry that is out of service here must not seem to be in service there.
 */
function hidden(cmdline: unknown): string | null {
  if (typeof cmdline !== 'string') return null;
  const isFaulty = unknownVariables(cmdline).length > 0 || !cmdlineText.safeParse(cmdline).success;
  return 'x'.repeat(isFaulty ? LONGEST_CMDLINE + 1 : longestLength(cmdline));
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function asMapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
