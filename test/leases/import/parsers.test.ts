import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatIp4 } from '../../../src/addr/ip4.ts';
import { formatMac } from '../../../src/addr/mac.ts';
import { NEVER } from '../../../src/leases/import/foreign-leases.ts';
import { FOREIGN_SERVERS, parseForeignLeases } from '../../../src/leases/import/parse-foreign-leases.ts';
import type { Mac } from '../../../src/addr/mac.ts';
import { keaRow } from '../../../src/leases/kea-row.ts';
import { toIp4 } from '../../../src/addr/ip4.ts';
import { fuzz } from '../../wire/fuzz.ts';

/** "LINE ADDRESS MAC END NAME" for each lease, "LINE REASON" for what is unusable. */
function read(server: string, text: string): string[] {
  const { leases, unusable } = parseForeignLeases(server, text) ?? { leases: [], unusable: [] };
  return [
    ...leases.map(({ line, address, mac, expires, name }) =>
      `${line} ${formatIp4(address)} ${formatMac(mac)} ${expires} ${name ?? ''}`.trimEnd(),
    ),
    ...unusable.map(({ line, reason }) => `${line} ${reason}`),
  ];
}

const KEA = `address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.0.2.10,52:54:00:00:00:01,01:52:54:00:00:00:01,3600,1700000000,1,0,0,node1.example.,0,,0
192.0.2.11,52:54:00:00:00:02,,3600,1700000000,1,0,0,,0,,0
192.0.2.10,52:54:00:00:00:01,01:52:54:00:00:00:01,3600,1700001800,1,0,0,node1.example.,0,,0
192.0.2.11,52:54:00:00:00:02,,0,1700000000,1,0,0,,0,,0
192.0.2.12,,,86400,1700000000,1,0,0,,1,,0
192.0.2.13,52:54:00:00:00:03,,4294967295,1700000000,1,0,0,,0,{ "a": 1&#x2c "b": 2 },0
192.0.2.14,52:54:00:00:00:04,,3600,soon,1,0,0,,0,,0
nonsense
192.0.2.15,52:54:00,,3600,1700000000,1,0,0,,0,,0
`;

test('Kea: rows are appended, the last of an address counts, what is no active lease is named', () => {
  assert.deepEqual(read('kea', KEA), [
    '4 192.0.2.10 52:54:00:00:00:01 1700001800 node1.example.',
    `7 192.0.2.13 52:54:00:00:00:03 ${NEVER}`,
    '5 192.0.2.11: it was deleted',
    '6 192.0.2.12: its state is declined',
    '8 192.0.2.14: expected Unix seconds for its end, found "soon"',
    '9 expected an IPv4 address, found "nonsense"',
    '10 192.0.2.15: expected a MAC address, found "52:54:00"',
  ]);
});

test('Kea: columns go by the names in the first row, as older versions have fewer', () => {
  const old = 'address,hwaddr,expire,hostname\n192.0.2.10,52:54:00:00:00:01,1700000000,a\n';
  assert.deepEqual(read('kea', old.replaceAll('\n', '\r\n')), ['2 192.0.2.10 52:54:00:00:00:01 1700000000 a']);
});

test('what we export we can import', () => {
  const lease = { address: toIp4(0xc000020a), mac: 0x525400000001 as Mac, expires: 1_700_000_000 };
  const row = keaRow({ ...lease, name: 'node1', lifetimeSeconds: 3600, subnetId: 2 });
  assert.equal(row, '192.0.2.10,52:54:00:00:00:01,,3600,1700000000,2,0,0,node1,0,,0');
  assert.deepEqual(read('kea', row), ['1 192.0.2.10 52:54:00:00:00:01 1700000000 node1']);
});

const ISC = `# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\\000\\001\\000\\001{;}";
failover peer "x" state { my state normal at 4 2023/11/14 00:00:00; }
lease 192.0.2.10 {
  starts 2 2023/11/14 21:13:20;
  ends 2 2023/11/14 21:43:20;
  binding state active;
  hardware ethernet 52:54:00:00:00:01;
}
lease 192.0.2.11 {
  starts 2 2023/11/14 21:13:20; ends never;
  binding state active; next binding state free;
  hardware ethernet 52:54:00:00:00:02;
  uid "\\001RT\\000\\"}\\022";
  set vendor-class-identifier = "PXEClient";
  on commit { set a = "}"; }
  client-hostname "node2";
}
host h { dynamic; hardware ethernet 52:54:00:00:00:09; fixed-address 192.0.2.99; }
lease 192.0.2.10 {
  ends 2 2023/11/14 22:13:20;
  binding state active;
  hardware ethernet 52:54:00:00:00:01;
}
lease 192.0.2.12 { ends epoch 1700000000; # Tue Nov 14
  binding state free; hardware ethernet 52:54:00:00:00:03; }
lease 192.0.2.13 { ends epoch 1700000000; # Tue Nov 14
  hardware ethernet 52:54:00:00:00:04; }
lease 192.0.2.14 { abandoned; }
lease 192.0.2.15 { binding state active; hardware token-ring 1:2; }
lease 192.0.2.16 { binding state active; hardware ethernet 52:54:00:00:00:05; ends soon; }
ia-na "abc" { cltt 4 2023/11/14 21:13:20; iaaddr 2001:db8::1 { binding state active; } }
lease fe80::1 { }
lease 192.0.2.17 { binding state active;`;

test('ISC dhcpd: the last declaration of an address counts, only active leases are taken', () => {
  assert.deepEqual(read('isc', ISC), [
    `11 192.0.2.11 52:54:00:00:00:02 ${NEVER} node2`,
    '21 192.0.2.10 52:54:00:00:00:01 1700000000',
    '28 192.0.2.13 52:54:00:00:00:04 1700000000',
    '26 192.0.2.12: its binding state is free',
    '30 192.0.2.14: its binding state is abandoned',
    '31 192.0.2.15: expected "hardware ethernet" and a MAC address, found "token-ring 1:2"',
    '32 192.0.2.16: expected a date for its end, found "soon"',
    '34 expected an IPv4 address, found "fe80::1"',
    '35 192.0.2.17: the file ends inside this lease',
  ]);
});

const DNSMASQ = `1700000000 52:54:00:00:00:01 192.0.2.10 node1 01:52:54:00:00:00:01
0 52:54:00:00:00:02 192.0.2.11 * *

1700000000 06-52:54:00:00:00:03 192.0.2.12 * *
x 52:54:00:00:00:04 192.0.2.13 * *
1700000000
duid 00:01:00:01
1700000000 1 2001:db8::1 * 00:01
`;

test('dnsmasq: 0 has no end, * is no name, DHCPv6 is passed over', () => {
  assert.deepEqual(read('dnsmasq', DNSMASQ), [
    '1 192.0.2.10 52:54:00:00:00:01 1700000000 node1',
    `2 192.0.2.11 52:54:00:00:00:02 ${NEVER}`,
    '4 192.0.2.12: expected a MAC address, found "06-52:54:00:00:00:03"',
    '5 192.0.2.13: expected Unix seconds for its end, found "x"',
    '6 expected an IPv4 address, found ""',
  ]);
});

test('another server is not known', () => {
  assert.equal(parseForeignLeases('udhcpd', ''), undefined);
});

const SEEDS = [KEA, ISC, DNSMASQ].map((text) => new TextEncoder().encode(text));
const ROUNDS = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 20_000);

function checkReading(server: string, text: string): void {
  const lines = text.split('\n').length;
  const { leases, unusable } = parseForeignLeases(server, text) ?? assert.fail();
  for (const { line } of [...leases, ...unusable]) assert.ok(line >= 1 && line <= lines);
  assert.equal(new Set(leases.map(({ address }) => address)).size, leases.length);
  for (const { expires } of leases) assert.ok(Number.isInteger(expires) && expires >= 0 && expires <= NEVER);
}

for (const server of FOREIGN_SERVERS) {
  test(`${server}: whatever a file holds is read, and every lease read makes sense`, () => {
    fuzz({ seeds: SEEDS, rounds: ROUNDS, run: (bytes) => checkReading(server, new TextDecoder().decode(bytes)) });
  });
}

test('long and deeply nested files take time in proportion and no stack', () => {
  for (const text of ['lease 192.0.2.1 {'.repeat(100_000), '"'.repeat(100_001), `"${'\\'.repeat(100_001)}`]) {
    parseForeignLeases('isc', text);
  }
  parseForeignLeases('kea', ','.repeat(1_000_000));
});
