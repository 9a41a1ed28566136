import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Told } from '../../../src/dns/forward/exchange.ts';
import { StreamExchange } from '../../../src/dns/forward/stream-exchange.ts';
import { Upstream } from '../../../src/dns/forward/upstream.ts';
import { encodeQuestion } from '../../../src/wire/dns/encode-question.ts';
import { nameKey } from '../../../src/wire/dns/name.ts';
import { TYPE } from '../../../src/wire/dns/record-type.ts';
import { HandTime } from '../../dhcp/hand-time.ts';
import { ip4 } from '../plan-of.ts';
import type { Stream, StreamHandler } from '../../../src/system/stream.ts';
import { Xorshift16 } from './forward-rig.ts';
import { MemoryUpstreams, replyTo } from './memory-upstreams.ts';

const MOST_WAITING = 4_096;
const key = nameKey('www.example.com');

/** An exchange over one connection at a time, whose server is the test. */
function byHand() {
  const time = new HandTime();
  const connections: { readonly handler: StreamHandler; isClosed: boolean; readonly asked: Buffer[] }[] = [];
  const connect = (handler: StreamHandler): Stream => {
    const connection = { handler, isClosed: false, asked: [] as Buffer[] };
    connections.push(connection);
    const stream = {
      hand: (bytes: Buffer) => connection.asked.push(bytes.subarray(2)),
      close: () => (connection.isClosed = true),
    };
    return stream as unknown as Stream;
  };
  const counted = { wrong: 0, late: 0 };
  const watcher = { wrong: () => void counted.wrong++, late: () => void counted.late++ };
  const exchange = new StreamExchange({ loop: time, clock: time, random: new Xorshift16() }, connect, watcher);
  const told: Told['kind'][] = [];
  const ask = (name: string, within: number): void => {
    const bits = { edns: true, dnssecOk: false, checkingDisabled: false, authenticData: false };
    exchange.ask(encodeQuestion({ name: nameKey(name), type: TYPE.A, ...bits }), within, ({ kind }) => told.push(kind));
  };
  /** The server sends a message on the connection that was opened last. */
  const send = (message: Buffer): void => {
    const { handler } = connections.at(-1) ?? assert.fail('nobody is connected');
    const framed = Buffer.concat([Buffer.alloc(2), message]);
    framed.writeUInt16BE(message.length);
    handler.received(framed, undefined as unknown as Stream);
  };
  return { time, connections, exchange, ask, send, told, counted };
}

function withOtherId(message: Buffer): Buffer {
  const other = Buffer.from(message);
  other[0] = (other[0] ?? 0) ^ 0xff;
  return other;
}

const junk: [what: string, of: (question: Buffer) => Buffer][] = [
  ['questions', (question) => question],
  ['answers that nobody asked for', (question) => withOtherId(replyTo(question))],
  ['answers to something else', (question) => replyTo(question, { spelled: 'other.example' })],
];
for (const [what, of] of junk) {
  test(`a server that sends ${what} again and again is hung up on`, () => {
    const { ask, send, told, connections, counted } = byHand();
    ask('www.example.com', 1000);
    const [question = assert.fail()] = connections[0]?.asked ?? [];
    for (let left = 8; left > 0; left--) send(of(question));
    assert.deepEqual([told, connections[0]?.isClosed], [[], false]);
    send(of(question));
    assert.deepEqual([told, connections[0]?.isClosed, counted.wrong + counted.late], [['unreachable'], true, 9]);
    ask('www.example.com', 1000);
    assert.equal(connections.length, 2);
  });
}

test('answers of questions that were given up are borne, and a connection on which nobody waits any more is closed', () => {
  const { time, ask, send, told, connections, counted } = byHand();
  for (let n = 0; n < 20; n++) ask(`n${n}.example`, 1000);
  time.pass(500, 'milliseconds');
  ask('quick.example', 1000);
  const [connection = assert.fail()] = connections;
  send(replyTo(connection.asked[20] ?? assert.fail()));
  time.pass(500, 'milliseconds');
  assert.deepEqual(told, ['reply', ...Array<string>(20).fill('silent')]);
  for (const question of connection.asked.slice(0, 20)) send(replyTo(question));
  assert.deepEqual([counted.late, connection.isClosed], [20, false]);
  time.pass(10);
  assert.equal(connection.isClosed, true);
});

test('more questions than a connection takes say nothing of the upstream', () => {
  const time = new HandTime();
  const world = new MemoryUpstreams(time);
  const ground = { loop: time, clock: time, random: new Xorshift16() };
  const ignore = { wrong: () => assert.fail('not here'), late: () => assert.fail('not here') };
  const connect = world.connect.bind(world, { address: ip4('10.0.0.53'), port: 53 });
  const exchange = new StreamExchange(ground, connect, ignore);
  const told: Told[] = [];
  const bits = { edns: true, dnssecOk: false, checkingDisabled: false, authenticData: false };
  const message = (): Buffer => encodeQuestion({ name: key, type: TYPE.A, ...bits });
  for (let i = 0; i < MOST_WAITING; i++) exchange.ask(message(), 4000, (one) => told.push(one));
  assert.deepEqual(told, []);

  const upstream = new Upstream('10.0.0.53', key, {
    ...ground,
    streams: () => exchange,
    isTrusted: false,
    onDown: () => assert.fail('taken for dead'),
    onUp: () => assert.fail('not here'),
    onForgery: () => assert.fail('not here'),
  });
  const answers: string[] = [];
  for (let i = 0; i < 10; i++) {
    const question = { key, type: TYPE.A, dnssecOk: false, checkingDisabled: false };
    upstream.ask(question, ({ kind }) => answers.push(kind));
    assert.equal(upstream.isStreaming(question), false);
  }
  assert.deepEqual(
    answers,
    Array.from({ length: 10 }, () => 'unwilling'),
  );
  assert.equal(upstream.health.isUp, true);
  exchange.close();
});
