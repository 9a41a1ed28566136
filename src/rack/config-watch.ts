import { basename, dirname, resolve } from 'node:path';

import { watch } from 'chokidar';

/** Editors write in several steps: one change is one reload. */
const SETTLE_MILLISECONDS = 150;

export interface ConfigWatch {
  /** Resolves when every change from then on is seen. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/**
 * Calls `changed` when `file` was written, replaced or moved into place. Watches its directory: editors and
 * configuration tools put a new file in the place of the old one, and a watch on the old one would never fire again.
 * `failed`: the system can't watch (its limit of watches is reached, say); changes may then go unseen.
 */
export function watchConfig(
  file: string,
  changed: () => void,
  failed: (error: unknown) => void = () => undefined,
): ConfigWatch {
  const name = basename(file);
  const directory = resolve(dirname(file));
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(directory, {
    depth: 0,
    ignoreInitial: true,
    ignored: (path) => resolve(path) !== directory && basename(path) !== name,
  });
  watcher.on('all', () => {
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MILLISECONDS);
  });
  watcher.on('error', failed);
  const ready = new Promise<void>((seen) => {
    watcher.once('ready', seen);
  });
  return {
    ready,
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}
