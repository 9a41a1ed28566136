import type { Clock } from '../system/clock.ts';
import type { FileFlow, FileWish, Origin } from './origin.ts';
import { TransferError } from './transfer-error.ts';

/** What all files that are read of an origin may take together. */
export interface Budget {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** An origin that only so much is taken of. */
export class BudgetOrigin implements Origin {
  readonly #origin: Origin;
  readonly #budget: Budget;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #began: number;
  #bytes = 0;

  constructor(origin: Origin, budget: Budget, clock: Pick<Clock, 'monotonic'>) {
    this.#origin = origin;
    this.#budget = budget;
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  locate(path: string): string {
    return this.#origin.locate(path);
  }

  async open(path: string, wish: FileWish): Promise<FileFlow> {
    this.#spend(path, 0);
    const flow = await this.#origin.open(path, wish);
    return { ...flow, chunks: this.#counted(flow.chunks, path) };
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#spend(path, chunk.length);
      yield chunk;
    }
  }

  #spend(path: string, bytes: number): void {
    const { bytes: most, milliseconds } = this.#budget;
    this.#bytes += bytes;
    const found =
      this.#bytes > most
        ? `more than ${most} bytes`
        : this.#clock.monotonic() - this.#began > milliseconds
          ? `more than ${milliseconds / 1000} s`
          : undefined;
    if (found === undefined) return;
    throw new TransferError(`${this.locate(path)}: the files that name the images take ${found} in all`, false);
  }
}
