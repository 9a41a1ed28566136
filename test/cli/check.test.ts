import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { check } from '../../src/cli/check.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-check-'));
after(() => rmSync(directory, { recursive: true }));

function run(config: string): { code: number; lines: string[] } {
  const lines: string[] = [];
  const code = check({ config }, (line) => lines.push(line));
  return { code, lines };
}

function configFile(text: string): string {
  const file = join(directory, 'rackboot.yaml');
  writeFileSync(file, text);
  return file;
}

test('a good file is summed up in one line', () => {
  mkdirSync(join(directory, 'files'));
  for (const name of ['vmlinuz', 'undionly.kpxe', 'snponly.efi']) writeFileSync(join(directory, 'files', name), 'x');
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
