import type { Question, RawAnswer, Transport } from './transport.ts';

/** A connection to one of the region's URLs, or the attempt at one. */
interface Connection {
  readonly url: string;
  readonly transport: Promise<Transport>;
  /** Questions on it that are not answered yet. */
  users: number;
  isRetired: boolean;
}

/** Asks one of the region's URLs, the same one for as long as it does. */
export class RegionClient {
  readonly #urls: readonly string[];
  readonly #connect: (url: string) => Promise<Transport>;
  #at = 0;
  #connection: Connection | undefined;

  /** `connect` rejects with RegionFault. */
  constructor(urls: readonly string[], connect: (url: string) => Promise<Transport>) {
    this.#urls = urls;
    this.#connect = connect;
  }

  get url(): string {
    return this.#urls[this.#at] ?? '';
  }

  get urls(): number {
    return this.#urls.length;
  }

  /** Asks once, over the connection there is. Rejects with RegionFault; the next question then makes another connection. */
  async ask(question: Question): Promise<RawAnswer> {
    const connection = await this.#join();
    try {
      const transport = await connection.transport;
      return await transport.ask(question);
    } catch (error) {
      this.#cut(connection);
      throw error;
    } finally {
      connection.users--;
      if (connection.isRetired && connection.users === 0) this.#cut(connection);
    }
  }

  /** The next one is asked from now on, if it is still `url` that is. What is under way comes to its end. */
  moveOn(url: string): void {
    if (url !== this.url || this.#urls.length === 1) return;
    this.#at = (this.#at + 1) % this.#urls.length;
    if (this.#connection) this.#retire(this.#connection);
  }

  close(): void {
    if (this.#connection) this.#cut(this.#connection);
  }

  /** A connection that is open, or soon will be. */
  async #join(): Promise<Connection> {
    const present = this.#connection;
    // Settled or not, it is looked at without waiting for others than itself
    if (present) {
      present.users++;
      const transport = await present.transport.catch(() => undefined);
      if (transport === undefined || transport.isOpen) return present;
      present.users--;
      // The other side takes no more questions, and still answers those it has
      this.#retire(present);
    }
    const connection: Connection = (this.#connection ??= {
      url: this.url,
      transport: this.#connect(this.url),
      users: 0,
      isRetired: false,
    });
    connection.users++;
    return connection;
  }

  #retire(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
    connection.isRetired = true;
    if (connection.users === 0) this.#cut(connection);
  }

  #cut(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined;
    connection.transport.then(
      (transport) => transport.close(),
      () => undefined,
    );
  }
}
