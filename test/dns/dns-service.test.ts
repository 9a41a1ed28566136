import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { DnsService } from '../../src/dns/dns-service.ts';
import type { Subject } from '../../src/service/service.ts';
import { BATCH } from '../../src/system/datagram.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { openZoneStore } from '../../src/zones/open-zone-store.ts';
import { HandTime } from '../dhcp/hand-time.ts';
import { describeReply, question } from './ask.ts';
import { FIRST, ForwardRig, planWith } from './forward/forward-rig.ts';
import { replyTo } from './forward/memory-upstreams.ts';
import { MemorySocket, udpHandle } from './memory-wire.ts';
import { ip4, leaseOf, planOf } from './plan-of.ts';
import { framed, MemoryAcceptor } from './stream/memory-streams.ts';

const PLAN = planOf({ subnets: ['192.0.2.0/24 rack.example 192.0.2.1'], hosts: ['node1 192.0.2.5'] });
const RACK = ip4('192.0.2.1');
const CLIENT = ip4('192.0.2.50');
const MAC = '52:54:00:00:00:01';

function start() {
  const loop = new HandTime();
  const acceptor = new MemoryAcceptor();
  const sockets = new Map<number, MemorySocket>();
  const events: { readonly body: EventBody; readonly subject?: Subject }[] = [];
  const service = new DnsService(
    { loop, clock: loop, events: { emit: (body, subject) => void events.push({ body, ...(subject && { subject }) }) } },
    {
      openSocket: ({ fd }) => {
        const socket = new MemorySocket();
        sockets.set(fd, socket);
        return socket;
      },
      openOwnSocket: () => assert.fail('nobody is to be told'),
      streams: acceptor,
      openStore: () => openZoneStore(':memory:', 0),
      secretOf: () => new Uint8Array(16),
    },
  );
  service.apply(PLAN, [udpHandle(7, '192.0.2.1')]);
  const socket = (fd: number): MemorySocket => sockets.get(fd) ?? assert.fail(`socket ${fd} was not opened`);
  const ask = (line: string): string[] => {
    socket(7).arrive(question(line), { source: CLIENT, to: RACK });
    loop.ready(7);
    return describeReply(socket(7).sent.at(-1)?.bytes ?? Buffer.alloc(0));
  };
  return { service, loop, socket, acceptor, events, ask };
}

describe('the DNS service', () => {
  test('answers by the socket that was asked, which has the address, to the port that asked', () => {
    const { loop, socket } = start();
    socket(7).arrive(question('node1.rack.example A'), { source: CLIENT, port: 1053, to: ip4('192.0.2.2') });
    loop.ready(7);
    const [sent] = socket(7).sent;
    assert.deepEqual(sent?.to, { address: CLIENT, port: 1053 });
    assert.equal(describeReply(sent?.bytes ?? Buffer.alloc(0))[2], 'answer node1.rack.example 300 A 192.0.2.5');
  });

  test('takes one batch at a time, so that letters get their turn', () => {
    const { loop, socket } = start();
    for (let i = 0; i < BATCH + 3; i++) {
      socket(7).arrive(question('node1.rack.example A', { id: i }), { source: CLIENT, to: RACK });
    }
    loop.ready(7);
    assert.equal(socket(7).sent.length, BATCH);
    loop.ready(7);
    assert.deepEqual(
      socket(7).sent.map(({ bytes }) => bytes.readUInt16BE(0)),
      Array.from({ length: BATCH + 3 }, (_, i) => i),
    );
  });

  test('answers a name at once when its lease is told, and no more when it ended', () => {
    const { service, ask } = start();
    assert.equal(ask('x.rack.example A')[0], 'NXDOMAIN qr aa');
    service.learn([leaseOf(`192.0.2.50 ${MAC} x`)], []);
    assert.equal(ask('x.rack.example A')[2], 'answer x.rack.example 30 A 192.0.2.50');
    assert.equal(ask('50.2.0.192.in-addr.arpa PTR')[2], 'answer 50.2.0.192.in-addr.arpa 30 PTR x.rack.example');
    service.learn([], [CLIENT]);
    assert.equal(ask('x.rack.example A')[0], 'NXDOMAIN qr aa');
    assert.equal(ask('50.2.0.192.in-addr.arpa PTR')[0], 'NXDOMAIN qr aa');
  });

  test('answers nothing to port 0, to a response and to a scrap', () => {
    const { service, loop, socket } = start();
    socket(7).arrive(question('node1.rack.example A'), { source: CLIENT, port: 0, to: RACK });
    socket(7).arrive(Buffer.from('00008000000000000000000000', 'hex'), { source: CLIENT, to: RACK });
    socket(7).arrive(Buffer.from([1]), { source: CLIENT, to: RACK });
    loop.ready(7);
    assert.deepEqual(socket(7).sent, []);
    const counters = service.counters();
    const dropped = ['dropped.port-zero', 'dropped.response', 'dropped.short'].map((name) => counters[name]);
    assert.deepEqual(dropped, [1, 1, 1]);
  });

  test('counts what the kernel would not take', () => {
    const { service, socket, ask } = start();
    socket(7).refuse = 1;
    ask('node1.rack.example A');
    assert.equal(service.counters()['lost'], 1);
  });
});

function startForwarding() {
  const { time, world, forwarding } = new ForwardRig();
  world.servers.set(FIRST, ({ message, name }) => replyTo(message, { answers: [`${name} 300 A 203.0.113.1`] }));
  const socket = new MemorySocket();
  const service = new DnsService(
    { loop: time, clock: time, events: { emit: () => undefined } },
    {
      openSocket: () => socket,
      openOwnSocket: () => assert.fail('nobody is to be told'),
      streams: new MemoryAcceptor(),
      openStore: () => openZoneStore(':memory:', 0),
      secretOf: () => new Uint8Array(16),
      forwarding,
    },
  );
  service.apply(planWith({}), [udpHandle(7, '192.0.2.1')]);
  const ask = (port: number): void => {
    socket.arrive(question('www.example.com A', { recursion: true }), { source: CLIENT, port, to: RACK });
  };
  return { time, socket, service, ask };
}

describe('answers of others', () => {
  test('leave together, however many wait for one', () => {
    const { time, socket, ask } = startForwarding();
    for (let i = 0; i < 50; i++) ask(2000 + i);
    time.ready(7);
    assert.deepEqual([socket.sent.length, socket.flushes], [0, 1]);
    time.pass(1, 'milliseconds');
    assert.deepEqual([socket.sent.length, socket.flushes], [50, 2]);
    assert.equal(new Set(socket.sent.map(({ to }) => to.port)).size, 50);
    assert.equal(
      describeReply(socket.sent[49]?.bytes ?? Buffer.alloc(0))[2],
      'answer www.example.com 300 A 203.0.113.1',
    );
  });

  test('that the kernel would not take are counted, too', () => {
    const { time, socket, service, ask } = startForwarding();
    ask(2000);
    time.ready(7);
    socket.refuse = 1;
    time.pass(1, 'milliseconds');
    assert.equal(service.counters()['lost'], 1);
  });
});

describe('a new Plan', () => {
  test('is answered from at once, and the leases stay', () => {
    const { service, ask } = start();
    service.learn([leaseOf(`192.0.2.50 ${MAC} x`)], []);
    const next = planOf({ subnets: ['192.0.2.0/24 new.example 192.0.2.1'] });
    service.apply(next, [udpHandle(7, '192.0.2.1')]);
    assert.equal(ask('node1.rack.example A')[0], 'REFUSED qr');
    assert.equal(ask('x.new.example A')[2], 'answer x.new.example 30 A 192.0.2.50');
  });

  test('keeps the sockets that stay, opens new ones and lets the others go', () => {
    const { service, loop, socket } = start();
    const stays = socket(7);
    service.apply(PLAN, [udpHandle(7, '192.0.2.1'), udpHandle(8, '10.0.0.1')]);
    assert.equal(socket(7), stays);
    service.apply(PLAN, [udpHandle(8, '10.0.0.1')]);
    assert.deepEqual([stays.closed, socket(8).closed, loop.watched], [true, false, [8]]);
  });

  test('opens a socket anew whose descriptor now is another', () => {
    const { service, loop, socket } = start();
    const old = socket(7);
    service.apply(PLAN, [udpHandle(7, '10.0.0.1')]);
    assert.deepEqual([old.closed, socket(7).closed, loop.watched], [true, false, [7]]);
  });

  test('has no sockets left after the end', () => {
    const { service, loop, socket } = start();
    service.close();
    assert.deepEqual([socket(7).closed, loop.watched], [true, []]);
  });
});

describe('the first question of a machine', () => {
  test('is an event, with its answer, once for each lease', () => {
    const { service, events, ask } = start();
    ask('node1.rack.example A');
    assert.deepEqual(events, [], 'an address without a lease is no machine');
    service.learn([leaseOf(`192.0.2.50 ${MAC}`)], []);
    ask('NODE1.rack.example A');
    ask('rack.example NS');
    const body = { kind: 'dns.first-question', name: 'node1.rack.example', type: 'A', answer: '192.0.2.5' };
    assert.deepEqual(events, [{ body, subject: { mac: MAC, address: '192.0.2.50' } }]);
  });

  const rows: [question: string, type: string, answer: string][] = [
    ['node2.rack.example A', 'A', 'NXDOMAIN'],
    ['node1.rack.example AAAA', 'AAAA', 'NODATA'],
    ['example.com A', 'A', 'REFUSED'],
    ['rack.example SOA', 'SOA', 'rack-a1.rack.example. hostmaster.rack.example. 1700000000 300 60 604800 10'],
    ['5.2.0.192.in-addr.arpa PTR', 'PTR', 'node1.rack.example.'],
  ];
  for (const [line, type, answer] of rows) {
    test(`${line} is told as ${answer}`, () => {
      const { service, events, ask } = start();
      service.learn([leaseOf(`192.0.2.50 ${MAC}`)], []);
      ask(line);
      const name = line.split(' ', 1)[0];
      assert.deepEqual(events[0]?.body, { kind: 'dns.first-question', name, type, answer });
    });
  }

  test('that can not be read is not told, the next one is', () => {
    const { service, loop, socket, events, ask } = start();
    service.learn([leaseOf(`192.0.2.50 ${MAC}`)], []);
    socket(7).arrive(Buffer.alloc(12), { source: CLIENT, to: RACK });
    loop.ready(7);
    assert.equal(events.length, 0);
    ask('node1.rack.example A');
    assert.equal(events.length, 1);
  });
});

describe('by TCP', () => {
  const TCP_HANDLE = { fd: 9, transport: 'tcp', address: RACK, port: 53 } as const;

  test('a question is answered, and the first one of a machine told', () => {
    const { service, loop, acceptor, events } = start();
    service.apply(PLAN, [udpHandle(7, '192.0.2.1'), TCP_HANDLE]);
    service.learn([leaseOf(`192.0.2.50 ${MAC} x`)], []);
    acceptor.come('192.0.2.50');
    loop.ready(9);
    const [stream] = acceptor.streams;
    stream?.arrive(framed(question('node1.rack.example A')), framed(question('x.rack.example A')));
    const answers = stream?.messages.map((message) => describeReply(message)[2]);
    assert.deepEqual(answers, ['answer node1.rack.example 300 A 192.0.2.5', 'answer x.rack.example 30 A 192.0.2.50']);
    assert.deepEqual(
      events.map(({ body }) => body.kind),
      ['dns.first-question'],
    );
    assert.equal(service.counters()['tcp.queries'], 2);
  });

  test('all is hung up on when the service ends, and nobody is let in after', () => {
    const { service, loop, acceptor } = start();
    service.apply(PLAN, [TCP_HANDLE]);
    acceptor.come();
    loop.ready(9);
    service.close();
    assert.deepEqual([acceptor.streams.map(({ state }) => state), loop.watched], [['closed'], []]);
  });
});
