import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { compilePlan, type Compiled } from '../../src/plan/compile-plan.ts';
import { formatFault } from '../../src/plan/fault.ts';
import { rackA1 } from './rack-a1.ts';

const FILE = `rack: { name: rack-a1 }
region: { url: 'https://region.example' }
subnets:
  - cidr: 192.168.127.0/24
    interface: eth0
    management: dhcp
    router: 192.168.127.254
hosts:
  - { name: node1, mac: 52:54:00:00:00:01 }
boot:
  default: local
  entries:
    rescue: { kernel: debian/rescue }
`;

function compileWith(config: unknown, text = FILE): Compiled {
  return compilePlan(text, 'rackboot.yaml', rackA1, { name: 'region plan 7', config });
}

test('a region that says nothing changes nothing', () => {
  const { plan, faults } = compilePlan(FILE, 'rackboot.yaml', rackA1);
  assert.deepEqual(compileWith({}), { plan, faults, conflicts: [] });
});

test('what the file leaves open the region may say: of a subnet, of a host, and more of each', () => {
  const { plan, faults, conflicts } = compileWith({
    subnets: [
      { cidr: '192.168.127.0/24', management: 'dhcp', dynamic: '192.168.127.121-192.168.127.140', lease: '2h' },
      { cidr: '10.7.0.0/16', management: 'none' },
    ],
    hosts: [
      { name: 'node1', address: '192.168.127.20' },
      { name: 'node2', mac: '52:54:00:00:00:02' },
    ],
    boot: { entries: { installer: { kernel: 'debian/vmlinuz' } } },
  });
  assert.deepEqual([faults.map(formatFault), conflicts], [[], []]);
  assert.equal(plan?.subnets.length, 2);
  assert.equal(plan.subnets[0]?.leaseSeconds, 7200);
  assert.deepEqual(
    plan.hosts.map(({ name }) => name),
    ['node1', 'node2'],
  );
  assert.deepEqual(
    plan.boot.entries.map(({ name }) => name),
    ['rescue', 'installer'],
  );
});

test('a subnet that only the region names is on the one interface of this machine that lies in it', () => {
  const { plan, faults } = compileWith(
    { subnets: [{ cidr: '192.168.127.0/24', management: 'dhcp', dynamic: '192.168.127.121-192.168.127.140' }] },
    'rack: { name: rack-a1 }\nregion: { url: "https://region.example" }\n',
  );
  assert.deepEqual(faults.map(formatFault), []);
  assert.equal(plan?.subnets[0]?.interface, 'eth0');
});

test('where both say something else the file counts, and the difference is named', () => {
  const { plan, conflicts } = compileWith({
    subnets: [{ cidr: '192.168.127.0/24', management: 'dhcp+dns', router: '192.168.127.1' }],
    boot: { default: 'rescue', entries: { rescue: { kernel: 'other' } } },
  });
  assert.deepEqual(conflicts, [
    "subnets[192.168.127.0/24].management: the file says dhcp, the region dhcp+dns: the file's is used",
    "subnets[192.168.127.0/24].router: the file says 192.168.127.254, the region 192.168.127.1: the file's is used",
    "boot.default: the file says local, the region rescue: the file's is used",
    "boot.entries.rescue: the file and the region differ: the file's is used",
  ]);
  assert.equal(plan?.boot.default, 'local');
});

describe('a fault is told where it stands', () => {
  const table: readonly (readonly [config: unknown, line: string])[] = [
    [
      {
        subnets: [
          { cidr: '10.0.0.0/8', management: 'dhcp' },
          { cidr: '10.1.0.0/16', management: 'none' },
        ],
      },
      'region plan 7: subnets[1].cidr: expected a network apart from 10.0.0.0/8 in region plan 7, found 10.1.0.0/16',
    ],
    [
      { subnets: [{ cidr: '192.168.0.0/16', management: 'none' }] },
      'region plan 7: subnets[0].cidr: expected a network apart from 192.168.127.0/24 on line 4, found 192.168.0.0/16',
    ],
    [
      { subnets: [{ cidr: '192.168.127.0/24', dynamic: '192.168.127.250-192.168.127.254' }] },
      'region plan 7: subnets[0].dynamic: expected a range without the router 192.168.127.254, found 192.168.127.250-192.168.127.254',
    ],
    [
      { hosts: [{ name: 'b', mac: '52:54:00:00:00:01' }] },
      'region plan 7: hosts[0].mac: expected a MAC address of its own, found 52:54:00:00:00:01, taken on line 9',
    ],
    [{ hosts: [{ name: 'b', mac: 7 }] }, /^region plan 7: hosts\[0\]\.mac: expected .*, found 7$/.source],
    [
      { rack: { state: '/etc' } },
      'region plan 7: rack: expected one of subnets, hosts, options, always, classes, boot, images, dns, found rack, in which a region has no say',
    ],
    [
      { boot: { files: '/etc' } },
      'region plan 7: boot.files: expected one of default, entries, loop, exit, loaders, found files, in which a region has no say',
    ],
    [
      [],
      'region plan 7: expected a mapping with subnets, hosts, options, always, classes, boot, images, dns, found something else',
    ],
    [
      JSON.parse('{"hosts":[{"__proto__":{"name":"x"}}]}'),
      'region plan 7: hosts[0].__proto__: expected a plain word as key, found __proto__',
    ],
  ];
  for (const [config, expected] of table) {
    test(expected, () => {
      const lines = compileWith(config).faults.map(formatFault);
      assert.ok(
        lines.some((line) => line === expected || new RegExp(`^${expected}$`).test(line)),
        lines.join('\n'),
      );
    });
  }
});

test('a file that follows no region hears none', () => {
  const text = FILE.replace(/^region.*$/m, '');
  assert.deepEqual(compileWith({ rack: {} }, text).faults, []);
});

test('a fault of the file keeps its line beside a region', () => {
  const { faults } = compileWith(
    { hosts: [{ name: 'node2' }] },
    FILE.replace('router: 192.168.127.254', 'router: 10.0.0.1'),
  );
  assert.match(formatFault(faults[0] ?? assert.fail()), /^rackboot\.yaml:7:13: subnets\[0\]\.router: expected /);
});

test('whatever a region says is a Plan or faults', () => {
  const section = fc.constantFrom(
    'subnets',
    'hosts',
    'options',
    'always',
    'classes',
    'boot',
    'images',
    'dns',
    'rack',
    '__proto__',
  );
  const key = fc.constantFrom('cidr', 'name', 'mac', 'entries', 'sources', 'url', 'names', 'management', 'x');
  const inner = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(key, fc.jsonValue()),
    fc.array(fc.dictionary(key, fc.jsonValue())),
  );
  fc.assert(
    fc.property(fc.dictionary(section, inner), (config) => {
      const { plan, faults } = compileWith(config);
      assert.ok(plan !== undefined || faults.length > 0);
      for (const fault of faults) assert.ok(formatFault(fault).length > 0);
    }),
    { numRuns: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 300) },
  );
});
