import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/**
 * Makes `directory` the place of a rackboot that serves what `config` says, in the words of its file but for `rack` and `log`.
 * Returns what to start.
 */
export function prepareRackboot(directory: string, config: string): readonly string[] {
  // In a directory of its own, as in /etc: the rack watches it
  const file = join(directory, 'etc', 'rackboot.yaml');
  mkdirSync(join(directory, 'etc'));
  mkdirSync(join(directory, 'state'));
  writeFileSync(
    file,
    `rack: { state: ${directory}/state, control: ${directory}/control.sock }
log: { level: warn }
${config}`,
  );
  return [process.execPath, MAIN, 'run', '--config', file];
}
