/*
 * RFC 2347: options are appended to a request, and those accepted come back in an OACK.
 *
 *  +-----~~---+---+---~~---+---+-----~~---+---+---~~---+---+
 *  |   opt1   | 0 | value1 | 0 |   optN   | 0 | valueN | 0 |
 *  +-----~~---+---+---~~---+---+-----~~---+---+---~~---+---+
 *
 * Names are case-insensitive, values are decimal numbers in ASCII.
 */

/** The options that are known, with a value their RFC allows. */
export interface TftpOptions {
  /** Octets of file in one DATA, 8 to 65464 (RFC 2348). */
  readonly blksize?: number;
  /** Seconds before a retransmission, 1 to 255 (RFC 2349). */
  readonly timeout?: number;
  /** Octets of the whole file; 0 in a request asks for it (RFC 2349). */
  readonly tsize?: number;
  /** Blocks sent before an ACK is awaited, 1 to 65535 (RFC 7440). */
  readonly windowsize?: number;
}

type OptionName = keyof TftpOptions;

interface Limits {
  readonly least: number;
  readonly most: number;
  /** A larger number is read as `most`: the server may answer with less (RFC 2348, 7440), so both sides can go on. */
  readonly isCut: boolean;
}

const LIMITS: Readonly<Record<OptionName, Limits>> = {
  // Some clients ask for 65535 or 65536
  blksize: { least: 8, most: 65464, isCut: true },
  // RFC 2349: the answer must be the very number, so one out of range can't be accepted
  timeout: { least: 1, most: 255, isCut: false },
  tsize: { least: 0, most: Number.MAX_SAFE_INTEGER, isCut: false },
  windowsize: { least: 1, most: 65535, isCut: true },
};

const ORDER: readonly OptionName[] = ['tsize', 'blksize', 'timeout', 'windowsize'];

/**
 * Reads name, value, name, value, … An unknown option, or a value that makes no sense, is left out as if it had not
 * been sent (RFC 2347: "must be ignored"). The first of two equal names that makes sense counts, as each may be given
 * only once.
 */
export function readOptions(words: readonly string[]): TftpOptions {
  const options: { -readonly [name in OptionName]?: number } = {};
  for (let i = 0; i + 1 < words.length; i += 2) {
    const name = words[i]?.toLowerCase() ?? '';
    if (!isOptionName(name) || options[name] !== undefined) continue;
    const value = readValue(name, words[i + 1] ?? '');
    if (value !== undefined) options[name] = value;
  }
  return options;
}

function readValue(name: OptionName, text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  const { least, most, isCut } = LIMITS[name];
  if (value > most) return isCut ? most : undefined;
  return value >= least ? value : undefined;
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(LIMITS, name);
}

/** The options as name, value, name, value, … */
export function optionWords(options: TftpOptions): string[] {
  return ORDER.flatMap((name) => (options[name] === undefined ? [] : [name, String(options[name])]));
}
