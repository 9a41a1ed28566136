import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath, geteuid } from 'node:process';
import { before, describe, it } from 'node:test';
import { ensurePackages, LAB_PACKAGES, missingPackages, missingText } from '../../src/lab/debian-packages.ts';
import { fetchGuestFiles } from '../../src/lab/guest-files.ts';
import { runLab } from '../../src/lab/run-lab.ts';
import { FIRMWARES, type Firmware } from '../../src/lab/machine.ts';

const RACKBOOT = [execPath, join(import.meta.dirname, '../../src/main.ts')];
/** Some 35 s on an idle computer with two cores; all boots share them, with whatever else runs. */
const TIMEOUT_SECONDS = 240;

/** The phases of each firmware that only a whole boot goes through. */
const PHASES: Readonly<Record<Firmware, readonly string[]>> = {
  bios: ['kernel comes by HTTP', 'initrd comes by HTTP', 'Linux resolves its name', 'Linux reports in'],
  uefi: ['loader comes by TFTP', 'kernel comes by HTTP', 'initrd comes by HTTP', 'Linux resolves its name'],
  'uefi-http': ['loader comes by HTTP', 'kernel comes by HTTP', 'initrd comes by HTTP', 'Linux resolves its name'],
};

/** Why there can be no boot here, or false. */
async function reasonToSkip(): Promise<string | false> {
  if (geteuid?.() !== 0) return 'network namespaces and taps need root';
  const missing = await missingPackages(LAB_PACKAGES);
  const hasApt = (await missingPackages([{ package: 'apt', provides: ['apt-get'] }])).length === 0;
  return missing.length > 0 && !hasApt ? missingText(missing) : false;
}

describe('a real machine netboots from the rack', { concurrency: true, skip: await reasonToSkip() }, () => {
  before(async () => {
    await ensurePackages(LAB_PACKAGES, console.error);
    await fetchGuestFiles(console.error);
  });

  for (const firmware of FIRMWARES) {
    it(`with ${firmware} firmware: address, ${firmware === 'bios' ? '' : 'loader, '}script, kernel, name and report`, async (t) => {
      const lines: string[] = [];
      const code = await runLab(
        {
          firmware,
          keep: false,
          timeoutSeconds: TIMEOUT_SECONDS,
          accel: 'tcg',
          rackboot: RACKBOOT,
          signal: t.signal,
        },
        (line) => lines.push(line),
      );
      const told = lines.join('\n');
      assert.equal(code, 0, told);
      for (const phase of PHASES[firmware]) assert.ok(told.includes(phase), `${phase} is missing in:\n${told}`);
      const report = new Set(lines.slice(lines.indexOf('machine is up')));
      assert.ok(report.has('  name    node1'), told);
      assert.ok(report.has('  cores   2'), told);
      assert.ok(report.has('  disk    vda, 8.0 GiB'), told);
      assert.ok(report.has('  nic     eth0, 52:54:00:12:34:56'), told);
    });
  }
});
