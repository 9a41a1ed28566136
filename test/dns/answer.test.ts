import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ZoneSet } from '../../src/dns/zone-set.ts';
import { Zone } from '../../src/dns/zone.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { compileRecords, type RecordData } from '../../src/wire/dns/record-set.ts';
import { describeReply, question } from './ask.ts';
import { leaseOf, planOf } from './plan-of.ts';
import { rackNamesOf } from './rack-names-of.ts';
import { responderOf } from './responder-of.ts';
import { soaOf } from './soa-of.ts';

const names = rackNamesOf();
names.apply(
  planOf({
    subnets: ['10.1.0.0/16 rack.example 10.1.0.1'],
    hosts: ['node1 10.1.2.3 52:54:00:00:00:01'],
  }),
);
names.learn([leaseOf('10.1.9.9 52:54:00:00:00:02 laptop')], []);

const SOA = 'SOA rack-a1.rack.example hostmaster.rack.example';

function reply(line: string, wishes?: Parameters<typeof question>[1], zones: ZoneSet = names.zones): Uint8Array {
  return responderOf(zones).exchange(question(line, wishes));
}

/** The reply in lines, without the line of the question that every one has. */
function ask(line: string, wishes?: Parameters<typeof question>[1]): string[] {
  const [first = '', , ...rest] = describeReply(reply(line, wishes));
  return [first, ...rest];
}

describe('a question', () => {
  const rows: [question: string, ...reply: string[]][] = [
    ['node1.rack.example A', 'NOERROR qr aa', 'answer node1.rack.example 300 A 10.1.2.3'],
    ['rack-a1.rack.example A', 'NOERROR qr aa', 'answer rack-a1.rack.example 300 A 10.1.0.1'],
    ['laptop.rack.example A', 'NOERROR qr aa', 'answer laptop.rack.example 30 A 10.1.9.9'],
    ['3.2.1.10.in-addr.arpa PTR', 'NOERROR qr aa', 'answer 3.2.1.10.in-addr.arpa 300 PTR node1.rack.example'],
    ['9.9.1.10.in-addr.arpa PTR', 'NOERROR qr aa', 'answer 9.9.1.10.in-addr.arpa 30 PTR laptop.rack.example'],
    ['rack.example SOA', 'NOERROR qr aa', `answer rack.example 300 ${SOA}`],
    [
      'rack.example NS',
      'NOERROR qr aa',
      'answer rack.example 300 NS rack-a1.rack.example',
      'additional rack-a1.rack.example 300 A 10.1.0.1',
    ],
    ['1.10.in-addr.arpa SOA', 'NOERROR qr aa', `answer 1.10.in-addr.arpa 300 ${SOA}`],
    [
      '1.10.in-addr.arpa NS',
      'NOERROR qr aa',
      'answer 1.10.in-addr.arpa 300 NS rack-a1.rack.example',
      'additional rack-a1.rack.example 300 A 10.1.0.1',
    ],
  ];
  for (const [line, ...lines] of rows) test(`${line} is answered`, () => assert.deepEqual(ask(line), lines));
});

describe('a name that exists without the type', () => {
  const rows: [question: string, origin: string][] = [
    ['node1.rack.example AAAA', 'rack.example'],
    ['node1.rack.example SOA', 'rack.example'],
    ['laptop.rack.example MX', 'rack.example'],
    ['rack.example A', 'rack.example'],
    ['3.2.1.10.in-addr.arpa A', '1.10.in-addr.arpa'],
    ['1.10.in-addr.arpa PTR', '1.10.in-addr.arpa'],
  ];
  for (const [line, origin] of rows) {
    test(`${line} is NODATA`, () => assert.deepEqual(ask(line), ['NOERROR qr aa', `authority ${origin} 10 ${SOA}`]));
  }

  test('is NODATA also when only names below it exist', () => {
    for (const type of ['PTR', 'NS', 'ANY']) {
      assert.deepEqual(ask(`2.1.10.in-addr.arpa ${type}`), ['NOERROR qr aa', `authority 1.10.in-addr.arpa 10 ${SOA}`]);
    }
  });
});

describe('a name that does not exist', () => {
  const rows: [question: string, origin: string][] = [
    ['node2.rack.example A', 'rack.example'],
    ['a.b.c.rack.example A', 'rack.example'],
    ['below.node1.rack.example A', 'rack.example'],
    ['*.rack.example A', 'rack.example'],
    ['7.7.1.10.in-addr.arpa PTR', '1.10.in-addr.arpa'],
    ['node2.rack.example ANY', 'rack.example'],
  ];
  for (const [line, origin] of rows) {
    test(`${line} is NXDOMAIN`, () => assert.deepEqual(ask(line), ['NXDOMAIN qr aa', `authority ${origin} 10 ${SOA}`]));
  }
});

describe('what is not ours is refused', () => {
  const rows: [question: string, wishes?: Parameters<typeof question>[1]][] = [
    ['example.com A'],
    ['example A'],
    ['. NS'],
    ['. ANY'],
    ['1.2.0.192.in-addr.arpa PTR'],
    ['notrack.example A'],
    ['rack.example AXFR'],
    ['rack.example IXFR'],
    ['node1.rack.example A', { class: 'CH' }],
    ['node1.rack.example A', { class: 'ANY' }],
  ];
  for (const [line, wishes] of rows) {
    test(`${line} ${wishes?.class ?? ''}, with a reply no larger than the question`, () => {
      assert.deepEqual(ask(line, wishes), ['REFUSED qr']);
      assert.equal(reply(line, wishes).length, question(line, wishes).length);
    });
  }
});

describe('ANY', () => {
  test('gets one set of the name', () => {
    assert.deepEqual(ask('node1.rack.example ANY'), ['NOERROR qr aa', 'answer node1.rack.example 300 A 10.1.2.3']);
    assert.deepEqual(ask('rack.example ANY'), ['NOERROR qr aa', `answer rack.example 300 ${SOA}`]);
  });
});

describe('the spelling of the question', () => {
  const rows: [question: string, ...reply: string[]][] = [
    ['NoDe1.rAcK.ExAmPlE A', 'answer NoDe1.rAcK.ExAmPlE 300 A 10.1.2.3'],
    ['NoDe2.rAcK.ExAmPlE A', `authority rAcK.ExAmPlE 10 ${SOA}`],
    ['9.9.1.10.IN-ADDR.arpa PTR', 'answer 9.9.1.10.IN-ADDR.arpa 30 PTR laptop.rack.example'],
  ];
  for (const [line, ...lines] of rows) {
    test(`${line} comes back`, () => {
      assert.deepEqual(ask(line).slice(1), lines);
      assert.equal(describeReply(reply(line))[1], `question ${line}`);
    });
  }
});

describe('the header', () => {
  test('has the id, and RD as it was asked', () => {
    assert.equal(Buffer.from(reply('node1.rack.example A', { id: 0xbeef })).readUInt16BE(0), 0xbeef);
    assert.equal(ask('node1.rack.example A', { recursion: true })[0], 'NOERROR qr aa rd');
    assert.equal(ask('example.com A', { recursion: true })[0], 'REFUSED qr rd');
  });

  test('has no bit that the query alone may have', () => {
    const query = question('node1.rack.example A');
    query.writeUInt16BE(0x07ff, 2);
    assert.equal(responderOf(names.zones).exchange(query).readUInt16BE(2), 0x8500);
  });
});

describe('EDNS', () => {
  const OPT = 'additional OPT size 1232 rcode 0 version 0';
  const rows: [title: string, question: string, wishes: Parameters<typeof question>[1], ...reply: string[]][] = [
    [
      'is answered with EDNS',
      'node1.rack.example A',
      { edns: {} },
      'NOERROR qr aa',
      'answer node1.rack.example 300 A 10.1.2.3',
      OPT,
    ],
    [
      'has its DO bit back',
      'node1.rack.example A',
      { edns: { dnssecOk: true } },
      'NOERROR qr aa',
      'answer node1.rack.example 300 A 10.1.2.3',
      `${OPT} do`,
    ],
    [
      'is in a negative answer too',
      'x.rack.example A',
      { edns: {} },
      'NXDOMAIN qr aa',
      `authority rack.example 10 ${SOA}`,
      OPT,
    ],
    ['is in a refusal too', 'example.com A', { edns: {} }, 'REFUSED qr', OPT],
    [
      'of version 1 is told that version 0 is spoken',
      'node1.rack.example A',
      { edns: { version: 1 } },
      'NOERROR qr',
      'additional OPT size 1232 rcode 1 version 0',
    ],
    [
      'of version 255 too, for names of others',
      'example.com A',
      { edns: { version: 255 } },
      'NOERROR qr',
      'additional OPT size 1232 rcode 1 version 0',
    ],
  ];
  for (const [title, line, wishes, ...lines] of rows) test(title, () => assert.deepEqual(ask(line, wishes), lines));
});

describe('a reply too large for UDP', () => {
  const zones = new ZoneSet();
  const times = { refresh: 1, retry: 1, expire: 1, minimum: 1 };
  const zone = new Zone(nameKey('a'), soaOf('ns.a', 1, times));
  zone.put(nameKey('s30.a'), compileRecords(60, ...addresses(30)));
  zone.put(nameKey('s74.a'), compileRecords(60, ...addresses(74)));
  zone.put(nameKey('s75.a'), compileRecords(60, ...addresses(75)));
  zones.add(zone);

  const rows: [title: string, question: string, size: number | undefined, flags: string, answers: number][] = [
    ['has 30 addresses in 512 bytes', 's30.a A', undefined, 'NOERROR qr aa', 30],
    ['is cut without EDNS', 's74.a A', undefined, 'NOERROR qr aa tc', 0],
    ['is cut at 512 when a smaller size is offered', 's74.a A', 100, 'NOERROR qr aa tc', 0],
    ['fits 1232 bytes', 's74.a A', 1232, 'NOERROR qr aa', 74],
    ['is cut above 1232 bytes, whatever is offered', 's75.a A', 4096, 'NOERROR qr aa tc', 0],
  ];
  for (const [title, line, size, flags, answers] of rows) {
    test(title, () => {
      const bytes = reply(line, size === undefined ? {} : { edns: { size } }, zones);
      const lines = describeReply(bytes);
      assert.equal(lines[0], flags);
      assert.equal(lines.filter((text) => text.startsWith('answer')).length, answers);
      assert.equal(
        lines.some((text) => text.startsWith('additional OPT')),
        size !== undefined,
      );
      assert.ok(bytes.length <= Math.max(512, Math.min(size ?? 0, 1232)), `${bytes.length} bytes`);
    });
  }
});

function addresses(count: number): [RecordData, ...RecordData[]] {
  const rest = Array.from({ length: count - 1 }, (_, i): RecordData => ({ type: 'A', data: `10.0.0.${i}` }));
  return [{ type: 'A', data: '10.0.1.0' }, ...rest];
}
