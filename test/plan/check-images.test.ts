import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { StoredImage } from '../../src/plan/stored-image.ts';
import { compile, faultLines, planOf, SUBNET } from './rack-a1.ts';

const KEYRING = '/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg';
const SHELF = '/var/lib/rackboot/images/sha256';
const images = (...lines: string[]) => `${SUBNET}images:\n${lines.map((line) => `  ${line}\n`).join('')}`;
const entry = (words: string) => `${SUBNET}boot:\n  entries:\n    noble: { ${words} }\n`;
const withKeyring = { fileExists: () => true };

test('a source has its name from its URL, takes all by default, and keeps one version', () => {
  const text = images(`sources: [{ url: "http://images.maas.io/ephemeral-v3/stable/", keyring: ${KEYRING} }]`);
  assert.deepEqual(planOf(text, withKeyring).images?.sources, [
    {
      name: 'images.maas.io/ephemeral-v3/stable',
      url: 'http://images.maas.io/ephemeral-v3/stable/',
      keyring: KEYRING,
      keep: 1,
      selections: [],
    },
  ]);
});

test('what is written of a source and a selection counts, and a word left out is all', () => {
  const text = images(
    'interval: off',
    'bandwidth: 20MB/s',
    'parallel: 2',
    'boot-resources: /etc/maas/bootresources.yaml',
    'sources:',
    '  - { name: stick, url: "file:///srv/mirror", unsigned: true, keep: 3, proxy: "http://p:3128", selections: [{ release: noble, arches: [amd64] }] }',
  );
  assert.deepEqual(planOf(text, withKeyring).images, {
    shelf: SHELF,
    sources: [
      {
        name: 'stick',
        url: 'file:///srv/mirror',
        keep: 3,
        proxy: 'http://p:3128/',
        selections: [{ os: '*', release: 'noble', arches: ['amd64'], subarches: ['*'], labels: ['*'] }],
      },
    ],
    bandwidth: 20_000_000,
    bootResources: '/etc/maas/bootresources.yaml',
    parallel: 2,
  });
});

const A = '{ name: a, url: "http://a/", unsigned: true }';
const SIGNED = 'one of keyring, keyring-data (the keys of who signs it) and unsigned: true';
const FAULTY: readonly (readonly [title: string, source: string, fault: string])[] = [
  [
    'neither a keyring nor unsigned',
    '{ url: "http://b/" }',
    `8:7: images.sources[1]: expected ${SIGNED}, found a mapping`,
  ],
  [
    'both',
    `{ url: "http://b/", keyring: ${KEYRING}, unsigned: true }`,
    `8:87: images.sources[1].unsigned: expected ${SIGNED}, found keyring and unsigned`,
  ],
  [
    'keys in a file and here',
    `{ url: "http://b/", keyring: ${KEYRING}, keyring-data: AAAA }`,
    `8:87: images.sources[1].keyring-data: expected ${SIGNED}, found keyring and keyring-data`,
  ],
  ...['A', 'AAA', 'A===', 'AA=A', '" "', '-----BEGIN'].map(
    (data) =>
      [
        `keys that are no base64: ${data}`,
        `{ url: "http://b/", keyring-data: ${data} }`,
        `8:41: images.sources[1].keyring-data: expected text in base64, found ${data}`,
      ] as const,
  ),
  ['the name of another', A, '8:15: images.sources[1].name: expected a name of its own (source 1 has it), found a'],
  [
    'a URL of another kind',
    '{ url: "ftp://b/", unsigned: true }',
    '8:14: images.sources[1].url: expected a URL like https://mirror.example/images/ or file:///srv/images/, without name and password, found "ftp://b/"',
  ],
  [
    'a password in its URL',
    '{ url: "http://me:secret@b/", unsigned: true }',
    '8:14: images.sources[1].url: expected a URL like https://mirror.example/images/ or file:///srv/images/, without name and password, found "http://me:secret@b/"',
  ],
  [
    'a word that is none',
    '{ url: "http://b/", unsigned: true, selections: [{ os: "a/b" }] }',
    '8:62: images.sources[1].selections[0].os: expected a word like noble, or "*" for all, found "a/b"',
  ],
];
describe('a source is out of service, and nothing else, for', () => {
  for (const [title, source, fault] of FAULTY) {
    test(title, () => {
      const text = images('sources:', `  - ${A}`, `  - ${source}`);
      assert.deepEqual(faultLines(text, withKeyring), [fault]);
      const { plan } = compile(text, withKeyring);
      assert.deepEqual(
        plan?.images?.sources.map(({ name }) => name),
        ['a'],
      );
    });
  }

  test('a keyring that is not there', () => {
    const text = images(`sources: [{ url: "http://b/", keyring: ${KEYRING} }]`);
    const absent = { fileExists: () => false };
    assert.deepEqual(faultLines(text, absent), [
      `6:42: images.sources[0].keyring: expected a readable file ${KEYRING}, found none`,
    ]);
    assert.deepEqual(compile(text, absent).plan?.images?.sources, []);
  });
});

function stored(changed: Partial<StoredImage> & { parts?: readonly string[] } = {}): StoredImage {
  const { parts = ['boot-kernel', 'boot-initrd', 'squashfs'], ...rest } = changed;
  const base = { os: 'ubuntu', release: 'noble', arch: 'amd64', subarch: 'ga-24.04', label: 'stable', version: '1' };
  const image = { ...base, subarches: ['ga-24.04', 'generic'], kflavor: 'generic', ...rest };
  const mark = [image.arch, image.subarch, image.label, image.version].join(' ');
  return { ...image, files: parts.map((name) => ({ name, ftype: name, sha256: `<${mark} ${name}>`, size: 1 })) };
}

const kernelOf = (here: readonly StoredImage[], words = 'image: ubuntu/noble') => {
  const { plan } = compile(entry(words), { fileExists: () => true, images: () => here });
  return plan?.boot.entries[0]?.kernel.file;
};
const file = (mark: string) => `${SHELF}/<${mark} boot-kernel>`;

test("an entry may be an image: its files by their content, and the words that Ubuntu's initrd needs to run from memory", () => {
  const text = entry("image: ubuntu/noble, cmdline: 'ds=nocloud;s=${rack}/seeds/'");
  const plan = planOf(text, { fileExists: () => true, images: () => [stored()] });
  assert.deepEqual(plan.boot.entries, [
    {
      name: 'noble',
      kernel: {
        path: 'images/<amd64 ga-24.04 stable 1 boot-kernel>/boot-kernel',
        file: file('amd64 ga-24.04 stable 1'),
      },
      initrd: [
        {
          path: 'images/<amd64 ga-24.04 stable 1 boot-initrd>/boot-initrd',
          file: `${SHELF}/<amd64 ga-24.04 stable 1 boot-initrd>`,
        },
      ],
      cmdline:
        'root=squash:${rack}/images/<amd64 ga-24.04 stable 1 squashfs>/squashfs ip=::::${name}:BOOTIF ip6=off ' +
        'overlayroot=tmpfs overlayroot_cfgdisk=disabled ds=nocloud;s=${rack}/seeds/',
    },
  ]);
});

test('another system has no words of ours, and ${root} is the URL of its root file', () => {
  const here = [stored({ os: 'custom', release: 'x', parts: ['boot-kernel', 'root-tgz'] })];
  const text = entry("image: custom/x, cmdline: 'fetch=${root} quiet'");
  const [found] = planOf(text, { fileExists: () => true, images: () => here }).boot.entries;
  assert.equal(found?.cmdline, 'fetch=${rack}/images/<amd64 ga-24.04 stable 1 root-tgz>/root-tgz quiet');
  assert.deepEqual(found.initrd, []);
});

const cutShort = (path: string): number => (path.includes('stable 2 boot-initrd') ? 0 : 1);

describe('of what is here, a machine is given', () => {
  test('the newest version', () => {
    assert.equal(kernelOf([stored(), stored({ version: '2' })]), file('amd64 ga-24.04 stable 2'));
  });
  test('what is meant to be used rather than a newer candidate', () => {
    assert.equal(kernelOf([stored({ label: 'candidate', version: '2' }), stored()]), file('amd64 ga-24.04 stable 1'));
  });
  test('the kernel that a release came with', () => {
    const edge = stored({ subarch: 'hwe-24.04', subarches: ['hwe-24.04', 'generic'], version: '2' });
    assert.equal(kernelOf([edge, stored()]), file('amd64 ga-24.04 stable 1'));
    assert.equal(kernelOf([edge, stored()], 'image: ubuntu/noble/hwe-24.04'), file('amd64 hwe-24.04 stable 2'));
    assert.equal(kernelOf([edge]), file('amd64 hwe-24.04 stable 2'));
  });
  test('an older version while a file of the newest is gone', () => {
    const here = [stored(), stored({ version: '2' })];
    const text = entry('image: ubuntu/noble');
    assert.equal(
      compile(text, { fileExists: (path) => !path.includes('stable 2 squashfs'), images: () => here }).plan?.boot
        .entries[0]?.kernel.file,
      file('amd64 ga-24.04 stable 1'),
    );
  });
  test('an older version while a file of the newest has another length', () => {
    const here = [stored(), stored({ version: '2' })];
    const changed = { fileExists: () => true, fileSize: cutShort, images: () => here };
    assert.equal(
      compile(entry('image: ubuntu/noble'), changed).plan?.boot.entries[0]?.kernel.file,
      file('amd64 ga-24.04 stable 1'),
    );
  });
  test('by its architecture, which its loader knows', () => {
    const text = entry('image: ubuntu/noble');
    const here = [stored({ arch: 'arm64' }), stored()];
    const [found] = planOf(text, { fileExists: () => true, images: () => here }).boot.entries;
    assert.equal(found?.kernel.file, file('amd64 ga-24.04 stable 1'));
    assert.equal(found.others?.arm64?.kernel.file, file('arm64 ga-24.04 stable 1'));
    assert.equal(kernelOf([stored({ arch: 'arm64' })]), file('arm64 ga-24.04 stable 1'));
  });
  test('for each of the architectures it is here for, the first of them in the place of x86 where that is missing', () => {
    const here = [stored({ arch: 'ppc64el' }), stored({ arch: 'armhf' })];
    const [found] = planOf(entry('image: ubuntu/noble'), { fileExists: () => true, images: () => here }).boot.entries;
    assert.equal(found?.kernel.file, file('armhf ga-24.04 stable 1'));
    assert.deepEqual(Object.keys(found.others ?? {}), ['ppc64el']);
    assert.equal(found.others?.ppc64el?.kernel.file, file('ppc64el ga-24.04 stable 1'));
  });
  test('with its device tree, where it has one', () => {
    const tree = { name: 'boot-dtb', ftype: 'boot-dtb', sha256: 'd'.repeat(64), size: 4 };
    const plain = stored({ arch: 'armhf' });
    const here = [{ ...plain, files: [...plain.files, tree] }, stored()];
    const [found] = planOf(entry('image: ubuntu/noble'), { fileExists: () => true, images: () => here }).boot.entries;
    assert.equal(found?.dtb, undefined);
    assert.equal(found?.others?.armhf?.dtb?.path, `images/${'d'.repeat(64)}/boot-dtb`);
  });
});

const MISSING: readonly (readonly [title: string, words: string, here: readonly StoredImage[], fault: string])[] = [
  [
    'nothing is here',
    'image: ubuntu/noble',
    [],
    '7:21: boot.entries.noble.image: expected an image that is here and boots (none is; "rackboot images" tells what is missing and why), found ubuntu/noble',
  ],
  [
    'another release is',
    'image: ubuntu/noble',
    [stored({ release: 'jammy' })],
    '7:21: boot.entries.noble.image: expected an image that is here and boots (ubuntu/jammy; "rackboot images" tells what is missing and why), found ubuntu/noble',
  ],
  [
    'it has no kernel',
    'image: ubuntu/noble',
    [stored({ parts: ['root-tgz'] })],
    '7:21: boot.entries.noble.image: expected an image that is here and boots (ubuntu/noble; "rackboot images" tells what is missing and why), found ubuntu/noble',
  ],
  [
    'it is no image',
    'image: noble',
    [stored()],
    '7:21: boot.entries.noble.image: expected an image like ubuntu/noble, or ubuntu/noble/hwe-24.04 for one of its kernels, found noble',
  ],
  [
    'a kernel stands beside it',
    'image: ubuntu/noble, kernel: debian/vmlinuz',
    [stored()],
    '7:43: boot.entries.noble.kernel: expected no kernel, initrd or dtb beside image, which has its own, found debian/vmlinuz',
  ],
];
describe('an entry is out of service, and nothing else, when', () => {
  for (const [title, words, here, fault] of MISSING) {
    test(title, () => {
      const changed = { fileExists: () => true, images: () => here };
      assert.deepEqual(faultLines(entry(words), changed), [fault]);
      assert.deepEqual(compile(entry(words), changed).plan?.boot.entries, []);
    });
  }
});

const loadersOf = (words: string, here: readonly StoredImage[], isThere: (path: string) => boolean = () => false) =>
  compile(`${SUBNET}boot: { loaders: { ${words} } }\n`, {
    fileExists: (path) => path.startsWith(SHELF) || isThere(path),
    images: () => here,
  });

const chainOf = (here: readonly StoredImage[], isThere?: (path: string) => boolean) => {
  const shim = loadersOf('uefi: shim, bios: none', here, isThere).plan?.boot.loaders.uefi;
  return shim && [shim.file, ...(shim.companions ?? []).map((each) => each.file)];
};

describe('an imported loader', () => {
  const loader: StoredImage = {
    ...stored({ os: 'grub-efi-signed', release: 'grub-efi-signed', parts: [] }),
    files: ['bootx64.efi', 'grubx64.efi', 'mmx64.efi'].map((name) => ({
      name,
      ftype: 'loader',
      sha256: `<${name}>`,
      size: 1,
    })),
  };
  const text = `${SUBNET}boot: { loaders: { uefi: shim, bios: none } }\n`;
  const uefi = (isThere: (path: string) => boolean) =>
    compile(text, { fileExists: (path) => path.startsWith(SHELF) || isThere(path), images: () => [loader] }).plan?.boot
      .loaders.uefi;

  test('is used where no other is, with what it starts', () => {
    assert.deepEqual(
      uefi(() => false),
      {
        path: 'shimx64.efi',
        file: `${SHELF}/<bootx64.efi>`,
        companions: [
          { path: 'grubx64.efi', file: `${SHELF}/<grubx64.efi>` },
          { path: 'mmx64.efi', file: `${SHELF}/<mmx64.efi>` },
        ],
      },
    );
  });
  test("never starts Debian's GRUB, which is signed by another", () => {
    const shim = uefi((path) => path.includes('grub'));
    assert.equal(shim?.companions?.[0]?.file, `${SHELF}/<grubx64.efi>`);
  });
  test("gives way to Debian's", () => {
    assert.match(uefi((path) => /^\/usr\/.*(shim|grub)/.test(path))?.file ?? '', /^\/usr\/lib\/shim\//);
  });

  /** A version of a loader, with these programs. */
  const version = (of: string, programs: readonly string[], os = 'grub-efi-signed'): StoredImage => ({
    ...stored({ os, release: os, version: of, parts: [] }),
    files: programs.map((name) => ({ name, ftype: 'loader', sha256: `<${of} ${name}>`, size: 1 })),
  });
  const ALL = ['bootx64.efi', 'grubx64.efi', 'mmx64.efi'];

  test('is of one version, the newest that is whole', () => {
    const here = [version('3', ['bootx64.efi', 'mmx64.efi']), version('2', ALL), version('1', ALL)];
    assert.deepEqual(
      chainOf(here),
      ALL.map((name) => `${SHELF}/<2 ${name}>`),
    );
  });
  test('takes nothing of a newer one of another kind', () => {
    const here = [version('9', ['grubx64.efi'], 'grub-efi'), version('2', ['bootx64.efi', 'grubx64.efi'])];
    assert.deepEqual(chainOf(here), [`${SHELF}/<2 bootx64.efi>`, `${SHELF}/<2 grubx64.efi>`]);
    assert.equal(loadersOf('uefi: grub, bios: none', here).plan?.boot.loaders.uefi?.file, `${SHELF}/<2 grubx64.efi>`);
  });
  test("takes no key manager of Debian's, which its shim would not start", () => {
    const here = [version('2', ['bootx64.efi', 'grubx64.efi'])];
    assert.deepEqual(
      chainOf(here, (path) => path.includes('/mmx64.efi')),
      [`${SHELF}/<2 bootx64.efi>`, `${SHELF}/<2 grubx64.efi>`],
    );
  });
  test('that is not whole is none', () => {
    const here = [version('3', ['bootx64.efi']), version('2', ['grubx64.efi'])];
    assert.equal(chainOf(here), undefined);
    assert.match(loadersOf('uefi: shim, bios: none', here).faults[0]?.expected ?? '', /^shimx64\.efi in /);
  });
  test("is not what Debian's shim starts", () => {
    assert.equal(
      chainOf([version('2', ALL)], (path) => path.startsWith('/usr/lib/shim/')),
      undefined,
    );
  });
  test('of another version gives PXELINUX no module', () => {
    const modules = ['ldlinux.c32', 'chain.c32', 'libcom32.c32', 'libutil.c32'];
    const here = [
      version('3', ['lpxelinux.0', 'ldlinux.c32'], 'pxelinux'),
      version('2', ['lpxelinux.0', ...modules], 'pxelinux'),
    ];
    const { plan } = loadersOf('bios: lpxelinux, uefi: none', here);
    const { path, file: program, companions = [] } = plan?.boot.loaders.bios ?? {};
    assert.deepEqual([path, program], ['lpxelinux/lpxelinux.0', `${SHELF}/<2 lpxelinux.0>`]);
    assert.deepEqual(
      companions.map((each) => [each.path, each.file]),
      modules.map((name) => [`lpxelinux/${name}`, `${SHELF}/<2 ${name}>`]),
    );
  });
});

test('keys may be in the file themselves, in lines of any length', () => {
  const text = images('sources: [{ url: "https://mirror.example/", keyring-data: "bVFJ TkJF\\nAAAA" }]');
  const [source] = planOf(text).images?.sources ?? [];
  assert.deepEqual([source?.keyringData, source?.keyring], ['bVFJTkJFAAAA', undefined]);
});
