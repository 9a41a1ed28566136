import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { check } from '../../src/cli/check.ts';
import { efiProgram, PE_MACHINE, x86Kernel } from '../fixtures/programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-check-'));
after(() => rmSync(directory, { recursive: true }));

function run(config: string, isAlone = false): { code: number; lines: string[] } {
  const lines: string[] = [];
  const code = check({ config, 'no-region': isAlone }, (line) => lines.push(line));
  return { code, lines };
}

function writeBootFiles(): void {
  mkdirSync(join(directory, 'files'), { recursive: true });
  writeFileSync(join(directory, 'files', 'vmlinuz'), x86Kernel());
  writeFileSync(join(directory, 'files', 'undionly.kpxe'), 'x');
  writeFileSync(join(directory, 'files', 'snponly.efi'), efiProgram());
}

function configFile(text: string): string {
  const file = join(directory, 'rackboot.yaml');
  writeFileSync(file, text);
  return file;
}

test('a good file is summed up in one line', () => {
  writeBootFiles();
  const config = configFile(`rack: { name: a1 }
subnets:
  - { cidr: 192.0.2.0/24, management: dhcp }
hosts:
  - { name: node1, mac: 52:54:00:00:00:01 }
  - { name: node2, mac: 52:54:00:00:00:02 }
boot:
  files: ${JSON.stringify(join(directory, 'files'))}
  entries: { a: { kernel: vmlinuz }, b: { kernel: vmlinuz } }
`);
  assert.deepEqual(run(config), { code: 0, lines: ['ok: 1 subnet, 2 hosts, 2 boot entries'] });
});

test('a boot file of the wrong kind is named, with what it is', () => {
  writeBootFiles();
  const files = join(directory, 'files');
  writeFileSync(join(files, 'snponly.efi'), efiProgram(PE_MACHINE.arm64));
  writeFileSync(join(files, 'page'), '<html>404 Not Found</html>');
  const config = configFile(`rack: { name: a1 }
subnets:
  - { cidr: 192.0.2.0/24, management: dhcp }
boot:
  files: ${JSON.stringify(files)}
  entries: { a: { kernel: page } }
  loaders: { bios: snponly.efi }
`);
  const kernel = 'a kernel: x86 bzImage, arm64 Image, EFI program, ELF, or one of these packed';
  assert.deepEqual(run(config), {
    code: 1,
    lines: [
      `${config}:6:27: boot.entries.a.kernel: expected ${kernel}, found ${files}/page, neither a program nor a kernel, by its first bytes`,
      `${config}:7:3: boot.loaders.uefi: expected an EFI program for x86-64, found ${files}/snponly.efi, an EFI program for 64-bit ARM`,
      `${config}:7:20: boot.loaders.bios: expected a network boot program for x86 BIOS, found ${files}/snponly.efi, an EFI program for 64-bit ARM`,
      '3 faults',
    ],
  });
  writeBootFiles();
});

test('every fault has a line of its own, and the last line counts them', () => {
  const config = configFile('rack: { name: a1 }\nsubnets:\n  - { cidr: 192.0.2.0/33, management: dchp }\n');
  assert.deepEqual(run(config), {
    code: 1,
    lines: [
      `${config}:3:13: subnets[0].cidr: expected an IPv4 network like 192.168.127.0/24, found 192.0.2.0/33`,
      `${config}:3:39: subnets[0].management: expected one of none, proxy, dhcp, dhcp+dns, found dchp`,
      '2 faults',
    ],
  });
});

test('a fault that costs only one host fails the check too', () => {
  const text =
    'rack: { name: a1 }\nsubnets:\n  - { cidr: 192.0.2.0/24, management: dhcp }\nhosts: [{ name: node1, mac: x }]\n';
  const { code, lines } = run(configFile(text));
  assert.equal(code, 1);
  assert.equal(lines.at(-1), '1 fault');
});

test('a file that can not be read is said in one line', () => {
  const gone = join(directory, 'gone.yaml');
  assert.deepEqual(run(gone), { code: 1, lines: [`${gone}: expected a readable file, found none`] });
  assert.deepEqual(run(directory), { code: 1, lines: [`${directory}: expected a readable file, found a directory`] });
});

test('zone files are read, and each of their faults fails the check', () => {
  const top = '$TTL 60\n@ SOA ns1 h 7 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.1\n';
  const text = `rack: { name: a1 }
subnets:
  - { cidr: 192.0.2.0/24, management: dhcp }
dns:
  zones:
    - { name: good.example, file: good.zone }
    - { name: bad.example, file: bad.zone }
    - { name: ddns.example, update: [192.0.2.9] }
`;
  writeFileSync(join(directory, 'good.zone'), `${top}@ MX 1 gone\n`);
  writeFileSync(join(directory, 'bad.zone'), top);
  const odd = `${join(directory, 'good.zone')}:5: the MX of good.example names gone.good.example, which has no address (served all the same)`;
  const config = configFile(text);
  assert.deepEqual(run(config), { code: 0, lines: [odd, 'ok: 1 subnet, 0 hosts, 0 boot entries, 3 zones'] });
  writeFileSync(join(directory, 'bad.zone'), `${top}a A x\nb MX y\n`);
  assert.deepEqual(run(config), {
    code: 1,
    lines: [
      odd,
      `${join(directory, 'bad.zone')}:5: expected an IPv4 address like 192.0.2.1, found x`,
      `${join(directory, 'bad.zone')}:6: expected the preference, a number up to 65535, found y`,
      '2 faults',
    ],
  });
});

test('what the region said last is checked with the file, and its conflicts told; --no-region leaves it out', () => {
  const state = join(directory, 'followed');
  mkdirSync(state);
  const config = configFile(
    `rack: { name: a1, state: ${state} }\nregion: { url: "https://region.example" }\nboot: { default: local }\n`,
  );
  const answer = join(state, 'region-plan.json');
  const write = (region: object): void =>
    writeFileSync(answer, JSON.stringify({ version: 7, config: region, orders: {} }));
  const withIt = 'with region plan 7, as it was last taken: --no-region leaves it out';
  write({ boot: { exit: 'auto', default: 'x' }, subnets: [{ cidr: '192.0.2.0/24', management: 'dhcp' }] });
  assert.deepEqual(run(config), {
    code: 0,
    lines: [
      withIt,
      "boot.default: the file says local, the region x: the file's is used",
      'ok: 1 subnet, 0 hosts, 0 boot entries',
    ],
  });
  assert.deepEqual(run(config, true), { code: 0, lines: ['ok: 0 subnets, 0 hosts, 0 boot entries'] });
  write({ hosts: [{ name: 'a', mac: 7 }] });
  assert.deepEqual(run(config), {
    code: 1,
    lines: [withIt, 'region plan 7: hosts[0].mac: expected a MAC address like 52:54:00:12:34:56, found 7', '1 fault'],
  });
  rmSync(answer);
  mkdirSync(answer);
  const { code, lines } = run(config);
  assert.match(lines[0] ?? '', /^without what the region said, which can't be read: EISDIR/);
  assert.deepEqual([code, lines.slice(1)], [0, ['ok: 0 subnets, 0 hosts, 0 boot entries']]);
});
