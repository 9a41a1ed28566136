import type { Word } from '../wire/dns/rdata/words.ts';
import { TextError } from '../wire/dns/rdata/text-error.ts';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** A word, and the line it stands on. */
export interface PlacedWord extends Word {
  readonly line: number;
}

/** A record or a directive: a line, or several held together by parentheses. */
export interface Entry {
  /** Never empty. */
  readonly words: readonly PlacedWord[];
  /** The line begins with a blank: its record has the owner of the one before. */
  readonly isIndented: boolean;
  /** What is wrong with the text itself; the words are then not whole. */
  readonly fault?: { readonly line: number; readonly error: TextError };
}

/** Cuts the text of a master file into entries (RFC 1035 §5.1). One character is one byte of the file. */
export class MasterLexer {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    // What some editors put in front of UTF-8
    this.#text = text.startsWith('\u{ef}\u{bb}\u{bf}') ? text.slice(3) : text;
  }

  /** Undefined at the end of the file. */
  next(): Entry | undefined {
    while (this.#at < this.#text.length) {
      const isIndented = isBlank(this.#text.charCodeAt(this.#at));
      const words: PlacedWord[] = [];
      try {
        this.#readEntry(words);
      } catch (error) {
        if (!(error instanceof TextError)) throw error;
        const fault = { line: this.#line, error };
        this.#skipLine();
        return { words, isIndented, fault };
      }
      if (words.length > 0) return { words, isIndented };
    }
    return undefined;
  }

  #readEntry(words: PlacedWord[]): void {
    let depth = 0;
    let opened = 0;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) {
        if (depth > 0) throw new TextError(`a ) for the ( on line ${opened}`, 'the end of the file');
        return;
      }
      if (code === LINE_FEED) {
        this.#at++;
        this.#line++;
        if (depth === 0) return;
      } else if (isBlank(code) || code === RETURN) this.#at++;
      else if (code === SEMICOLON) this.#skipComment();
      else if (code === OPEN) {
        if (depth++ === 0) opened = this.#line;
        this.#at++;
      } else if (code === CLOSE) {
        if (depth-- === 0) throw new TextError('a ( before it', ')');
        this.#at++;
      } else if (code === QUOTE) words.push(this.#quoted());
      else words.push(this.#word());
    }
  }

  #quoted(): PlacedWord {
    const end = this.#endOfQuote(this.#at + 1);
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return { text, isQuoted: true, line: this.#line };
  }

  /** Where the quote closes that is open at `from`. */
  #endOfQuote(from: number): number {
    for (let at = from; ; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === BACKSLASH) at++;
      if (Number.isNaN(code) || code === LINE_FEED || this.#text.charCodeAt(at) === LINE_FEED)
        throw new TextError('a quote that closes on its line', 'the end of the line');
    }
  }

  #word(): PlacedWord {
    const from = this.#at;
    let at = from;
    for (; ; at++) {
      const code = this.#text.charCodeAt(at);
      // RFC 9460 §2.1: the value of a parameter may be quoted, key="value"
      if (code === QUOTE && this.#text.charCodeAt(at - 1) === EQUALS) at = this.#endOfQuote(at + 1);
      else if (code === BACKSLASH && !endsLine(this.#text.charCodeAt(at + 1))) at++;
      else if (endsWord(code)) break;
    }
    this.#at = at;
    return { text: this.#text.slice(from, at), isQuoted: false, line: this.#line };
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end;
  }

  #skipLine(): void {
    this.#skipComment();
    this.#at++;
    this.#line++;
  }
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB;
}

function endsLine(code: number): boolean {
  return code === LINE_FEED || code === RETURN || Number.isNaN(code);
}

function endsWord(code: number): boolean {
  // NaN, the end of the file, is not above anything
  if (code > SEMICOLON) return false;
  return isBlank(code) || endsLine(code) || code === SEMICOLON || code === OPEN || code === CLOSE || code === QUOTE;
}
