import { WireError } from '../../wire-error.ts';
import { ip4Wire, ip6Wire, ip4, ip6 } from './address.ts';
import { withLength } from './character-string.ts';
import { base64Octets } from './encoded-octets.ts';
import { quote, unescape } from './escape.ts';
import type { Field } from './field.ts';
import { toNumber, uint } from './number.ts';
import { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord, type Word } from './words.ts';

/** What the value of one parameter is. */
interface ParamKind {
  readonly parse: (value: string) => string;
  /** Throws WireError for octets that are no such value. */
  readonly format: (reader: RdataReader) => string;
}

const MANDATORY = 0;
const ALPN = 1;
const NO_DEFAULT_ALPN = 2;
/** RFC 9460 §14.3.2: kept for what is no key. */
const INVALID = 65_535;

/** RFC 9460 §14.3.2, RFC 9461 §5, RFC 9540 §4. */
const KEYS: Readonly<Record<string, number>> = {
  mandatory: MANDATORY,
  alpn: ALPN,
  'no-default-alpn': NO_DEFAULT_ALPN,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
  dohpath: 7,
  ohttp: 8,
};
/** The last key of RFC 9460 itself. Of later ones not every server knows the name (Knot 3.2: no dohpath), but all read `key7`. */
const LAST_OLD_KEY = 6;
const KEY_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(KEYS).flatMap(([name, key]) => (key > LAST_OLD_KEY ? [] : [[key, name] as const])),
);

const FLAG: ParamKind = {
  parse(value) {
    if (value !== '') throw new TextError('no value', showWord(value));
    return '';
  },
  format: () => '',
};
const OPAQUE: ParamKind = { parse: (value) => value, format: (reader) => quote(reader.takeRest()) };

const KINDS: ReadonlyMap<number, ParamKind> = new Map([
  [MANDATORY, { parse: parseMandatory, format: (reader) => readMandatory(reader).map(keyName).join(',') }],
  [ALPN, { parse: parseAlpn, format: formatAlpn }],
  [NO_DEFAULT_ALPN, FLAG],
  [3, { parse: (value) => uint(toNumber(value, 0xffff, 'a port'), 2), format: (reader) => String(reader.u16()) }],
  [4, addresses(ip4Wire, ip4)],
  [
    5,
    {
      parse: (value) => base64Octets(value, 'the configuration'),
      format: (reader) => Buffer.from(some(reader), 'latin1').toString('base64'),
    },
  ],
  [6, addresses(ip6Wire, ip6)],
  [8, FLAG],
]);

/** The parameters of SVCB and HTTPS, to the end, in rising order of their keys (RFC 9460 §2.1, §2.2). */
export const serviceParams: Field = {
  parse(words) {
    const params = words
      .takeRest()
      .map(parseParam)
      .toSorted((a, b) => a.key - b.key);
    const wire = params.map(({ key, value }) => uint(key, 2) + uint(value.length, 2) + value).join('');
    checkText(wire);
    return wire;
  },
  read(reader) {
    const wire = reader.takeRest();
    readParams(wire);
    return wire;
  },
  format: (reader) => readParams(reader.takeRest()).join(' '),
};

interface Param {
  readonly key: number;
  readonly value: string;
}

function parseParam({ text, isQuoted }: Word): Param {
  const [name = ''] = text.split('=', 1);
  const key = isQuoted ? undefined : (KEYS[name.toLowerCase()] ?? genericKey(name));
  if (key === undefined) throw new TextError('a parameter like alpn=h2 or key65280', showWord(text));
  const written = text.slice(name.length + 1);
  const value = unescape(/^".*"$/s.test(written) ? written.slice(1, -1) : written);
  // RFC 9460 §2.1: the generic form has the octets themselves
  const kind = name.toLowerCase() in KEYS ? (KINDS.get(key) ?? OPAQUE) : OPAQUE;
  return { key, value: kind.parse(value) };
}

function genericKey(name: string): number | undefined {
  const match = /^key(0|[1-9]\d{0,4})$/i.exec(name);
  const key = Number(match?.[1] ?? Number.NaN);
  return key < INVALID ? key : undefined;
}

function keyName(key: number): string {
  return KEY_NAMES.get(key) ?? `key${key}`;
}

/** What a message would be refused for, a file is too. */
function checkText(wire: string): void {
  try {
    readParams(wire);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new TextError('parameters that go together', error.message);
  }
}

/** Each parameter as text. Throws WireError for what is none, is out of order, or does not go with the others. */
function readParams(wire: string): string[] {
  const reader = new RdataReader(Buffer.from(wire, 'latin1'));
  const texts: string[] = [];
  const seen = new Set<number>();
  let mandatory: readonly number[] = [];
  let last = -1;
  while (reader.left > 0) {
    const key = reader.u16();
    if (key === INVALID) throw new WireError('a key that stands for none');
    if (key === last) throw new WireError(`${keyName(key)} twice`);
    if (key < last) throw new WireError('parameters out of order');
    last = key;
    seen.add(key);
    const value = Buffer.from(reader.take(reader.u16()), 'latin1');
    if (key === MANDATORY) mandatory = readMandatory(new RdataReader(value));
    texts.push(formatParam(key, value));
  }
  const missing = mandatory.find((key) => !seen.has(key));
  if (missing !== undefined) throw new WireError(`no ${keyName(missing)}, which is mandatory`);
  // RFC 9460 §7.1.1
  if (seen.has(NO_DEFAULT_ALPN) && !seen.has(ALPN)) throw new WireError('no-default-alpn without alpn');
  return texts;
}

function formatParam(key: number, value: Buffer): string {
  const reader = new RdataReader(value);
  const text = (KINDS.get(key) ?? OPAQUE).format(reader);
  reader.end();
  return text === '' || text === '""' ? keyName(key) : `${keyName(key)}=${text}`;
}

function parseMandatory(value: string): string {
  const keys = value.split(',').map((name) => KEYS[name.toLowerCase()] ?? genericKey(name));
  if (keys.includes(undefined)) throw new TextError('a list of parameters like alpn,port', showWord(value));
  return keys
    .filter((key) => key !== undefined)
    .toSorted((a, b) => a - b)
    .map((key) => uint(key, 2))
    .join('');
}

/** RFC 9460 §8: rising, each once, not itself. */
function readMandatory(reader: RdataReader): number[] {
  const keys: number[] = [];
  do {
    const key = reader.u16();
    if (key <= (keys.at(-1) ?? MANDATORY))
      throw new WireError('mandatory: a key that is itself, twice, or out of order');
    keys.push(key);
  } while (reader.left > 0);
  return keys;
}

/** RFC 9460 appendix A.1: a list inside the text, whose commas and backslashes have a backslash of their own. */
function parseAlpn(value: string): string {
  const octets: string[] = [];
  for (const [, id = '', comma] of value.matchAll(/((?:[^,\\]|\\.)*)(,|$)/gs)) {
    octets.push(id.replaceAll(/\\(.)/gs, '$1'));
    if (comma === '') break;
  }
  if (octets.some((id) => id === '' || id.length > 255)) throw new TextError('protocols like h2,h3', showWord(value));
  return octets.map(withLength).join('');
}

function formatAlpn(reader: RdataReader): string {
  const ids: string[] = [];
  do {
    const id = reader.string();
    if (id === '') throw new WireError('an empty protocol');
    ids.push(id.replaceAll(/[,\\]/g, '\\$&'));
  } while (reader.left > 0);
  return quote(ids.join(','));
}

function addresses(parse: (text: string) => string, field: Field): ParamKind {
  return {
    parse: (value) => value.split(',').map(parse).join(''),
    format(reader) {
      const texts: string[] = [];
      do texts.push(field.format(reader));
      while (reader.left > 0);
      return texts.join(',');
    },
  };
}

function some(reader: RdataReader): string {
  if (reader.left === 0) throw new WireError('an empty configuration');
  return reader.takeRest();
}
