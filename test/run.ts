/*
 * Runs the tests: `node test/run.ts` all of them, `node test/run.ts unit` those that need no other program and no
 * root, `node test/run.ts matrix` every row of the boot matrix. As root it first installs the Debian packages that
 * the others need, and fetches kernels and loaders; what can't run here is listed at the end with its reason.
 */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

import { ensurePackages, TEST_CLIENT_PACKAGES } from '../src/lab/debian-packages.ts';
import { FIRMWARES } from '../src/lab/firmware.ts';
import { loadersFor } from '../src/lab/loader.ts';
import { prepareLab } from '../src/lab/open-lab.ts';

const HERE = import.meta.dirname;
/** Folders whose tests start real programs. */
const REAL = new Set(['interop', 'e2e']);

interface Outcome {
  failed: number;
  readonly skipped: string[];
}

/** One thing after the other, so that the tests, which run side by side, find it all there. */
async function prepare(): Promise<void> {
  await attempt(() => ensurePackages(TEST_CLIENT_PACKAGES, console.log));
  if (process.geteuid?.() !== 0) return;
  for (const firmware of FIRMWARES) {
    for (const loader of loadersFor(firmware)) await attempt(() => prepareLab({ firmware, loader }, console.log));
  }
}

/** A package that this Debian has not must not keep the others from being installed. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.log(`some tests will be skipped: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function runFiles(files: readonly string[], outcome: Outcome): Promise<void> {
  const stream = run({
    files: [...files],
    concurrency: 2,
    timeout: 1_800_000,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') outcome.failed++;
  });
  stream.on('test:pass', ({ name, skip }) => {
    if (skip !== undefined) outcome.skipped.push(`${name}: ${String(skip)}`);
  });
  for await (const chunk of stream.compose(spec)) process.stdout.write(String(chunk));
}

const all = globSync('**/*.test.ts', { cwd: HERE })
  .toSorted()
  .map((file) => join(HERE, file));
const isReal = (file: string): boolean => REAL.has(relative(HERE, file).split('/')[0] ?? '');
// What the DHCP service sends in its tests is kept, and judged by one of the later ones
const replies = mkdtempSync(join(tmpdir(), 'rackboot-replies-'));
process.env['RACKBOOT_REPLIES'] = replies;
const outcome: Outcome = { failed: 0, skipped: [] };
const [, , which = 'all'] = process.argv;
if (which !== 'matrix') {
  await runFiles(
    all.filter((file) => !isReal(file)),
    outcome,
  );
}
if (which === 'matrix') {
  process.env['RACKBOOT_MATRIX'] = 'all';
  await runFiles([join(HERE, 'e2e/boot.test.ts')], outcome);
}
if (which === 'all') {
  await prepare();
  await runFiles(all.filter(isReal), outcome);
}
rmSync(replies, { recursive: true, force: true });
for (const line of outcome.skipped) console.log(`skipped: ${line}`);
console.log(
  outcome.failed === 0 ? `all tests passed, ${outcome.skipped.length} skipped` : `${outcome.failed} tests failed`,
);
process.exitCode = outcome.failed === 0 ? 0 : 1;
