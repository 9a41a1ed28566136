import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, test } from 'node:test';

import { parseCidr } from '../../../src/addr/cidr.ts';
import { decodeQuery } from '../../../src/wire/dns/query.ts';
import { question } from '../ask.ts';
import { ip4 } from '../plan-of.ts';
import { CLIENT, FIRST, ForwardRig, SECOND, THIRD } from './forward-rig.ts';
import { replyTo, type Server } from './memory-upstreams.ts';

const WWW: Server = ({ message, name }) => replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] });
const OPT = 'additional OPT size 1232 rcode 0 version 0';

function servedRig(wishes: ConstructorParameters<typeof ForwardRig>[0] = {}): ForwardRig {
  const rig = new ForwardRig(wishes);
  for (const place of [FIRST, SECOND, THIRD]) rig.serve(place, WWW);
  return rig;
}

describe('a question that is passed on', () => {
  test('is answered in the client’s own spelling, with RA and without AA', () => {
    const rig = servedRig();
    assert.deepEqual(rig.answer('WwW.Example.COM A', { edns: {} }), [
      'NOERROR qr rd ra',
      'question WwW.Example.COM A',
      'answer WwW.Example.COM 300 A 203.0.113.1',
      OPT,
    ]);
  });

  test('leaves with RD, EDNS of 1232 bytes and nothing of the client', () => {
    const rig = servedRig();
    rig.answer('www.example.com A', { edns: { size: 4096 } });
    const [asked] = rig.world.messages;
    // RD alone, one question, one OPT: root, 41, 1232, no rcode, version 0, no DO, no options
    assert.equal(asked?.message.subarray(2, 12).toString('hex'), '01000001000000000001');
    assert.equal(asked?.message.subarray(-11).toString('hex'), '00002904d0000000000000');
  });

  test('has random letters, ids and ports', () => {
    const rig = servedRig();
    for (let i = 0; i < 1000; i++) rig.answer(`name${i}.of-some-length.example A`);
    const spellings = new Set(rig.world.messages.map(({ name }) => name.replaceAll(/\d/g, '')));
    const ids = new Set(rig.world.messages.map(({ message }) => message.readUInt16BE(0)));
    assert.ok(spellings.size > 900, `${spellings.size} spellings`);
    assert.ok(ids.size > 900, `${ids.size} ids`);
    assert.ok(rig.world.opened > 16, `${rig.world.opened} ports`);
    assert.ok(rig.world.peers.size <= 16, `${rig.world.peers.size} ports at once`);
  });

  const refused: [title: string, line: string, wishes: Parameters<ForwardRig['ask']>[1], code: string][] = [
    ['a stranger', 'www.example.com A', { from: '198.51.100.1' }, 'REFUSED qr rd ra'],
    ['who does not wish for recursion', 'www.example.com A', { recursion: false }, 'REFUSED qr ra'],
    ['a transfer', 'example.com AXFR', {}, 'NOTIMP qr rd ra'],
    ['another class', 'version.bind TXT', { class: 'CH' }, 'NOTIMP qr rd ra'],
  ];
  for (const [title, line, wishes, code] of refused) {
    test(`is not, from ${title}`, () => {
      const rig = servedRig();
      assert.equal(rig.answer(line, wishes)[0], code);
      assert.deepEqual(rig.world.asked, []);
      assert.equal(rig.count('forward.refused'), 1);
    });
  }

  test('may come from those that the file allows', () => {
    const cidr = parseCidr('198.51.100.0/24');
    const rig = servedRig({ allow: cidr ? [cidr] : [] });
    assert.equal(rig.answer('www.example.com A', { from: '198.51.100.1' })[0], 'NOERROR qr rd ra');
  });

  test('for ANY gets one small record of ours (RFC 8482)', () => {
    const rig = servedRig();
    assert.deepEqual(rig.answer('www.example.com ANY').slice(2), ['answer www.example.com 3600 HINFO ?']);
    assert.deepEqual(rig.world.asked, []);
  });

  test('is cut off for who has not the room', () => {
    const rig = servedRig();
    rig.serve(FIRST, ({ message, name }) =>
      replyTo(message, { answers: Array.from({ length: 40 }, (_, i) => `${name} 300 A 203.0.113.${i}`) }),
    );
    assert.deepEqual(rig.answer('big.example A', { limit: 512 }), ['NOERROR qr tc rd ra', 'question big.example A']);
    assert.equal(rig.answer('big.example A', { limit: 1232 }).length, 42);
  });
});

describe('what is kept', () => {
  test('is answered with what is left of its TTL, without asking again', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(100);
    assert.deepEqual(rig.answer('WWW.example.com A').slice(2), ['answer WWW.example.com 200 A 203.0.113.1']);
    assert.equal(rig.world.asked.length, 1);
    assert.deepEqual([rig.count('forward.hits'), rig.count('forward.misses')], [1, 1]);
  });

  test('ends with its TTL', () => {
    const rig = servedRig({ cache: { staleSeconds: 0 } });
    rig.answer('www.example.com A');
    rig.time.pass(299);
    rig.answer('www.example.com A');
    assert.equal(rig.world.asked.length, 1);
    rig.time.pass(1);
    assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 300 A 203.0.113.1');
    assert.equal(rig.world.asked.length, 2);
  });

  test('differs by type, DO and CD', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.answer('www.example.com A', { edns: { dnssecOk: true } });
    rig.answer('www.example.com A', { flags: 0x10 });
    rig.answer('www.example.com TXT');
    assert.equal(rig.world.asked.length, 4);
    assert.equal(rig.answer('www.example.com A', { flags: 0x10 })[0], 'NOERROR qr rd ra cd');
    assert.equal(rig.world.asked.length, 4);
    // CD of the third, DO of the second
    assert.equal((rig.world.messages[2]?.message[3] ?? 0) & 0x10, 0x10);
    assert.equal(rig.world.messages[1]?.message.at(-4), 0x80);
  });

  const noes: [title: string, rcode: number, ttl: number, minimum: number, seconds: number, line: string][] = [
    ['NXDOMAIN', 3, 900, 60, 60, 'NXDOMAIN qr rd ra'],
    ['NODATA', 0, 30, 600, 30, 'NOERROR qr rd ra'],
    ['a "no" for a week', 3, 604_800, 604_800, 10_800, 'NXDOMAIN qr rd ra'],
  ];
  for (const [title, rcode, ttl, minimum, seconds, line] of noes) {
    test(`${title} is kept for ${seconds} s (RFC 2308)`, () => {
      const rig = servedRig({ cache: { staleSeconds: 0 } });
      rig.serve(FIRST, ({ message }) =>
        replyTo(message, { rcode, authorities: [`example.com ${ttl} SOA ${minimum}`] }),
      );
      rig.answer('no.example.com A');
      rig.time.pass(seconds - 1);
      const lines = rig.answer('no.example.com A');
      assert.deepEqual([lines[0], lines[2]], [line, 'authority example.com 1 SOA ns.example.com hm.example.com']);
      rig.time.pass(1);
      rig.answer('no.example.com A');
      assert.equal(rig.world.asked.length, 2);
    });
  }

  test('is nothing where a "no" comes without a SOA, or a TTL is zero', () => {
    const rig = servedRig();
    rig.serve(FIRST, ({ message, name }) =>
      replyTo(message, name.toLowerCase().startsWith('no') ? { rcode: 3 } : { answers: [`${name} 0 A 203.0.113.1`] }),
    );
    for (const name of ['no', 'zero', 'no', 'zero']) rig.answer(`${name}.example.com A`);
    assert.equal(rig.world.asked.length, 4);
  });

  test('stays between the limits of the file, and never longer than a week', () => {
    const rig = servedRig({ cache: { leastTtlSeconds: 60, mostTtlSeconds: 2_000_000 } });
    rig.serve(FIRST, ({ message, name }) =>
      replyTo(message, { answers: [`${name} ${name.toLowerCase() === 'short.example' ? 1 : 900_000} A 203.0.113.1`] }),
    );
    assert.equal(rig.answer('short.example A')[2], 'answer short.example 60 A 203.0.113.1');
    assert.equal(rig.answer('long.example A')[2], 'answer long.example 604800 A 203.0.113.1');
  });

  test('is fetched anew in the last tenth of its time, once, when it is asked for', () => {
    const rig = servedRig();
    for (let i = 0; i < 3; i++) rig.answer('www.example.com A');
    rig.answer('lonely.example.com A');
    rig.time.pass(269);
    rig.answer('www.example.com A');
    assert.equal(rig.world.asked.length, 2);
    rig.time.pass(2);
    assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 29 A 203.0.113.1');
    rig.answer('lonely.example.com A');
    assert.deepEqual(rig.world.asked.slice(2), [`${FIRST} udp www.example.com A`]);
    assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 300 A 203.0.113.1');
    assert.equal(rig.count('forward.prefetched'), 1);
  });

  test('is not fetched ahead where the file says so', () => {
    const rig = servedRig({ cache: { prefetch: false } });
    for (let i = 0; i < 3; i++) rig.answer('www.example.com A');
    rig.time.pass(290);
    rig.answer('www.example.com A');
    assert.equal(rig.world.asked.length, 1);
  });

  test('outlives a Plan with the same upstreams, and no other', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.apply({ cache: { prefetch: false } });
    rig.answer('www.example.com A');
    assert.equal(rig.world.asked.length, 1);
    rig.apply({ upstreams: [SECOND] });
    rig.answer('www.example.com A');
    assert.equal(rig.world.asked.at(-1), `${SECOND} udp www.example.com A`);
  });
});

describe('a question on its way', () => {
  test('is asked of the new upstreams when they change', () => {
    const rig = servedRig();
    rig.world.servers.delete(FIRST);
    const asked = rig.ask('www.example.com A');
    rig.apply({ upstreams: [SECOND] });
    rig.time.pass(1, 'milliseconds');
    assert.equal(asked.lines[0], 'NOERROR qr rd ra');
  });

  test('is refused when there are none for it any more', () => {
    const rig = new ForwardRig();
    const asked = rig.ask('www.example.com A');
    rig.apply({ upstreams: [], routes: { 'corp.example': [SECOND] } });
    assert.equal(asked.lines[0], 'REFUSED qr rd ra');
  });

  test('leaves no port, no timer and nobody who waits behind when the service ends', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, by }) => (by === 'udp' ? replyTo(message, { flags: 0x0200 }) : 'silent'));
    for (let i = 0; i < 40; i++) rig.ask(`n${i}.example A`);
    rig.time.pass(1, 'milliseconds');
    rig.forwarding.close();
    assert.deepEqual([rig.world.peers.size, rig.time.timers, rig.time.watched.length], [0, 0, 0]);
  });
});

describe('a cookie', () => {
  test('comes back with a forwarded reply, from the cache and from afar (RFC 7873 §5.2)', () => {
    const rig = servedRig();
    const first = rig.ask('www.example.com A', { edns: {}, cookie: '0102030405060708' });
    rig.time.pass(1, 'milliseconds');
    const second = rig.ask('www.example.com A', { edns: {}, cookie: 'a1a2a3a4a5a6a7a8' });
    // Option 10, 24 bytes: the client's 8, the server's 16 of version 1
    assert.match(first.bytes?.toString('hex') ?? '', /000a0018010203040506070801000000/);
    assert.match(second.bytes?.toString('hex') ?? '', /000a0018a1a2a3a4a5a6a7a801000000/);
  });
});

describe('a question that several ask', () => {
  test('is asked once, and each gets back its own spelling and id', () => {
    const rig = servedRig();
    rig.world.delays.set(FIRST, 20);
    const spellings = ['www.example.com', 'WWW.EXAMPLE.COM', 'wWw.eXaMpLe.CoM'];
    const asked = spellings.map((name, id) => rig.ask(`${name} A`, { id, edns: {} }));
    const plain = rig.ask('www.Example.com A');
    rig.time.pass(20, 'milliseconds');
    assert.equal(rig.world.asked.length, 1);
    for (const [id, name] of spellings.entries()) {
      assert.equal(asked[id]?.bytes?.readUInt16BE(0), id);
      assert.deepEqual(asked[id]?.lines.slice(1, 3), [`question ${name} A`, `answer ${name} 300 A 203.0.113.1`]);
      assert.equal(asked[id]?.lines.at(-1), OPT);
    }
    assert.equal(plain.lines.length, 3, 'who did not speak EDNS gets none');
    assert.deepEqual([rig.count('forward.misses'), rig.count('forward.joined')], [1, 3]);
    assert.deepEqual([rig.count('forward.questions'), rig.count('forward.waiting')], [0, 0]);
  });

  test('is not multiplied by a client that asks again', () => {
    const rig = servedRig();
    rig.world.delays.set(FIRST, 20);
    const first = rig.ask('www.example.com A', { port: 5000, id: 7 });
    const again = rig.ask('www.example.com A', { port: 5000, id: 7 });
    rig.time.pass(20, 'milliseconds');
    assert.equal(first.lines[0], 'NOERROR qr rd ra');
    assert.equal(again.lines[0], 'nothing');
    assert.equal(rig.count('forward.repeated'), 1);
  });
});

describe('too many questions', () => {
  test('of one client are turned away with a small SERVFAIL', () => {
    const rig = new ForwardRig();
    for (let i = 0; i < 400; i++) rig.ask(`a.n${i}.example A`);
    assert.deepEqual(rig.ask('a.more.example A').lines, ['SERVFAIL qr rd ra', 'question a.more.example A']);
    assert.equal(rig.count('forward.overload-client'), 1);
    assert.equal(rig.ask('a.more.example A', { from: '192.0.2.51' }).lines[0], 'nothing');
  });

  test('below one name leave room for others', () => {
    const rig = new ForwardRig();
    for (let i = 0; i < 512; i++) rig.ask(`x${i}.victim.example A`, { from: `192.0.2.${100 + (i % 100)}` });
    assert.equal(rig.ask('more.victim.example A', { from: '192.0.2.99' }).lines[0], 'SERVFAIL qr rd ra');
    assert.equal(rig.ask('www.other.example A', { from: '192.0.2.99' }).lines[0], 'nothing');
    assert.equal(rig.count('forward.overload-domain'), 1);
  });

  test('below one name leave room for others, however many of their labels are random', () => {
    const rig = new ForwardRig();
    for (let i = 0; i < 2100; i++) rig.ask(`x${i}.y${i}.z.victim.example A`, { from: `192.0.2.${100 + (i % 100)}` });
    assert.equal(rig.ask('more.y.victim.example A', { from: '192.0.2.99' }).lines[0], 'SERVFAIL qr rd ra');
    assert.equal(rig.ask('www.mail.other.example A', { from: '192.0.2.99' }).lines[0], 'nothing');
    assert.equal(rig.count('forward.overload-domain'), 2100 - 2048 + 1);
    rig.time.pass(10);
    assert.equal(rig.ask('more.y.victim.example A', { from: '192.0.2.99' }).lines[0], 'nothing');
  });

  test('in all are turned away, and all are forgotten in the end', () => {
    const rig = new ForwardRig();
    for (let i = 0; i < 4096; i++) rig.ask(`a.n${i}.example A`, { from: `192.0.2.${i % 200}` });
    assert.equal(rig.ask('a.more.example A', { from: '192.0.2.210' }).lines[0], 'SERVFAIL qr rd ra');
    assert.equal(rig.count('forward.overload-questions'), 1);
    rig.time.pass(10);
    assert.deepEqual([rig.count('forward.questions'), rig.count('forward.waiting')], [0, 0]);
    assert.ok(rig.world.peers.size <= 16, `${rig.world.peers.size} ports`);
  });

  test('get what has ended rather than nothing', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(400);
    rig.world.servers.clear();
    for (let i = 0; i < 400; i++) rig.ask(`a.n${i}.example A`);
    assert.equal(rig.ask('www.example.com A').lines[2], 'answer www.example.com 30 A 203.0.113.1');
  });
});

describe('what has ended', () => {
  test('is given after 1.8 s of silence, with a TTL of 30 s, and says so', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(1000);
    rig.world.servers.clear();
    const asked = rig.ask('www.example.com A', { edns: {} });
    rig.time.pass(1799, 'milliseconds');
    assert.equal(asked.lines[0], 'nothing');
    rig.time.pass(1, 'milliseconds');
    assert.equal(asked.lines[2], 'answer www.example.com 30 A 203.0.113.1');
    // RFC 8914: option 15, INFO-CODE 3
    assert.equal(asked.bytes?.subarray(-6).toString('hex'), '000f00020003');
    assert.equal(rig.ask('www.example.com A').lines[2], 'answer www.example.com 30 A 203.0.113.1', 'and then at once');
    assert.equal(rig.count('forward.stale'), 2);
  });

  test('is not given when the answer comes in time, and is replaced when it comes late', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(1000);
    rig.world.delays.set(FIRST, 1900);
    const asked = rig.ask('www.example.com A');
    rig.time.pass(1850, 'milliseconds');
    assert.equal(asked.lines[2], 'answer www.example.com 30 A 203.0.113.1');
    rig.time.pass(200, 'milliseconds');
    assert.equal(rig.ask('www.example.com A').lines[2], 'answer www.example.com 299 A 203.0.113.1');
  });

  test('is given at once while all upstreams are known to be dead, and asked for again meanwhile', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(1000);
    rig.serve(FIRST, () => 'refused');
    for (let i = 0; i < 3; i++) rig.answer(`dead${i}.example A`);
    assert.equal(rig.ask('www.example.com A').lines[2], 'answer www.example.com 30 A 203.0.113.1');
    rig.serve(FIRST, WWW);
    // The next probe
    rig.time.pass(2);
    assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 300 A 203.0.113.1');
  });

  test('is given when upstreams can only say SERVFAIL', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(1000);
    rig.serve(FIRST, ({ message }) => replyTo(message, { rcode: 2 }));
    assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 30 A 203.0.113.1');
  });

  test('is forgotten for a "no"', () => {
    const rig = servedRig();
    rig.answer('www.example.com A');
    rig.time.pass(1000);
    rig.serve(FIRST, ({ message }) => replyTo(message, { rcode: 3, authorities: ['example.com 300 SOA'] }));
    assert.equal(rig.answer('www.example.com A')[0], 'NXDOMAIN qr rd ra');
    rig.world.servers.clear();
    rig.time.pass(100);
    const asked = rig.ask('www.example.com A', { edns: {} });
    rig.time.pass(2);
    assert.equal(asked.lines[0], 'NXDOMAIN qr rd ra');
    assert.equal(asked.bytes?.subarray(-2).toString('hex'), '0013', 'Stale NXDOMAIN Answer');
  });

  test('is never given where the file says so, nor after its time', () => {
    const rig = servedRig({ cache: { staleSeconds: 100 } });
    rig.answer('www.example.com A');
    rig.time.pass(401);
    rig.serve(FIRST, () => 'refused');
    assert.equal(rig.answer('www.example.com A')[0], 'SERVFAIL qr rd ra');
  });
});

describe('a failure', () => {
  test('is told with its reason, kept for a second, and longer each time (RFC 9520)', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, () => 'refused');
    const asked = rig.ask('www.example.com A', { edns: {} });
    rig.time.pass(1, 'milliseconds');
    assert.equal(asked.lines[0], 'SERVFAIL qr rd ra');
    assert.equal(asked.bytes?.subarray(-6).toString('hex'), '000f00020016', 'No Reachable Authority');
    const before = rig.world.asked.length;
    assert.equal(rig.ask('www.example.com A').lines[0], 'SERVFAIL qr rd ra');
    assert.equal(rig.world.asked.length, before, 'nobody was asked');
    rig.time.pass(1);
    rig.answer('www.example.com A');
    rig.time.pass(1);
    assert.equal(rig.ask('www.example.com A').lines[0], 'SERVFAIL qr rd ra', 'two seconds this time');
    rig.time.pass(1);
    rig.serve(FIRST, WWW);
    assert.equal(rig.answer('www.example.com A')[0], 'NOERROR qr rd ra');
  });

  test('of one upstream has the next one asked at once', () => {
    const rig = servedRig({ upstreams: [FIRST, SECOND] });
    rig.serve(FIRST, ({ message }) => replyTo(message, { rcode: 5 }));
    assert.equal(rig.answer('www.example.com A')[0], 'NOERROR qr rd ra');
    assert.deepEqual(rig.world.asked, [`${FIRST} udp www.example.com A`, `${SECOND} udp www.example.com A`]);
  });
});

describe('a flood of distinct names', () => {
  test('leaves the memory flat, and the names that are in use where they are', () => {
    const rig = servedRig({ cache: { sizeBytes: 4 * 1024 * 1024 } });
    const use = (): void => {
      for (let i = 0; i < 50; i++) rig.answer(`used${i}.example A`);
    };
    for (let i = 0; i < 4; i++) use();
    const query = question('00000000.flood.example A', { recursion: true });
    const into = Buffer.alloc(1232);
    const client = { address: ip4(CLIENT), port: 4000, later: () => () => {} };
    const flood = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        query.write(i.toString(16).padStart(8, '0'), 13);
        rig.forwarding.ask(decodeQuery(query), client, into, rig.terms());
        if (i % 16 === 0) rig.time.pass(1, 'milliseconds');
        if (i % 2000 === 0) use();
        rig.world.asked.length = 0;
        rig.world.messages.length = 0;
      }
    };
    rig.serve(FIRST, ({ message }) => answerQuickly(message));
    flood(0, 20_000);
    const before = heldMemory();
    flood(20_000, 100_000);
    const grown = heldMemory() - before;
    assert.ok(grown < 1024 * 1024, `${grown} bytes more`);
    assert.ok(rig.count('cache.bytes') <= 4 * 1024 * 1024);
    rig.world.servers.clear();
    for (let i = 0; i < 50; i++) assert.equal(rig.ask(`used${i}.example A`).lines[0], 'NOERROR qr rd ra');
  });
});

/** An address for whatever was asked, as fast as that goes: the flood is to be large. */
function answerQuickly(message: Buffer): Buffer {
  const end = message.length - 11;
  const record = Buffer.from('c00c000100010000012c0004cb007101', 'hex');
  const reply = Buffer.concat([message.subarray(0, end), record, message.subarray(end)]);
  reply[2] = 0x81;
  reply[3] = 0x80;
  reply[7] = 1;
  return reply;
}

/** Bytes held after a full collection. */
function heldMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
