import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, faultLines, ip, planOf, SUBNET } from './rack-a1.ts';

/** The value is on line 5, column 3 + the length of the key + 2. */
const withOption = (key: string, value: string) => `${SUBNET}options:\n  ${key}: ${value}\n`;

function read(key: string, value: string): unknown {
  return planOf(withOption(key, value)).options?.settings[0];
}

const GOOD: readonly (readonly [key: string, written: string, code: number, kind: string, value: unknown])[] = [
  ['ntp-servers', '[192.0.2.1, 192.0.2.2]', 42, 'ip4-list', [ip('192.0.2.1'), ip('192.0.2.2')]],
  ['ntp-servers', '192.0.2.1', 42, 'ip4-list', [ip('192.0.2.1')]],
  ['42', '192.0.2.1', 42, 'ip4-list', [ip('192.0.2.1')]],
  ['"42"', '192.0.2.1', 42, 'ip4-list', [ip('192.0.2.1')]],
  ['150', '192.168.127.1', 150, 'ip4-list', [ip('192.168.127.1')]],
  ['swap-server', '192.0.2.1', 16, 'ip4', ip('192.0.2.1')],
  ['default-ip-ttl', '64', 23, 'u8', 64],
  ['interface-mtu', '9000', 26, 'u16', 9000],
  ['224', '{ u32: 4294967295 }', 224, 'u32', 0xffffffff],
  ['arp-cache-timeout', '2m', 35, 'duration', 120],
  ['ip-forwarding', 'true', 19, 'boolean', true],
  ['root-path', '"/srv/a b"', 17, 'text', '/srv/a b'],
  ['domain-search', '[A.example., b.example]', 119, 'domain-list', ['a.example', 'b.example']],
  ['domain-search', 'a.example', 119, 'domain-list', ['a.example']],
  [
    'classless-routes',
    '{ 10.0.0.0/8: 192.168.127.9, 0.0.0.0/0: 0.0.0.0 }',
    121,
    'routes',
    [
      { to: { network: ip('10.0.0.0'), prefix: 8 }, via: ip('192.168.127.9') },
      { to: { network: ip('0.0.0.0'), prefix: 0 }, via: ip('0.0.0.0') },
    ],
  ],
  [
    '43',
    '{ 6: { u8: 8 }, 10: { hex: "00 50:58-45" } }',
    43,
    'suboptions',
    [
      { code: 6, value: { kind: 'u8', value: 8 } },
      { code: 10, value: { kind: 'hex', value: '00505845' } },
    ],
  ],
  ['43', '{ hex: "0601FF" }', 43, 'hex', '0601ff'],
  ['ntp-servers', '{ hex: 0a1b }', 42, 'hex', '0a1b'],
];

for (const [key, written, code, kind, value] of GOOD) {
  test(`${key}: ${written} is option ${code}, ${kind}`, () =>
    assert.deepEqual(read(key, written), { code, value: { kind, value } }));
}

const KINDS = 'ip4, ip4-list, u8, u16, u32, duration, boolean, text, domain-list, routes, hex, suboptions';
const HEX = 'bytes as pairs of hex digits like "0a1bff" or "0a:1b:ff"';

const BAD: readonly (readonly [key: string, written: string, column: number, expected: string])[] = [
  ['ntp-servers', '192.0.2', 16, 'ntp-servers: expected an IPv4 address like 192.168.127.254, found 192.0.2'],
  [
    'ntp-servers',
    '[192.0.2.1, 224.0.0.1]',
    28,
    'ntp-servers[1]: expected the IPv4 address of one machine, found 224.0.0.1',
  ],
  ['ntp-servers', '[]', 16, 'ntp-servers: expected at least one, found an empty list'],
  ['ntp-servers', '', 3, 'ntp-servers: expected an IPv4 address like 192.168.127.254, found nothing'],
  ['interface-mtu', '65536', 18, 'interface-mtu: expected a whole number from 0 to 65535, found 65536'],
  ['default-ip-ttl', '"64"', 19, 'default-ip-ttl: expected a whole number from 0 to 255, found "64"'],
  ['default-ip-ttl', '1.5', 19, 'default-ip-ttl: expected a whole number from 0 to 255, found 1.5'],
  ['ip-forwarding', '1', 18, 'ip-forwarding: expected true or false, found 1'],
  [
    'arp-cache-timeout',
    '120',
    22,
    'arp-cache-timeout: expected a time like 90s, 30m, 12h or 7d, found the number 120 (text like this needs quotes)',
  ],
  ['arp-cache-timeout', '99999d', 22, 'arp-cache-timeout: expected a time like 90s, 30m, 12h or 7d, found 99999d'],
  ['root-path', 'é', 14, 'root-path: expected text of printable ASCII characters, found é'],
  ['root-path', '""', 14, 'root-path: expected text of printable ASCII characters, found ""'],
  ['root-path', 'a'.repeat(1001), 14, 'root-path: expected a value of at most 1000 bytes, found 1001 bytes'],
  [
    'domain-search',
    '[a.example, a_b]',
    30,
    'domain-search[1]: expected a domain name like rack.example, at most 189 long, found a_b',
  ],
  [
    'classless-routes',
    '{ 10.0.0.1/8: 192.168.127.9 }',
    23,
    'classless-routes.10.0.0.1/8: expected a network like 10.0.0.0/8, without host bits, found 10.0.0.1/8',
  ],
  ['classless-routes', '{}', 21, 'classless-routes: expected at least one route, found a mapping'],
  [
    'classless-routes',
    '10.0.0.0/8',
    21,
    'classless-routes: expected a mapping of networks to their routers like { 10.0.0.0/8: 192.168.127.9 }, found 10.0.0.0/8',
  ],
  [
    '43',
    '{ 6: 8 }',
    12,
    `43.6: expected its kind before the value, like { u8: 1 } or { hex: "0a1b" } (kinds: ${KINDS}), found 8`,
  ],
  ['43', '{ 255: { u8: 8 } }', 9, '43.255: expected the number of a sub-option from 1 to 254, found 255'],
  [
    '43',
    '{ 1: { suboptions: { 1: { u8: 8 } } } }',
    12,
    '43.1: expected a value, as there are no sub-options of sub-options, found a mapping',
  ],
  ['43', `{ 1: { text: ${'a'.repeat(256)} } }`, 12, '43.1: expected a value of at most 255 bytes, found 256 bytes'],
  ['43', '0601ff', 7, '43: expected sub-options by number like { 6: { u8: 8 } }, or { hex: "0601ff" }, found 0601ff'],
  ['43', '{ hex: abc }', 14, `43.hex: expected ${HEX}, found abc`],
  ['43', '{ hex: 0102 }', 14, `43.hex: expected ${HEX}, found the number 0102 (text like this needs quotes)`],
  [
    '224',
    '7',
    8,
    `224: expected its kind before the value, like { u8: 1 } or { hex: "0a1b" } (kinds: ${KINDS}), found 7`,
  ],
  [
    'ntp-server',
    '192.0.2.1',
    3,
    'ntp-server: expected the name of a DHCP option, or its number from 1 to 254, found ntp-server (did you mean `ntp-servers`?)',
  ],
  ['0', '{ u8: 1 }', 3, '0: expected the name of a DHCP option, or its number from 1 to 254, found 0'],
  ['255', '{ u8: 1 }', 3, '255: expected the name of a DHCP option, or its number from 1 to 254, found 255'],
  ['toString', '1', 3, 'toString: expected the name of a DHCP option, or its number from 1 to 254, found toString'],
];

describe('a value is refused where it stands:', () => {
  for (const [key, written, column, expected] of BAD) {
    test(`${key}: ${written.slice(0, 40)}`, () => {
      assert.deepEqual(faultLines(withOption(key, written)), [`6:${column}: options.${expected}`]);
      assert.equal(compile(withOption(key, written)).plan, undefined);
    });
  }
});

test('what the server decides itself can not be set, by name or number, on any level', () => {
  for (const code of [1, 12, 28, 50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 82]) {
    const [line = ''] = faultLines(withOption(String(code), '{ hex: "00ff" }'));
    assert.match(line, new RegExp(`^6:3: options.${code}: expected another option \\(it .*\\), found ${code}$`));
  }
  const host = `${SUBNET}hosts:\n  - { name: a, mac: 52:54:00:00:00:01, options: { lease-time: 1h } }\n`;
  assert.deepEqual(faultLines(host), [
    '6:51: hosts[0].options.lease-time: expected another option (it is `lease` of the subnet), found lease-time',
  ]);
});

test('what a subnet has a key for is written there, or else on a class or host', () => {
  const router = 'options: { routers: 192.168.127.7 }';
  const refused = 'options.routers: expected `router` of the subnet instead, found routers';
  assert.deepEqual(faultLines(`${SUBNET}${router}\n`), [`5:12: ${refused}`]);
  assert.deepEqual(faultLines(`${SUBNET}    ${router}\n`), [`5:16: subnets[0].${refused}`]);
  const plan = planOf(`${SUBNET}hosts:\n  - { name: a, mac: 52:54:00:00:00:01, ${router} }\n`);
  assert.deepEqual(
    plan.hosts[0]?.options?.settings.map(({ code }) => code),
    [3],
  );
});

test('an option is set once, whatever it is called', () => {
  const text = `${SUBNET}options:\n  ntp-servers: 192.0.2.1\n  42: 192.0.2.2\n`;
  assert.deepEqual(faultLines(text), [
    '7:3: options.42: expected each option once (ntp-servers, number 42, is on line 6), found 42',
  ]);
});

test('every level has its own options and its own `always`', () => {
  const plan = planOf(`${SUBNET}    options: { root-path: a }
    always: [17]
hosts: [{ name: a, mac: 52:54:00:00:00:01, options: { root-path: b }, always: [root-path] }]
options: { root-path: c }
always: [root-path, 224, host-name, routers]
`);
  const levels = [plan.options, plan.subnets[0]?.options, plan.hosts[0]?.options];
  assert.deepEqual(
    levels.map((level) => level?.settings.map(({ value }) => value.value)),
    [['c'], ['a'], ['b']],
  );
  assert.deepEqual(
    levels.map((level) => level?.always),
    [[17, 224, 12, 3], [17], [17]],
  );
  assert.deepEqual(structuredClone(plan), plan);
});

test('`always` names options that there are, once, and none that are sent anyway', () => {
  assert.deepEqual(faultLines(`${SUBNET}always: [ntp-server, 54, 42, ntp-servers, user-class]\n`), [
    '5:10: always[0]: expected the name of a DHCP option, or its number from 1 to 254, found ntp-server (did you mean `ntp-servers`?)',
    "5:22: always[1]: expected another option (it is the rack's own address), found 54",
    '5:30: always[3]: expected each option once (ntp-servers, number 42, is on line 5), found ntp-servers',
    '5:43: always[4]: expected another option (it is what clients say, not servers), found user-class',
  ]);
  assert.deepEqual(faultLines(`${SUBNET}always: ntp-servers\n`), [
    '5:9: always: expected a list of DHCP options, by name or number, found ntp-servers',
  ]);
});

test('a host whose options have a fault is out of service, and keeps those that are sound', () => {
  const text = `${SUBNET}boot: { default: debian, entries: { debian: { kernel: debian/vmlinuz } } }
hosts: [{ name: a, mac: 52:54:00:00:00:01, boot: debian, options: { root-path: a, wpad: 7 } }]
`;
  const { plan, faults } = compile(text);
  assert.deepEqual(
    faults.map(({ path, scope }) => [path, scope]),
    [['hosts[0].options.wpad', 'entry']],
  );
  const [host] = plan?.hosts ?? [];
  assert.deepEqual([host?.name, host?.boot, host?.options?.settings.length], ['a', 'local', 1]);
});

test('options in subnets that have other faults are checked all the same', () => {
  const lines = faultLines('subnets:\n  - management: dhcp\n    options: { wpad: 7 }\n');
  assert.equal(lines.length, 2);
});
