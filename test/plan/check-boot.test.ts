import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Surroundings } from '../../src/plan/surroundings.ts';
import { arm64Kernel, efiProgram, PE_MACHINE } from '../fixtures/programs.ts';
import { compile, faultLines, planOf, rackA1, SUBNET } from './rack-a1.ts';

const FILES = '/var/lib/rackboot/files';
const ENTRY = 'entries: { debian: { kernel: debian/vmlinuz } }';
const PATH = 'a path under boot.files like debian/vmlinuz (letters, digits and ._+~@=,:- only, no ..)';

const boot = (...lines: string[]) => `${SUBNET}boot:\n${lines.map((line) => `  ${line}\n`).join('')}`;

test('an entry has its files, with the path they are served under and the one on disk', () => {
  const text = boot(
    'files: /srv//boot/',
    'entries:',
    '  deb-12.1: { kernel: debian/vmlinuz, initrd: [debian/a, debian/b] }',
  );
  assert.deepEqual(planOf(text).boot.entries, [
    {
      name: 'deb-12.1',
      kernel: { path: 'debian/vmlinuz', file: '/srv/boot/debian/vmlinuz' },
      initrd: [
        { path: 'debian/a', file: '/srv/boot/debian/a' },
        { path: 'debian/b', file: '/srv/boot/debian/b' },
      ],
      cmdline: '',
    },
  ]);
});

test('one initrd needs no list', () => {
  const text = boot('entries: { debian: { kernel: debian/vmlinuz, initrd: debian/initrd.gz, cmdline: quiet } }');
  assert.deepEqual(planOf(text).boot.entries, [
    {
      name: 'debian',
      kernel: { path: 'debian/vmlinuz', file: `${FILES}/debian/vmlinuz` },
      initrd: [{ path: 'debian/initrd.gz', file: `${FILES}/debian/initrd.gz` }],
      cmdline: 'quiet',
    },
  ]);
});

test('an entry may have a device tree', () => {
  const text = boot('entries: { board: { kernel: board/Image, dtb: board/board.dtb } }');
  const { entries } = planOf(text, { fileExists: () => true }).boot;
  assert.deepEqual(entries[0]?.dtb, { path: 'board/board.dtb', file: `${FILES}/board/board.dtb` });
});

function treeOf(dtb: Uint8Array): Partial<Surroundings> {
  return { fileExists: () => true, firstBytes: (path) => (path.endsWith('.dtb') ? dtb : arm64Kernel()) };
}

describe('a device tree is looked at before it is promised', () => {
  const text = boot(
    'entries: { board: { kernel: board/Image, dtb: board/board.dtb } }',
    'loaders: { bios: none, uefi: none, uefi-arm64: none, open-firmware: none }',
  );
  test('one that is not there takes its entry out of service', () => {
    assert.deepEqual(faultLines(text, { fileExists: (path) => !path.endsWith('.dtb') }), [
      `6:49: boot.entries.board.dtb: expected a readable file ${FILES}/board/board.dtb, found none`,
    ]);
  });
  test('so does a file of another kind', () => {
    assert.deepEqual(faultLines(text, treeOf(arm64Kernel())), [
      `6:49: boot.entries.board.dtb: expected a device tree blob, as dtc makes of a source, found ${FILES}/board/board.dtb, a Linux kernel for arm64`,
    ]);
  });
  test('one that begins as they do will do', () => {
    assert.deepEqual(faultLines(text, treeOf(Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed))), []);
  });
});

test('without boot files there is nothing to complain about', () => {
  const { plan, faults } = compile(SUBNET, { fileExists: () => false, directoryExists: () => false });
  assert.deepEqual(faults, []);
  assert.deepEqual(plan?.boot, {
    files: FILES,
    default: 'local',
    entries: [],
    loop: { boots: 8, withinSeconds: 7200, quietSeconds: 86_400 },
    loaders: {},
  });
});

test('an entry may be for once, and what counts as a loop may be said or switched off', () => {
  const text = boot('entries: { debian: { kernel: debian/vmlinuz, once: reported } }', 'loop: { within: 30m }');
  const { entries, loop } = planOf(text).boot;
  assert.equal(entries[0]?.once, 'reported');
  assert.deepEqual(loop, { boots: 8, withinSeconds: 1800, quietSeconds: 86_400 });
  assert.equal(planOf(boot('loop: off')).boot.loop, undefined);
});

test('one entry may be netbooted without end, and the others not', () => {
  const text = boot('entries: { a: { kernel: debian/vmlinuz, loop: off }, b: { kernel: debian/vmlinuz } }');
  assert.deepEqual(
    planOf(text).boot.entries.map(({ isEndless }) => isEndless),
    [true, undefined],
  );
});

test('boot files are in the rack’s state unless told', () => {
  assert.equal(planOf(`rack: { state: /srv/rack }\n${SUBNET}`).boot.files, '/srv/rack/files');
});

const faulty: readonly (readonly [title: string, text: string, ...lines: string[]])[] = [
  [
    'a kernel that is not there',
    boot('entries: { debian: { kernel: debian/VMLINUZ } }'),
    `6:32: boot.entries.debian.kernel: expected a readable file ${FILES}/debian/VMLINUZ, found none`,
  ],
  [
    'an entry with loop limits of its own',
    boot('entries: { debian: { kernel: debian/vmlinuz, loop: on } }'),
    '6:54: boot.entries.debian.loop: expected off, found on',
  ],
  [
    'an entry for once by a word that is none',
    boot('entries: { debian: { kernel: debian/vmlinuz, once: true } }'),
    '6:54: boot.entries.debian.once: expected one of delivered, reported, found true',
  ],
  [
    'the second of two initrds',
    boot('entries: { debian: { kernel: debian/vmlinuz, initrd: [debian/a, b] } }'),
    `6:67: boot.entries.debian.initrd[1]: expected a readable file ${FILES}/b, found none`,
  ],
  [
    'one initrd that is not there',
    boot('entries: { debian: { kernel: debian/vmlinuz, initrd: b } }'),
    `6:56: boot.entries.debian.initrd: expected a readable file ${FILES}/b, found none`,
  ],
  ...['../etc/passwd', 'a/../../b', '/etc/passwd', 'a//b', 'a/', './a', 'a b', String.raw`a\b`, '$x'].map(
    (path) =>
      [
        `a kernel at ${path}`,
        boot(`entries: { debian: { kernel: ${path} } }`),
        `6:32: boot.entries.debian.kernel: expected ${PATH}, found ${path}`,
      ] as const,
  ),
  [
    'a command line of two lines',
    boot(String.raw`entries: { debian: { kernel: debian/vmlinuz, cmdline: "a\nb" } }`),
    '6:57: boot.entries.debian.cmdline: expected one line of at most 2047 bytes without control characters, ' +
      String.raw`found "a\nb"`,
  ],
  ...['${net0/ip}', '${MAC}', '${', '$${mac}', '${}'].map(
    (variable) =>
      [
        `the variable ${variable}, which stands for nothing`,
        boot(`entries: { debian: { kernel: debian/vmlinuz, cmdline: "a ${variable}" } }`),
        '6:57: boot.entries.debian.cmdline: expected no variables but ${mac}, ${rack}, ${name}, ${address}, found ' +
          variable,
      ] as const,
  ),
  [
    'a command line that would be too long with what the loader says',
    boot(`entries: { debian: { kernel: debian/vmlinuz, cmdline: "${'x'.repeat(1940)} \${name}" } }`),
    '6:57: boot.entries.debian.cmdline: expected at most 1962 bytes, as 85 of 2047 are for what the loader must say, ' +
      'found up to 2004, with its variables filled in',
  ],
  [
    'a command line of few characters and many bytes',
    boot(`entries: { debian: { kernel: debian/vmlinuz, cmdline: "${'ü'.repeat(1000)}" } }`),
    '6:57: boot.entries.debian.cmdline: expected at most 1962 bytes, as 85 of 2047 are for what the loader must say, ' +
      'found up to 2000, with its variables filled in',
  ],
  [
    'no kernel',
    boot('entries: { debian: { cmdline: a } }'),
    '6:14: boot.entries.debian.kernel: expected a path under boot.files like debian/vmlinuz, or image in its place, found nothing',
  ],
  [
    'the word local as its name',
    boot('entries: { local: { kernel: debian/vmlinuz } }'),
    '6:14: boot.entries.local: expected a name of letters, digits and ._- that begins with a letter or digit, ' +
      'and is not the word local, found local',
  ],
];

describe('an entry is out of service, and nothing else, for', () => {
  for (const [title, text, ...lines] of faulty) {
    test(title, () => {
      assert.deepEqual(faultLines(text), lines);
      const { plan } = compile(text);
      assert.deepEqual(plan?.boot.entries, []);
      assert.equal(plan.boot.default, 'local');
    });
  }
});

test('a loop that makes no sense leaves no Plan', () => {
  assert.deepEqual(faultLines(boot('loop: { boots: 1, within: 8d }')), [
    '6:18: boot.loop.boots: expected a number of boots from 2 to 1000, found 1',
    '6:29: boot.loop.within: expected a time from 1m to 7d, written like 30m, 2h or 1d, found 8d',
  ]);
  assert.deepEqual(faultLines(boot('loop: never')), [
    '6:9: boot.loop: expected off, or a mapping with boots, within, quiet, found never',
  ]);
  assert.equal(compile(boot('loop: never')).plan, undefined);
});

test('unknown machines boot their own disk while their entry is out of service', () => {
  const { plan, faults } = compile(boot('default: debian', 'entries: { debian: { kernel: debian/VMLINUZ } }'));
  assert.equal(plan?.boot.default, 'local');
  assert.equal(faults.length, 1);
});

test('a default that no entry has leaves no Plan', () => {
  const { plan, faults } = compile(boot('default: debain', ENTRY));
  assert.equal(plan, undefined);
  assert.deepEqual(
    faults.map((fault) => fault.found),
    ['debain (did you mean `debian`?)'],
  );
  assert.deepEqual(faultLines(boot('default: debian')), [
    '6:12: boot.default: expected local, as there are no boot entries, found debian',
  ]);
});

test('a directory that is gone is reported once, takes its entries out and leaves the rest of the Plan', () => {
  const text = boot('files: /mnt/boot', 'entries: { a: { kernel: debian/a }, b: { kernel: debian/b } }');
  const gone = {
    directoryExists: () => false,
    excuses: () => false,
    fileExists: (path: string) => !path.startsWith('/mnt') && rackA1.fileExists(path),
  };
  assert.deepEqual(faultLines(text, gone), ['6:10: boot.files: expected a directory /mnt/boot, found none']);
  const { plan } = compile(text, gone);
  assert.deepEqual(plan?.boot.entries, []);
  assert.equal(plan.boot.loaders.uefi?.file, '/usr/lib/ipxe/snponly.efi');
});

const only = (...names: string[]) => ({
  excuses: () => false,
  fileExists: (path: string) => path.endsWith('vmlinuz') || names.some((name) => path.endsWith(`/${name}`)),
});
const missing = (name: string) =>
  `expected ${name} in ${FILES}, /var/lib/rackboot/loaders or /usr/lib/ipxe (Debian package ipxe), or the word none, found no readable file`;

const inFiles = (path: string) =>
  path.endsWith('files/undionly.kpxe') || path.endsWith('ipxe/snponly.efi') || path.endsWith('vmlinuz');

describe('a loader', () => {
  test('is taken from the boot files first, then from where Debian has it', () => {
    assert.deepEqual(planOf(boot(ENTRY), { fileExists: inFiles }).boot.loaders, {
      bios: { path: 'undionly.kpxe', file: `${FILES}/undionly.kpxe` },
      uefi: { path: 'snponly.efi', file: '/usr/lib/ipxe/snponly.efi' },
    });
  });

  test('that is missing is no fault as long as there is nothing to boot', () => {
    assert.deepEqual(faultLines(SUBNET, only()), []);
  });

  test('that is missing is a fault as soon as there is, and the other one is served', () => {
    assert.deepEqual(faultLines(boot(ENTRY), only('snponly.efi')), [
      `5:1: boot.loaders.bios: ${missing('undionly.kpxe')}`,
    ]);
    assert.deepEqual(Object.keys(compile(boot(ENTRY), only('snponly.efi')).plan?.boot.loaders ?? {}), ['uefi']);
  });

  test('is not missed by a rack that says it has no such machines', () => {
    const text = boot(ENTRY, 'loaders: { bios: none }');
    assert.deepEqual(faultLines(text, only('snponly.efi')), []);
    assert.deepEqual(Object.keys(planOf(text).boot.loaders), ['uefi']);
  });

  test('for 64-bit ARM is taken if it is there, under either name, and not missed', () => {
    for (const name of ['snponly-arm64.efi', 'ipxe-arm64.efi']) {
      const { loaders } = planOf(boot(ENTRY), only('undionly.kpxe', 'snponly.efi', name)).boot;
      assert.deepEqual(loaders['uefi-arm64'], { path: name, file: `${FILES}/${name}` });
    }
    assert.deepEqual(Object.keys(planOf(boot(ENTRY), only('undionly.kpxe', 'snponly.efi')).boot.loaders), [
      'bios',
      'uefi',
    ]);
  });

  test('for 32-bit x86 UEFI is there only where it is named', () => {
    const all = { excuses: () => false, fileExists: () => true };
    assert.equal(planOf(boot(ENTRY), all).boot.loaders['uefi-ia32'], undefined);
    const named = planOf(boot('loaders: { uefi-ia32: ia32/ipxe.efi }'), all).boot.loaders['uefi-ia32'];
    assert.equal(named?.path, 'ia32/ipxe.efi');
  });

  test('that is named must be there', () => {
    const text = boot('loaders: { uefi: ipxe.efi }');
    assert.deepEqual(faultLines(text, only()), [`6:20: boot.loaders.uefi: ${missing('ipxe.efi')}`]);
    assert.deepEqual(planOf(text, only('ipxe.efi')).boot.loaders.uefi, { path: 'ipxe.efi', file: `${FILES}/ipxe.efi` });
  });

  test('may be a word, and brings what it asks for by itself', () => {
    const { bios, uefi } = planOf(boot('loaders: { bios: lpxelinux, uefi: shim }')).boot.loaders;
    assert.deepEqual(uefi, {
      path: 'shimx64.efi',
      file: '/usr/lib/shim/shimx64.efi.signed',
      companions: [
        { path: 'grubx64.efi', file: '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed' },
        { path: 'mmx64.efi', file: '/usr/lib/shim/mmx64.efi.signed' },
      ],
    });
    assert.equal(bios?.path, 'lpxelinux/lpxelinux.0');
    assert.deepEqual(
      bios.companions?.map(({ path }) => path),
      ['ldlinux.c32', 'chain.c32', 'libcom32.c32', 'libutil.c32'].map((name) => `lpxelinux/${name}`),
    );
  });

  test('is taken from what was installed rather than from a package', () => {
    const all = { excuses: () => false, fileExists: (path: string) => !path.startsWith(FILES) };
    assert.equal(
      planOf(boot('loaders: { uefi: shim }'), all).boot.loaders.uefi?.file,
      '/var/lib/rackboot/loaders/shimx64.efi',
    );
  });

  test('that lacks what it asks for by itself is a fault; what it can do without is not', () => {
    const text = boot('loaders: { uefi: shim }');
    const lines = faultLines(text, only('shimx64.efi'));
    assert.deepEqual(lines, [
      `6:20: boot.loaders.uefi: expected grubx64.efi for shimx64.efi in ${FILES}, /var/lib/rackboot/loaders or ` +
        '/usr/lib/grub/x86_64-efi-signed (Debian package grub-efi-amd64-signed), or the word none, found no readable file',
    ]);
    assert.equal(compile(text, only('shimx64.efi')).plan?.boot.loaders.uefi, undefined);
    assert.equal(planOf(text, only('shimx64.efi', 'grubx64.efi')).boot.loaders.uefi?.companions?.length, 1);
  });

  test('under a word of another firmware is a fault that names the right ones', () => {
    assert.match(
      faultLines(boot('loaders: { uefi: pxelinux }')).join('\n'),
      /expected pxelinux in .*, or one of the words snponly, ipxe, shim, grub, or the word none, found no readable file/,
    );
  });

  test('for other firmware is a fault that names file and machine; so is one beside it', () => {
    const arm: Partial<Surroundings> = {
      fileExists: () => true,
      firstBytes: (path) => efiProgram(path.includes('grub') ? PE_MACHINE.arm64 : PE_MACHINE.x64),
    };
    const text = boot('loaders: { bios: none, uefi: shim, uefi-arm64: shim, uefi-ia32: none, open-firmware: none }');
    assert.deepEqual(faultLines(text, arm), [
      `6:32: boot.loaders.uefi: expected an EFI program for x86-64, found ${FILES}/grubx64.efi, an EFI program for 64-bit ARM`,
      `6:50: boot.loaders.uefi-arm64: expected an EFI program for 64-bit ARM, found ${FILES}/shimaa64.efi, an EFI program for x86-64`,
    ]);
    assert.deepEqual(compile(text, arm).plan?.boot.loaders, {});
  });

  test('of a host or a class goes with it, and a fault there takes out only that', () => {
    const text = `${SUBNET}
hosts:
  - { name: a, mac: "52:54:00:00:00:01", loaders: { uefi: shim }, exit: exit-1 }
  - { name: b, mac: "52:54:00:00:00:02", loaders: { uefi: gone.efi } }
  - { name: c, mac: "52:54:00:00:00:03", loaders: { uefi: none } }
classes:
  - { name: k, match: { arch: 0 }, loaders: { bios: pxelinux } }
  - { name: l, match: { arch: 0 }, loaders: { bios: gone.0 } }
boot: { exit: sanboot }
`;
    const { plan, faults } = compile(text);
    assert.deepEqual(
      faults.map(({ path, scope }) => [path, scope]),
      [
        ['hosts[1].loaders.uefi', 'entry'],
        ['hosts[2].loaders.uefi', 'entry'],
        ['classes[1].loaders.bios', 'entry'],
      ],
    );
    assert.equal(plan?.hosts[0]?.loaders?.uefi?.path, 'shimx64.efi');
    assert.deepEqual([plan.hosts[0].exit, plan.boot.exit], ['exit-1', 'sanboot']);
    assert.deepEqual(plan.hosts[1]?.loaders, {});
    assert.deepEqual(
      plan.classes?.map(({ name, loaders }) => [name, loaders?.bios?.path]),
      [['k', 'pxelinux.0']],
    );
  });

  test('has a path that fits into a DHCP message', () => {
    const path = `${'a'.repeat(124)}.efi`;
    assert.match(
      faultLines(boot(`loaders: { uefi: ${path} }`)).join('\n'),
      /expected the path of a loader .* at most 127 long/,
    );
  });

  test('of another kind is an unknown key', () => {
    assert.deepEqual(faultLines(boot('loaders: { arm: x.efi }')), [
      '6:14: boot.loaders.arm: expected one of bios, uefi, uefi-ia32, uefi-arm64, uefi-arm32, open-firmware, found arm',
    ]);
  });
});
