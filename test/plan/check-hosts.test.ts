import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMac } from '../../src/addr/mac.ts';
import type { Host } from '../../src/plan/plan.ts';
import { compile, faultLines, ip, planOf, SUBNET } from './rack-a1.ts';

const BOOT = 'boot: { default: debian, entries: { debian: { kernel: debian/vmlinuz } } }\n';
const RANGE = '    dynamic: 192.168.127.121-192.168.127.140\n    router: 192.168.127.254\n';
/** The first host is on line 9. */
const GROUND = `${SUBNET}${RANGE}${BOOT}hosts:\n`;
const NODE1 = '  - { name: node1, mac: 52:54:00:00:00:01, address: 192.168.127.11, boot: debian }\n';

const mac = (text: string) => parseMac(text) ?? 0;

/** What the Plan still knows of the last host, in short. */
function lastHost(text: string): Host | undefined {
  return planOf(text).hosts.at(-1);
}

const faulty: readonly (readonly [title: string, hosts: string, ...lines: string[]])[] = [
  [
    'a name that another has, in other letters',
    `${NODE1}  - { name: NODE1, mac: 52:54:00:00:00:02 }\n`,
    '10:13: hosts[1].name: expected a name of its own, found NODE1, taken on line 9',
  ],
  [
    'a MAC address that another has, in another spelling',
    `${NODE1}  - { name: node2, mac: 5254.0000.0001 }\n`,
    '10:25: hosts[1].mac: expected a MAC address of its own, found 5254.0000.0001, taken on line 9',
  ],
  [
    'the same MAC address twice',
    '  - { name: node1, mac: [52:54:00:00:00:01, 52:54:00:00:00:01] }\n',
    '9:45: hosts[0].mac[1]: expected a MAC address of its own, found 52:54:00:00:00:01, taken on line 9',
  ],
  [
    'an address that another has',
    `${NODE1}  - { name: node2, mac: 52:54:00:00:00:02, address: 192.168.127.11 }\n`,
    '10:53: hosts[1].address: expected an address of its own, found 192.168.127.11, taken on line 9',
  ],
  [
    'the name of the rack',
    '  - { name: rack-a1, mac: 52:54:00:00:00:01 }\n',
    '9:13: hosts[0].name: expected a name other than that of this rack, found rack-a1',
  ],
  [
    'an address that is in no subnet',
    '  - { name: node1, mac: 52:54:00:00:00:01, address: 10.0.0.1 }\n',
    '9:53: hosts[0].address: expected an address inside 192.168.127.0/24, found 10.0.0.1',
  ],
  [
    'an address in the dynamic range',
    '  - { name: node1, mac: 52:54:00:00:00:01, address: 192.168.127.130 }\n',
    '9:53: hosts[0].address: expected an address outside the dynamic range 192.168.127.121-192.168.127.140, found 192.168.127.130',
  ],
  [
    'the address of the router',
    '  - { name: node1, mac: 52:54:00:00:00:01, address: 192.168.127.254 }\n',
    '9:53: hosts[0].address: expected an address other than the router 192.168.127.254, found 192.168.127.254',
  ],
  [
    'the address of the rack',
    '  - { name: node1, mac: 52:54:00:00:00:01, address: 192.168.127.100 }\n',
    "9:53: hosts[0].address: expected an address other than the rack's own address 192.168.127.100, found 192.168.127.100",
  ],
  [
    'the broadcast address',
    '  - { name: node1, mac: 52:54:00:00:00:01, address: 192.168.127.255 }\n',
    '9:53: hosts[0].address: expected an address other than the broadcast address 192.168.127.255, found 192.168.127.255',
  ],
  [
    'a boot entry that is not there',
    '  - { name: node1, mac: 52:54:00:00:00:01, boot: debain }\n',
    '9:50: hosts[0].boot: expected local or the name of a boot entry, found debain (did you mean `debian`?)',
  ],
  [
    'a MAC address that YAML reads as a number',
    '  - { name: node1, mac: 525400000001 }\n',
    '9:25: hosts[0].mac: expected a MAC address like 52:54:00:12:34:56, found the number 525400000001 (text like this needs quotes)',
  ],
  [
    'an empty list of MAC addresses',
    '  - { name: node1, mac: [] }\n',
    '9:25: hosts[0].mac: expected at least one MAC address, found an empty list',
  ],
  [
    'a key with a slip of the pen',
    '  - { name: node1, mac: 52:54:00:00:00:01, adress: 192.168.127.11 }\n',
    '9:44: hosts[0].adress: expected one of name, mac, client-id, circuit-id, address, boot, loaders, exit, options, always, quirks, found adress (did you mean `address`?)',
  ],
  [
    'being no mapping',
    '  - node1\n',
    '9:5: hosts[0]: expected a mapping with name, mac, client-id, circuit-id, address, boot, loaders, exit, options, always, quirks, found node1',
  ],
];

describe('a host is out of service, and nothing else, for', () => {
  for (const [title, hosts, ...lines] of faulty) {
    test(title, () => {
      const text = `${GROUND}${hosts}  - { name: bystander, mac: 52:54:00:00:00:99, address: 192.168.127.99, boot: debian }\n`;
      assert.deepEqual(faultLines(text), lines);
      const { plan, faults } = compile(text);
      assert.deepEqual(
        faults.map((fault) => fault.scope),
        lines.map(() => 'entry'),
      );
      assert.deepEqual(plan?.hosts.at(-1), {
        name: 'bystander',
        macs: [mac('52:54:00:00:00:99')],
        address: ip('192.168.127.99'),
        boot: 'debian',
      });
    });
  }
});

test('a host has what is written, and boots its own disk unless told', () => {
  const text = `${GROUND}  - { name: Node2, mac: [52:54:00:00:00:02, 52:54:00:00:00:03] }\n${NODE1}`;
  assert.deepEqual(planOf(text).hosts, [
    { name: 'node2', macs: [mac('52:54:00:00:00:02'), mac('52:54:00:00:00:03')], boot: 'local' },
    { name: 'node1', macs: [mac('52:54:00:00:00:01')], address: ip('192.168.127.11'), boot: 'debian' },
  ]);
});

describe('a machine whose host has a fault is never taken for an unknown one', () => {
  test('it keeps its name and boots its own disk when its address is wrong', () => {
    assert.deepEqual(lastHost(`${GROUND}  - { name: db, mac: 52:54:00:00:00:01, address: 1.2.3, boot: debian }\n`), {
      name: 'db',
      macs: [mac('52:54:00:00:00:01')],
      boot: 'local',
    });
  });

  test('it keeps its address under a name made of its MAC when its name is wrong', () => {
    const text = `${GROUND}${NODE1}  - { name: node1, mac: 52:54:00:00:00:02, address: 192.168.127.12, boot: debian }\n`;
    assert.deepEqual(lastHost(text), {
      name: '52-54-00-00-00-02',
      macs: [mac('52:54:00:00:00:02')],
      address: ip('192.168.127.12'),
      boot: 'local',
    });
  });

  test('it stays the machine of the earlier host that has its MAC', () => {
    const plan = planOf(`${GROUND}${NODE1}  - { name: node2, mac: 52:54:00:00:00:01 }\n`);
    assert.deepEqual(
      plan.hosts.map((host) => host.name),
      ['node1'],
    );
    assert.equal(plan.boot.default, 'debian');
  });

  test('all unknown machines boot their own disk while a MAC can not be read', () => {
    assert.equal(planOf(`${GROUND}${NODE1}`).boot.default, 'debian');
    assert.equal(planOf(`${GROUND}  - { name: db, mac: 52:54:00:00:00 }\n`).boot.default, 'local');
    assert.equal(planOf(`${GROUND}  - db\n`).boot.default, 'local');
  });

  test('it boots its own disk while its boot entry is out of service', () => {
    const { plan, faults } = compile(`${GROUND}${NODE1}`.replace('debian/vmlinuz', 'debian/VMLINUZ'));
    assert.equal(plan?.hosts[0]?.boot, 'local');
    assert.equal(plan?.hosts[0]?.address, ip('192.168.127.11'));
    assert.equal(faults.length, 1, 'the fault is that of the entry, not of each host');
  });
});

test('an address is not held against subnets when one of them could not be read', () => {
  const text = `${GROUND}  - { name: node1, mac: 52:54:00:00:00:01, address: 10.0.0.1 }\n`;
  const broken = text.replace('hosts:', 'hosts:').replace(BOOT, `  - { cidr: 10.0.0.0/33, management: none }\n${BOOT}`);
  assert.deepEqual(faultLines(broken), [
    '7:13: subnets[1].cidr: expected an IPv4 network like 192.168.127.0/24, found 10.0.0.0/33',
  ]);
});

test('a host may be known by what it calls itself or by its port instead of a MAC', () => {
  const text = `${SUBNET}hosts:\n  - { name: a, client-id: node7 }\n  - { name: b, circuit-id: { hex: "00:04:00:7F" } }\n`;
  assert.deepEqual(planOf(text).hosts, [
    { name: 'a', macs: [], boot: 'local', clientIds: ['6e6f646537', '006e6f646537'] },
    { name: 'b', macs: [], boot: 'local', circuitIds: ['0004007f'] },
  ]);
});

test('of two hosts with one sign the earlier keeps it; one with no sign at all is a fault', () => {
  const text = `${SUBNET}hosts:\n  - { name: a, client-id: x }\n  - { name: b, client-id: x }\n  - { name: c }\n`;
  assert.deepEqual(faultLines(text), [
    '7:27: hosts[1].client-id: expected an identifier of its own, found x, taken on line 6',
    '8:5: hosts[2].mac: expected a MAC address, or else a client-id or circuit-id to know it by, found nothing',
  ]);
  assert.deepEqual(
    compile(text).plan?.hosts.map(({ name }) => name),
    ['a'],
  );
});
