import { isBefore } from './config-document.ts';
import type { OptionsDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import { oneLine, type Path } from './fault.ts';
import { withSuggestion } from './nearest-name.ts';
import { isOptionKind, OPTION_FORMS, OPTION_KINDS } from './option-forms.ts';
import { kindOf, mayBeForced, optionCode, optionName, OPTION_NAMES, whyUnsettable } from './option-table.ts';
import { sizeOfValue, type OptionKind, type OptionSetting, type OptionValue } from './option-value.ts';
import type { OptionWishes } from './plan.ts';
import { reportIssue } from './report-issue.ts';

/** For whom: all clients, those of a subnet, of a class, or one host. */
export type Layer = 'all' | 'subnet' | 'class' | 'host';

/** What a subnet says by keys of its own, so that it is written in one place; classes and hosts may differ from it. */
const SUBNET_KEYS: ReadonlyMap<number, string> = new Map([
  [3, 'router'],
  [6, 'dns'],
  [15, 'domain'],
]);
/** What is left in one Ethernet frame by everything that must be there. */
const LONGEST_VALUE = 1000;
/** The length of an option inside option 43 is one byte, and no vendor puts pieces together. */
const LONGEST_SUB_OPTION = 255;
const KIND_HINT = `its kind before the value, like { u8: 1 } or { hex: "0a1b" } (kinds: ${OPTION_KINDS.join(', ')})`;

/** The options at this place of the file; nothing when it says nothing of them. */
export function checkOptions(
  book: FaultBook,
  draft: OptionsDraft,
  path: Path,
  layer: Layer,
): { readonly options?: OptionWishes } {
  const settings = draft.options ? readSettings(book, draft.options, [...path, 'options'], layer) : [];
  const always = draft.always ? readAlways(book, draft.always, [...path, 'always']) : [];
  return settings.length + always.length === 0 ? {} : { options: { settings, always } };
}

function readSettings(
  book: FaultBook,
  written: Readonly<Record<string, unknown>>,
  path: Path,
  layer: Layer,
): OptionSetting[] {
  const seen = new Map<number, Path>();
  return inFileOrder(book, written, path).flatMap(([key, value]) => {
    const here = [...path, key];
    const code = optionCode(key);
    if (code === undefined) return reportUnknown(book, here, key, 'key');
    const objection = objectionTo(code, layer) ?? repetition(book, seen, code, here);
    if (objection !== undefined) {
      book.report(here, objection, { found: oneLine(key), at: 'key' });
      return [];
    }
    const read = readValue(book, value, here, kindOf(code));
    return read ? [{ code, value: read }] : [];
  });
}

/** JavaScript puts keys that are numbers first. */
function inFileOrder(book: FaultBook, written: Readonly<Record<string, unknown>>, path: Path): [string, unknown][] {
  const { document } = book;
  const placed = Object.entries(written).map((entry) => ({ entry, at: document.locate([...path, entry[0]], 'key') }));
  return placed.toSorted((a, b) => (isBefore(a.at, b.at) ? -1 : 1)).map(({ entry }) => entry);
}

function reportUnknown(book: FaultBook, path: Path, word: string, at: 'key' | 'value'): [] {
  const found = withSuggestion(word, OPTION_NAMES, oneLine(word));
  book.report(path, 'the name of a DHCP option, or its number from 1 to 254', { found, at });
  return [];
}

/** Why this option can not be set here. */
function objectionTo(code: number, layer: Layer): string | undefined {
  const reason = whyUnsettable(code);
  if (reason !== undefined) return `another option (${reason})`;
  const key = layer === 'all' || layer === 'subnet' ? SUBNET_KEYS.get(code) : undefined;
  return key === undefined ? undefined : `\`${key}\` of the subnet instead`;
}

function repetition(book: FaultBook, seen: Map<number, Path>, code: number, here: Path): string | undefined {
  const first = seen.get(code);
  if (!first) {
    seen.set(code, here);
    return undefined;
  }
  const where = book.whereIs(first, 'key');
  return `each option once (${optionName(code)}, number ${code}, is ${where})`;
}

function readAlways(book: FaultBook, written: readonly (string | number)[], path: Path): number[] {
  const seen = new Map<number, Path>();
  return written.flatMap((word, i) => {
    const here = [...path, i];
    const code = optionCode(String(word));
    if (code === undefined) return reportUnknown(book, here, String(word), 'value');
    const reason = mayBeForced(code) ? undefined : `another option (${whyUnsettable(code)})`;
    const objection = reason ?? repetition(book, seen, code, here);
    if (objection === undefined) return [code];
    book.report(here, objection);
    return [];
  });
}

/** A value as its option wants it, or `{ kind: value }`. */
function readValue(
  book: FaultBook,
  written: unknown,
  path: Path,
  usual: OptionKind | undefined,
): OptionValue | undefined {
  const spelled = spelledKind(written);
  const kind = spelled?.kind ?? usual;
  if (kind === undefined) {
    book.report(path, KIND_HINT);
    return undefined;
  }
  const [value, here] = spelled ? [spelled.value, [...path, spelled.kind]] : [written, path];
  const read = kind === 'suboptions' ? readSubOptions(book, value, here) : readPlain(book, value, here, kind);
  return read && fits(book, read, path, LONGEST_VALUE) ? read : undefined;
}

/** No kind is a number or a network, which are the keys of the values that are mappings themselves. */
function spelledKind(written: unknown): { readonly kind: OptionKind; readonly value: unknown } | undefined {
  if (typeof written !== 'object' || written === null) return undefined;
  const [first, ...rest] = Object.entries(written);
  return first && rest.length === 0 && isOptionKind(first[0]) ? { kind: first[0], value: first[1] } : undefined;
}

function readPlain(
  book: FaultBook,
  value: unknown,
  path: Path,
  kind: Exclude<OptionKind, 'suboptions'>,
): OptionValue | undefined {
  const { data, error } = OPTION_FORMS[kind].safeParse(value);
  for (const issue of error?.issues ?? []) reportIssue(book, issue, path);
  return data;
}

/** Numbers with a written kind each: what they mean is known to the vendor only. */
function readSubOptions(book: FaultBook, written: unknown, path: Path): OptionValue | undefined {
  const isMapping = typeof written === 'object' && written !== null && !Array.isArray(written);
  const entries = isMapping ? Object.entries(written) : [];
  if (entries.length === 0) {
    book.report(path, 'sub-options by number like { 6: { u8: 8 } }, or { hex: "0601ff" }');
    return undefined;
  }
  const value = entries.flatMap(([key, part]) => readSubOption(book, key, part, [...path, key]));
  return { kind: 'suboptions', value };
}

function readSubOption(book: FaultBook, key: string, written: unknown, path: Path): OptionSetting[] {
  if (!/^[1-9]\d{0,2}$/.test(key) || Number(key) > 254) {
    book.report(path, 'the number of a sub-option from 1 to 254', { found: oneLine(key), at: 'key' });
    return [];
  }
  if (spelledKind(written)?.kind === 'suboptions') {
    book.report(path, 'a value, as there are no sub-options of sub-options');
    return [];
  }
  const value = readValue(book, written, path, undefined);
  return value && fits(book, value, path, LONGEST_SUB_OPTION) ? [{ code: Number(key), value }] : [];
}

function fits(book: FaultBook, value: OptionValue, path: Path, most: number): boolean {
  const size = sizeOfValue(value);
  if (size > most) book.report(path, `a value of at most ${most} bytes`, { found: `${size} bytes` });
  return size <= most;
}
