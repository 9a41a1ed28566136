import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCidr } from '../../../../src/addr/cidr.ts';
import { formatIp4 } from '../../../../src/addr/ip4.ts';
import { decodeClasslessRoutes, encodeClasslessRoutes } from '../../../../src/wire/dhcp/options/classless-routes.ts';
import { parseHex } from '../../../fixtures/hex.ts';

/** The examples of RFC 3442, each by way of 10.0.0.1. */
const READ: readonly [string, string][] = [
  ['00 0a000001', '0.0.0.0/0'],
  ['08 0a 0a000001', '10.0.0.0/8'],
  ['18 0a0000 0a000001', '10.0.0.0/24'],
  ['10 0a11 0a000001', '10.17.0.0/16'],
  ['18 0a1b81 0a000001', '10.27.129.0/24'],
  ['19 0a e5 00 80 0a000001', '10.229.0.128/25'],
  ['20 0a c6 7a 2f 0a000001', '10.198.122.47/32'],
];

for (const [value, network] of READ) {
  test(`${network} is written in as few bytes as it takes, and read back`, () => {
    const routes = decodeClasslessRoutes(parseHex(value)) ?? [];
    assert.deepEqual(
      routes.map(({ to, via }) => [formatCidr(to), formatIp4(via)]),
      [[network, '10.0.0.1']],
    );
    assert.deepEqual(encodeClasslessRoutes(routes), parseHex(value));
  });
}

test('several routes keep their order', () => {
  const value = parseHex('08 0a c0a87f09  00 c0a87ffe  18 c00002 00000000');
  const routes = decodeClasslessRoutes(value) ?? [];
  assert.deepEqual(
    routes.map(({ to, via }) => `${formatCidr(to)} ${formatIp4(via)}`),
    ['10.0.0.0/8 192.168.127.9', '0.0.0.0/0 192.168.127.254', '192.0.2.0/24 0.0.0.0'],
  );
  assert.deepEqual(encodeClasslessRoutes(routes), value);
});

test('bits behind the prefix are zero whatever the sender says', () => {
  const [route] = decodeClasslessRoutes(parseHex('04 ff 0a000001')) ?? [];
  assert.equal(route && formatCidr(route.to), '240.0.0.0/4');
});

for (const value of ['', '21 0a 00 00 00 00 0a000001', '08 0a 0a0000', '08', '00 0a000001 18']) {
  test(`"${value}" is no list of routes`, () => assert.equal(decodeClasslessRoutes(parseHex(value)), undefined));
}

test('an absent option is undefined', () => assert.equal(decodeClasslessRoutes(undefined), undefined));
