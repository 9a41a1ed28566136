import { WireError } from '../../wire-error.ts';
import type { Field } from './field.ts';
import { uint } from './number.ts';
import type { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord, type Word } from './words.ts';

// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
// |        VERSION        |         SIZE          |
// |       HORIZ PRE       |       VERT PRE        |
// |                   LATITUDE                    |   thousandths of a second of arc, the equator is 2^31
// |                                               |
// |                   LONGITUDE                   |
// |                                               |
// |                   ALTITUDE                    |   centimetres above 100,000 m below the ground
// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+   RFC 1876 §2

const MIDDLE = 2 ** 31;
const MOST_LATITUDE = 90 * 3_600_000;
const MOST_LONGITUDE = 180 * 3_600_000;
const LOWEST = 10_000_000;
const HIGHEST = 2 ** 32 - 1 - LOWEST;
/** 9 × 10^9 cm */
const WIDEST = 9e9;
/** RFC 1876 §3: 1 m, 10,000 m, 10 m. */
const USUAL = [
  ['the size', 100],
  ['the horizontal precision', 1_000_000],
  ['the vertical precision', 1000],
] as const;

interface Axis {
  readonly what: string;
  readonly positive: string;
  readonly negative: string;
  readonly most: number;
}

const LATITUDE: Axis = { what: 'a latitude like 52 22 23.000 N', positive: 'N', negative: 'S', most: MOST_LATITUDE };
const LONGITUDE: Axis = { what: 'a longitude like 4 53 32.000 E', positive: 'E', negative: 'W', most: MOST_LONGITUDE };

/** A place on Earth (RFC 1876 §3). */
export const location: Field = {
  parse(words) {
    const queue = [...words.takeRest()];
    const latitude = parseAngle(queue, LATITUDE);
    const longitude = parseAngle(queue, LONGITUDE);
    const altitude = parseMetres(queue.shift(), 'an altitude like -2.00m', -LOWEST, HIGHEST);
    const sizes = USUAL.map(([what, usual]) =>
      queue.length === 0 ? usual : parseMetres(queue.shift(), `${what} in metres`, 0, WIDEST),
    );
    const [extra] = queue;
    if (extra) throw new TextError('the end of the record', showWord(extra.text));
    return `\0${sizes.map(sizeOctet).join('')}${uint(latitude, 4)}${uint(longitude, 4)}${uint(altitude + LOWEST, 4)}`;
  },
  read(reader) {
    const version = reader.u8();
    // What later versions hold nobody knows
    if (version !== 0) return String.fromCharCode(version) + reader.takeRest();
    const sizes = reader.take(3);
    for (let i = 0; i < 3; i++) readSize(sizes.charCodeAt(i));
    const [latitude, longitude] = [reader.u32(), reader.u32()];
    if (Math.abs(latitude - MIDDLE) > MOST_LATITUDE || Math.abs(longitude - MIDDLE) > MOST_LONGITUDE)
      throw new WireError('a place that is not on Earth');
    return `\0${sizes}${uint(latitude, 4)}${uint(longitude, 4)}${reader.take(4)}`;
  },
  format(reader) {
    if (reader.u8() !== 0) throw new WireError('a location of a later version');
    const sizes = [reader.u8(), reader.u8(), reader.u8()].map((octet) => formatMetres(readSize(octet)));
    const angles = [formatAngle(reader, LATITUDE), formatAngle(reader, LONGITUDE)];
    return [...angles, formatMetres(reader.u32() - LOWEST), ...sizes].join(' ');
  },
};

/** Degrees, then perhaps minutes, then perhaps seconds, then the hemisphere. */
function parseAngle(queue: Word[], { what, positive, negative, most }: Axis): number {
  const written: string[] = [];
  for (;;) {
    const word = queue.shift();
    if (!word) throw new TextError(what, 'the end of the record');
    const letter = word.text.toUpperCase();
    if (letter === positive || letter === negative) {
      const angle = toAngle(written);
      if (angle === undefined || angle > most) throw new TextError(what, showWord([...written, word.text].join(' ')));
      return MIDDLE + (letter === positive ? angle : -angle);
    }
    written.push(word.text);
    if (written.length > 3) throw new TextError(what, showWord(written.join(' ')));
  }
}

function toAngle([degrees = '', minutes = '0', seconds = '0']: readonly string[]): number | undefined {
  const isAngle = /^\d{1,3}$/.test(degrees) && /^[0-5]?\d$/.test(minutes) && /^[0-5]?\d(\.\d{1,3})?$/.test(seconds);
  if (!isAngle) return undefined;
  return Number(degrees) * 3_600_000 + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000);
}

/** Gives centimetres. */
function parseMetres(word: Word | undefined, what: string, least: number, most: number): number {
  if (!word) throw new TextError(what, 'the end of the record');
  const match = /^(-?\d{1,8}(?:\.\d{1,2})?)m?$/i.exec(word.text);
  const centimetres = Math.round(Number(match?.[1] ?? Number.NaN) * 100);
  if (!(centimetres >= least && centimetres <= most)) throw new TextError(what, showWord(word.text));
  return centimetres;
}

/** One digit and a power of ten, rounded down. */
function sizeOctet(centimetres: number): string {
  let [digit, power] = [centimetres, 0];
  while (digit >= 10) [digit, power] = [Math.floor(digit / 10), power + 1];
  return String.fromCharCode((digit << 4) | power);
}

function readSize(octet: number): number {
  const [digit, power] = [octet >>> 4, octet & 15];
  const isNone = digit === 0 && power > 0;
  if (digit > 9 || power > 9 || isNone) throw new WireError('a size that is no digit and a power of ten');
  return digit * 10 ** power;
}

function formatAngle(reader: RdataReader, { positive, negative, most }: Axis): string {
  const angle = reader.u32() - MIDDLE;
  const thousandths = Math.abs(angle);
  if (thousandths > most) throw new WireError('a place that is not on Earth');
  const [degrees, minutes] = [Math.floor(thousandths / 3_600_000), Math.floor(thousandths / 60_000) % 60];
  const seconds = ((thousandths % 60_000) / 1000).toFixed(3);
  return `${degrees} ${String(minutes).padStart(2, '0')} ${seconds.padStart(6, '0')} ${angle < 0 ? negative : positive}`;
}

function formatMetres(centimetres: number): string {
  return `${(centimetres / 100).toFixed(2)}m`;
}
