import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ReplySink, StreamClient, StreamDesk } from '../../../src/dns/stream/stream-client.ts';
import { idleTimeout, TCP_LIMITS, type TcpLimits } from '../../../src/dns/stream/tcp-limits.ts';
import { TcpServer } from '../../../src/dns/stream/tcp-server.ts';
import { HandTime } from '../../dhcp/hand-time.ts';
import { fuzz } from '../../wire/fuzz.ts';
import { framed, MemoryAcceptor, type MemoryStream } from './memory-streams.ts';

const LISTENER = 7;

interface Ground {
  readonly time: HandTime;
  readonly acceptor: MemoryAcceptor;
  readonly server: TcpServer;
  readonly desk: TestDesk;
  /** Somebody connects. */
  readonly connect: (from?: string) => MemoryStream;
}

/** Answers each message by its first letter: "L…" later, "T…" by a transfer, "D…" never, others at once, in capitals. */
class TestDesk implements StreamDesk {
  readonly later: (() => void)[] = [];
  readonly sinks: ReplySink[] = [];
  asked = 0;

  handle(message: Buffer, client: StreamClient, into: Buffer): number {
    this.asked++;
    if ((message[2] ?? 0) >= 0x80) return 0;
    const reply = message.toString().toUpperCase();
    if (reply.startsWith('L')) {
      const answer = client.later();
      this.later.push(() => answer(Buffer.from(reply)));
      return 0;
    }
    if (reply.startsWith('T')) this.sinks.push(client.open());
    return reply.startsWith('D') || reply.startsWith('T') ? 0 : into.write(reply);
  }
}

function ground(limits: Partial<TcpLimits> = {}): Ground {
  const time = new HandTime();
  const [acceptor, desk] = [new MemoryAcceptor(), new TestDesk()];
  const server = new TcpServer({
    loop: time,
    clock: time,
    streams: acceptor,
    desk,
    limits: { ...TCP_LIMITS, ...limits },
  });
  server.listen(LISTENER);
  const connect = (from?: string): MemoryStream => {
    acceptor.come(from);
    time.ready(LISTENER);
    const stream = acceptor.streams.at(-1);
    assert.ok(stream);
    return stream;
  };
  return { time, acceptor, server, desk, connect };
}

/** A message of at least a header's length. */
function ask(text: string): Buffer {
  return framed(Buffer.from(text.padEnd(12, '.')));
}

function answers(stream: MemoryStream): string[] {
  return stream.messages.map((message) => message.toString().replaceAll('.', ''));
}

describe('queries and replies', () => {
  test('several queries in one piece are all answered, in their order', () => {
    const { connect } = ground();
    const stream = connect();
    stream.arrive(ask('one'), ask('more'), ask('still more'));
    assert.deepEqual(answers(stream), ['ONE', 'MORE', 'STILL MORE']);
  });

  test('a query whose reply comes later keeps no other one waiting', () => {
    const { connect, desk } = ground();
    const stream = connect();
    stream.arrive(ask('later'), ask('now'));
    assert.deepEqual(answers(stream), ['NOW']);
    desk.later[0]?.();
    assert.deepEqual(answers(stream), ['NOW', 'LATER']);
  });

  test('a client that ends after its queries gets the replies it is owed, then the end', () => {
    const { connect, desk } = ground();
    const stream = connect();
    stream.arrive(ask('later'));
    stream.handler.ended(stream);
    assert.equal(stream.state, 'open');
    desk.later[0]?.();
    assert.deepEqual([answers(stream), stream.state], [['LATER'], 'ended']);
  });

  test('a reply for a client that has gone is dropped', () => {
    const { connect, desk, server } = ground();
    const stream = connect();
    stream.arrive(ask('later'));
    stream.handler.closed(stream, 'ECONNRESET');
    desk.later[0]?.();
    assert.deepEqual([answers(stream), server.counters()['tcp.open']], [[], 0]);
  });

  for (const [name, bytes] of [
    ['a length of three', Buffer.from([0, 3, 1, 2, 3])],
    ['an answer', framed(Buffer.from('000080000000000000000000', 'hex'))],
  ] as const) {
    test(`${name} ends the connection, and is counted`, () => {
      const { connect, server, desk } = ground();
      const stream = connect();
      stream.arrive(ask('one'), bytes, ask('more'));
      assert.deepEqual([answers(stream), stream.state], [['ONE'], 'reset']);
      assert.equal(server.counters()['tcp.closed.junk'], 1);
      assert.ok(desk.asked <= 2);
    });
  }
});

test('a query that gets no reply keeps those behind it from nothing', () => {
  const { connect } = ground();
  const stream = connect();
  stream.arrive(ask('drop'), ask('one'));
  assert.deepEqual([answers(stream), stream.state], [['ONE'], 'open']);
});

describe('who asks for too much', () => {
  test('a client with many queries under way is read no more until there are fewer', () => {
    const { connect, desk } = ground({ outstanding: 2 });
    const stream = connect();
    stream.arrive(ask('later 1'), ask('later 2'));
    assert.equal(stream.isPaused, true);
    desk.later[0]?.();
    assert.equal(stream.isPaused, false);
  });

  test('a client that does not read its replies is read no more until it does', () => {
    const { connect } = ground({ unread: 20 });
    const stream = connect();
    stream.stopReading();
    stream.arrive(ask('one'), ask('more'));
    assert.equal(stream.isPaused, true);
    stream.read();
    assert.deepEqual([answers(stream), stream.isPaused], [['ONE', 'MORE'], false]);
  });

  test('no more is answered than it may leave unread, however much came at once, and all of it when it reads', () => {
    const { connect, desk, time } = ground({ unread: 30 });
    const stream = connect();
    stream.stopReading();
    stream.arrive(...Array.from({ length: 10 }, (_query, i) => ask(`query ${i}`)));
    assert.deepEqual([desk.asked, stream.buffered, stream.isPaused], [3, 42, true]);
    for (const asked of [6, 9, 10]) {
      assert.equal(stream.isPaused, true);
      stream.read();
      time.pass(0);
      assert.equal(desk.asked, asked);
    }
    stream.read();
    assert.deepEqual([answers(stream).length, stream.isPaused], [10, false]);
  });

  test('no more is asked at once than may be under way, however much came', () => {
    const { connect, desk, time } = ground({ outstanding: 2 });
    const stream = connect();
    stream.arrive(ask('later 1'), ask('later 2'), ask('later 3'), ask('now'));
    assert.deepEqual([desk.asked, stream.isPaused], [2, true]);
    for (const i of [0, 1, 2]) {
      desk.later[i]?.();
      time.pass(0);
    }
    assert.deepEqual([answers(stream), stream.isPaused], [['LATER 1', 'LATER 2', 'NOW', 'LATER 3'], false]);
  });

  test('one that never reads is hung up on, as is one that drips; one that takes as much as it may leave is not', () => {
    const { connect, time, server } = ground({ unread: 14 });
    const [never, drips, slowly] = [connect(), connect(), connect()];
    for (const stream of [never, drips, slowly]) {
      stream.stopReading();
      stream.arrive(ask('one'), ask('more'), ask('still more'), ask('and more'));
    }
    for (let second = 0; second < 40; second += 5) {
      time.pass(5);
      drips.read(1);
      slowly.read(4);
      if (drips.state === 'open') drips.arrive(ask('one'));
    }
    assert.deepEqual([never.state, drips.state, slowly.state], ['reset', 'reset', 'open']);
    assert.equal(server.counters()['tcp.closed.stuck'], 2);
  });

  test('what all of them leave unread has a bound: who has not caught up for longest goes first', () => {
    const { connect, time, server } = ground({ unsent: 40 });
    const streams = Array.from({ length: 4 }, () => connect());
    for (const stream of streams.slice(0, 3)) stream.stopReading();
    for (const stream of streams.slice(0, 2)) {
      stream.arrive(ask('one'));
      time.pass(1);
    }
    streams[0]?.read();
    streams[0]?.arrive(ask('more'));
    streams[3]?.arrive(ask('one'));
    streams[2]?.arrive(ask('one'));
    assert.deepEqual(
      streams.map(({ state }) => state),
      ['open', 'reset', 'open', 'open'],
    );
    const { 'tcp.closed.unread': closed, 'tcp.unsent': unsent } = server.counters();
    assert.deepEqual([closed, unsent], [1, 28]);
    server.close();
    assert.equal(server.counters()['tcp.unsent'], 0);
  });

  test('a query that is never answered does not keep a connection for ever', () => {
    const { connect, time } = ground();
    const stream = connect();
    stream.arrive(ask('later'));
    time.pass(31);
    assert.equal(stream.state, 'reset');
  });

  test('parts of messages that never end are held up to a bound in all', () => {
    const { connect, server } = ground({ partial: 1000 });
    const streams = Array.from({ length: 3 }, () => connect());
    for (const stream of streams) stream.arrive(Buffer.from([0xff, 0xff]), Buffer.alloc(400));
    assert.deepEqual(
      streams.map(({ state }) => state),
      ['open', 'open', 'reset'],
    );
    assert.equal(server.counters()['tcp.closed.memory'], 1);
    streams[0]?.handler.closed(streams[0]);
    const next = connect();
    next.arrive(Buffer.from([0xff, 0xff]), Buffer.alloc(400));
    assert.equal(next.state, 'open');
  });
});

describe('who is idle', () => {
  test('is hung up on when its time is over, and not before', () => {
    const { connect, time } = ground();
    const stream = connect();
    time.pass(20);
    stream.arrive(ask('one'));
    time.pass(29);
    assert.equal(stream.state, 'open');
    time.pass(2);
    assert.equal(stream.state, 'closed');
    assert.equal(time.timers, 0);
  });

  test('a query that trickles in does not keep a connection', () => {
    const { connect, time } = ground();
    const stream = connect();
    for (const byte of ask('never whole').subarray(0, 8)) {
      stream.arrive(Buffer.from([byte]));
      time.pass(5);
    }
    assert.equal(stream.state, 'closed');
  });

  test('has ever less time as connections fill up', () => {
    const limits = { ...TCP_LIMITS, connections: 1000, idle: 30_000, crowdedIdle: 2000 };
    const times = [0, 250, 500, 750, 1000, 1100].map((open) => idleTimeout(limits, open));
    assert.deepEqual(times, [30_000, 30_000, 20_667, 11_333, 2000, 2000]);
  });

  test('makes room for who comes, the longest idle first', () => {
    const { connect, server } = ground({ connections: 3 });
    const streams = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((from) => connect(from));
    streams[0]?.arrive(ask('one'));
    connect('192.0.2.4').arrive(ask('hello'));
    assert.deepEqual(
      streams.map(({ state }) => state),
      ['open', 'reset', 'open'],
    );
    assert.equal(server.counters()['tcp.closed.crowded'], 1);
  });

  test('a client with too many connections loses one of its own, not another client one', () => {
    const { connect } = ground({ perClient: 2 });
    const other = connect('192.0.2.1');
    const mine = [connect(), connect(), connect()];
    assert.deepEqual(
      [other, ...mine].map(({ state }) => state),
      ['open', 'reset', 'open', 'open'],
    );
  });

  test('where all are busy the next is refused', () => {
    const { connect, acceptor, server, time } = ground({ connections: 2 });
    for (const stream of [connect(), connect()]) stream.arrive(ask('later'));
    acceptor.come();
    time.ready(LISTENER);
    assert.deepEqual([acceptor.refused, server.counters()['tcp.refused']], [1, 1]);
  });
});

describe('when descriptors run out', () => {
  test('the longest idle gives its own back', () => {
    const { connect, acceptor } = ground();
    const first = connect();
    acceptor.errors.push('EMFILE');
    const second = connect();
    assert.deepEqual([first.state, second.state], ['reset', 'open']);
  });

  test('and nobody is idle, it is tried again a little later', () => {
    const { acceptor, time } = ground();
    acceptor.errors.push('EMFILE', 'ENFILE');
    acceptor.come();
    time.ready(LISTENER);
    assert.deepEqual(time.watched, []);
    time.pass(100, 'milliseconds');
    assert.throws(() => time.ready(8), /nobody/);
    time.ready(LISTENER);
    time.pass(100, 'milliseconds');
    time.ready(LISTENER);
    assert.equal(acceptor.streams.length, 1);
  });

  test('a connection that ended before it was taken in is passed over', () => {
    const { acceptor, connect } = ground();
    acceptor.errors.push('ECONNABORTED');
    assert.equal(connect().state, 'open');
  });

  test('a listener that is closed while it rests is not watched again', () => {
    const time = new HandTime();
    const acceptor = new MemoryAcceptor();
    const server = new TcpServer({ loop: time, clock: time, streams: acceptor, desk: new TestDesk() });
    const listening = server.listen(LISTENER);
    acceptor.errors.push('EMFILE');
    time.ready(LISTENER);
    listening.close();
    time.pass(1);
    assert.deepEqual(time.watched, []);
  });
});

describe('a transfer', () => {
  test('is told when more is wanted, and when its client has gone', () => {
    const { connect, desk } = ground();
    const stream = connect();
    stream.stopReading();
    stream.arrive(ask('transfer'));
    const [sink] = desk.sinks;
    const log: string[] = [];
    sink?.hand(framed(Buffer.from('first message')));
    assert.equal(sink?.isFull, true);
    sink.whenDrained(() => log.push(sink.isClosed ? 'gone' : 'go on'));
    stream.read();
    sink.whenDrained(() => log.push(sink.isClosed ? 'gone' : 'go on'));
    stream.handler.closed(stream, 'ECONNRESET');
    assert.deepEqual(log, ['go on', 'gone']);
  });
});

test('a server that is closed hangs up on all, and leaves no timer', () => {
  const { connect, server, time } = ground();
  const streams = [connect(), connect()];
  server.close();
  assert.deepEqual([streams.map(({ state }) => state), time.timers], [['closed', 'closed'], 0]);
});

test('any bytes, cut anywhere, are messages or junk, and leave nothing behind', () => {
  const { connect, server } = ground();
  let stream = connect();
  fuzz({
    seeds: [Buffer.concat([ask('one'), ask('more')]), ask('a'.repeat(300)), Buffer.from([0xff, 0xff, 1, 2, 3])],
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 50_000),
    run: (bytes) => {
      stream.arrive(bytes);
      stream.sent = Buffer.alloc(0);
      if (stream.state !== 'open') stream = connect();
    },
  });
  assert.equal(server.counters()['tcp.open'], 1);
});
