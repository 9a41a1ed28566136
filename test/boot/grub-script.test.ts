import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bootPlanFor } from '../../src/boot/boot-plan.ts';
import { grubChainScript, grubScript } from '../../src/boot/grub-script.ts';
import { EXIT_METHODS, type BootFiles } from '../../src/plan/plan.ts';
import { DEBIAN, ip4, mac, testPlan } from './boot-plan-fixture.ts';

const RACK = 'http://192.0.2.1:5248';
const NODE1 = mac('52:54:00:12:34:56');
const STRANGER = mac('02:00:00:00:00:01');

function imageFiles(sum: string): BootFiles {
  return { kernel: { path: `images/${sum}/boot-kernel`, file: `/${sum}` }, initrd: [], cmdline: `on=${sum}` };
}

describe('the script every GRUB gets first', () => {
  it('asks for the machine’s own script by its MAC, and does not give up', () => {
    const script = grubChainScript();
    assert.match(script, /source "\/grub\/grub\.cfg-\$net_default_mac"/);
    assert.match(script, /^while \[ -z "\$leave" \]; do$/m);
    assert.match(script, /sleep --interruptible 10/);
  });
});

describe('the GRUB script of one machine', () => {
  it('loads kernel and initrds from where GRUB came, tries six times and restarts', () => {
    const facts = { mac: NODE1, rack: RACK, address: ip4('192.0.2.50') };
    assert.equal(
      grubScript(bootPlanFor(testPlan(), NODE1), facts),
      `# host node1 boots the boot entry "debian"
echo 'rackboot: node1 boots debian'
for try in 1 2 3 4 5 6; do
  if linux '/debian/vmlinuz' 'BOOTIF=01-52-54-00-12-34-56' 'console=ttyS0' 'rackboot=http://192.0.2.1:5248' '---' 'quiet'; then
    if initrd '/debian/initrd.gz' '/debian/my firmware.cpio'; then
      boot
    fi
  fi
  echo 'rackboot: debian did not start; trying again in 10 seconds, Esc for a prompt'
  if sleep --interruptible 10; then true; else set leave=prompt; break; fi
done
if [ -z "$leave" ]; then reboot; fi
`,
    );
  });

  it('keeps a hostile entry in its words, and says what GRUB would spoil', () => {
    const entry = {
      name: "evil'; reboot\nhalt",
      kernel: { path: "a'b/${x};#", file: '/k' },
      initrd: [],
      cmdline: "a='b' $(x) ; halt & \\ | # $net_default_mac",
    };
    const plan = testPlan({ entries: [entry], default: entry.name });
    assert.equal(
      grubScript(bootPlanFor(plan, STRANGER), { mac: STRANGER, rack: RACK }).split('\n').slice(1, 6).join('\n'),
      `echo 'rackboot: 02:00:00:00:00:01 boots evil'\\''; reboot halt'
echo 'rackboot: GRUB puts a backslash before the quotes and backslashes of this command line'
for try in 1 2 3 4 5 6; do
  if linux '/a'\\''b/\${x};#' 'BOOTIF=01-02-00-00-00-00-01' 'a='\\''b'\\''' '$(x)' ';' 'halt' '&' '\\' '|' '#' '$net_default_mac'; then
    boot`,
    );
  });

  it('leaves for the disk by exit', () => {
    assert.equal(
      grubScript(bootPlanFor(testPlan(), STRANGER), { mac: STRANGER, rack: RACK, exit: 'exit' }),
      `# no host has this MAC, so boot.default decides: its own disk
echo 'rackboot: 02:00:00:00:00:01 boots its own disk'
set leave=disk
exit
`,
    );
  });

  it('else starts the first well-known EFI program of a disk, and goes back to the firmware without', () => {
    const scripts = EXIT_METHODS.filter((exit) => exit !== 'exit').map((exit) =>
      grubScript(bootPlanFor(testPlan(), STRANGER), { mac: STRANGER, rack: RACK, exit }),
    );
    const [script = ''] = scripts;
    assert.equal(new Set(scripts).size, 1);
    assert.match(script, /^for file in \/EFI\/debian\/shim\$arch\.efi .* \/EFI\/BOOT\/boot\$arch\.efi; do$/m);
    assert.match(script, /search --no-floppy --set=disk --file "\$file"/);
    assert.match(script, /chainloader "\(\$disk\)\$file"/);
    assert.match(script, /\nexit 1\n$/);
  });

  it('names one initrd or none', () => {
    const plan = testPlan({ entries: [{ ...DEBIAN, initrd: [] }] });
    assert.doesNotMatch(grubScript(bootPlanFor(plan, NODE1), { mac: NODE1, rack: RACK }), /initrd/);
  });

  it('takes a device tree, except where Secure Boot forbids it, and boots without one that it can not take', () => {
    const dtb = { path: 'board/board.dtb', file: '/d' };
    const plan = testPlan({ entries: [{ ...DEBIAN, initrd: [], dtb }] });
    const script = grubScript(bootPlanFor(plan, NODE1), { mac: NODE1, rack: RACK });
    assert.match(
      script,
      /\n {2}if \[ "\$lockdown" = y \]; then\n {4}echo '[^']*'\n {2}elif devicetree '\/board\/board\.dtb'; then true; else\n {4}echo '[^']*'\n {2}fi\n {2}if linux '\/debian\/vmlinuz' /,
    );
  });

  it('boots an image by the architecture that GRUB runs on', () => {
    const entry = {
      name: 'noble',
      ...imageFiles('x86'),
      others: { arm64: imageFiles('arm'), armhf: imageFiles('hf'), ppc64el: imageFiles('el') },
    };
    const plan = testPlan({ entries: [entry], default: 'noble' });
    const script = grubScript(bootPlanFor(plan, STRANGER), { mac: STRANGER, rack: RACK });
    assert.equal(
      script.slice(script.indexOf('for try'), script.indexOf('  echo', script.indexOf('for try'))),
      `for try in 1 2 3 4 5 6; do
  if [ "$grub_cpu" = arm64 ]; then
  if linux '/images/arm/boot-kernel' 'BOOTIF=01-02-00-00-00-00-01' 'on=arm'; then
    boot
  fi
  elif [ "$grub_cpu" = arm ]; then
  if linux '/images/hf/boot-kernel' 'BOOTIF=01-02-00-00-00-00-01' 'on=hf'; then
    boot
  fi
  elif [ "$grub_cpu" = powerpc ]; then
  if linux '/images/el/boot-kernel' 'BOOTIF=01-02-00-00-00-00-01' 'on=el'; then
    boot
  fi
  else
  if linux '/images/x86/boot-kernel' 'BOOTIF=01-02-00-00-00-00-01' 'on=x86'; then
    boot
  fi
  fi
`,
    );
  });
});
