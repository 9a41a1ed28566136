import type { FileHandle } from 'node:fs/promises';

import type { StoredFile } from '../plan/stored-image.ts';

/** A part that nobody else writes to. */
export class OpenPart implements AsyncDisposable {
  readonly handle: FileHandle;
  readonly #publish: (file: Pick<StoredFile, 'size'>) => Promise<void>;
  readonly #release: () => void;

  constructor(handle: FileHandle, publish: OpenPart['publish'], release: () => void) {
    this.handle = handle;
    this.#publish = publish;
    this.#release = release;
  }

  /** Whoever wrote its bytes knows that they hash to its name; its length is checked here. Throws ShelfError, or what the disk says. */
  publish(file: Pick<StoredFile, 'size'>): Promise<void> {
    return this.#publish(file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.handle.close();
    } finally {
      this.#release();
    }
  }
}
