import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { bootPlanFor } from '../../src/boot/boot-plan.ts';
import { pxelinuxScript } from '../../src/boot/pxelinux-script.ts';
import { EXIT_METHODS, type ExitMethod } from '../../src/plan/plan.ts';
import { mac, testPlan } from './boot-plan-fixture.ts';

const RACK = 'http://192.0.2.1:5248';
const NODE1 = mac('52:54:00:12:34:56');
const STRANGER = mac('02:00:00:00:00:01');

function localLines(exit: ExitMethod): string[] {
  const script = pxelinuxScript(bootPlanFor(testPlan(), STRANGER), { mac: STRANGER, rack: RACK, exit }, 'tftp');
  return script.split('\n').filter((line) => line.startsWith('  '));
}

describe('the PXELINUX script of one machine', () => {
  it('names kernel and initrds by TFTP, and tries every ten seconds', () => {
    assert.equal(
      pxelinuxScript(bootPlanFor(testPlan(), NODE1), { mac: NODE1, rack: RACK }, 'tftp'),
      `# host node1 boots the boot entry "debian"
DEFAULT rackboot
PROMPT 0
TIMEOUT 100
SAY rackboot: node1 boots debian; if it can not be had, it is tried again every 10 seconds
LABEL rackboot
  LINUX tftp://192.0.2.1/debian/vmlinuz
  INITRD tftp://192.0.2.1/debian/initrd.gz,tftp://192.0.2.1/debian/my%20firmware.cpio
  APPEND BOOTIF=01-52-54-00-12-34-56 console=ttyS0 rackboot=http://192.0.2.1:5248 --- quiet
`,
    );
  });

  it('names them by HTTP for one that can', () => {
    const script = pxelinuxScript(bootPlanFor(testPlan(), NODE1), { mac: NODE1, rack: RACK }, 'http');
    assert.match(script, /^ {2}LINUX http:\/\/192\.0\.2\.1:5248\/debian\/vmlinuz$/m);
    assert.match(script, /^ {2}INITRD http:\/\/192\.0\.2\.1:5248\/debian\/initrd\.gz,http:/m);
  });

  it('keeps any entry on the lines that are meant for it', () => {
    const piece = fc.constantFrom(
      '\n',
      '\r',
      '\u2028',
      ' ',
      ',',
      'KERNEL x',
      'LABEL y',
      '$',
      '{',
      '"',
      "'",
      'a',
      '#',
      '\0',
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, text, (name, path, cmdline) => {
        const file = { path: `k${path}`, file: '/k' };
        const plan = testPlan({
          entries: [{ name: `n${name}`, kernel: file, initrd: [file], cmdline }],
          default: `n${name}`,
        });
        const script = pxelinuxScript(bootPlanFor(plan, STRANGER), { mac: STRANGER, rack: RACK }, 'tftp');
        const words = script.split(/[\r\n\u2028\0]/).map((line) => line.trim().split(' ')[0]);
        assert.deepEqual(words, ['#', 'DEFAULT', 'PROMPT', 'TIMEOUT', 'SAY', 'LABEL', 'LINUX', 'INITRD', 'APPEND', '']);
        assert.equal(/INITRD (.*)/.exec(script)?.[1]?.includes(','), false);
      }),
      { seed: 20261122, numRuns: 2000 },
    );
  });

  it('leaves for the disk in the way the machine needs', () => {
    assert.deepEqual(Object.fromEntries(EXIT_METHODS.map((exit) => [exit, localLines(exit)])), {
      auto: ['  COM32 chain.c32', '  APPEND hd0'],
      exit: ['  LOCALBOOT 0'],
      'exit-1': ['  LOCALBOOT -1'],
      sanboot: ['  COM32 chain.c32', '  APPEND hd0'],
      chain: ['  COM32 chain.c32', '  APPEND hd0'],
    });
  });
});
