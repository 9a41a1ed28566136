import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseHex } from '../fixtures/hex.ts';
import { describeReply, question } from './ask.ts';
import { planOf } from './plan-of.ts';
import { rackNamesOf } from './rack-names-of.ts';
import { responderOf, STRANGER, STREAM } from './responder-of.ts';

const names = rackNamesOf();
names.apply(planOf({ subnets: ['192.0.2.0/24 rack.example 192.0.2.1'], hosts: ['a 192.0.2.5'] }));
const { exchange } = responderOf(names.zones, { nsid: 'rack-a1' });

/** A question with these EDNS options. */
function withOptions(hex: string, query = question('a.rack.example A')): Buffer {
  const options = parseHex(hex);
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, options.length >>> 8, options.length & 255]);
  const message = Buffer.concat([query, opt, options]);
  message.writeUInt16BE(1, 10);
  return message;
}

/** The options of the OPT that ends a reply, whose other records are as long as without. */
function optionsOf(reply: Buffer): string {
  const opt = reply.lastIndexOf(Buffer.from('00002904d0', 'hex'));
  return reply.subarray(opt + 11).toString('hex');
}

const COOKIE = '000a 0008 0102030405060708';

describe('an EDNS option', () => {
  const rows: [title: string, options: string, reply: RegExp][] = [
    ['NSID has the name of this server (RFC 5001)', '0003 0000', /^00030007 7261636b2d6131$/],
    ['that nobody knows is left alone (RFC 6891 §6.1.2)', 'fde9 0004 00000000', /^$/],
    ['cookie gets one of ours (RFC 7873)', COOKIE, /^000a0018 0102030405060708 01000000 00000000 [0-9a-f]{16}$/],
    ['cookie and NSID get both', `${COOKIE} 0003 0000`, /^00030007 7261636b2d6131 000a0018 0102030405060708/],
    ['second cookie is left alone', `${COOKIE} 000a 0008 ff*8`, /^000a0018 0102030405060708/],
    ['keepalive is not for datagrams (RFC 7828 §3.3.2)', '000b 0000', /^$/],
  ];
  for (const [title, options, reply] of rows) {
    test(title, () => {
      const sent = exchange(withOptions(options));
      assert.match(optionsOf(sent), new RegExp(reply.source.replaceAll(' ', '')));
      assert.equal(describeReply(sent)[2], 'answer a.rack.example 300 A 192.0.2.5');
    });
  }

  test('keepalive tells by TCP for how long a connection may be idle, in tenths of a second (RFC 7828)', () => {
    assert.equal(optionsOf(exchange(withOptions('000b 0000'), STREAM)), '000b00020064');
  });

  test('that is cut off makes a format error, as does a cookie of a wrong length (RFC 7873 §5.2.2)', () => {
    for (const options of ['0003', '0003 0001', '000a 0007 00*7', '000a 0009 00*9', '000a 0029 00*41']) {
      assert.equal(describeReply(exchange(withOptions(options)))[0], 'FORMERR qr');
    }
  });

  test('cookie may come without a question (RFC 7873 §5.4), and nothing else may', () => {
    const none = Buffer.alloc(12);
    const sent = exchange(withOptions(COOKIE, none));
    assert.deepEqual([sent.readUInt16BE(2), sent.readUInt16BE(4), sent.readUInt16BE(10)], [0x8000, 0, 1]);
    assert.match(optionsOf(sent), /^000a0018/);
    assert.equal(describeReply(exchange(withOptions('0003 0000', none)))[0], 'FORMERR qr');
  });

  test('is not looked at in a version to come', () => {
    const message = withOptions('000a 0001 00');
    message[message.length - 5 - 11 + 6] = 1;
    assert.match(describeReply(exchange(message))[2] ?? '', /OPT size 1232 rcode 1 version 0/);
  });
});

describe('which server this is', () => {
  const rows: [question: string, nsid: string, ...reply: string[]][] = [
    ['id.server TXT', 'rack-a1', 'NOERROR qr aa', 'answer id.server 0 TXT ?'],
    ['hostname.bind TXT', 'rack-a1', 'NOERROR qr aa', 'answer hostname.bind 0 TXT ?'],
    ['id.server TXT', '', 'REFUSED qr'],
    ['version.bind TXT', 'rack-a1', 'REFUSED qr'],
    ['version.server TXT', 'rack-a1', 'REFUSED qr'],
    ['id.server A', 'rack-a1', 'REFUSED qr'],
    ['rack.example A', 'rack-a1', 'REFUSED qr'],
  ];
  for (const [line, nsid, ...reply] of rows) {
    test(`${line} of class CH, nsid "${nsid}" (RFC 4892)`, () => {
      const sent = responderOf(names.zones, { nsid }).exchange(question(line, { class: 'CH' }), STRANGER);
      const [head, , ...rest] = describeReply(sent);
      assert.deepEqual([head, ...rest], reply);
    });
  }
});
