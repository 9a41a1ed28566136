import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { decode } from 'dns-packet';

import { ZoneSet } from '../../src/dns/zone-set.ts';
import { fuzz } from '../wire/fuzz.ts';
import { describeReply, question } from './ask.ts';
import { responderOf, STRANGER, STREAM } from './responder-of.ts';
import { zoneOfText } from './zone-of-text.ts';

/** A zone full of what goes wrong, its records parted by semicolons. */
const ONE = [
  '@ NS ns; @ MX mail; ns A 192.0.2.1; mail A 192.0.2.2; mail AAAA 2; a.ent A 192.0.2.3',
  'alias CNAME mail; far CNAME alias; lost CNAME nobody; out CNAME host.example.; over CNAME host.two.test.; self CNAME self',
  'ping CNAME pong; pong CNAME ping; into CNAME x.sub; sub NS ns.sub; sub NS mail; sub NS ns.other',
  'sub DS -; ns.sub A 192.0.2.4; hidden.sub A 192.0.2.5; other NS ns.other; ns.other A 192.0.2.6; bare NS host.example.',
  'down NS ns.down; *.w A 192.0.2.7; *.w TXT hello; x.y.w A 192.0.2.8; *.c CNAME mail; *.m MX host.w',
  'star A 192.0.2.9; moved DNAME two.test.; moved TXT here; loop DNAME loop; _s._tcp SRV mail; svc HTTPS .',
  'svc A 192.0.2.10; child NS ns.child; ns.child A 192.0.2.11; child DS -',
].join('; ');

const zones = new ZoneSet();
zones.add(zoneOfText('one.test', ...ONE.split('; ')));
zones.add(zoneOfText('two.test', '@ NS ns', 'host A 192.0.2.20', 'back CNAME mail.one.test.'));
zones.add(zoneOfText('child.one.test', '@ NS ns', 'ns A 192.0.2.11', '@ A 192.0.2.12'));

const SOA = 'authority one.test 10 SOA ns.one.test h';

function ask(line: string, dnssecOk = false): string[] {
  const wishes = dnssecOk ? { edns: { dnssecOk } } : {};
  const [head = '', , ...rest] = describeReply(responderOf(zones).exchange(question(line, wishes)));
  return [head, ...rest.filter((text) => !text.includes(' OPT '))];
}

const SUB = [
  'authority sub.one.test 60 NS ns.sub.one.test',
  'authority sub.one.test 60 NS mail.one.test',
  'authority sub.one.test 60 NS ns.other.one.test',
  'additional ns.sub.one.test 60 A 192.0.2.4',
  'additional mail.one.test 60 A 192.0.2.2',
  'additional mail.one.test 60 AAAA 2001:db8::2',
  'additional ns.other.one.test 60 A 192.0.2.6',
];

describe('a question', () => {
  const tables: Record<string, [question: string, ...reply: string[]][]> = {
    'for an alias': [
      [
        'alias.one.test A',
        'NOERROR qr aa',
        'answer alias.one.test 60 CNAME mail.one.test',
        'answer mail.one.test 60 A 192.0.2.2',
      ],
      ['alias.one.test CNAME', 'NOERROR qr aa', 'answer alias.one.test 60 CNAME mail.one.test'],
      ['alias.one.test ANY', 'NOERROR qr aa', 'answer alias.one.test 60 CNAME mail.one.test'],
      [
        'FAR.one.test TXT',
        'NOERROR qr aa',
        'answer FAR.one.test 60 CNAME alias.one.test',
        'answer alias.one.test 60 CNAME mail.one.test',
        SOA,
      ],
      ['lost.one.test A', 'NXDOMAIN qr aa', 'answer lost.one.test 60 CNAME nobody.one.test', SOA],
      ['out.one.test A', 'NOERROR qr aa', 'answer out.one.test 60 CNAME host.example'],
      [
        'over.one.test A',
        'NOERROR qr aa',
        'answer over.one.test 60 CNAME host.two.test',
        'answer host.two.test 60 A 192.0.2.20',
      ],
      ['self.one.test A', 'NOERROR qr aa', 'answer self.one.test 60 CNAME self.one.test'],
      [
        'ping.one.test A',
        'NOERROR qr aa',
        'answer ping.one.test 60 CNAME pong.one.test',
        'answer pong.one.test 60 CNAME ping.one.test',
      ],
      ['into.one.test A', 'NOERROR qr aa', 'answer into.one.test 60 CNAME x.sub.one.test', ...SUB],
    ],
    'below a delegation': [
      ['sub.one.test A', 'NOERROR qr', ...SUB],
      ['hidden.sub.one.test A', 'NOERROR qr', ...SUB],
      ['x.y.sub.one.test NS', 'NOERROR qr', ...SUB],
      ['sub.one.test DS', 'NOERROR qr aa', 'answer sub.one.test 60 DS ?'],
      ['x.sub.one.test DS', 'NOERROR qr', ...SUB],
      ['other.one.test DS', 'NOERROR qr aa', SOA],
      ['bare.one.test A', 'NOERROR qr', 'authority bare.one.test 60 NS host.example'],
      ['down.one.test A', 'NOERROR qr', 'authority down.one.test 60 NS ns.down.one.test'],
    ],
    'at a zone below another': [
      ['child.one.test A', 'NOERROR qr aa', 'answer child.one.test 60 A 192.0.2.12'],
      ['child.one.test DS', 'NOERROR qr aa', 'answer child.one.test 60 DS ?'],
    ],
    'where a wildcard is': [
      ['x.w.one.test A', 'NOERROR qr aa', 'answer x.w.one.test 60 A 192.0.2.7'],
      ['X.z.W.one.test A', 'NOERROR qr aa', 'answer X.z.W.one.test 60 A 192.0.2.7'],
      ['x.w.one.test MX', 'NOERROR qr aa', SOA],
      ['*.w.one.test A', 'NOERROR qr aa', 'answer *.w.one.test 60 A 192.0.2.7'],
      ['y.w.one.test A', 'NOERROR qr aa', SOA],
      ['z.y.w.one.test A', 'NXDOMAIN qr aa', SOA],
      ['w.one.test A', 'NOERROR qr aa', SOA],
      [
        'x.c.one.test A',
        'NOERROR qr aa',
        'answer x.c.one.test 60 CNAME mail.one.test',
        'answer mail.one.test 60 A 192.0.2.2',
      ],
      ['x.m.one.test MX', 'NOERROR qr aa', 'answer x.m.one.test 60 MX ?', 'additional host.w.one.test 60 A 192.0.2.7'],
    ],
    'for what is not there': [
      ['ent.one.test A', 'NOERROR qr aa', SOA],
      ['b.ent.one.test A', 'NXDOMAIN qr aa', SOA],
      ['a.star.one.test A', 'NXDOMAIN qr aa', SOA],
    ],
    'below a DNAME': [
      [
        'host.moved.one.test A',
        'NOERROR qr aa',
        'answer moved.one.test 60 DNAME two.test',
        'answer host.moved.one.test 60 CNAME host.two.test',
        'answer host.two.test 60 A 192.0.2.20',
      ],
      ['moved.one.test TXT', 'NOERROR qr aa', 'answer moved.one.test 60 TXT ?'],
      ['moved.one.test A', 'NOERROR qr aa', SOA],
      [
        'host.moved.one.test CNAME',
        'NOERROR qr aa',
        'answer moved.one.test 60 DNAME two.test',
        'answer host.moved.one.test 60 CNAME host.two.test',
      ],
      [
        'x.loop.one.test A',
        'NOERROR qr aa',
        'answer loop.one.test 60 DNAME loop.one.test',
        'answer x.loop.one.test 60 CNAME x.loop.one.test',
      ],
    ],
    'for hosts': [
      [
        'one.test MX',
        'NOERROR qr aa',
        'answer one.test 60 MX ?',
        'additional mail.one.test 60 A 192.0.2.2',
        'additional mail.one.test 60 AAAA 2001:db8::2',
      ],
      [
        '_s._tcp.one.test SRV',
        'NOERROR qr aa',
        'answer _s._tcp.one.test 60 SRV ?',
        'additional mail.one.test 60 A 192.0.2.2',
        'additional mail.one.test 60 AAAA 2001:db8::2',
      ],
      [
        'svc.one.test UNKNOWN_65',
        'NOERROR qr aa',
        'answer svc.one.test 60 UNKNOWN_65 ?',
        'additional svc.one.test 60 A 192.0.2.10',
      ],
      ['two.test NS', 'NOERROR qr aa', 'answer two.test 60 NS ns.two.test'],
    ],
  };
  for (const [where, rows] of Object.entries(tables)) {
    describe(where, () => {
      for (const [line, ...reply] of rows) test(`${line} is answered`, () => assert.deepEqual(ask(line), reply));
    });
  }

  test('with DO is referred with the DS of the delegation (RFC 4035 §3.1.4)', () => {
    assert.deepEqual(ask('x.sub.one.test A', true).slice(0, 5), [
      'NOERROR qr',
      ...SUB.slice(0, 3),
      'authority sub.one.test 60 DS ?',
    ]);
  });
});

describe('a reply that is too large', () => {
  const long = Array.from({ length: 4 }, (_, i) => String.fromCharCode(97 + i).repeat(40)).join('.');
  const big = new ZoneSet();
  const servers = Array.from({ length: 13 }, (_, i) => `ns${i}.${long}`);
  big.add(
    zoneOfText(
      'big.test',
      ...servers
        .slice(0, 6)
        .flatMap((name, i) => [`${long} NS ${name}`, `${name} A 192.0.2.${i}`, `${name} AAAA ${i}`]),
      ...Array.from({ length: 13 }, (_, i) => [`mx MX h${i}`, `h${i} A 192.0.2.${i}`, `h${i} AAAA ${i}`]).flat(),
      `deep DNAME ${long}`,
    ),
  );
  const { exchange } = responderOf(big);

  test('is cut when glue does not fit that nobody could do without (RFC 9471 §3.1)', () => {
    const reply = exchange(question(`x.${long}.big.test A`, { edns: { size: 1232 } }));
    assert.deepEqual(
      describeReply(reply).filter((text) => !text.startsWith('question')),
      ['NOERROR qr tc', 'additional OPT size 1232 rcode 0 version 0'],
    );
  });

  test('is whole without the addresses of hosts that do not fit, and not said to be cut (RFC 2181 §9)', () => {
    const lines = describeReply(exchange(question('mx.big.test MX')));
    assert.equal(lines[0], 'NOERROR qr aa');
    assert.equal(lines.filter((text) => text.startsWith('answer')).length, 13);
    const hosts = lines.filter((text) => text.startsWith('additional')).length;
    assert.ok(hosts > 3 && hosts < 26, `${hosts} addresses`);
  });

  test('is whole by TCP', () => {
    const lines = describeReply(exchange(question(`x.${long}.big.test A`), STREAM));
    assert.equal(lines.filter((text) => text.startsWith('additional')).length, 12);
  });

  test('because the name a DNAME makes is too long is YXDOMAIN (RFC 6672 §2.2)', () => {
    const lines = describeReply(exchange(question(`${'x'.repeat(60)}.${'y'.repeat(60)}.deep.big.test A`)));
    assert.equal(lines[0], 'YXDOMAIN qr aa');
    assert.equal(lines.filter((text) => text.startsWith('answer')).length, 1);
  });
});

test('any question to zones full of what goes wrong gets a reply that a client can read', () => {
  const names = [
    'far',
    'into',
    'self',
    'x.y.sub',
    'host.moved',
    'x.loop',
    'x.m',
    'svc',
    'x.y.w',
    'child',
    '_s._tcp',
    'q.deep',
  ];
  const { responder } = responderOf(zones, { nsid: 'rack-a1' });
  const into = Buffer.alloc(65_535);
  let replies = 0;
  fuzz({
    seeds: names.flatMap((name) =>
      ['A', 'MX', 'DS', 'ANY'].map((type) => question(`${name}.one.test ${type}`, { edns: {} })),
    ),
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 300_000),
    run: (bytes) => {
      const isStream = replies % 2 === 0;
      const length = responder.respond(bytes, isStream ? STREAM : STRANGER, into);
      if (length === 0) return;
      assert.ok(length >= 12 && length <= (isStream ? 65_535 : 1232) && into[0] === bytes[0] && into[1] === bytes[1]);
      if (replies++ % 16 === 0) decode(into.subarray(0, length));
    },
  });
  assert.ok(replies > 0);
});
