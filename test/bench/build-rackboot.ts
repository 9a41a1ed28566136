import { join } from 'node:path';

import { runCommand } from '../../src/lab/run-command.ts';

/** Builds `dist/`: what is measured is what operators run. */
export async function buildRackboot(): Promise<void> {
  const built = await runCommand(['npm', 'run', 'build'], { cwd: join(import.meta.dirname, '..', '..') });
  if (built.code !== 0) throw new Error(built.output);
}
