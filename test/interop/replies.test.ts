import assert from 'node:assert/strict';
import { appendFileSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { missingPackages, TEST_CLIENT_PACKAGES } from '../../src/lab/debian-packages.ts';
import { runCommand } from '../../src/lab/run-command.ts';
import { pcapHeader, pcapRecord, readPcap } from '../fixtures/pcap.ts';

const UNIT_TESTS = join(import.meta.dirname, '..', 'dhcp');
/** They take long and send nothing that the others do not. */
const LONG = /\.(?:fuzz|model)\.test\.ts$|rack-day/;
const UNSOUND = '_ws.malformed || _ws.expert.severity >= "Warning"';
/** tshark 4.0 knows RFC 8357's sub-option 19 by name, has nothing to read it with, and says so. */
const ITS_OWN_FAULT = 'ERROR, please report: Unknown subopt type handler 19';
const missing = await missingPackages(TEST_CLIENT_PACKAGES.filter((need) => need.package === 'tshark'));

/** The captures of `test/run.ts`, or when this file runs by itself, of the tests that take no time. */
async function captures(own: string): Promise<string[]> {
  const recorded = process.env['RACKBOOT_REPLIES'];
  if (recorded === undefined) {
    const tests = globSync('*.test.ts', { cwd: UNIT_TESTS }).filter((file) => !LONG.test(file));
    // A program that a test runner started would report to that one instead
    const argv = ['env', '-u', 'NODE_TEST_CONTEXT', execPath, '--test', ...tests.map((file) => join(UNIT_TESTS, file))];
    const { code, output } = await runCommand(argv, { env: { RACKBOOT_REPLIES: own } });
    assert.equal(code, 0, output);
  }
  const directory = recorded ?? own;
  return globSync('*.test.ts.pcap', { cwd: directory })
    .toSorted()
    .map((file) => join(directory, file));
}

/** One capture of all; for each packet the test file that it is from. */
function joinCaptures(files: readonly string[], into: string): string[] {
  const origins: string[] = [];
  writeFileSync(into, pcapHeader());
  for (const file of files) {
    for (const { time, frame } of readPcap(file)) {
      appendFileSync(into, pcapRecord(frame, time));
      origins.push(basename(file, '.pcap'));
    }
  }
  return origins;
}

async function tshark(file: string, filter: string, ...fields: readonly string[]): Promise<string[]> {
  const argv = ['tshark', '-n', '-r', file, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  const { code, stdout, output } = await runCommand(argv);
  assert.equal(code, 0, output);
  return stdout.split('\n').filter((line) => line !== '');
}

test(
  'every reply that the DHCP tests provoke is sound to tshark',
  { skip: missing.length > 0 && 'not installed: tshark', timeout: 300_000 },
  async (t) => {
    const own = mkdtempSync(join(tmpdir(), 'rackboot-replies-'));
    try {
      const all = join(own, 'all');
      const origins = joinCaptures(await captures(own), all);
      t.diagnostic(`${origins.length} replies of ${new Set(origins).size} test files`);
      assert.ok(origins.length > 500, `${origins.length} replies`);
      const understood = await tshark(all, 'dhcp', 'frame.number');
      assert.equal(understood.length, origins.length, 'replies that tshark takes for DHCP');
      const unsound = await tshark(all, UNSOUND, 'frame.number', '_ws.expert.message', 'dhcp.option.type');
      const complaints = unsound.filter((line) => line.split('\t')[1] !== ITS_OWN_FAULT);
      assert.deepEqual(
        complaints.map((line) => `${origins[Number.parseInt(line, 10) - 1]}: ${line}`),
        [],
      );
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  },
);
