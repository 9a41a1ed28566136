import { posix } from 'node:path';

import { keyOfName } from '../wire/dns/compressed-name.ts';
import type { NameKey } from '../wire/dns/name.ts';
import { toName } from '../wire/dns/rdata/domain-name.ts';
import { parsePeriod } from '../wire/dns/rdata/period.ts';
import { parseRdata } from '../wire/dns/rdata/rdata.ts';
import { TextError } from '../wire/dns/rdata/text-error.ts';
import { showWord, Words } from '../wire/dns/rdata/words.ts';
import { RECORD_HEAD } from '../wire/dns/record-set.ts';
import { isDataType, parseType, TYPE, typeName } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { checkZone } from './check-zone.ts';
import { fillTemplate, generateRange } from './generate-range.ts';
import { MasterLexer, type Entry, type PlacedWord } from './master-lexer.ts';
import { ZoneDraft, type Place } from './zone-draft.ts';
import { LARGEST_DATA, LARGEST_SET, MOST_TYPES } from './zone-limits.ts';
import type { ZoneProblem } from './zone-problem.ts';

/** What is in a file, one character per byte. Throws when it can't be read. */
export type ReadFile = (path: string) => string;

/** A master file that was read. Its records are there when it has no fault. */
export interface MasterZone {
  readonly origin: NameKey;
  /** The SOA first, and the records of a set together. */
  readonly records?: readonly ResourceRecord[];
  /** Each makes the zone unusable. */
  readonly faults: readonly ZoneProblem[];
  /** What is served as it is, but hardly meant so. */
  readonly warnings: readonly ZoneProblem[];
  /** The file and all it includes, those that could not be read too. */
  readonly files: readonly string[];
}

export type Steps<Result> = Generator<undefined, Result>;

/** Entries between two pauses. */
const STRIDE = 256;
/** More are those of one slip of the pen. */
const MOST_PROBLEMS = 100;
/** The DNS thread has a gigabyte; while a zone is replaced it is there twice, some 400 octets a record. */
const MOST_RECORDS = 500_000;
/** Records of all zone files together, for the same reason. */
export const MOST_RECORDS_IN_ALL = 700_000;
const DEEPEST = 10;
/** RFC 2181 §8 */
const LONGEST_TTL = 2 ** 31 - 1;

/** What holds for the lines of one file from here on. */
interface Scope {
  readonly file: string;
  /** The files that led here, this one the last. */
  readonly stack: readonly string[];
  /** Wire form, spelled as written. */
  origin: string;
  /** Of the record before; undefined before the first. */
  owner: NameKey | undefined;
}

/**
 * Reads a zone from master files (RFC 1035 §5, $TTL of RFC 2308 §4, BIND's $GENERATE) and holds its records against each
 * other. Pure, and total: whatever the text, the answer is a zone or faults. `origin`: as in the Plan. `file`: absolute.
 */
export function readMasterFile(origin: string, file: string, readFile: ReadFile): MasterZone {
  const steps = readMasterFileInSteps(origin, file, readFile);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, with a pause every millisecond or two of work, for whoever has other things to do. */
export function readMasterFileInSteps(origin: string, file: string, readFile: ReadFile): Steps<MasterZone> {
  return new MasterFileReader(origin, readFile).read(file);
}

class MasterFileReader {
  readonly #origin: string;
  readonly #readFile: ReadFile;
  readonly #draft: ZoneDraft;
  readonly #files = new Set<string>();
  readonly #faults: ZoneProblem[] = [];
  readonly #warnings: ZoneProblem[] = [];
  /** By $TTL, or else by the SOA. */
  #standardTtl: number | undefined;
  #lastTtl: number | undefined;
  #entries = 0;
  #lastOwner: { readonly text: string; readonly origin: string; readonly key: NameKey } | undefined;

  constructor(origin: string, readFile: ReadFile) {
    this.#origin = toName(`${origin}.`, '\0');
    this.#readFile = readFile;
    this.#draft = new ZoneDraft(keyOfName(this.#origin));
  }

  *read(file: string): Steps<MasterZone> {
    yield* this.#readWhole({ file, stack: [file], origin: this.#origin, owner: undefined }, { file, line: 1 });
    const report = { fault: this.#fault.bind(this), warn: this.#warn.bind(this) };
    // After a fault names are missing that are there
    if (this.#faults.length === 0) yield* checkZone(this.#draft, { file, line: 1 }, report);
    const { origin } = this.#draft;
    const read = { origin, faults: this.#faults, warnings: this.#warnings, files: [...this.#files] };
    return this.#faults.length > 0 ? read : { ...read, records: yield* this.#gather() };
  }

  *#gather(): Steps<ResourceRecord[]> {
    const records: ResourceRecord[] = [];
    for (const record of this.#draft.records()) if (records.push(record) % STRIDE === 0) yield;
    return records;
  }

  /** `asked`: where the file is named. */
  *#readWhole(scope: Scope, asked: Place): Steps<void> {
    this.#files.add(scope.file);
    let text: string;
    try {
      text = this.#readFile(scope.file);
    } catch (error) {
      this.#fault(asked, `expected a readable file ${scope.file}, found ${messageOf(error)}`);
      return;
    }
    const lexer = new MasterLexer(text);
    for (let entry = lexer.next(); entry && !this.#isFull; entry = lexer.next()) {
      yield* this.#readEntry(entry, scope);
    }
  }

  get #isFull(): boolean {
    return this.#faults.length >= MOST_PROBLEMS;
  }

  *#readEntry(entry: Entry, scope: Scope): Steps<void> {
    if (++this.#entries % STRIDE === 0) yield;
    const { words, fault } = entry;
    if (fault) return this.#faultOf(fault.error, { file: scope.file, line: fault.line });
    const [first] = words;
    if (!first) return;
    if (!entry.isIndented && !first.isQuoted && first.text.startsWith('$'))
      return yield* this.#readDirective(words, scope);
    this.#readRecord(entry, scope);
  }

  *#readDirective(words: readonly PlacedWord[], scope: Scope): Steps<void> {
    const [{ text, line }] = words as readonly [PlacedWord];
    const place = { file: scope.file, line };
    try {
      switch (text.toUpperCase()) {
        case '$ORIGIN':
          scope.origin = toName(only(words, 'a domain name'), scope.origin, 'the origin');
          break;
        case '$TTL':
          this.#standardTtl = toTtl(only(words, 'a time'));
          break;
        case '$INCLUDE':
          yield* this.#include(words, scope);
          break;
        case '$GENERATE':
          yield* this.#generate(words, scope);
          break;
        default:
          throw new TextError('one of $ORIGIN, $TTL, $INCLUDE, $GENERATE', showWord(text));
      }
    } catch (error) {
      this.#faultOf(error, place);
    }
  }

  /** RFC 1035 §5.1: the origin of this file, and its last owner, stay what they are. */
  *#include(words: readonly PlacedWord[], scope: Scope): Steps<void> {
    const [, name, origin, extra] = words;
    if (!name || extra)
      throw new TextError('$INCLUDE, a file, and perhaps an origin', showWord(extra?.text ?? 'nothing'));
    const path = posix.resolve(posix.dirname(scope.file), Buffer.from(name.text, 'latin1').toString('utf8'));
    if (scope.stack.includes(path)) {
      const cycle = [...scope.stack.slice(scope.stack.indexOf(path)), path].map((each) => posix.basename(each));
      throw new TextError('files that do not include themselves', cycle.join(' → '));
    }
    if (scope.stack.length > DEEPEST) throw new TextError(`at most ${DEEPEST} files inside each other`, 'one more');
    const inner = {
      file: path,
      stack: [...scope.stack, path],
      origin: origin ? toName(origin.text, scope.origin, 'the origin') : scope.origin,
      owner: scope.owner,
    };
    yield* this.#readWhole(inner, { file: scope.file, line: name.line });
  }

  *#generate(words: readonly PlacedWord[], scope: Scope): Steps<void> {
    const [, range, owner, ...rest] = words;
    if (!range || !owner || rest.length === 0)
      throw new TextError('$GENERATE, a range, an owner, a type and data', 'the end of the line');
    const template = rest.map(({ text, isQuoted }) => (isQuoted ? text.replaceAll('\\"', '"') : text)).join(' ');
    for (const number of generateRange(range.text)) {
      if (++this.#entries % STRIDE === 0) yield;
      const text = `${fillTemplate(owner.text, number)} ${fillTemplate(template, number)}`;
      const entry = new MasterLexer(text).next();
      if (!entry) return;
      if (entry.fault) throw entry.fault.error;
      const placed = entry.words.map((word) => ({ ...word, line: range.line }));
      const before = this.#faults.length;
      this.#readRecord({ words: placed, isIndented: false }, scope);
      // The next number would be told the same
      if (this.#faults.length > before) return;
    }
  }

  #readRecord({ words, isIndented }: Entry, scope: Scope): void {
    const at = (index: number) => ({ file: scope.file, line: words[index]?.line ?? words.at(-1)?.line ?? 1 });
    let rdata: Words | undefined;
    try {
      if (!isIndented) scope.owner = this.#toOwner(words[0]?.text ?? '', scope.origin);
      const { owner } = scope;
      if (owner === undefined) throw new TextError('an owner, as no record is above', 'a blank');
      const { type, ttl, end } = readHead(words, isIndented ? 0 : 1);
      rdata = new Words(words, scope.origin, end);
      const data = parseRdata(type, rdata);
      this.#add({ owner, type, ttl: this.#ttlOf(ttl, type, data), data }, at(0));
    } catch (error) {
      this.#faultOf(error, at(rdata ? Math.max(rdata.last, 0) : 0));
    }
  }

  /** The same owner mostly comes several times in a row. */
  #toOwner(text: string, origin: string): NameKey {
    if (this.#lastOwner?.text === text && this.#lastOwner.origin === origin) return this.#lastOwner.key;
    const key = keyOfName(toName(text, origin, 'an owner'));
    this.#lastOwner = { text, origin, key };
    return key;
  }

  /** RFC 2308 §4: by $TTL; before there was that, as the record before (RFC 1035 §5.1), or by the SOA's minimum. */
  #ttlOf(written: number | undefined, type: number, data: string): number {
    const minimum = type === TYPE.SOA ? Buffer.from(data.slice(-4), 'latin1').readUInt32BE() : undefined;
    const ttl = written ?? this.#standardTtl ?? this.#lastTtl ?? minimum;
    if (ttl === undefined) throw new TextError('a TTL, as there is no $TTL and no record above', 'none');
    if (ttl > LONGEST_TTL) throw new TextError(`a TTL of at most ${LONGEST_TTL}`, String(ttl));
    this.#lastTtl = ttl;
    return ttl;
  }

  #add(record: ResourceRecord, place: Place): void {
    if (!this.#draft.contains(record.owner)) {
      throw new TextError('an owner in the zone (is a dot missing, or one too many?)', 'a name outside it');
    }
    if (record.type === TYPE.SOA && record.owner !== this.#draft.origin) {
      throw new TextError('a SOA at the top of the zone only', 'one below');
    }
    if (record.data.length > LARGEST_DATA) {
      throw new TextError(`data of at most ${LARGEST_DATA} octets`, String(record.data.length));
    }
    if (this.#draft.count >= MOST_RECORDS) throw new TextError(`at most ${MOST_RECORDS} records`, 'more');
    this.#checkRoom(record);
    if (this.#draft.add(record, place) === 'other-ttl') {
      this.#warn(place, `the ${typeName(record.type)} records of this name have several TTLs: all get the lowest`);
    }
  }

  #checkRoom({ owner, type, data }: ResourceRecord): void {
    const set = this.#draft.find(owner, type);
    if (!set && this.#draft.countTypes(owner) >= MOST_TYPES)
      throw new TextError(`at most ${MOST_TYPES} types at a name`, 'more');
    if (set && set.octets + RECORD_HEAD + data.length > LARGEST_SET)
      throw new TextError(`at most ${LARGEST_SET} octets of ${typeName(type)} records at a name`, 'more');
  }

  #faultOf(error: unknown, place: Place): void {
    if (!(error instanceof TextError)) throw error;
    this.#fault(place, error.message);
  }

  #fault({ file, line }: Place, text: string): void {
    if (!this.#isFull) this.#faults.push({ file, line, text });
  }

  #warn({ file, line }: Place, text: string): void {
    if (this.#warnings.length < MOST_PROBLEMS) this.#warnings.push({ file, line, text });
  }
}

interface Head {
  readonly type: number;
  readonly ttl: number | undefined;
  /** The first word of the data. */
  readonly end: number;
}

/** TTL and class, each perhaps and in either order, then the type. */
function readHead(words: readonly PlacedWord[], start: number): Head {
  let ttl: number | undefined;
  let hasClass = false;
  for (let at = start; ; at++) {
    const word = words[at];
    if (!word) throw new TextError('a type like A or MX', 'the end of the record');
    const { text, isQuoted } = word;
    if (ttl === undefined && !isQuoted && /^\d/.test(text)) ttl = toTtl(text);
    else if (!hasClass && !isQuoted && isClass(text)) hasClass = true;
    else return { type: toType(text), ttl, end: at + 1 };
  }
}

/** Only IN is served; CLASS1 is its name for who does not know it (RFC 3597 §5). */
function isClass(text: string): boolean {
  const word = text.toUpperCase();
  if (word === 'IN' || word === 'CLASS1') return true;
  if (/^(CH|HS|CHAOS|HESIOD|CLASS\d+)$/.test(word)) throw new TextError('class IN', showWord(text));
  return false;
}

function toType(text: string): number {
  const type = parseType(text);
  if (type === undefined) throw new TextError('a type like A or MX', showWord(text));
  if (!isDataType(type)) throw new TextError('a type of records', `${showWord(text)}, which is for messages`);
  return type;
}

function toTtl(text: string): number {
  const seconds = parsePeriod(text);
  if (seconds === undefined || seconds > LONGEST_TTL) {
    throw new TextError(`a TTL in seconds or like 1h30m, at most ${LONGEST_TTL}`, showWord(text));
  }
  return seconds;
}

/** The one operand of a directive. */
function only(words: readonly PlacedWord[], what: string): string {
  const [, operand, extra] = words;
  if (!operand) throw new TextError(what, 'the end of the line');
  if (extra) throw new TextError('the end of the line', showWord(extra.text));
  return operand.text;
}

function messageOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'none';
  if (code === 'EACCES') return 'one that this user may not read';
  return error instanceof Error ? error.message : String(error);
}
