import * as http2 from 'node:http2';
import type { Socket } from 'node:net';

import {
  AnswerReader,
  faultOf,
  headersOf,
  parseRetryAfter,
  tooLate,
  type Question,
  type RawAnswer,
  type Transport,
} from './transport.ts';

/** Bytes of the headers of one answer. */
const MOST_HEADERS = 16 * 1024;
/** In megabytes: what a session may hold of what nobody has read. */
const MOST_MEMORY = 32;

/** HTTP/2: all questions share one connection. */
export class Http2Transport implements Transport {
  readonly #session: http2.ClientHttp2Session;
  #isGone = false;

  constructor(url: URL, socket: Socket) {
    this.#session = http2.connect(url.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, maxHeaderListSize: MOST_HEADERS },
      maxSessionMemory: MOST_MEMORY,
    });
    const gone = (): void => {
      this.#isGone = true;
    };
    // Each of its streams says what went wrong
    this.#session.on('error', gone);
    this.#session.on('goaway', gone);
    this.#session.on('close', gone);
  }

  get isOpen(): boolean {
    return !this.#isGone && !this.#session.closed && !this.#session.destroyed;
  }

  ask(question: Question): Promise<RawAnswer> {
    const { method, path, body, within, most } = question;
    return new Promise((resolve, reject) => {
      const stream = this.#open({ ':method': method, ':path': path, ...headersOf(question) }, body === undefined);
      const timer = setTimeout(() => fail(tooLate(within)), within);
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        reject(faultOf(error));
        stream.close(http2.constants.NGHTTP2_CANCEL);
      };
      const reader = new AnswerReader(most);
      let status = 0;
      let retry = {};
      stream.on('response', (headers) => {
        status = headers[':status'] ?? 0;
        retry = parseRetryAfter(headers['retry-after']);
      });
      stream.on('data', (chunk: Buffer) => attempt(() => reader.take(chunk), fail));
      stream.on('error', fail);
      stream.on('end', () => {
        // A stream that is cut ends as well, and says that behind it
        if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR || status === 0) return;
        attempt(() => {
          resolve({ status, text: reader.text(), ...retry });
          clearTimeout(timer);
        }, fail);
      });
      stream.on('close', () => fail(new Error('the connection was cut')));
      stream.end(body);
    });
  }

  close(): void {
    this.#session.destroy();
  }

  /** Throws RegionFault when the session is over. */
  #open(headers: http2.OutgoingHttpHeaders, isWhole: boolean): http2.ClientHttp2Stream {
    try {
      const secret = { [http2.sensitiveHeaders]: ['authorization'] };
      return this.#session.request({ ...headers, ...secret }, { endStream: isWhole });
    } catch (error) {
      throw faultOf(error);
    }
  }
}

function attempt(work: () => void, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}
