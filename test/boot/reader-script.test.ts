import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { bootPlanFor } from '../../src/boot/boot-plan.ts';
import { readerScript } from '../../src/boot/reader-script.ts';
import { PETITBOOT_PPC64EL, U_BOOT_ARM64, U_BOOT_ARMHF } from '../../src/boot/script-readers.ts';
import type { BootEntry, BootFiles, ExitMethod } from '../../src/plan/plan.ts';
import { DEBIAN, mac, testPlan } from './boot-plan-fixture.ts';

const RACK = 'http://192.0.2.1:5248';
const NODE1 = mac('52:54:00:12:34:56');
const STRANGER = mac('02:00:00:00:00:01');
const FACTS = { mac: NODE1, rack: RACK };

function entryOf(changes: Partial<BootEntry>): BootEntry {
  return { ...DEBIAN, initrd: DEBIAN.initrd.slice(0, 1), cmdline: 'quiet', ...changes };
}

function filesOf(arch: string): BootFiles {
  const kernel = { path: `images/${arch}/boot-kernel`, file: `/${arch}` };
  return { kernel, initrd: [], cmdline: `on=${arch}` };
}

function appended(script: string): string | undefined {
  return /APPEND BOOTIF=\S+ (.*)/.exec(script)?.[1];
}

describe('the script of a machine whose firmware reads it itself', () => {
  const dtb = { path: 'board/board.dtb', file: '/d' };

  it('names kernel, initrd and device tree by paths alone', () => {
    const plan = bootPlanFor(testPlan({ entries: [entryOf({ dtb })] }), NODE1);
    assert.equal(
      readerScript(plan, FACTS, U_BOOT_ARM64),
      `# host node1 boots the boot entry "debian"
DEFAULT rackboot
SAY rackboot: node1 boots debian
LABEL rackboot
  KERNEL debian/vmlinuz
  INITRD debian/initrd.gz
  FDT board/board.dtb
  APPEND BOOTIF=01-52-54-00-12-34-56 quiet
`,
    );
  });

  it('boots the files for what it runs on', () => {
    const others = { arm64: filesOf('arm64'), armhf: filesOf('armhf'), ppc64el: filesOf('ppc64el') };
    const plan = bootPlanFor(testPlan({ entries: [{ name: 'debian', ...filesOf('x86'), others }] }), NODE1);
    for (const reader of [U_BOOT_ARM64, U_BOOT_ARMHF, PETITBOOT_PPC64EL]) {
      const script = readerScript(plan, FACTS, reader);
      assert.match(script, new RegExp(`KERNEL images/${reader.runs}/boot-kernel\n.* on=${reader.runs}\n`));
    }
  });

  it('names one initrd, as no more are taken, and says so', () => {
    const script = readerScript(bootPlanFor(testPlan({ entries: [DEBIAN] }), NODE1), FACTS, U_BOOT_ARMHF);
    assert.deepEqual(script.match(/INITRD .*/g), ['INITRD debian/initrd.gz']);
    assert.match(script, /^SAY .* one initrd of 2 /m);
  });

  it('keeps U-Boot from expanding the command line, and leaves it to Petitboot as it is', () => {
    const cmdline = String.raw`a='$(serial#)' b=\x`;
    const plan = bootPlanFor(testPlan({ entries: [entryOf({ cmdline })] }), NODE1);
    assert.equal(appended(readerScript(plan, FACTS, U_BOOT_ARM64)), String.raw`a=\'\$(serial#)\' b=\\x`);
    assert.equal(appended(readerScript(plan, FACTS, PETITBOOT_PPC64EL)), cmdline);
  });

  it('leaves for the disk: U-Boot by its own command or at once, Petitboot by naming nothing', () => {
    const plan = bootPlanFor(testPlan(), STRANGER);
    const linesOf = (exit: ExitMethod) =>
      readerScript(plan, { mac: STRANGER, rack: RACK, exit }, U_BOOT_ARM64).match(/^ {2}.*/gm);
    assert.deepEqual(linesOf('auto'), ['  LOCALBOOT 0']);
    assert.deepEqual(linesOf('exit-1'), ['  LOCALBOOT -1']);
    assert.doesNotMatch(readerScript(plan, { mac: STRANGER, rack: RACK }, PETITBOOT_PPC64EL), /LABEL/);
  });

  it('keeps any name and command line on the lines that are meant for them', () => {
    const text = fc
      .array(fc.constantFrom('\n', '\r', '\u2028', ' ', 'LABEL y', '$', "'", '\\', 'a', '#', '\0'))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(text, text, (name, cmdline) => {
        const entry = entryOf({ name: `n${name}`, dtb, cmdline });
        const plan = bootPlanFor(testPlan({ entries: [entry], default: entry.name }), STRANGER);
        for (const reader of [U_BOOT_ARM64, PETITBOOT_PPC64EL]) {
          const script = readerScript(plan, { mac: STRANGER, rack: RACK }, reader);
          const words = script.split(/[\r\n\u2028\0]/).map((line) => line.trim().split(' ')[0]);
          assert.deepEqual(words, ['#', 'DEFAULT', 'SAY', 'LABEL', 'KERNEL', 'INITRD', 'FDT', 'APPEND', '']);
        }
      }),
      { seed: 20261122, numRuns: 1000 },
    );
  });
});
