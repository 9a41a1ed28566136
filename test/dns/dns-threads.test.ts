import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import type { Plan } from '../../src/plan/plan.ts';
import type { LeaseFact } from '../../src/service/letters.ts';
import { nameKey, type NameKey } from '../../src/wire/dns/name.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { ORIGIN, record, soa } from '../zones/records.ts';
import { describeReply, question } from './ask.ts';
import { FIRST, ForwardRig, planWith } from './forward/forward-rig.ts';
import { replyTo } from './forward/memory-upstreams.ts';
import { leaseOf, planOf } from './plan-of.ts';
import { DnsThreads, RACK } from './thread-rig.ts';
import { axfrQuery, ixfrQuery } from './primary.ts';
import { updateMessage } from './update/update-message.ts';

const MAC = '52:54:00:00:00:01';
const LAB = nameKey('lab.test');
const OTHERS = ['dns-2', 'dns-3'] as const;
const NODE1 = 'answer node1.rack.example 300 A 192.0.2.5';

function planOfThreads(threads: number, dns: Partial<Plan['dns']> = {}, subnets: readonly string[] = []): Plan {
  const plan = planOf({
    subnets: ['192.0.2.0/24 rack.example 192.0.2.1', ...subnets],
    hosts: ['node1 192.0.2.5'],
  });
  const { rateLimit: _off, ...rest } = plan.dns;
  return { ...plan, dns: { ...rest, threads, ...dns } };
}

function threadsOf(t: TestContext, ...given: ConstructorParameters<typeof DnsThreads>): DnsThreads {
  const threads = new DnsThreads(...given);
  t.after(() => threads.close());
  return threads;
}

/** lab.test as its file says: "www A 192.0.2.80". */
function labZone(serial: number, ...lines: readonly string[]): ZoneColumns {
  return toColumns(LAB, [soa(serial), ...lines.map((line) => record(line))].map(inLab));
}

function inLab(given: ResourceRecord): ResourceRecord {
  return { ...given, owner: (given.owner.slice(0, -ORIGIN.length) + LAB) as NameKey };
}

const NAMES_LAB = { zones: [{ name: 'lab.test', file: '/lab.zone', update: [], transfer: [], notify: [] }] };

/** So many A records: more than a thread puts into a zone at once. */
function many(last: number, count = 1200): string[] {
  return Array.from({ length: count }, (_, i) => `m${i} A 10.${i >> 8}.${i & 255}.${last}`);
}

function machine(number: number): LeaseFact {
  const hex = number.toString(16).padStart(4, '0');
  return leaseOf(`192.0.2.${number} 52:54:00:00:${hex.slice(0, 2)}:${hex.slice(2)} m${number}`);
}

function largeLease(n: number): LeaseFact {
  return leaseOf(`172.16.${1 + (n >> 8)}.${n & 255} 52:54:00:01:00:00 n${n}`);
}

describe('a thread that answers beside dns', () => {
  test('answers from all zones as dns does', (t) => {
    const threads = threadsOf(t, planOfThreads(3, NAMES_LAB));
    threads.learnZones([labZone(7, '@ NS ns.lab.test', 'www A 192.0.2.80', 'alias CNAME node1.rack.example')]);
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    threads.settle();
    const asked = ['node1.rack.example A', 'x.rack.example A', '50.2.0.192.in-addr.arpa PTR', 'no.rack.example A'];
    for (const line of [...asked, 'www.lab.test A', 'lab.test SOA', 'alias.lab.test A', 'example.com A', '. NS']) {
      const [first, ...others] = threads.names.map((name) => threads.ask(name, line));
      for (const other of others) assert.deepEqual(other, first, line);
      assert.notDeepEqual(first, ['nothing']);
    }
  });

  test('leaves what comes in its sockets until it knows which zones there are, and hands over what it has to wait for', (t) => {
    const threads = threadsOf(t, planOfThreads(2), { isSlow: true });
    threads.crash('dns');
    threads.crash('dns-2');
    threads.start('dns-2');
    threads.settle();
    assert.throws(() => threads.socket('dns-2'), /has no socket/);
    threads.start('dns');
    threads.loses = (note) => note.kind === 'zone';
    threads.settle();
    assert.deepEqual(threads.ask('dns-2', 'node1.rack.example A'), ['nothing']);
    threads.settle();
    assert.equal(describeReply(threads.socket('dns').sent.at(-1)?.bytes ?? Buffer.alloc(0))[2], NODE1);
    // Of no zone that comes
    assert.equal(threads.ask('dns-2', 'example.com A')[0], 'REFUSED qr');
    threads.loses = () => false;
    threads.crash('dns-2');
    threads.start('dns-2');
    threads.settle();
    assert.equal(threads.ask('dns-2', 'node1.rack.example A')[2], NODE1);
  });

  test('is told what changed, and no zone anew, when a lease begins or ends', (t) => {
    const threads = threadsOf(t, planOfThreads(3));
    threads.notes.length = 0;
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    // One way, without a turn of anything else
    threads.turn();
    for (const name of OTHERS) {
      assert.equal(threads.ask(name, 'x.rack.example A')[2], 'answer x.rack.example 30 A 192.0.2.50');
      assert.equal(
        threads.ask(name, '50.2.0.192.in-addr.arpa PTR')[2],
        'answer 50.2.0.192.in-addr.arpa 30 PTR x.rack.example',
      );
    }
    threads.learn([], ['192.0.2.50']);
    threads.turn();
    for (const name of OTHERS) assert.equal(threads.ask(name, 'x.rack.example A')[0], 'NXDOMAIN qr aa');
    const kinds = threads.notes.filter(({ from }) => from === 'dns').map(({ note }) => note.kind);
    assert.deepEqual(new Set(kinds), new Set(['zone-change']));
  });

  test('that missed a change asks for the zone whole, and is right again', (t) => {
    const threads = threadsOf(t, planOfThreads(3));
    threads.loses = (note, to) => note.kind === 'zone-change' && to === 'dns-2';
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    threads.settle();
    assert.equal(threads.ask('dns-2', 'x.rack.example A')[0], 'NXDOMAIN qr aa');
    threads.loses = () => false;
    threads.learn([machine(60)]);
    threads.settle();
    assert.equal(threads.ask('dns-2', 'x.rack.example A')[2], 'answer x.rack.example 30 A 192.0.2.50');
    assert.equal(threads.ask('dns-2', 'm60.rack.example A')[2], 'answer m60.rack.example 30 A 192.0.2.60');
    const wanted = threads.notes.filter(({ note }) => note.kind === 'zone-wanted').map(({ from }) => from);
    assert.deepEqual(wanted, ['dns-2', 'dns-2'], 'forward and reverse, once');
  });

  test('gets a zone whole where much changed, and answers from the one before until it is built', (t) => {
    const threads = threadsOf(t, planOfThreads(2, NAMES_LAB), { isSlow: true });
    threads.learnZones([labZone(7, ...many(1))]);
    threads.settle();
    assert.equal(threads.ask('dns-2', 'm9.lab.test A')[2], 'answer m9.lab.test 300 A 10.0.9.1');
    threads.notes.length = 0;
    threads.learnZones([labZone(8, ...many(2))]);
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 400; i++) {
      threads.turn();
      const [first, last] = ['m9.lab.test A', 'm1199.lab.test A'].map((line) => threads.ask('dns-2', line)[2]);
      seen.add(first);
      assert.equal(first?.endsWith('.2'), last?.endsWith('.2'), 'one content or the other');
    }
    assert.deepEqual([...seen], ['answer m9.lab.test 300 A 10.0.9.1', 'answer m9.lab.test 300 A 10.0.9.2']);
    const kinds = threads.notes.map(({ note }) => note.kind);
    assert.deepEqual(kinds, ['zone']);
  });

  test('has what changed while a zone was written down for it, and while it built it', (t) => {
    const threads = threadsOf(t, planOfThreads(2, {}, ['172.16.0.0/16 large.example 172.16.0.1']), { isSlow: true });
    const machines = Array.from({ length: 2000 }, (_, n) => ({
      address: `172.16.${1 + (n >> 8)}.${n & 255}`,
      line: `answer n${n}.large.example 30 A 172.16.${1 + (n >> 8)}.${n & 255}`,
    }));
    threads.learn(machines.map((_, n) => largeLease(n)));
    threads.settle();
    threads.crash('dns-2');
    threads.start('dns-2');
    for (const { address } of machines.slice(0, 100)) {
      threads.turn();
      threads.learn([], [address]);
    }
    threads.settle();
    for (const [n, { line }] of machines.entries()) {
      const lines = threads.ask('dns-2', `n${n}.large.example A`);
      if (n < 100) assert.equal(lines[0], 'NXDOMAIN qr aa', line);
      else assert.equal(lines[2], line);
    }
    const whole = threads.notes.filter(({ note }) => note.kind === 'zone' && note.changes.length > 0);
    assert.ok(whole.length > 0, 'nothing changed while a zone was written down');
  });

  test('refuses the names of a zone that is served no more, and those of one whose file it waits for it leaves to dns', (t) => {
    const threads = threadsOf(t, planOfThreads(2, NAMES_LAB));
    assert.deepEqual(threads.ask('dns-2', 'www.lab.test A'), ['nothing']);
    threads.settle();
    assert.match(describeReply(threads.socket('dns').sent.at(-1)?.bytes ?? Buffer.alloc(0))[0] ?? '', /^SERVFAIL/);
    threads.learnZones([labZone(7, 'www A 192.0.2.80')]);
    threads.settle();
    assert.equal(threads.ask('dns-2', 'www.lab.test A')[2], 'answer www.lab.test 300 A 192.0.2.80');
    threads.apply(planOfThreads(2));
    threads.learnZones([], ['lab.test']);
    threads.settle();
    assert.equal(threads.ask('dns-2', 'www.lab.test A')[0], 'REFUSED qr');
  });

  test('follows a new Plan: the zones of a subnet that came, and not those of one that went', (t) => {
    const threads = threadsOf(t, planOfThreads(2));
    threads.apply(planOfThreads(2, {}, ['198.51.100.0/24 more.example 198.51.100.1']));
    threads.settle();
    assert.equal(threads.ask('dns-2', 'rack-a1.more.example A')[2], 'answer rack-a1.more.example 300 A 198.51.100.1');
    threads.apply(planOfThreads(2));
    threads.settle();
    assert.equal(threads.ask('dns-2', 'rack-a1.more.example A')[0], 'REFUSED qr');
    assert.equal(threads.ask('dns-2', 'node1.rack.example A')[2], NODE1);
  });

  test('is as many as the Plan says, at once', (t) => {
    const threads = threadsOf(t, planOfThreads(1));
    assert.deepEqual(threads.names, ['dns']);
    threads.apply(planOfThreads(4));
    threads.settle();
    for (const name of ['dns-2', 'dns-3', 'dns-4'] as const) {
      assert.equal(threads.ask(name, 'node1.rack.example A')[2], NODE1);
    }
    threads.apply(planOfThreads(2));
    threads.notes.length = 0;
    threads.learn([machine(60)]);
    threads.settle();
    assert.deepEqual(new Set(threads.notes.map(({ to }) => to)), new Set(['dns-2']));
  });

  test('answers what waits in its sockets before it ends', (t) => {
    const threads = threadsOf(t, planOfThreads(2));
    const socket = threads.socket('dns-2');
    for (let i = 0; i < 300; i++) threads.arrive('dns-2', question('node1.rack.example A', { id: i }));
    threads.apply(planOfThreads(1));
    assert.equal(socket.sent.length, 300);
    assert.ok(socket.closed);
  });
});

describe('when a thread fails', () => {
  test('one that answers is back with all zones, as they are by then', (t) => {
    const threads = threadsOf(t, planOfThreads(3, NAMES_LAB));
    threads.learnZones([labZone(7, 'www A 192.0.2.80')]);
    threads.settle();
    threads.crash('dns-2');
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    threads.settle();
    assert.equal(threads.ask('dns-3', 'x.rack.example A')[2], 'answer x.rack.example 30 A 192.0.2.50');
    threads.start('dns-2');
    threads.settle();
    assert.equal(threads.ask('dns-2', 'x.rack.example A')[2], 'answer x.rack.example 30 A 192.0.2.50');
    assert.equal(threads.ask('dns-2', 'www.lab.test A')[2], 'answer www.lab.test 300 A 192.0.2.80');
  });

  test('dns itself: the others go on with what they have, until it tells them what there is now', (t) => {
    const threads = threadsOf(t, planOfThreads(2, NAMES_LAB), { isSlow: true });
    threads.learnZones([labZone(7, 'www A 192.0.2.80')]);
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    threads.settle();
    threads.crash('dns');
    const still = (): void => {
      assert.equal(threads.ask('dns-2', 'node1.rack.example A')[2], NODE1);
      assert.equal(threads.ask('dns-2', 'www.lab.test A')[2], 'answer www.lab.test 300 A 192.0.2.80');
    };
    // What happens meanwhile nobody tells it
    threads.learn([machine(60)], ['192.0.2.50']);
    threads.turn();
    still();
    assert.equal(threads.ask('dns-2', 'x.rack.example A')[2], 'answer x.rack.example 30 A 192.0.2.50');
    threads.start('dns');
    for (let i = 0; i < 400; i++) {
      threads.turn();
      still();
    }
    assert.equal(threads.ask('dns-2', 'x.rack.example A')[0], 'NXDOMAIN qr aa');
    assert.equal(threads.ask('dns-2', 'm60.rack.example A')[2], 'answer m60.rack.example 30 A 192.0.2.60');
    threads.learn([machine(61)]);
    threads.turn();
    assert.equal(threads.ask('dns-2', 'm61.rack.example A')[2], 'answer m61.rack.example 30 A 192.0.2.61');
  });

  test('dns itself: what it publishes then is put into no zone of before, though its serial may be the same', (t) => {
    const threads = threadsOf(t, planOfThreads(2, {}, ['172.16.0.0/16 large.example 172.16.0.1']), { isSlow: true });
    const serial = (name: 'dns' | 'dns-2'): string =>
      threads.askBytes(name, question('large.example SOA'))?.toString('hex') ?? '';
    threads.learn(Array.from({ length: 2000 }, (_, n) => largeLease(n)));
    for (let n = 2000; n < 2030; n++) {
      threads.settle();
      threads.learn([largeLease(n)]);
    }
    threads.settle();
    threads.crash('dns');
    threads.learn([], ['172.16.1.0']);
    threads.startAlone('dns');
    threads.settle();
    // The store is in memory: it counts from the time of day again
    for (let n = 2030; serial('dns') !== serial('dns-2'); n++) threads.learn([largeLease(n)]);
    threads.introduce('dns');
    threads.turn();
    threads.learn([largeLease(3000)]);
    const known = ['n0', 'n3000'].map((name) => () => threads.ask('dns-2', `${name}.large.example A`)[0]);
    for (let i = 0; i < 50; i++) {
      threads.turn();
      const [old, fresh] = known.map((ask) => ask());
      assert.equal(old === 'NXDOMAIN qr aa', fresh === 'NOERROR qr aa', `after ${i} turns`);
    }
    assert.equal(known[0]?.(), 'NXDOMAIN qr aa');
  });

  test('and the Plan changed before dns was back: a zone that is nobody’s any more goes', (t) => {
    const threads = threadsOf(t, planOfThreads(2, {}, ['198.51.100.0/24 more.example 198.51.100.1']));
    assert.equal(threads.ask('dns-2', 'rack-a1.more.example A')[2], 'answer rack-a1.more.example 300 A 198.51.100.1');
    threads.crash('dns');
    threads.apply(planOfThreads(2));
    threads.settle();
    assert.equal(threads.ask('dns-2', 'rack-a1.more.example A')[0], 'REFUSED qr');
    assert.equal(threads.ask('dns-2', 'node1.rack.example A')[2], NODE1);
  });
});

/** What each thread but dns hands over, and how dns answers. */
const HANDED: [what: string, message: Buffer, reply: RegExp][] = [
  ['an UPDATE', updateMessage(['add new A 192.0.2.9']), /^REFUSED/],
  ['a NOTIFY', notifyMessage(), /^NOTIMP/],
  ['an AXFR', axfrQuery(), /^REFUSED/],
  ['an IXFR', ixfrQuery(1), /^REFUSED/],
  ['a question with a TSIG that nobody knows', signed(), /^NOTAUTH/],
];

describe('what takes more than zones to answer', () => {
  for (const [what, message, reply] of HANDED) {
    test(`${what} is handed over as it came, and dns answers it by its own socket`, (t) => {
      const threads = threadsOf(t, planOfThreads(3));
      threads.arrive('dns-2', message, '203.0.113.9', 1234);
      threads.ready('dns-2');
      threads.settle();
      assert.deepEqual(threads.socket('dns-2').sent, []);
      const [sent, ...more] = threads.socket('dns').sent;
      assert.equal(more.length, 0);
      assert.deepEqual(sent?.to, { address: 0xcb007109, port: 1234 });
      assert.match(describeReply(sent?.bytes ?? Buffer.alloc(0))[0] ?? '', reply);
      assert.equal(sent?.bytes.readUInt16BE(0), message.readUInt16BE(0));
      assert.equal(threads.counters('dns-2')['handed-over'], 1);
    });
  }

  test('a name outside is asked of the resolvers by dns, for machines of the rack alone', (t) => {
    const { time, world, forwarding } = new ForwardRig();
    world.servers.set(FIRST, ({ message, name }) => replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] }));
    const plan = planWith({});
    const threads = threadsOf(t, { ...plan, dns: { ...plan.dns, threads: 2 } }, { time, forwarding });
    const outside = question('www.example.com A', { recursion: true });
    assert.equal(threads.askBytes('dns-2', outside, '192.0.2.50'), undefined);
    threads.settle();
    const [sent] = threads.socket('dns').sent;
    assert.equal(describeReply(sent?.bytes ?? Buffer.alloc(0))[2], 'answer www.example.com 300 A 203.0.113.1');
    const strangers = threads.askBytes('dns-2', outside) ?? Buffer.alloc(0);
    assert.match(describeReply(strangers)[0] ?? '', /^REFUSED/);
    // Whoever may recurse is told so by every thread
    for (const name of threads.names) {
      const reply = threads.askBytes(name, question('rack-a1.rack.example A'), '192.0.2.50');
      assert.match(describeReply(reply ?? Buffer.alloc(0))[0] ?? '', / ra$/, name);
    }
  });

  test('is no more than there is room for: what comes beyond is counted, until dns has dealt with some', (t) => {
    const threads = threadsOf(t, planOfThreads(2));
    threads.loses = (note) => note.kind === 'datagrams';
    const flood = (count: number): void => {
      for (let i = 0; i < count; i++) threads.arrive('dns-2', axfrQuery(), '203.0.113.9', 1000 + i);
      for (let i = 0; i < count; i += 64) threads.ready('dns-2');
      threads.settle();
    };
    const counts = (): (number | undefined)[] =>
      ['handed-over', 'dropped.hand-over'].map((name) => threads.counters('dns-2')[name]);
    flood(1100);
    assert.deepEqual(counts(), [1024, 76]);
    threads.loses = () => false;
    flood(10);
    assert.deepEqual(counts(), [1024, 86], 'nobody has said that they were dealt with');
    threads.crash('dns');
    threads.start('dns');
    threads.settle();
    flood(900);
    flood(900);
    assert.deepEqual(counts(), [2824, 86]);
    assert.equal(threads.socket('dns').sent.length, 1800);
  });

  test('is answered from the address it was sent to, and from none where that is ours no more', (t) => {
    const second = '198.51.100.0/24 more.example 198.51.100.1';
    const threads = threadsOf(t, planOfThreads(2, {}, [second]));
    const [one, two] = [threads.socket('dns-2'), threads.socket('dns-2', '198.51.100.1')];
    const come = (): void => {
      one.arrive(axfrQuery(), { source: 1 as never, to: 2 as never });
      two.arrive(axfrQuery(), { source: 1 as never, to: 2 as never });
      threads.ready('dns-2');
      threads.ready('dns-2', '198.51.100.1');
    };
    come();
    threads.settle();
    const sent = [RACK, '198.51.100.1'].map((address) => threads.socket('dns', address));
    assert.deepEqual(
      sent.map((socket) => socket.sent.length),
      [1, 1],
    );
    come();
    threads.apply(planOfThreads(2));
    threads.settle();
    assert.deepEqual(
      sent.map((socket) => socket.sent.length),
      [2, 1],
    );
  });
});

describe('of several threads', () => {
  test('whichever a machine asks first, it is told once, by dns', (t) => {
    const threads = threadsOf(t, planOfThreads(3));
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    threads.settle();
    for (let i = 0; i < 2; i++) {
      for (const name of ['dns-2', 'dns-3', 'dns'] as const) threads.ask(name, 'node1.rack.example A', '192.0.2.50');
      threads.settle();
    }
    const body = { kind: 'dns.first-question', name: 'node1.rack.example', type: 'A', answer: '192.0.2.5' };
    assert.deepEqual(threads.told, [{ from: 'dns', body, subject: { mac: MAC, address: '192.0.2.50' } }]);
    // A renewed lease is no new one; another machine's is
    threads.learn([leaseOf(`192.0.2.50 ${MAC} x`)]);
    threads.ask('dns-3', 'node1.rack.example A', '192.0.2.50');
    threads.settle();
    assert.equal(threads.told.length, 1);
    threads.learn([leaseOf('192.0.2.50 52:54:00:00:00:02 y')]);
    threads.ask('dns-3', 'node1.rack.example A', '192.0.2.50');
    threads.settle();
    assert.equal(threads.told.length, 2);
  });

  test('each tells the questions it was asked, where the log of them is on', (t) => {
    const threads = threadsOf(t, planOfThreads(2, { queryLog: true }));
    for (const name of threads.names) threads.ask(name, 'node1.rack.example A');
    assert.deepEqual(
      threads.told.map(({ from, body, subject }) => [from, body.kind, subject?.address]),
      [
        ['dns', 'dns.query', '203.0.113.9'],
        ['dns-2', 'dns.query', '203.0.113.9'],
      ],
    );
  });

  test('each takes the cookies of the others, also those of before a thread failed', (t) => {
    const threads = threadsOf(t, planOfThreads(3));
    const cookie = cookieIn(threads.askBytes('dns-2', withCookie('0102030405060708')));
    assert.equal(cookie.length, 48);
    threads.crash('dns');
    threads.start('dns');
    threads.settle();
    for (const name of threads.names) {
      assert.equal(cookieIn(threads.askBytes(name, withCookie(cookie))), cookie, name);
      assert.equal(threads.counters(name)['cookie.good'], 1, name);
    }
  });

  test('each has its share of the rate, so that a network gets no more from all together', (t) => {
    const rateLimit = { responses: 20, windowSeconds: 15, slip: 0 };
    const threads = threadsOf(t, planOfThreads(4, { rateLimit }));
    const answered = threads.names.map(
      (name) =>
        Array.from({ length: 30 }, () => threads.ask(name, 'node1.rack.example A')).filter(
          ([line]) => line !== 'nothing',
        ).length,
    );
    assert.deepEqual(answered, [5, 5, 5, 5]);
    const limited = threads.names.map((name) => threads.counters(name)['dropped.rate-limit']);
    assert.deepEqual(limited, [25, 25, 25, 25]);
  });

  test('dns tells nobody of changes while it is alone', (t) => {
    const threads = threadsOf(t, planOfThreads(1));
    threads.learn([machine(60)]);
    threads.settle();
    assert.deepEqual(threads.notes, []);
  });
});

function notifyMessage(): Buffer {
  const message = question('rack.example SOA');
  message[2] = 4 << 3;
  return message;
}

/** A question behind which a TSIG stands whose key is nobody's. */
function signed(): Buffer {
  const message = question('node1.rack.example A');
  message.writeUInt16BE(1, 10);
  const algorithm = Buffer.from(nameKey('hmac-sha256'), 'latin1');
  const rest = Buffer.alloc(6 + 2 + 2 + 32 + 2 + 2 + 2);
  rest.writeUInt16BE(300, 6);
  rest.writeUInt16BE(32, 8);
  message.copy(rest, 42, 0, 2);
  const data = Buffer.concat([algorithm, rest]);
  const head = Buffer.from([0, 250, 0, 255, 0, 0, 0, 0, 0, data.length]);
  return Buffer.concat([message, Buffer.from(nameKey('nobody.example'), 'latin1'), head, data]);
}

function withCookie(hex: string): Buffer {
  const message = question('node1.rack.example A', { edns: {} });
  const cookie = Buffer.from(hex, 'hex');
  // OPT is last, without options
  message.writeUInt16BE(4 + cookie.length, message.length - 2);
  return Buffer.concat([message, Buffer.from([0, 10, 0, cookie.length]), cookie]);
}

/** The cookie that ends a reply, in hex. */
function cookieIn(reply: Buffer | undefined): string {
  return reply?.subarray(-24).toString('hex') ?? '';
}
