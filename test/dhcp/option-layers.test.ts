import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHex } from '../fixtures/hex.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { filePlan } from './file-plan.ts';
import { macOf, Machine } from './machine.ts';
import { ACK, letters, OFFER, quad } from './naive-packet.ts';
import { RACK } from './test-plan.ts';

const text = (bytes: readonly number[] | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('latin1');

const asking = (...codes: readonly number[]) => [55, codes] as const;

test('who asks for an option gets it, who does not ask does not', () => {
  const rack = new DhcpRack(filePlan('', 'options: { ntp-servers: [192.0.2.1, 192.0.2.2], 224: { hex: 00ff } }'));
  const asks = new Machine(rack, 1).discover({ options: [asking(3, 42, 43)] });
  assert.deepEqual(asks?.order, [53, 54, 51, 1, 3, 42]);
  assert.deepEqual(asks.options.get(42), [...quad('192.0.2.1'), ...quad('192.0.2.2')]);
  assert.deepEqual(new Machine(rack, 2).discover({ options: [asking(3)] })?.order, [53, 54, 51, 1, 3]);
});

test('who does not say what it wants gets all of them, by rising number', () => {
  const rack = new DhcpRack(filePlan('', 'options: { 224: { u8: 1 }, wpad: x, ntp-servers: 192.0.2.1 }'));
  const offer = new Machine(rack, 1).discover();
  assert.deepEqual(offer?.order, [53, 54, 51, 1, 3, 6, 15, 28, 58, 59, 42, 224, 252]);
});

test('what is asked for comes in the order of the wish, behind what must be there and what goes out unasked', () => {
  const rack = new DhcpRack(
    filePlan('', 'options: { 224: { u8: 1 }, wpad: x, ntp-servers: 192.0.2.1, root-path: y }\nalways: [224]'),
  );
  const offer = new Machine(rack, 1).discover({ options: [asking(252, 42, 3)] });
  assert.deepEqual(offer?.order, [53, 54, 51, 1, 3, 224, 252, 42]);
});

test('`always` on any level holds for the option on every level, those of the settings included', () => {
  const rack = new DhcpRack(filePlan('    always: [224, routers]', 'options: { 224: { u8: 1 } }'));
  const offer = new Machine(rack, 1).discover({ options: [asking(15)] });
  assert.deepEqual(offer?.order, [53, 54, 51, 1, 3, 15, 224]);
});

test('`always` does not invent an option that is nowhere set', () => {
  const rack = new DhcpRack(filePlan('', 'always: [224]'));
  assert.deepEqual(new Machine(rack, 1).discover({ options: [asking(15)] })?.order, [53, 54, 51, 1, 15]);
});

const LAYERED = filePlan(
  '    options: { root-path: subnet, nis-domain: subnet, wpad: subnet, tz-name: subnet }',
  `options: { root-path: all, nis-domain: all, wpad: all, tz-name: all, merit-dump: all }
classes:
  - { name: one, match: { arch: 7 }, options: { nis-domain: one, wpad: one, tz-name: one } }
  - { name: two, match: { arch: [7, 9] }, options: { wpad: two, tz-name: two } }
hosts: [{ name: node1, mac: "${macOf(1)}", options: { tz-name: host } }]`,
);

const LAYERS: readonly (readonly [title: string, n: number, arch: number | undefined, values: readonly string[]])[] = [
  ['no class and no host: the subnet before all', 2, undefined, ['all', 'subnet', 'subnet', 'subnet', 'subnet']],
  ['one class', 2, 9, ['all', 'subnet', 'subnet', 'two', 'two']],
  ['two classes: the later one', 2, 7, ['all', 'subnet', 'one', 'two', 'two']],
  ['a host before everything', 1, 7, ['all', 'subnet', 'one', 'two', 'host']],
  ['a host without a class', 1, undefined, ['all', 'subnet', 'subnet', 'subnet', 'host']],
];

for (const [title, n, arch, values] of LAYERS) {
  test(`of two levels that set the same, the nearer one counts: ${title}`, () => {
    const rack = new DhcpRack(LAYERED);
    const options = [asking(14, 17, 40, 252, 101), ...(arch === undefined ? [] : [[93, [0, arch]] as const])];
    const machine = new Machine(rack, n);
    const offer = machine.discover({ options });
    const ack = machine.select(offer?.yiaddr ?? '', { options });
    assert.deepEqual([offer?.type, ack?.type], [OFFER, ACK]);
    for (const reply of [offer, ack]) {
      assert.deepEqual(
        [14, 17, 40, 252, 101].map((code) => text(reply?.options.get(code))),
        values,
      );
    }
  });
}

test('a class may have another router, name server and domain than its subnet', () => {
  const options = 'routers: 192.168.127.7, domain-name-servers: 192.0.2.53, domain-name: other.example';
  const rack = new DhcpRack(
    filePlan('', `classes: [{ name: a, match: { mac-prefix: "${macOf(1)}" }, options: { ${options} } }]`),
  );
  const [inside, outside] = [1, 2].map((n) => new Machine(rack, n).discover({ options: [asking(3, 6, 15)] }));
  assert.deepEqual(inside?.order, [53, 54, 51, 1, 3, 6, 15]);
  assert.deepEqual([inside.options.get(3), inside.options.get(6)], [quad('192.168.127.7'), quad('192.0.2.53')]);
  assert.equal(text(inside.options.get(15)), 'other.example');
  assert.deepEqual(outside?.options.get(3), quad('192.168.127.254'));
});

const routes = (to: string) => `{ classless-routes: { ${to}: 192.168.127.9 } }`;
const bytes = (hex: string) => [...parseHex(hex)];

test('routes without a default get the router of the client, those with one do not (RFC 3442)', () => {
  const rack = new DhcpRack(
    filePlan(
      `    options: ${routes('10.0.0.0/8')}`,
      `hosts:
  - { name: own, mac: "${macOf(1)}", options: ${routes('0.0.0.0/0')} }
  - { name: other, mac: "${macOf(2)}", options: { routers: 192.168.127.7 } }
  - { name: raw, mac: "${macOf(3)}", options: { 249: { routes: { 10.0.0.0/8: 0.0.0.0 } }, 121: { hex: "00c0a87f05" } } }`,
    ),
  );
  const given = [1, 2, 3, 4].map(
    (n) => new Machine(rack, n).discover({ options: [asking(3, 121, 249)] })?.options ?? new Map(),
  );
  assert.deepEqual(
    given.map((options) => options.get(121)),
    [
      bytes('00 c0a87f09'),
      bytes('08 0a c0a87f09 00 c0a87f07'),
      bytes('00 c0a87f05'),
      bytes('08 0a c0a87f09 00 c0a87ffe'),
    ],
  );
  assert.deepEqual(given[2]?.get(249), bytes('08 0a 00000000 00 c0a87ffe'));
});

test('options 66 and 67 of the file are for machines that this rack boots nothing on', () => {
  const rack = new DhcpRack(filePlan('', 'options: { tftp-server-name: prov.example, boot-file-name: phone.cfg }'));
  const phone = new Machine(rack, 1).discover({ options: [asking(66, 67)] });
  assert.deepEqual([text(phone?.options.get(66)), text(phone?.options.get(67))], ['prov.example', 'phone.cfg\0']);
  const rom = new Machine(rack, 2).discover({
    options: [asking(66, 67), [60, letters('PXEClient:Arch:00000:UNDI:002001')], [93, [0, 0]]],
  });
  assert.deepEqual(rom?.order, [53, 54, 51, 66, 67, 43, 60, 1]);
  assert.deepEqual([text(rom.options.get(66)), text(rom.options.get(67))], [RACK, 'undionly.kpxe\0']);
});

test('a value longer than one option holds goes out in pieces (RFC 3396), if the client can take them', () => {
  const long = 'x'.repeat(300);
  const rack = new DhcpRack(filePlan('', `options: { root-path: ${long}, wpad: short }`));
  const whole = new Machine(rack, 1).discover({ options: [asking(17, 252), [57, [5, 220]]] });
  assert.deepEqual(whole?.order, [53, 54, 51, 1, 17, 17, 252]);
  assert.equal(text(whole.options.get(17)), long);
  assert.equal(rack.count('sent.cut-short'), 0);
  const cut = new Machine(rack, 2).discover({ options: [asking(17, 252)] });
  assert.deepEqual(cut?.order, [53, 54, 51, 1, 252]);
  assert.equal(rack.count('sent.cut-short'), 1);
});

test('a NAK has no options of the file, whatever `always` says', () => {
  const rack = new DhcpRack(filePlan('', 'options: { 224: { u8: 1 } }\nalways: [224, routers]'));
  assert.deepEqual(new Machine(rack, 1).reboot('10.9.9.9')?.order, [53, 54, 56]);
});

test('a reload changes the options, renewals included', () => {
  const rack = new DhcpRack(filePlan('', 'options: { wpad: old }'));
  const machine = new Machine(rack, 1);
  const address = machine.boot();
  rack.apply(filePlan('', 'options: { wpad: new }'));
  assert.equal(text(machine.renew(address)?.options.get(252)), 'new');
  rack.apply(filePlan('', ''));
  assert.equal(machine.renew(address)?.options.has(252), false);
});

test('a class is looked for behind a relay by the circuit id that the relay adds', () => {
  const rack = new DhcpRack(
    filePlan('', 'classes: [{ name: a, match: { circuit-id: port-7 }, options: { wpad: seven }, always: [wpad] }]'),
  );
  const circuit = [1, 6, ...letters('port-7')];
  const seven = new Machine(rack, 1).discover({ giaddr: '192.168.127.254', options: [asking(3), [82, circuit]] });
  assert.deepEqual(seven?.order, [53, 54, 51, 1, 3, 252, 82]);
  assert.deepEqual(new Machine(rack, 2).discover({ options: [asking(3)] })?.order, [53, 54, 51, 1, 3]);
});

test('what one client asks for is remembered for the next that asks for the same, and for no other', () => {
  const rack = new DhcpRack();
  const lists: readonly (readonly number[] | undefined)[] = [[3], [6, 3], undefined, [3], [6, 3], undefined, [6]];
  const orders = lists.map((list, at) => {
    const offer = new Machine(rack, at + 1).discover(list ? { options: [[55, list]] } : {});
    return offer?.order.slice(3).join(' ');
  });
  assert.deepEqual(orders, ['1 3', '1 3 6', '1 3 6 15 28 58 59', '1 3', '1 3 6', '1 3 6 15 28 58 59', '1 6']);
});

test('lists of wishes without end are answered rightly past what is remembered', () => {
  const rack = new DhcpRack();
  for (let code = 0; code < 600; code++) {
    const list = [3, 100 + (code % 100), Math.floor(code / 100)];
    const offer = new Machine(rack, code + 1).discover({ options: [[55, list]] });
    assert.ok(offer?.order.includes(3));
    if (list.includes(6)) assert.ok(offer?.order.includes(6));
    rack.time.pass(61);
  }
});
