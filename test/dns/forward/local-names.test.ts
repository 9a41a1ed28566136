import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ForwardRig, SECOND } from './forward-rig.ts';

const NXDOMAIN = 'NXDOMAIN qr rd ra';
const NOERROR = 'NOERROR qr rd ra';

describe('a name that means nothing elsewhere', () => {
  const rows: [question: string, ...lines: string[]][] = [
    ['4.3.2.10.in-addr.arpa PTR', NXDOMAIN, 'authority 10.in-addr.arpa 10800 SOA 10.in-addr.arpa nobody.invalid'],
    [
      '1.0.16.172.in-addr.arpa PTR',
      NXDOMAIN,
      'authority 16.172.in-addr.arpa 10800 SOA 16.172.in-addr.arpa nobody.invalid',
    ],
    [
      '1.0.31.172.in-addr.arpa PTR',
      NXDOMAIN,
      'authority 31.172.in-addr.arpa 10800 SOA 31.172.in-addr.arpa nobody.invalid',
    ],
    [
      '1.1.168.192.in-addr.arpa PTR',
      NXDOMAIN,
      'authority 168.192.in-addr.arpa 10800 SOA 168.192.in-addr.arpa nobody.invalid',
    ],
    [
      '1.0.127.100.in-addr.arpa PTR',
      NXDOMAIN,
      'authority 127.100.in-addr.arpa 10800 SOA 127.100.in-addr.arpa nobody.invalid',
    ],
    ['1.0.d.f.ip6.arpa PTR', NXDOMAIN, 'authority d.f.ip6.arpa 10800 SOA d.f.ip6.arpa nobody.invalid'],
    ['10.in-addr.arpa NS', NOERROR, 'answer 10.in-addr.arpa 10800 NS 10.in-addr.arpa'],
    ['10.in-addr.arpa SOA', NOERROR, 'answer 10.in-addr.arpa 10800 SOA 10.in-addr.arpa nobody.invalid'],
    ['10.in-addr.arpa A', NOERROR, 'authority 10.in-addr.arpa 10800 SOA 10.in-addr.arpa nobody.invalid'],
    ['printer.local A', NXDOMAIN, 'authority local 10800 SOA local nobody.invalid'],
    ['x.onion A', NXDOMAIN, 'authority onion 10800 SOA onion nobody.invalid'],
    ['a.b.invalid A', NXDOMAIN, 'authority invalid 10800 SOA invalid nobody.invalid'],
    ['a.test A', NXDOMAIN, 'authority test 10800 SOA test nobody.invalid'],
    ['alt A', NXDOMAIN, 'authority alt 10800 SOA alt nobody.invalid'],
    ['localhost A', NOERROR, 'answer localhost 10800 A 127.0.0.1'],
    ['x.LOCALHOST A', NOERROR, 'answer x.LOCALHOST 10800 A 127.0.0.1'],
    ['localhost AAAA', NOERROR, 'answer localhost 10800 AAAA ::1'],
    ['localhost MX', NOERROR, 'authority localhost 10800 SOA localhost nobody.invalid'],
  ];
  for (const [question, ...lines] of rows) {
    test(`is answered here: ${question}`, () => {
      const rig = new ForwardRig();
      const reply = rig.answer(question).filter((line) => !line.startsWith('question'));
      assert.deepEqual(reply, lines);
      assert.deepEqual(rig.world.asked, []);
    });
  }

  const passedOn = [
    '15.172.in-addr.arpa PTR',
    '32.172.in-addr.arpa PTR',
    '8.8.8.8.in-addr.arpa PTR',
    'mylocal A',
    'www.example.com A',
    'local.example A',
  ];
  for (const question of passedOn) {
    test(`is not ${question}`, () => {
      const rig = new ForwardRig();
      rig.answer(question);
      assert.equal(rig.world.asked.length, 1);
    });
  }

  test('is asked for where a route says so, and only below that', () => {
    const rig = new ForwardRig({ routes: { '1.10.in-addr.arpa': [SECOND], local: [SECOND] } });
    rig.answer('1.2.1.10.in-addr.arpa PTR');
    rig.answer('printer.local A');
    assert.equal(rig.world.asked.length, 2);
    assert.equal(rig.answer('1.2.2.10.in-addr.arpa PTR')[0], NXDOMAIN);
  });
});
