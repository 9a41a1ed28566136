import { TextError } from './text-error.ts';

/** A piece of a record's text. Escapes in it are as they were written, as what they mean depends on where it stands. */
export interface Word {
  readonly text: string;
  /** It stood between quotes, which are not part of it. */
  readonly isQuoted: boolean;
}

/** The words of a record's data, taken one after the other, and the origin that relative names in it end in. */
export class Words {
  /** Wire form, as it is spelled. */
  readonly origin: string;
  readonly #words: readonly Word[];
  #at: number;

  /** Those from `start` on. */
  constructor(words: readonly Word[], origin: string, start = 0) {
    this.#words = words;
    this.#at = start;
    this.origin = origin;
  }

  /** Which of the words was taken last. */
  get last(): number {
    return this.#at - 1;
  }

  /** `expected` is for who finds nothing there. */
  take(expected: string): Word {
    const word = this.#words[this.#at];
    if (!word) throw new TextError(expected, 'the end of the record');
    this.#at++;
    return word;
  }

  takeRest(): readonly Word[] {
    const rest = this.#words.slice(this.#at);
    this.#at = this.#words.length;
    return rest;
  }

  /** RFC 3597 §5: `\#` where the data would begin. */
  get isGeneric(): boolean {
    const next = this.#words[this.#at];
    return next?.text === '\\#' && !next.isQuoted;
  }

  end(): void {
    const word = this.#words[this.#at];
    if (word) throw new TextError('the end of the record', showWord(word.text));
  }
}

const LONGEST_SHOWN = 60;

/** Text of a file as a message can show it: one line, not too long, UTF-8 as such. */
export function showWord(text: string): string {
  if (text === '') return 'an empty text';
  const readable = Buffer.from(text, 'latin1')
    .toString('utf8')
    .replaceAll(/\p{Cc}/gu, ' ');
  return readable.length > LONGEST_SHOWN ? `${readable.slice(0, LONGEST_SHOWN - 1)}…` : readable;
}
