import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { CLIENT, FIRST, ForwardRig, SECOND, THIRD } from './forward-rig.ts';
import { replyTo, type Asked, type Server } from './memory-upstreams.ts';

const WWW: Server = ({ message, name }) => replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] });
const VALIDATING: Server = ({ message, name }) =>
  replyTo(message, { flags: 0x20, answers: [`${name} 300 A 203.0.113.1`] });
const NXDOMAIN = { rcode: 3, authorities: ['com 86400 SOA 86400'] };
const OK = 'NOERROR qr rd ra';

/** Places that were asked, in order. */
function placesOf(rig: ForwardRig): string[] {
  return rig.world.asked.map((line) => line.split(' ').slice(0, 2).join(' '));
}

describe('of several upstreams', () => {
  test('one is asked, and another only when it is later than it may be', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    rig.serve(SECOND, WWW);
    const asked = rig.ask('www.example.com A');
    assert.deepEqual(placesOf(rig), [`${FIRST} udp`]);
    rig.time.pass(399, 'milliseconds');
    assert.equal(rig.world.asked.length, 1);
    rig.time.pass(2, 'milliseconds');
    assert.deepEqual(placesOf(rig), [`${FIRST} udp`, `${SECOND} udp`]);
    assert.equal(asked.lines[0], OK);
  });

  test('the first answer is it, and the later one is measured all the same', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    for (const place of [FIRST, SECOND]) rig.serve(place, WWW);
    rig.world.delays.set(FIRST, 600);
    const asked = rig.ask('www.example.com A');
    rig.time.pass(450, 'milliseconds');
    assert.equal(asked.lines[0], OK);
    rig.time.pass(200, 'milliseconds');
    assert.equal(rig.count(`upstream.${FIRST}.answered`), 1);
    assert.equal(rig.count(`upstream.${FIRST}.rtt`), 600_000);
  });

  test('the quickest gets most of the questions, the others one now and then', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    for (const place of [FIRST, SECOND]) rig.serve(place, WWW);
    rig.world.delays.set(FIRST, 50);
    rig.world.delays.set(SECOND, 5);
    for (let i = 0; i < 300; i++) {
      rig.ask(`n${i}.example A`);
      rig.time.pass(60, 'milliseconds');
    }
    const slow = rig.count(`upstream.${FIRST}.sent`);
    assert.ok(slow > 0 && slow < 40, `${slow} of 300 asked of the slow one`);
  });

  test('a silent one is asked again in the end, with more patience each time', () => {
    const rig = new ForwardRig();
    const asked = rig.ask('www.example.com A');
    const times: number[] = [];
    for (let i = 0; i < 5000; i += 50) {
      rig.time.pass(50, 'milliseconds');
      if (rig.world.asked.length > times.length + 1) times.push(i + 50);
    }
    assert.equal(asked.lines[0], 'SERVFAIL qr rd ra');
    assert.deepEqual(times, [400, 1200]);
  });

  test('is asked again with the same id from the same port: others would be more for a guess to hit', () => {
    const rig = new ForwardRig();
    rig.ask('www.example.com A');
    rig.time.pass(2);
    const [first, ...others] = rig.world.messages.map(({ message }) => message.toString('hex'));
    assert.deepEqual(others, [first, first]);
    assert.equal(rig.world.opened, 1);
  });

  test('that takes three seconds to find out is heard, however quick it is otherwise', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, WWW);
    for (let i = 0; i < 30; i++) rig.answer(`n${i}.example A`);
    rig.world.delays.set(FIRST, 3000);
    const asked = rig.ask('www.example.com A');
    rig.time.pass(3.1);
    assert.equal(asked.lines[0], OK);
    assert.deepEqual(rig.events, []);
  });
});

describe('an upstream that is dead', () => {
  test('is told once, probed with back-off, and told once when it is back', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    rig.serve(FIRST, () => 'refused');
    rig.serve(SECOND, WWW);
    rig.world.delays.set(SECOND, 20);
    for (let i = 0; i < 6; i++) {
      rig.ask(`n${i}.example A`);
      rig.time.pass(30, 'milliseconds');
    }
    assert.deepEqual(rig.events, [{ kind: 'dns.upstream-failed', upstream: FIRST, reason: 'nobody listens there' }]);
    assert.equal(rig.count(`upstream.${FIRST}.up`), 0);
    const before = rig.world.asked.length;
    rig.time.pass(7.5);
    // After 1, 2 and 4 seconds
    assert.deepEqual(
      rig.world.asked.slice(before),
      Array.from({ length: 3 }, () => `${FIRST} udp . NS`),
    );
    rig.serve(FIRST, WWW);
    rig.time.pass(8);
    assert.deepEqual(rig.events.at(-1), { kind: 'dns.upstream-works', upstream: FIRST, seconds: 15 });
    assert.equal(rig.events.length, 2);
    rig.time.pass(100);
    assert.equal(rig.events.length, 2);
  });

  test('is not asked while another lives, and is when none does', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    rig.serve(FIRST, () => 'refused');
    rig.serve(SECOND, WWW);
    for (let i = 0; i < 5; i++) rig.answer(`n${i}.example A`);
    const sent = rig.count(`upstream.${FIRST}.sent`);
    for (let i = 0; i < 50; i++) rig.answer(`m${i}.example A`);
    assert.equal(rig.count(`upstream.${FIRST}.sent`), sent);
    rig.serve(SECOND, () => 'refused');
    for (let i = 0; i < 5; i++) rig.answer(`o${i}.example A`);
    rig.serve(FIRST, WWW);
    assert.equal(rig.answer('p.example A')[0], OK, 'back before any probe');
  });

  test('is not taken for dead when many answers are lost at one moment', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, WWW);
    rig.answer('a.example A');
    rig.world.servers.clear();
    for (let i = 0; i < 20; i++) rig.ask(`n${i}.example A`);
    rig.serve(FIRST, WWW);
    rig.time.pass(5);
    assert.deepEqual(rig.events, []);
  });

  test('is told when it does not answer what it must know either', () => {
    const rig = new ForwardRig();
    rig.ask('www.example.com A');
    rig.time.pass(10);
    assert.equal(rig.world.asked.filter((line) => line === `${FIRST} udp . NS`).length >= 1, true);
    assert.deepEqual(rig.events, [{ kind: 'dns.upstream-failed', upstream: FIRST, reason: 'no answer' }]);
  });

  for (const upstream of [FIRST, '10.0.0.53:853/dns.example']) {
    test(`is not ${upstream} when all that is asked for is a domain whose servers are dead`, () => {
      const rig = new ForwardRig({ upstreams: [upstream] });
      rig.ask('probe.example A');
      const place = rig.world.asked[0]?.split(' ')[0] ?? '';
      rig.serve(place, (asked) => (/dead/i.test(asked.name) ? 'silent' : WWW({ ...asked, name: asked.name || '.' })));
      rig.time.pass(10);
      rig.events.length = 0;
      for (let i = 0; i < 10; i++) {
        rig.ask(`n${i}.dead.example A`);
        rig.time.pass(1.5);
      }
      rig.time.pass(10);
      assert.deepEqual(rig.events, []);
      assert.equal(rig.answer('www.example.com A')[0], OK);
    });
  }

  test('without any way to it fails at once', () => {
    const rig = new ForwardRig();
    rig.world.fault = 'ENETUNREACH';
    assert.equal(rig.ask('www.example.com A').lines[0], 'SERVFAIL qr rd ra');
  });
});

describe('an answer', () => {
  const lies: [title: string, lie: (asked: Asked) => Buffer][] = [
    ['another id', ({ message, name }) => withId(replyTo(message, { answers: [`${name} 300 A 6.6.6.6`] }), 1)],
    [
      'another name',
      ({ message }) => replyTo(message, { spelled: 'evil.example.com', answers: ['evil.example.com 1 A 6.6.6.6'] }),
    ],
    [
      'another type',
      ({ message, name }) => withType(replyTo(message, { answers: [`${name} 300 A 6.6.6.6`] }), message),
    ],
    ['no question', ({ message, name }) => withoutQuestion(replyTo(message, { answers: [`${name} 300 A 6.6.6.6`] }))],
    ['no question, and NXDOMAIN', ({ message }) => withoutQuestion(replyTo(message, NXDOMAIN))],
    ['no question, and SERVFAIL', ({ message }) => withoutQuestion(replyTo(message, { rcode: 2 }))],
    ['no QR', ({ message }) => Buffer.from(message)],
    ['only a part of a header', () => Buffer.from([1, 2, 3])],
  ];
  for (const [title, lie] of lies) {
    test(`with ${title} is as if it had not come`, () => {
      const rig = new ForwardRig();
      rig.serve(FIRST, (asked) => [
        lie(asked),
        replyTo(asked.message, { answers: [`${asked.name} 300 A 203.0.113.1`] }),
      ]);
      assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 300 A 203.0.113.1');
      assert.equal(rig.count(`upstream.${FIRST}.wrong`), 1);
    });
  }

  test('in other letters is asked for by TCP, where nobody can forge it from afar', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, name, by }) =>
      by === 'udp'
        ? replyTo(message, { spelled: name.toLowerCase(), answers: [`${name} 300 A 6.6.6.6`] })
        : replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] }),
    );
    assert.equal(rig.answer('www.example.com A')[2], 'answer www.example.com 300 A 203.0.113.1');
    assert.deepEqual(placesOf(rig), [`${FIRST} udp`, `${FIRST} tcp`]);
  });

  test('of a server that never keeps letters is believed in time, without TCP', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, name }) =>
      replyTo(message, { spelled: name.toLowerCase(), answers: [`${name} 300 A 203.0.113.1`] }),
    );
    for (let i = 0; i < 3; i++) assert.equal(rig.answer(`name${i}.example A`)[0], OK);
    const before = rig.world.asked.length;
    assert.equal(rig.answer('another-name.example A')[0], OK);
    assert.deepEqual(placesOf(rig).slice(before), [`${FIRST} udp`]);
    assert.equal(rig.world.messages.at(-1)?.name, 'another-name.example');
    assert.equal(rig.count(`upstream.${FIRST}.respelled`), 3);
  });

  test('that is cut off is asked for by TCP, over one connection, many at once', () => {
    const rig = new ForwardRig();
    rig.world.delays.set(FIRST, 10);
    rig.serve(FIRST, ({ message, name, by }) =>
      by === 'udp' ? replyTo(message, { flags: 0x0200 }) : replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] }),
    );
    const asked = [1, 2, 3].map((i) => rig.ask(`n${i}.example A`));
    rig.time.pass(21, 'milliseconds');
    for (const { lines } of asked) assert.equal(lines[0], OK);
    assert.equal(rig.world.connected, 1);
    rig.time.pass(11);
    rig.ask('later.example A');
    rig.time.pass(21, 'milliseconds');
    assert.equal(rig.world.connected, 2, 'an idle connection was closed');
  });

  test('over a connection that the server closed meanwhile is asked for once more', () => {
    const rig = new ForwardRig();
    let streamed = 0;
    rig.serve(FIRST, ({ message, name, by }) => {
      if (by === 'udp') return replyTo(message, { flags: 0x0200 });
      streamed++;
      return streamed === 2 ? 'refused' : replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] });
    });
    assert.equal(rig.answer('a.example A')[0], OK);
    assert.equal(rig.answer('b.example A')[0], OK);
    assert.deepEqual([streamed, rig.world.connected], [3, 2]);
  });

  test('over a connection on which nothing comes any more has a new one made', () => {
    const rig = new ForwardRig({ upstreams: [FIRST] });
    rig.serve(FIRST, ({ message, by }) => (by === 'udp' ? replyTo(message, { flags: 0x0200 }) : 'silent'));
    rig.ask('a.example A');
    rig.time.pass(5);
    rig.serve(FIRST, ({ message, name, by }) =>
      by === 'udp' ? replyTo(message, { flags: 0x0200 }) : replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] }),
    );
    assert.equal(rig.answer('b.example A')[0], OK);
    assert.equal(rig.world.connected, 2);
  });

  test('over a stream that is no DNS is none', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, by }) => (by === 'udp' ? replyTo(message, { flags: 0x0200 }) : Buffer.from('HTTP/1')));
    assert.equal(rig.answer('a.example A')[0], 'SERVFAIL qr rd ra');
  });

  test('that can not be read is none, and the next upstream is asked', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    rig.serve(FIRST, ({ message }) => replyTo(message, { answers: ['a.example 300 A 6.6.6.6'] }).subarray(0, -15));
    rig.serve(SECOND, WWW);
    assert.equal(rig.answer('a.example A')[2], 'answer a.example 300 A 203.0.113.1');
    assert.equal(rig.count(`upstream.${FIRST}.malformed`), 1);
  });

  test('FORMERR to EDNS has it asked without, from then on', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, name }) =>
      message[11] === 1
        ? replyTo(message, { rcode: 1, edns: false })
        : replyTo(message, { answers: [`${name} 300 A 203.0.113.1`], edns: false }),
    );
    assert.equal(rig.answer('a.example A')[0], OK);
    assert.equal(rig.answer('b.example A')[0], OK);
    assert.equal(rig.world.asked.length, 3);
  });

  test('FORMERR by a header alone, which a guess can be, has only this question asked without EDNS', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message }) => withoutQuestion(replyTo(message, { rcode: 1, edns: false })));
    rig.ask('a.example A');
    rig.serve(FIRST, WWW);
    rig.time.pass(1, 'milliseconds');
    const before = rig.world.messages.length;
    assert.equal(rig.answer('b.example A')[0], OK);
    assert.deepEqual(
      rig.world.messages.slice(before).map(({ message }) => message[11]),
      [1],
    );
    assert.match(rig.world.messages[1]?.name ?? '', /[A-Z]/, 'without EDNS, not without mixed letters');
  });

  for (const rcode of [6, 3]) {
    test(`with code ${rcode} says something of the name`, () => {
      const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
      rig.serve(FIRST, ({ message }) => replyTo(message, { rcode }));
      rig.answer('a-name.example A');
      assert.deepEqual(placesOf(rig), [`${FIRST} udp`]);
    });
  }

  for (const rcode of [1, 2, 4, 5, 7, 8, 9, 10, 11, 15]) {
    test(`with code ${rcode} is none, and the next upstream is asked`, () => {
      const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
      rig.serve(FIRST, ({ message }) => replyTo(message, { rcode }));
      rig.serve(SECOND, WWW);
      assert.equal(rig.answer('a.example A')[2], 'answer a.example 300 A 203.0.113.1');
    });
  }

  test('BADVERS, whose lower bits are NOERROR, is none either', () => {
    const rig = new ForwardRig({ upstreams: [FIRST, SECOND] });
    rig.serve(FIRST, ({ message }) => {
      const reply = replyTo(message);
      // OPT is last: name, type, size, and the upper bits of the code
      reply[reply.length - 6] = 1;
      return reply;
    });
    rig.serve(SECOND, WWW);
    assert.equal(rig.answer('a.example A')[2], 'answer a.example 300 A 203.0.113.1');
  });

  test('by TCP is believed in any letters', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, name, by }) =>
      by === 'udp'
        ? replyTo(message, { flags: 0x0200 })
        : replyTo(message, { spelled: name.toUpperCase(), answers: [`${name} 300 A 203.0.113.1`] }),
    );
    assert.equal(rig.answer('a.example A')[2], 'answer a.example 300 A 203.0.113.1');
  });
});

describe('a flood of wrong answers', () => {
  test('has the upstream asked by TCP for a minute, and is told once', () => {
    const rig = new ForwardRig();
    rig.serve(FIRST, ({ message, name, by }) => {
      const right = replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] });
      return by === 'udp' ? [...Array.from({ length: 30 }, (_, i) => withId(right, i + 1)), right] : right;
    });
    assert.equal(rig.answer('a.example A')[0], OK);
    assert.deepEqual(rig.events, [{ kind: 'dns.upstream-forged', upstream: FIRST }]);
    assert.equal(rig.answer('b.example A')[0], OK);
    assert.equal(placesOf(rig).at(-1), `${FIRST} tcp`);
    rig.time.pass(61);
    rig.answer('c.example A');
    assert.equal(placesOf(rig).at(-1), `${FIRST} udp`);
  });
});

describe('twenty forged packets', () => {
  for (const how of ['refused', 'silent'] as const) {
    test(`do not cut off an upstream whose TCP is ${how}: each question goes from a port of its own`, () => {
      const rig = new ForwardRig();
      rig.serve(FIRST, (asked) => (asked.by === 'udp' ? WWW(asked) : how));
      rig.answer('a.example A');
      for (let i = 0; i < 25; i++) {
        for (const peer of rig.world.peers) peer.arrive(Buffer.from([i, i, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0]));
        rig.time.pass(1, 'milliseconds');
      }
      assert.deepEqual(rig.events, [{ kind: 'dns.upstream-forged', upstream: FIRST }]);
      const asked = rig.ask('first.example A');
      rig.time.pass(1.1);
      assert.equal(asked.lines[0], OK);
      rig.serve(FIRST, (one) => (one.by === 'udp' ? 'silent' : how));
      const [opened, before] = [rig.world.opened, rig.world.messages.length];
      const more = Array.from({ length: 20 }, (_, i) => rig.ask(`a-long-name-${i}.example A`));
      const [first, ...others] = rig.world.messages.slice(before);
      assert.ok(first && [first, ...others].every(({ by, name }) => by === 'udp' && /[A-Z]/.test(name)));
      assert.equal(rig.world.opened - opened, 20);
      rig.serve(FIRST, (one) => (one.by === 'udp' ? WWW(one) : how));
      rig.time.pass(3);
      assert.deepEqual(new Set(more.map(({ lines }) => lines[0])), new Set([OK]));
      assert.equal(rig.events.length, 1, 'nor have it told as failed');
    });
  }
});

describe('a route', () => {
  const rows: [name: string, place: string][] = [
    ['www.example.com', FIRST],
    ['corp.example', SECOND],
    ['www.corp.example', SECOND],
    ['lab.corp.example', THIRD],
    ['a.b.lab.corp.example', THIRD],
    ['notcorp.example', FIRST],
    ['1.0.0.10.in-addr.arpa', SECOND],
  ];
  for (const [name, place] of rows) {
    test(`leads ${name} to ${place}`, () => {
      const routes = {
        'corp.example': [SECOND],
        'lab.corp.example': [THIRD],
        '10.in-addr.arpa': [SECOND],
      };
      const rig = new ForwardRig({ routes });
      rig.answer(`${name} TXT`);
      assert.deepEqual(rig.world.asked, [`${place} udp ${name} TXT`]);
    });
  }

  test('is enough without upstreams for everything', () => {
    const rig = new ForwardRig({ upstreams: [], routes: { 'corp.example': [SECOND] } });
    rig.serve(SECOND, WWW);
    assert.equal(rig.answer('www.corp.example A')[0], OK);
    assert.equal(rig.answer('www.example.com A')[0], 'REFUSED qr rd ra');
  });
});

describe('a loop', () => {
  test('through ourselves is never begun', () => {
    const rig = new ForwardRig({ upstreams: ['192.0.2.1', SECOND] });
    rig.serve(SECOND, WWW);
    assert.equal(rig.answer('www.example.com A')[0], OK);
    assert.deepEqual(placesOf(rig), [`${SECOND} udp`]);
  });

  test('is not begun by what is asked already when an upstream becomes one of ours', () => {
    const upstreams = ['198.51.100.1', SECOND];
    const rig = new ForwardRig({ upstreams });
    rig.serve(SECOND, WWW);
    const asked = rig.ask('www.example.com A');
    assert.deepEqual(placesOf(rig), ['198.51.100.1 udp']);
    rig.apply({ upstreams, subnets: ['198.51.100.0/24 lab.example 198.51.100.1'] });
    rig.time.pass(1, 'milliseconds');
    assert.equal(asked.lines[0], OK);
    rig.time.pass(5);
    assert.deepEqual(placesOf(rig), ['198.51.100.1 udp', `${SECOND} udp`]);
    rig.forwarding.close();
    assert.equal(rig.world.peers.size, 0);
  });

  test('is cut where an upstream asks us what it was asked', () => {
    const upstream = '192.0.2.53';
    const rig = new ForwardRig({ upstreams: [upstream] });
    rig.ask('www.example.com A', { from: CLIENT });
    assert.equal(rig.ask('www.example.com A', { from: upstream }).lines[0], 'SERVFAIL qr rd ra');
    assert.equal(rig.count('forward.loops'), 1);
    assert.equal(rig.ask('other.example.com A', { from: upstream }).lines[0], 'nothing', 'it may be a client too');
  });
});

describe('an upstream over TLS', () => {
  const TLS = '10.0.0.53:853/dns.example';

  test('is asked through the socket of the dot service, and never in the clear', () => {
    const rig = new ForwardRig({ upstreams: [TLS] });
    rig.answer('www.example.com A');
    assert.match(rig.world.asked.join(), /^\/dot-[0-9a-f]{12}\.sock unix www\.example\.com A$/);
  });

  test('is asked once, however long it takes: a stream loses nothing', () => {
    const rig = new ForwardRig({ upstreams: [TLS] });
    rig.ask('www.example.com A');
    rig.time.pass(3);
    assert.equal(rig.world.asked.length, 1);
  });

  test('is no worse for more questions than its connection takes, and those go to another', () => {
    const rig = new ForwardRig({ upstreams: [TLS, SECOND] });
    rig.ask('probe.example A');
    const place = rig.world.asked[0]?.split(' ')[0] ?? '';
    rig.serve(place, WWW);
    rig.serve(SECOND, WWW);
    rig.world.delays.set(SECOND, 700);
    rig.time.pass(5);
    rig.world.delays.set(place, 900);
    const asked = Array.from({ length: 4000 }, (_, i) => {
      const wishes = { from: `192.0.2.${10 + (i % 40)}` };
      return rig.ask(`n${i}.d${i % 300}.example A`, wishes);
    });
    rig.time.pass(4);
    assert.deepEqual(new Set(asked.map(({ lines }) => lines[0])), new Set([OK]));
    assert.deepEqual(rig.events, []);
  });

  const rows: [title: string, upstream: string, wishes: object, line: string][] = [
    ['passed on to who sets AD', TLS, { flags: 0x20 }, 'NOERROR qr rd ra ad'],
    ['passed on to who sets DO', TLS, { edns: { dnssecOk: true } }, 'NOERROR qr rd ra ad'],
    ['not told to who does not know of it', TLS, {}, OK],
    ['not believed of a server in the clear', FIRST, { flags: 0x20 }, OK],
  ];
  for (const [title, upstream, wishes, line] of rows) {
    test(`AD is ${title} (RFC 6840 §5.8)`, () => {
      const rig = new ForwardRig({ upstreams: [upstream] });
      rig.ask('probe.example A');
      rig.serve(rig.world.asked[0]?.split(' ')[0] ?? '', VALIDATING);
      assert.equal(rig.answer('www.example.com A', wishes)[0], line);
    });
  }
});

function withId(reply: Buffer, by: number): Buffer {
  const copy = Buffer.from(reply);
  copy.writeUInt16BE((copy.readUInt16BE(0) + by) & 0xffff, 0);
  return copy;
}

function withType(reply: Buffer, { length }: Buffer): Buffer {
  const copy = Buffer.from(reply);
  // The question ends where OPT, of eleven bytes, begins in the query
  copy.writeUInt16BE(28, length - 11 - 4);
  return copy;
}

function withoutQuestion(reply: Buffer): Buffer {
  const end = reply.indexOf(0, 12) + 5;
  const copy = Buffer.concat([reply.subarray(0, 12), reply.subarray(end)]);
  copy.writeUInt16BE(0, 4);
  return copy;
}
