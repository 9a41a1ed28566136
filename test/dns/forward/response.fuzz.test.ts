import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ReplyCompiler } from '../../../src/dns/forward/reply-compiler.ts';
import { writeReply } from '../../../src/dns/forward/write-reply.ts';
import { ReplyOptions } from '../../../src/dns/reply-options.ts';
import { ServerCookies } from '../../../src/dns/server-cookies.ts';
import { nameKey } from '../../../src/wire/dns/name.ts';
import { decodeQuery } from '../../../src/wire/dns/query.ts';
import { readResponse } from '../../../src/wire/dns/response.ts';
import { fuzz } from '../../wire/fuzz.ts';
import { question } from '../ask.ts';
import { ip4 } from '../plan-of.ts';
import { replyTo } from './memory-upstreams.ts';

const ASKED = 'www.example.com A';

test('whatever an upstream says is refused, or is a reply that we can read ourselves', () => {
  const sent = question(ASKED);
  const query = decodeQuery(question('WWW.EXAMPLE.COM A', { edns: {} }));
  const { bytes, questionEnd, edns } = query;
  const options = new ReplyOptions(
    new ServerCookies({ now: () => 0, monotonic: () => 0 }, () => new Uint8Array(16)),
    '',
  );
  const client = { address: ip4('192.0.2.50') };
  const asking = { bytes, questionEnd, edns, client, options, cookie: 'none', limit: 65_535 } as const;
  const asked = { key: nameKey('www.example.com'), type: 1, dnssecOk: true };
  const compiler = new ReplyCompiler();
  const into = Buffer.alloc(65_535);
  const seeds = [
    replyTo(sent, { answers: ['www.example.com 300 A 203.0.113.1', 'www.example.com 300 A 203.0.113.2'] }),
    replyTo(sent, {
      answers: ['www.example.com 300 CNAME web.example.net', 'web.example.net 60 A 203.0.113.1'],
      authorities: ['example.net 60 NS ns.example.net'],
      additionals: ['ns.example.net 60 A 203.0.113.9'],
    }),
    replyTo(sent, { rcode: 3, authorities: ['example.com 900 SOA 60'] }),
    replyTo(sent, { answers: ['com 300 DNAME net', 'www.example.com 300 CNAME www.example.net'] }),
    replyTo(sent, { answers: ['www.example.com 300 MX 10 mail.example.com'] }),
  ];
  const { accepted, refused } = fuzz({
    seeds,
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 200_000),
    run: (message) => {
      const response = readResponse(message);
      const reply = compiler.compile(asked, response, true, { least: 0, most: 86_400 });
      const length = writeReply(asking, reply, { seconds: 7 }, into);
      // What we send is to be read by others
      const again = readResponse(into.subarray(0, length));
      assert.equal(again.answers.length, reply.answers);
      assert.equal(again.authorities.length, reply.authorities);
      assert.ok(reply.ttl <= 604_800);
    },
  });
  assert.ok(accepted > 1000 && refused > 1000, `${accepted} accepted, ${refused} refused`);
});

test('a reply with many names is compressed no worse than it came', () => {
  const message = question(ASKED);
  const answers = Array.from({ length: 50 }, (_, i) => `www.example.com 300 A 203.0.113.${i}`);
  const compiler = new ReplyCompiler();
  const asked = { key: nameKey('www.example.com'), type: 1, dnssecOk: false };
  const reply = compiler.compile(asked, readResponse(replyTo(message, { answers })), false, { least: 0, most: 86_400 });
  assert.equal(reply.wire.length, 50 * 16);
});
