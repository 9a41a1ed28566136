import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import { watch, type FSWatcher } from 'chokidar';

/** Editors write in several steps: one change is one call. */
const SETTLE_MILLISECONDS = 150;

/**
 * Calls back when one of many files was written, replaced, moved into place or away. Watches their directories, as a watch
 * on a file that another one replaces would never fire again; behind a link, that of the file it leads to as well.
 */
export class ZoneWatch {
  readonly #changed: () => void;
  readonly #failed: (error: unknown) => void;
  #files: ReadonlySet<string> = new Set();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Resolves when every change from then on is seen. */
  ready: Promise<void> = Promise.resolve();

  constructor(changed: () => void, failed: (error: unknown) => void) {
    this.#changed = changed;
    this.#failed = failed;
  }

  /** From now on these are watched, and no others. Absolute paths. */
  follow(paths: Iterable<string>): void {
    const files = new Set([...paths].flatMap((path) => [path, targetOf(path)]));
    if (files.size === this.#files.size && files.isSubsetOf(this.#files)) return;
    this.#files = files;
    void this.#watcher?.close();
    this.#watcher = undefined;
    if (files.size > 0) this.#open(files);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher?.close();
  }

  #open(files: ReadonlySet<string>): void {
    const directories = new Set(Array.from(files, (file) => dirname(file)));
    const watcher = watch([...directories], {
      depth: 0,
      ignoreInitial: true,
      ignored: (path) => !directories.has(path) && !files.has(path),
    });
    watcher.on('all', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#changed, SETTLE_MILLISECONDS);
    });
    watcher.on('error', this.#failed);
    this.ready = new Promise((seen) => {
      watcher.once('ready', seen);
    });
    this.#watcher = watcher;
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
