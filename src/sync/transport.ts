import { RegionFault } from './region-fault.ts';

/** What the region is asked. */
export interface Question {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  readonly authorization?: string;
  /** Milliseconds from the question to the last byte of the answer. */
  readonly within: number;
  /** Bytes of the answer, more than which are not read. */
  readonly most: number;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  /** Seconds, as it says itself. */
  readonly retryAfter?: number;
}

/** A way to one region. */
export interface Transport {
  /** False when the next question needs another. */
  readonly isOpen: boolean;
  /** Asks once. Rejects with RegionFault. */
  ask(question: Question): Promise<RawAnswer>;
  /** Cuts off what is under way. */
  close(): void;
}

/** Gathers an answer within its bounds. */
export class AnswerReader {
  readonly #most: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Throws RegionFault for a byte too many. */
  take(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > this.#most) throw tooLong(this.#most);
    this.#chunks.push(chunk);
  }

  /** Throws RegionFault when it is no text. */
  text(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(this.#chunks));
    } catch {
      throw new RegionFault('away', 'answers what is no text');
    }
  }
}

/** Seconds of a header Retry-After (RFC 9110 §10.2.3); a date there is not worth the clocks it depends on. */
export function parseRetryAfter(value: unknown): { readonly retryAfter?: number } {
  return typeof value === 'string' && /^\d{1,6}$/.test(value) ? { retryAfter: Number(value) } : {};
}

export function headersOf({ body, authorization }: Question): Record<string, string> {
  return {
    accept: 'application/json',
    ...(authorization !== undefined && { authorization }),
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  };
}

export function tooLate(milliseconds: number): RegionFault {
  return new RegionFault('away', `no whole answer in ${milliseconds / 1000} s`);
}

function tooLong(bytes: number): RegionFault {
  return new RegionFault('away', `answers more than ${bytes} bytes`);
}

/** What the system, TLS or HTTP says. */
export function faultOf(error: unknown): RegionFault {
  if (error instanceof RegionFault) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNRESET') return new RegionFault('away', 'the connection was cut');
  return new RegionFault('away', code === undefined || message.includes(code) ? message : `${message} (${code})`);
}
