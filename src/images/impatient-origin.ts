import type { Clock } from '../system/clock.ts';
import type { FileFlow, FileWish, Origin } from './origin.ts';
import { TooSlowError } from './transfer-error.ts';

/** For an answer to begin: a server may first have to fetch the file itself. */
const ANSWER_MILLISECONDS = 60_000;
/** Slower than the worst line that an image was ever meant to come by. What is waited for our own sake does not count. */
const LEAST_BYTES = 4 * 1024;
const WINDOW_MILLISECONDS = 60_000;

export interface Patience {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Rejects with AbortError when the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** An origin that is given up on when it drips: never silent for long, and never done. */
export class ImpatientOrigin implements Origin {
  readonly #origin: Origin;
  readonly #patience: Patience;

  constructor(origin: Origin, patience: Patience) {
    this.#origin = origin;
    this.#patience = patience;
  }

  locate(path: string): string {
    return this.#origin.locate(path);
  }

  async open(path: string, wish: FileWish): Promise<FileFlow> {
    const late = new AbortController();
    const answered = new AbortController();
    void this.#patience.sleep(ANSWER_MILLISECONDS, answered.signal).then(
      () => late.abort(),
      () => undefined,
    );
    try {
      const flow = await this.#origin.open(path, { ...wish, signal: AbortSignal.any([wish.signal, late.signal]) });
      return { ...flow, chunks: this.#watched(flow.chunks, path) };
    } catch (error) {
      if (!late.signal.aborted || wish.signal.aborted) throw error;
      throw new TooSlowError(`${this.locate(path)}: no answer within ${ANSWER_MILLISECONDS / 1000} s`);
    } finally {
      answered.abort();
    }
  }

  close(): void {
    this.#origin.close?.();
  }

  async *#watched(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
    const { clock } = this.#patience;
    let waited = 0;
    let bytes = 0;
    let since = clock.monotonic();
    for await (const chunk of chunks) {
      waited += clock.monotonic() - since;
      bytes += chunk.length;
      if (waited >= WINDOW_MILLISECONDS) {
        if (bytes < LEAST_BYTES * (waited / 1000)) {
          throw new TooSlowError(`${this.locate(path)}: only ${bytes} bytes came in ${Math.round(waited / 1000)} s`);
        }
        waited = 0;
        bytes = 0;
      }
      yield chunk;
      since = clock.monotonic();
    }
  }
}
