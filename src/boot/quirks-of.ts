import type { Mac } from '../addr/mac.ts';
import {
  QUIRKS,
  type ClientPattern,
  type Quirk,
  type QuirkEffects,
  type QuirkName,
  type QuirkSwitches,
} from '../plan/quirk-table.ts';
import { archOf, isNetbootClient, isStrippedIpxe, type BootClient } from './firmware.ts';

/** What is done for one client beyond the ordinary. */
export interface AppliedQuirks {
  /** In the order of the table. */
  readonly names: readonly QuirkName[];
  readonly effects: QuirkEffects;
}

/** A quirk that concerns a client, as a person may read it. */
export interface QuirkNote {
  readonly name: QuirkName;
  readonly applies: boolean;
  readonly sentence: string;
}

type Row = Quirk & { readonly name: QuirkName };
const ROWS: readonly Row[] = QUIRKS;
/** For whoever neither netboots nor has a MAC address that the table knows; by far the most packets come from those. */
const USUAL = combine(ROWS.filter(({ matches }) => matches === 'everyone'));
const KNOWN_OUIS: ReadonlySet<number> = new Set(
  ROWS.flatMap(({ matches }) => (typeof matches === 'string' ? [] : matches.flatMap(({ ouis = [] }) => ouis))),
);

/** The quirks of a client; `switches` are those of its classes and its host. */
export function quirksOf(client: BootClient, switches?: QuirkSwitches): AppliedQuirks {
  if (!switches && !KNOWN_OUIS.has(ouiOf(client.mac)) && !isNetbootClient(client)) return USUAL;
  return combine(ROWS.filter((row) => applies(row, client, switches?.[row.name])));
}

/** Why each quirk applies, and which ones would if the file did not switch them off. */
export function explainQuirks(client: BootClient, switches: QuirkSwitches = {}): QuirkNote[] {
  return ROWS.flatMap((row): QuirkNote[] => {
    const { name, does, whom } = row;
    const isOn = switches[name];
    const isUsual = applies(row, client, undefined);
    if (applies(row, client, isOn)) {
      const why = isUsual ? `as for ${whom}` : 'as the file switches it on';
      return [{ name, applies: true, sentence: `${does} (${why})` }];
    }
    if (!isUsual) return [];
    return [{ name, applies: false, sentence: `switched off in the file; else for ${whom}: ${does}` }];
  });
}

function applies({ matches, allows = matches }: Row, client: BootClient, isOn: boolean | undefined): boolean {
  if (isOn === false) return false;
  const who = isOn ? allows : matches;
  if (typeof who === 'string') return who === 'everyone';
  return who.some((pattern) => isLike(pattern, client));
}

function isLike(pattern: ClientPattern, client: BootClient): boolean {
  const { vendorClass, archs, ouis, isStrippedIpxe: stripped, isSilent } = pattern;
  if (vendorClass !== undefined && !client.vendorClass?.startsWith(vendorClass)) return false;
  if (ouis && !ouis.includes(ouiOf(client.mac))) return false;
  if (stripped && !isStrippedIpxe(client)) return false;
  if (isSilent && (client.vendorClass !== undefined || client.arch !== undefined)) return false;
  return !archs || archs.includes(archOf(client) ?? -1);
}

function combine(rows: readonly Row[]): AppliedQuirks {
  const effects: QuirkEffects = Object.assign({}, ...rows.map((row) => row.effects));
  return { names: rows.map(({ name }) => name), effects };
}

/** Its first three bytes, which say who made the hardware. */
function ouiOf(mac: Mac): number {
  return Math.floor(mac / 0x1000000);
}
