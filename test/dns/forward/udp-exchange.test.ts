import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UdpExchange, type PeerOpener } from '../../../src/dns/forward/udp-exchange.ts';
import { HandTime } from '../../dhcp/hand-time.ts';
import { ip4 } from '../plan-of.ts';
import { Xorshift16 } from './forward-rig.ts';

test('a port is given up after 32 questions, those that could not be sent among them', () => {
  const time = new HandTime();
  const sent: number[] = [];
  const open = new Set<number>();
  const peers: PeerOpener = {
    open: () => {
      const fd = sent.push(0) - 1;
      open.add(fd);
      return {
        fd,
        send: () => {
          sent[fd] = (sent[fd] ?? 0) + 1;
          return false;
        },
        receive: () => 'nothing',
        close: () => assert.ok(open.delete(fd), 'closed twice'),
      };
    },
  };
  const ground = { loop: time, clock: time, random: new Xorshift16(), peers };
  const ignore = { wrong: () => assert.fail('not here'), late: () => assert.fail('not here') };
  const exchange = new UdpExchange(ground, { address: ip4('10.0.0.53'), port: 53 }, ignore);
  let unreachable = 0;
  for (let i = 0; i < 2000; i++) {
    exchange.ask(Buffer.alloc(40), 2000, ({ kind }) => (unreachable += kind === 'unreachable' ? 1 : 0));
  }
  assert.equal(unreachable, 2000);
  assert.equal(Math.max(...sent), 32);
  assert.ok(open.size <= 16, `${open.size} ports open`);
  exchange.close();
  assert.equal(open.size, 0);
});
