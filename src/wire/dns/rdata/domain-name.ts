import type { Field } from './field.ts';
import { decimalEscape, unescape } from './escape.ts';
import { TextError } from './text-error.ts';
import { showWord, type Words } from './words.ts';

/** Octets of a label and of a whole name (RFC 1035 §2.3.4). */
const MAX_LABEL = 63;
const MAX_NAME = 255;
/** A label: escapes are two or four characters long, and an escaped dot is none. */
const LABEL = /(?:[^.\\]|\\\d{3}|\\[^\d])+/gsy;

/** A name that a message may hold compressed. */
export function name(what: string): Field {
  return {
    isName: true,
    parse: (words) => parseName(words, what),
    read: (reader) => reader.name(),
    format: (reader) => nameText(reader.name()),
  };
}

/** A name that stands in full everywhere. */
export function plainName(what: string): Field {
  return {
    isName: true,
    parse: (words) => parseName(words, what),
    read: (reader) => reader.plainName(),
    format: (reader) => nameText(reader.plainName()),
  };
}

function parseName(words: Words, what: string): string {
  return toName(words.take(`${what}, a domain name`).text, words.origin, what);
}

/**
 * Wire form of a name in text, spelled as it is: absolute if it ends in a dot, else below `origin`; `@` is the origin
 * itself (RFC 1035 §5.1). Throws TextError.
 */
export function toName(text: string, origin: string, what = 'a name'): string {
  if (text === '@') return origin;
  if (text === '.') return '\0';
  const wire = text.includes('\\') ? labelsWithEscapes(text, what) : labels(text.split('.'), text, what);
  const whole = wire.isAbsolute ? `${wire.labels}\0` : wire.labels + origin;
  if (whole.length > MAX_NAME) throw new TextError(`${what} of at most ${MAX_NAME} octets`, showWord(text));
  return whole;
}

interface Labels {
  /** Without the root. */
  readonly labels: string;
  readonly isAbsolute: boolean;
}

function labels(parts: readonly string[], text: string, what: string): Labels {
  const isAbsolute = parts.at(-1) === '' && parts.length > 1;
  let wire = '';
  for (let i = 0; i < parts.length - (isAbsolute ? 1 : 0); i++) wire += toLabel(parts[i] ?? '', text, what);
  return { labels: wire, isAbsolute };
}

function labelsWithEscapes(text: string, what: string): Labels {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    LABEL.lastIndex = at;
    const part = LABEL.exec(text)?.[0] ?? '';
    at += part.length;
    parts.push(part);
    if (at >= text.length) break;
    if (text[at] !== '.') throw new TextError('\\ and a character or three digits up to 255', showWord(text.slice(at)));
    at++;
  }
  return labels(parts.map(unescape), text, what);
}

function toLabel(label: string, text: string, what: string): string {
  if (label === '') throw new TextError(`${what} without an empty label`, showWord(text));
  if (label.length > MAX_LABEL)
    throw new TextError(`${what} with labels of at most ${MAX_LABEL} octets`, showWord(text));
  return String.fromCharCode(label.length) + label;
}

/** "Node1.rack.example."; what is special in a master file is escaped. */
export function nameText(wire: string): string {
  if (wire === '\0') return '.';
  let text = '';
  for (let at = 0; wire.charCodeAt(at) > 0; at += 1 + wire.charCodeAt(at)) {
    text += `${labelText(wire.slice(at + 1, at + 1 + wire.charCodeAt(at)))}.`;
  }
  return text;
}

function labelText(label: string): string {
  if (/^[a-zA-Z0-9_*-]+$/.test(label)) return label;
  return label.replaceAll(/[".;\\@$()]/g, String.raw`\$&`).replaceAll(/[^\x21-\x7e]/g, decimalEscape);
}
