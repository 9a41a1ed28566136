/** Where a PostgreSQL is, and by which password: it shows itself in no dump. */
export class DatabaseAddress {
  readonly #url: URL;
  readonly #passwordFile: string | undefined;

  constructor(url: URL, passwordFile?: string) {
    this.#url = url;
    this.#passwordFile = passwordFile;
  }

  /** As `pg` takes it. Throws what `readText` does. */
  reveal(readText: (file: string) => string): string {
    if (this.#passwordFile === undefined) return this.#url.href;
    const url = new URL(this.#url);
    // Where the server is reached by a socket a URL has no place for a password
    url.searchParams.set('password', readText(this.#passwordFile).replace(/\r?\n$/, ''));
    return url.href;
  }

  toString(): string {
    return `${this.#url.protocol}//${this.#url.host}${this.#url.pathname}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
