import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultLines, SUBNET } from './rack-a1.ts';

/** A key, texts that are right for it, and texts that are not with what was expected. */
interface Row {
  readonly key: string;
  readonly config: (value: string) => string;
  readonly good: readonly string[];
  readonly bad: readonly (readonly [written: string, expected: string])[];
}

const subnet = (key: string) => (value: string) => `${SUBNET}    ${key}: ${value}\n`;
const host = (key: string) => (value: string) => {
  const rest = key === 'mac' ? 'name: node1' : 'mac: 52:54:00:12:34:56';
  return `${SUBNET}hosts:\n  - ${rest}\n    ${key}: ${value}\n`;
};
const section = (name: string, key: string) => (value: string) => `${SUBNET}${name}:\n  ${key}: ${value}\n`;
const cidr = (value: string) => `subnets:\n  - management: none\n    cidr: ${value}\n`;

const IP4 = 'an IPv4 address like 192.168.127.254';
const IP = 'an IPv4 address like 192.168.127.50, or an IPv6 address like 2001:db8::50';
const ONE = 'the IPv4 address of one machine';
const NETWORK = 'an IPv4 network like 192.168.127.0/24';
const RANGE = 'a range of addresses like 192.168.127.121-192.168.127.140, the lower one first';
const MAC = 'a MAC address like 52:54:00:12:34:56';
const NO_GROUP = 'the MAC address of one machine, not of a group or of nobody';
const LEASE = 'a time from 60s to 365d, written like 90s, 30m, 12h or 7d';
const LABEL = 'a name of letters, digits and inner hyphens, at most 63 long';
const DOMAIN = 'a domain name like rack.example, at most 189 long';
const PORT = 'a port number from 1 to 65535';
const ENDPOINT = 'an address and a port like 127.0.0.1:5249';
const DIRECTORY = 'an absolute path of a directory';

const rows: readonly Row[] = [
  {
    key: 'subnets[0].cidr',
    config: cidr,
    good: ['10.0.0.0/8', '192.168.127.4/30', '192.0.2.0/31', '192.0.2.1/32'],
    bad: [
      ['192.168.127.0', NETWORK],
      ['192.168.127.0/33', NETWORK],
      ['192.168.127.1/24', "the network's own address, 192.168.127.0/24"],
      ['10.0.0.0/7', 'a network of /8 or smaller whose addresses machines can have'],
      ['0.0.0.0/0', 'a network of /8 or smaller whose addresses machines can have'],
      ['224.0.0.0/8', 'a network of /8 or smaller whose addresses machines can have'],
      ['2001:db8::/32', NETWORK],
    ],
  },
  {
    key: 'subnets[0].router',
    config: subnet('router'),
    good: ['192.168.127.254', '"192.168.127.254"'],
    bad: [
      ['192.168.127', IP4],
      ['192.168.127.256', IP4],
      ['192.168.127.010', IP4],
      ['0.0.0.0', ONE],
      ['239.1.1.1', ONE],
      ['fe80::1', IP4],
    ],
  },
  {
    key: 'subnets[0].dynamic',
    config: subnet('dynamic'),
    good: ['192.168.127.121-192.168.127.140', '192.168.127.121 - 192.168.127.121'],
    bad: [
      ['192.168.127.121', RANGE],
      ['192.168.127.140-192.168.127.121', RANGE],
      ['192.168.127.121-140', RANGE],
    ],
  },
  {
    key: 'subnets[0].lease',
    config: subnet('lease'),
    good: ['60s', '90m', '12h', '365d'],
    bad: [
      ['59s', LEASE],
      ['366d', LEASE],
      ['1h30m', LEASE],
      ['12 h', LEASE],
      ['forever', LEASE],
    ],
  },
  {
    key: 'subnets[0].domain',
    config: subnet('domain'),
    good: ['rack.example', 'lan', 'Rack.Example.'],
    bad: [
      ['rack..example', DOMAIN],
      ['.example', DOMAIN],
      ['my_rack.example', DOMAIN],
      ['-a.example', DOMAIN],
      [`${'a'.repeat(64)}.example`, DOMAIN],
      [`${'abcdefghi.'.repeat(18)}abcdefghij`, DOMAIN],
    ],
  },
  {
    key: 'hosts[0].mac',
    config: host('mac'),
    good: ['52:54:00:12:34:56', '52-54-00-12-34-56', '5254.0012.3456', 'a25400123456', "'525400123456'"],
    bad: [
      ['52:54:00:12:34', MAC],
      ['52:54:00:12:34:5g', MAC],
      ['01:00:5e:00:00:01', NO_GROUP],
      ['ff:ff:ff:ff:ff:ff', NO_GROUP],
      ['00:00:00:00:00:00', NO_GROUP],
    ],
  },
  {
    key: 'hosts[0].name',
    config: host('name'),
    good: ['node1', 'NODE-1', '3com', "'0815'", 'a'.repeat(63)],
    bad: [
      ['node_1', LABEL],
      ['node1.rack.example', LABEL],
      ['-node', LABEL],
      ['node-', LABEL],
      ["''", LABEL],
      ['a'.repeat(64), LABEL],
    ],
  },
  {
    key: 'http.port',
    config: section('http', 'port'),
    good: ['1', '80', '65535'],
    bad: [
      ['0', PORT],
      ['65536', PORT],
      ['80.5', PORT],
      ['70000.5', PORT],
      ['"80"', PORT],
      ['.inf', PORT],
    ],
  },
  {
    key: 'dns.names[0].addresses[0]',
    config: (value) =>
      `${SUBNET}    domain: rack.example\ndns:\n  names: [{ name: a.rack.example, addresses: [${value}] }]\n`,
    good: ['192.0.2.1', '2001:db8::1', '"fd00::"', '2001:DB8:0:0:0:0:192.0.2.1', '"::1"'],
    bad: [
      ['192.0.2', IP],
      ['0.0.0.0', ONE],
      ['239.1.1.1', ONE],
      ['"::"', 'the IPv6 address of one machine'],
      ['ff02::1', 'the IPv6 address of one machine'],
      ['2001:db8::1::2', IP],
      ['2001:db8::g', IP],
      ['fe80::1%eth0', IP],
    ],
  },
  {
    key: 'admin.listen',
    config: section('admin', 'listen'),
    good: ['127.0.0.1:5249', '0.0.0.0:80', '192.168.127.100:5249'],
    bad: [
      ['5249', ENDPOINT],
      ['127.0.0.1', ENDPOINT],
      ['127.0.0.1:0', ENDPOINT],
      ['127.0.0.1:65536', ENDPOINT],
      ['localhost:5249', ENDPOINT],
      ['127.0.0.1:080', ENDPOINT],
    ],
  },
  {
    key: 'rack.state',
    config: section('rack', 'state'),
    good: ['/var/lib/rackboot', '/'],
    bad: [
      ['var/lib/rackboot', DIRECTORY],
      [String.raw`"/var/\0"`, DIRECTORY],
    ],
  },
  {
    key: 'rack.control',
    config: section('rack', 'control'),
    good: ['/run/rackboot/control.sock', `/${'s'.repeat(106)}`],
    bad: [
      ['control.sock', 'an absolute path of at most 107 bytes'],
      [`/${'s'.repeat(107)}`, 'an absolute path of at most 107 bytes'],
    ],
  },
  {
    key: 'log.level',
    config: section('log', 'level'),
    good: ['debug', 'info', 'warn', 'error'],
    bad: [['verbose', 'one of debug, info, warn, error']],
  },
];

for (const { key, config, good, bad } of rows) {
  describe(key, () => {
    for (const written of good) {
      test(`${written.slice(0, 40)} is right`, () => {
        assert.deepEqual(faultLines(config(written)), []);
      });
    }
    for (const [written, expected] of bad) {
      test(`${written.slice(0, 40)} is not`, () => {
        const lines = faultLines(config(written));
        assert.equal(lines.length, 1, lines.join('\n'));
        assert.ok(lines[0]?.includes(`: ${key}: expected ${expected}, found `), lines[0] ?? '');
      });
    }
  });
}
