import type { Socket } from 'node:net';

/** How many connections there may be. */
export interface ConnectionLimits {
  /** Of one address: firmware and installers open a few; a client that opens thousands would cost everyone's memory. */
  readonly perClient: number;
  readonly total: number;
  /** So many more are taken to be told that there are too many; those beyond are hung up on without a word. */
  readonly spare: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = { perClient: 256, total: 8192, spare: 64 };
/** Milliseconds in which a connection that is one too many must have asked, and be gone. */
const SURPLUS_STAYS = 2_000;

/** Keeps one client from taking every connection, and all of them from taking every descriptor. */
export class Connections {
  readonly #limits: ConnectionLimits;
  /** Open connections by client address. */
  readonly #byClient = new Map<string, number>();
  /** One too many each, by what TLS does not change about a connection: the client's address and port. */
  readonly #surplus = new Set<string>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open;
  }

  /** Books a new connection. False when it is one too many: it was hung up on, or is only there to be told so. */
  admit(connection: Socket): boolean {
    const { perClient, total, spare } = this.#limits;
    const client = connection.remoteAddress ?? '';
    const others = this.#byClient.get(client) ?? 0;
    const all = this.#open;
    this.#count(client, 1);
    const name = nameOf(connection);
    connection.once('close', () => {
      this.#count(client, -1);
      this.#surplus.delete(name);
    });
    if (others < perClient && all < total) return true;
    if (others >= perClient + spare || all >= total + spare) {
      connection.destroy();
      return false;
    }
    this.#surplus.add(name);
    setTimeout(() => connection.destroy(), SURPLUS_STAYS).unref();
    return false;
  }

  isSurplus(connection: Socket): boolean {
    return this.#surplus.size > 0 && this.#surplus.has(nameOf(connection));
  }

  #count(client: string, by: number): void {
    this.#open += by;
    const left = (this.#byClient.get(client) ?? 0) + by;
    if (left > 0) this.#byClient.set(client, left);
    else this.#byClient.delete(client);
  }
}

function nameOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
