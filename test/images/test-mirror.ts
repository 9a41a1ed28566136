import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a mirror does to one answer. */
export interface Mischief {
  /** The connection is reset after so many bytes of the body. */
  readonly cutAfter?: number;
  /** The same, but as if all were well: the length says as much. */
  readonly endAfter?: number;
  readonly status?: number;
  /** Range is not known to it. */
  readonly noRanges?: true;
  /** The part begins so many bytes off. */
  readonly wrongBy?: number;
  readonly etag?: string;
  /** Nothing more comes after so many bytes. */
  readonly silentAfter?: number;
  readonly redirectTo?: string;
  readonly content?: Uint8Array;
}

export interface Asked {
  readonly path: string;
  readonly range?: string;
  readonly ifRange?: string;
}

const CHUNK = 64 * 1024;
const LIMIT = 60_000;

/** A mirror over real HTTP that cuts, lies, truncates, is silent and resets, as a test wants it. */
export class TestMirror {
  readonly files: Map<string, Uint8Array>;
  readonly asked: Asked[] = [];
  /** Bytes of bodies that were handed to the kernel. */
  sent = 0;
  #server: Server;
  #mischief: (path: string, nth: number) => Mischief = () => ({});

  static async start(files: Iterable<readonly [string, Uint8Array]>): Promise<TestMirror> {
    const mirror = new TestMirror(files);
    mirror.#server.listen(0, '127.0.0.1');
    await once(mirror.#server, 'listening');
    return mirror;
  }

  private constructor(files: Iterable<readonly [string, Uint8Array]>) {
    this.files = new Map(files);
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** `of`: the mischief for the nth question for a path, from 0. */
  misbehave(of: (path: string, nth: number) => Mischief): void {
    this.#mischief = of;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname.slice(1));
    const nth = this.asked.filter((each) => each.path === path).length;
    const { range, 'if-range': ifRange } = request.headers;
    this.asked.push({
      path,
      ...(range !== undefined && { range }),
      ...(ifRange !== undefined && { ifRange: String(ifRange) }),
    });
    const mischief = this.#mischief(path, nth);
    const content = mischief.content ?? this.files.get(path);
    if (mischief.redirectTo !== undefined) {
      response.writeHead(302, { location: mischief.redirectTo }).end();
      return;
    }
    if (content === undefined || mischief.status !== undefined) {
      response.writeHead(mischief.status ?? 404).end('no');
      return;
    }
    const etag = mischief.etag ?? `"${content.length}"`;
    const isFresh = ifRange === undefined || ifRange === etag;
    const from = mischief.noRanges || !isFresh ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const body = content.subarray(from, mischief.endAfter === undefined ? undefined : from + mischief.endAfter);
    const first = from + (mischief.wrongBy ?? 0);
    const head = { etag, 'content-length': body.length };
    if (from > 0) {
      response.writeHead(206, { ...head, 'content-range': `bytes ${first}-${content.length - 1}/${content.length}` });
    } else response.writeHead(200, head);
    await this.#send(body, response, mischief);
  }

  async #send(body: Uint8Array, response: ServerResponse, { cutAfter, silentAfter }: Mischief): Promise<void> {
    const most = Math.min(cutAfter ?? body.length, silentAfter ?? body.length);
    for (let at = 0; at < most && !response.destroyed; at += CHUNK) {
      const chunk = body.subarray(at, Math.min(at + CHUNK, most));
      await new Promise((resolve) => response.write(chunk, resolve));
      this.sent += chunk.length;
    }
    if (cutAfter !== undefined && cutAfter < body.length) response.socket?.resetAndDestroy();
    else if (silentAfter === undefined) response.end();
  }
}

/** A pause before the next try is over at once; a limit on how long an answer may take never is. */
export function retryAtOnce(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return milliseconds < LIMIT ? Promise.resolve() : new Promise(() => undefined);
}
