import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultLines, ip, planOf, SUBNET } from './rack-a1.ts';

const LAB = 'lo 127.0.0.1/8, eth0 192.168.127.100/24, eth1 10.1.0.1/16, eth1 10.2.0.1/16';

/** Lines below the subnet of four lines, so the first is line 5. */
const faulty: readonly (readonly [title: string, text: string, ...lines: string[]])[] = [
  [
    'a router elsewhere',
    `${SUBNET}    router: 10.0.0.1\n`,
    '5:13: subnets[0].router: expected an address inside 192.168.127.0/24, found 10.0.0.1',
  ],
  [
    'a router on the network address',
    `${SUBNET}    router: 192.168.127.0\n`,
    '5:13: subnets[0].router: expected an address other than the network address 192.168.127.0, found 192.168.127.0',
  ],
  [
    'a broadcast address elsewhere',
    `${SUBNET}    broadcast: 192.168.128.255\n`,
    '5:16: subnets[0].broadcast: expected an address inside 192.168.127.0/24, the first one excepted, found 192.168.128.255',
  ],
  [
    'a range half outside',
    `${SUBNET}    dynamic: 192.168.127.200-192.168.128.10\n`,
    '5:14: subnets[0].dynamic: expected a range inside 192.168.127.0/24, found 192.168.127.200-192.168.128.10',
  ],
  [
    'a range that holds whom it must not',
    `${SUBNET}    router: 192.168.127.1\n    static: 192.168.127.0-192.168.127.255\n`,
    '6:13: subnets[0].static: expected a range without the network address 192.168.127.0 and ' +
      "the broadcast address 192.168.127.255 and the router 192.168.127.1 and the rack's own address 192.168.127.100, " +
      'found 192.168.127.0-192.168.127.255',
  ],
  [
    'a range that holds the broadcast address as configured',
    `${SUBNET}    broadcast: 192.168.127.127\n    dynamic: 192.168.127.120-192.168.127.130\n`,
    '6:14: subnets[0].dynamic: expected a range without the broadcast address 192.168.127.127, found 192.168.127.120-192.168.127.130',
  ],
  [
    'two ranges that meet',
    `${SUBNET}    dynamic: 192.168.127.10-192.168.127.20\n    static: 192.168.127.20-192.168.127.30\n`,
    '6:13: subnets[0].static: expected a range apart from the dynamic range 192.168.127.10-192.168.127.20 on line 5, ' +
      'found 192.168.127.20-192.168.127.30',
  ],
  [
    'an interface that is not there',
    'subnets:\n  - { cidr: 192.168.127.0/24, management: dhcp, interface: eht0 }\n',
    `2:60: subnets[0].interface: expected an interface of this machine with an IPv4 address (it has ${LAB}), found eht0 (did you mean \`eth0\`?)`,
  ],
  [
    'an interface with an address elsewhere',
    'subnets:\n  - { cidr: 192.168.127.0/24, management: dhcp, interface: eth1 }\n',
    `2:60: subnets[0].interface: expected an interface with an address inside 192.168.127.0/24 (this machine has ${LAB}), found eth1`,
  ],
  [
    'a subnet inside another',
    `${SUBNET}  - { cidr: 10.0.0.0/16, management: none }\n  - { cidr: 192.168.0.0/16, management: none }\n`,
    '6:13: subnets[2].cidr: expected a network apart from 192.168.127.0/24 on line 2, found 192.168.0.0/16',
  ],
  [
    'two subnets on one interface',
    'subnets:\n  - { cidr: 10.1.0.0/16, management: none, interface: eth1 }\n' +
      '  - { cidr: 10.2.0.0/16, management: none, interface: eth1 }\n',
    '3:55: subnets[1].interface: expected an interface of its own, or one `shared` name for this subnet and that on line 2, found eth1',
  ],
  [
    'a shared network on two wires',
    'subnets:\n  - { cidr: 10.1.0.0/16, management: none, shared: a, interface: eth1 }\n' +
      '  - { cidr: 10.3.0.0/16, management: none, shared: a }\n',
    "3:52: subnets[1].shared: expected a name of its own, as that on line 2 is another link's, found a",
  ],
  [
    'a shared network that tells clients apart in two ways',
    'subnets:\n  - { cidr: 10.1.0.0/16, management: none, shared: a }\n' +
      '  - { cidr: 10.3.0.0/16, management: none, shared: a, client-id: use }\n',
    '3:66: subnets[1].client-id: expected the same as in the other subnet of its link on line 2, found use',
  ],
  [
    'what only the giver of addresses can say, on a proxy subnet',
    'subnets:\n  - cidr: 192.168.127.0/24\n    interface: eth0\n    management: proxy\n' +
      '    dynamic: 192.168.127.10-192.168.127.20\n    lease: 12h\n',
    '5:5: subnets[0].dynamic: expected nothing here: with `management: proxy` another server gives the addresses and all that goes with them, found dynamic',
    '6:5: subnets[0].lease: expected nothing here: with `management: proxy` another server gives the addresses and all that goes with them, found lease',
  ],
  [
    'a link on which it is a proxy and gives addresses too',
    'subnets:\n  - { cidr: 10.1.0.0/16, management: proxy, shared: a }\n' +
      '  - { cidr: 10.3.0.0/16, management: dhcp, shared: a }\n',
    '3:38: subnets[1].management: expected proxy in all subnets of a link or in none, unlike in that on line 2, found dhcp',
  ],
  [
    'names promised behind relays by a rack without an address to name',
    'subnets:\n  - { cidr: 10.9.0.0/16, management: dhcp+dns }\n',
    '2:5: subnets[0].dns: expected name servers for its clients, since no subnet here has an interface, found nothing',
  ],
  ['no subnet', 'subnets: []\n', '1:10: subnets: expected at least one subnet, found an empty list'],
  [
    'a subnet without its keys',
    'subnets:\n  - interface: eth0\n',
    '2:5: subnets[0].cidr: expected an IPv4 network like 192.168.127.0/24, found nothing',
    '2:5: subnets[0].management: expected one of none, proxy, dhcp, dhcp+dns, found nothing',
  ],
  [
    'more name servers than the option holds',
    `${SUBNET}    dns: [${Array.from({ length: 64 }, () => '192.0.2.1').join(', ')}]\n`,
    '5:10: subnets[0].dns: expected at most 63 name servers, found a list',
  ],
];

describe('a subnet is refused for', () => {
  for (const [title, text, ...lines] of faulty) {
    test(title, () => {
      assert.deepEqual(faultLines(text), lines);
    });
  }
});

test('a proxy subnet needs no range', () => {
  const [subnet] = planOf(SUBNET.replace('dhcp+dns', 'proxy')).subnets;
  assert.deepEqual([subnet?.management, subnet?.rackAddress, subnet?.dns], ['proxy', ip('192.168.127.100'), []]);
});

test('a subnet of its required keys gets its broadcast address, lease time and this rack as name server', () => {
  assert.deepEqual(planOf(SUBNET).subnets, [
    {
      cidr: { network: ip('192.168.127.0'), prefix: 24 },
      interface: 'eth0',
      rackAddress: ip('192.168.127.100'),
      management: 'dhcp+dns',
      broadcast: ip('192.168.127.255'),
      dns: [ip('192.168.127.100')],
      leaseSeconds: 43_200,
      quarantineSeconds: 600,
    },
  ]);
});

test('addresses are looked for before they are offered unless the file says off', () => {
  assert.equal(planOf(`${SUBNET}    conflict-check: arp\n`).subnets[0]?.conflictCheck, undefined);
  assert.equal(planOf(`${SUBNET}    conflict-check: off\n`).subnets[0]?.conflictCheck, 'off');
});

test('the rack is known by its address inside the subnet when the interface has more than one', () => {
  const { subnets } = planOf('subnets:\n  - { cidr: 10.2.0.0/16, management: dhcp, interface: eth1 }\n');
  assert.equal(subnets[0]?.rackAddress, ip('10.2.0.1'));
});

test('a rack that does not answer names is nobody’s name server unless told', () => {
  assert.deepEqual(planOf(SUBNET.replace('dhcp+dns', 'dhcp')).subnets[0]?.dns, []);
  assert.deepEqual(planOf(`${SUBNET.replace('dhcp+dns', 'dhcp')}    dns: [192.0.2.53]\n`).subnets[0]?.dns, [
    ip('192.0.2.53'),
  ]);
});

test('clients behind relays are told the first address of the rack as name server', () => {
  const { subnets } = planOf(
    SUBNET.replace('subnets:\n', 'subnets:\n  - { cidr: 10.9.0.0/16, management: dhcp+dns }\n'),
  );
  assert.deepEqual(subnets[0]?.dns, [ip('192.168.127.100')]);
  assert.equal(subnets[0] && 'interface' in subnets[0], false);
});

test('the rack may be the router', () => {
  assert.deepEqual(faultLines(`${SUBNET}    router: 192.168.127.100\n`), []);
});

test('both addresses of a /31 can be used', () => {
  const text =
    'subnets:\n  - { cidr: 192.0.2.0/31, management: dhcp, router: 192.0.2.0, dynamic: 192.0.2.1-192.0.2.1 }\n';
  assert.deepEqual(faultLines(text), []);
});

test('a domain is kept in lower case, without the dot at its end', () => {
  assert.equal(planOf(`${SUBNET}    domain: Rack.Example.\n`).subnets[0]?.domain, 'rack.example');
});

test('two subnets may share one link that has a name', () => {
  const text =
    'subnets:\n  - { cidr: 10.1.0.0/16, management: dhcp, shared: a, interface: eth1 }\n' +
    '  - { cidr: 10.2.0.0/16, management: dhcp, shared: a, interface: eth1 }\n';
  assert.deepEqual(
    planOf(text).subnets.map(({ shared, rackAddress }) => [shared, rackAddress]),
    [
      ['a', ip('10.1.0.1')],
      ['a', ip('10.2.0.1')],
    ],
  );
});
