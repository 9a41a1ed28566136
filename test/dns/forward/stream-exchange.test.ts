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
import { Xorshift16 } from './forward-rig.ts';
import { MemoryUpstreams } from './memory-upstreams.ts';

const MOST_WAITING = 4_096;
const key = nameKey('www.example.com');

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
