/** Text that is no record, or no part of one: what should have been there, and what is. */
export class TextError extends Error {
  override readonly name = 'TextError';
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}
