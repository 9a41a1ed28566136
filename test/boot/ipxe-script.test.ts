import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { bootPlanFor } from '../../src/boot/boot-plan.ts';
import { chainScript, machineScript } from '../../src/boot/ipxe-script.ts';
import { DEBIAN, mac, testPlan } from './boot-plan-fixture.ts';

const RACK = 'http://192.0.2.1:5248';
const NODE1 = mac('52:54:00:12:34:56');
const STRANGER = mac('02:00:00:00:00:01');

describe('the script every iPXE gets first', () => {
  it('asks for the machine’s own script by the MAC it booted from, and does not give up', () => {
    assert.equal(
      chainScript(RACK),
      `#!ipxe
:ask
isset \${netX/ip} || dhcp || goto again
echo rackboot: asking http://192.0.2.1:5248 what \${netX/mac} is to boot
chain --autofree --replace http://192.0.2.1:5248/ipxe/\${netX/mac:hexhyp} || goto again
exit
:again
echo rackboot: no answer from http://192.0.2.1:5248; trying again in 10 seconds, Ctrl-C for a shell
sleep 10 || shell
goto ask
`,
    );
  });
});

describe('the script of one machine', () => {
  it('loads kernel and initrds, tells both firmwares about them, and restarts when it can’t', () => {
    assert.equal(
      machineScript(bootPlanFor(testPlan(), NODE1), { mac: NODE1, rack: RACK }),
      `#!ipxe
# host node1 boots the boot entry "debian"
echo rackboot: node1 boots debian
imgfree
kernel http://192.0.2.1:5248/debian/vmlinuz initrd=initrd0 initrd=initrd1 BOOTIF=01-52-54-00-12-34-56 console=ttyS0 rackboot=http://192.0.2.1:5248 --- quiet || goto missing
initrd --name initrd0 http://192.0.2.1:5248/debian/initrd.gz || goto missing
initrd --name initrd1 http://192.0.2.1:5248/debian/my%20firmware.cpio || goto missing
boot || goto failed
:missing
echo rackboot: a file of debian can not be had; asking again in 10 seconds, Ctrl-C for a shell
sleep 10 || shell
imgfree
chain --autofree --replace http://192.0.2.1:5248/boot.ipxe ||
:failed
echo rackboot: debian did not start; this machine restarts in 30 seconds
prompt --key s --timeout 30000 Press s for a shell && shell ||
reboot
`,
    );
  });

  it('boots the disk of a machine nobody wrote down', () => {
    assert.equal(
      machineScript(bootPlanFor(testPlan(), STRANGER), { mac: STRANGER, rack: RACK }),
      `#!ipxe
# no host has this MAC, so boot.default decides: its own disk
echo rackboot: 02:00:00:00:00:01 boots its own disk
iseq \${platform} pcbios || exit 1
sanboot --no-describe --drive 0x80 || exit
`,
    );
  });

  it('needs neither initrd nor command line', () => {
    const script = machineScript(bootPlanFor(testPlan({ default: 'rescue' }), STRANGER), { mac: STRANGER, rack: RACK });
    assert.match(
      script,
      /^kernel http:\/\/192\.0\.2\.1:5248\/rescue\/bzImage BOOTIF=01-02-00-00-00-00-01 \|\| goto missing$/m,
    );
    assert.doesNotMatch(script, /^initrd/m);
  });

  it('leaves it to iPXE, which knows, on what architecture an image is booted', () => {
    const arm64 = {
      kernel: { path: 'images/b/boot-kernel', file: '/b' },
      initrd: [{ path: 'images/c/boot-initrd', file: '/c' }],
      cmdline: 'arm',
    };
    const entry = {
      name: 'noble',
      kernel: { path: 'images/a/boot-kernel', file: '/a' },
      initrd: [],
      cmdline: 'x86',
      others: { arm64, ppc64el: arm64 },
    };
    const plan = testPlan({ entries: [entry], default: 'noble' });
    const script = machineScript(bootPlanFor(plan, STRANGER), { mac: STRANGER, rack: RACK });
    assert.equal(
      script.slice(script.indexOf('imgfree'), script.indexOf(':missing')),
      `imgfree
iseq \${buildarch} arm64 && goto arm64 ||
kernel http://192.0.2.1:5248/images/a/boot-kernel BOOTIF=01-02-00-00-00-00-01 x86 || goto missing
boot || goto failed
:arm64
kernel http://192.0.2.1:5248/images/b/boot-kernel initrd=initrd0 BOOTIF=01-02-00-00-00-00-01 arm || goto missing
initrd --name initrd0 http://192.0.2.1:5248/images/c/boot-initrd || goto missing
boot || goto failed
`,
    );
  });

  it('fetches a device tree first, and forgets it where iPXE can hand none over', () => {
    const dtb = { path: 'board/my board.dtb', file: '/d' };
    const plan = testPlan({ entries: [{ ...DEBIAN, dtb }] });
    const lines = machineScript(bootPlanFor(plan, NODE1), { mac: NODE1, rack: RACK }).split('\n');
    const [tree, hand, kernel] = lines.slice(lines.indexOf('imgfree') + 1);
    assert.equal(tree, 'imgfetch --name dtb http://192.0.2.1:5248/board/my%20board.dtb || goto missing');
    assert.match(hand ?? '', /^fdt dtb \|\| imgfree dtb && echo rackboot: [^'"]* \|\|$/);
    assert.match(kernel ?? '', /^kernel /);
  });

  it('keeps a hostile entry on its own lines, and iPXE from expanding it', () => {
    const entry = {
      ...DEBIAN,
      name: 'evil\nreboot',
      kernel: { path: 'a b/${x}&&;#|?%', file: '/k' },
      initrd: [],
      cmdline: 'a\nreboot ; shell || x=${net0/ip} end\\',
    };
    const plan = testPlan({ entries: [entry], default: entry.name });
    assert.equal(
      machineScript(bootPlanFor(plan, STRANGER), { mac: STRANGER, rack: RACK }),
      `#!ipxe
# no host has this MAC, so boot.default decides: the boot entry "evil reboot"
echo rackboot: 02:00:00:00:00:01 boots evil reboot
imgfree
kernel http://192.0.2.1:5248/a%20b/%24%7Bx%7D%26%26%3B%23%7C%3F%25 BOOTIF=01-02-00-00-00-00-01 a reboot \${none}; shell \${none}|| x={net0/ip} end\\\${none} || goto missing
boot || goto failed
:missing
echo rackboot: a file of evil reboot can not be had; asking again in 10 seconds, Ctrl-C for a shell
sleep 10 || shell
imgfree
chain --autofree --replace http://192.0.2.1:5248/boot.ipxe ||
:failed
echo rackboot: evil reboot did not start; this machine restarts in 30 seconds
prompt --key s --timeout 30000 Press s for a shell && shell ||
reboot
`,
    );
  });
});
