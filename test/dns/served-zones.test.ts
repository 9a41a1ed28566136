import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AddressSet } from '../../src/dns/address-set.ts';
import type { ForwardDesk } from '../../src/dns/forward-desk.ts';
import { ServedZones } from '../../src/dns/served-zones.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Loop } from '../../src/system/loop.ts';
import { keyText } from '../../src/wire/dns/name.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { describeReply, question } from './ask.ts';
import { PlainPublisher } from './plain-publisher.ts';
import { planOf } from './plan-of.ts';
import { clientAt, responderOf } from './responder-of.ts';

const STILL = { now: () => 0, monotonic: () => 0 };
const LOOP: Loop = {
  watch: () => ({ close: () => undefined }),
  after: () => ({ cancel: () => undefined }),
};

function planWith(...names: readonly string[]): Plan {
  const plan = planOf({ subnets: ['192.0.2.0/24 rack.example 192.0.2.1'] });
  const zones = names.map((name) => ({ name, file: `/z/${name}`, update: [], transfer: [], notify: [] }));
  return { ...plan, dns: { ...plan.dns, zones } };
}

function contentOf(name: string, more = ''): ZoneColumns {
  const text = `$TTL 60\n@ SOA ns1 h 7 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.1\n${more}`;
  const { origin, records = [] } = readMasterFile(name, '/z', () => text);
  return toColumns(origin, records);
}

test('a zone of the Plan that could not be read yet is ours all the same: SERVFAIL, never a no, nor a question to others', () => {
  const zones = new ServedZones({ loop: LOOP, clock: STILL, publisher: new PlainPublisher() });
  const { exchange } = responderOf(zones);
  const ask = (name: string) => describeReply(exchange(question(`${name} A`)))[0];
  zones.apply(planWith('example', 'lab.example'));
  assert.equal(ask('ns1.lab.example'), 'SERVFAIL qr');
  assert.equal(ask('lab.example'), 'SERVFAIL qr');
  assert.equal(ask('rack-a1.rack.example'), 'NOERROR qr aa', 'a zone inside one that is awaited is not');
  assert.equal(ask('elsewhere.test'), 'REFUSED qr');

  zones.learnZones([contentOf('example')], []);
  assert.equal(ask('ns1.example'), 'NOERROR qr aa');
  assert.equal(ask('gone.example'), 'NXDOMAIN qr aa');
  assert.equal(ask('gone.lab.example'), 'SERVFAIL qr', 'the zone around it says nothing of it');

  zones.learnZones([contentOf('lab.example')], []);
  assert.equal(ask('gone.lab.example'), 'NXDOMAIN qr aa');

  zones.apply(planWith('example'));
  zones.learnZones([], ['lab.example']);
  assert.equal(ask('gone.lab.example'), 'NXDOMAIN qr aa');
  zones.apply(planWith());
  zones.learnZones([], ['example']);
  assert.equal(ask('gone.lab.example'), 'REFUSED qr');
});

test('an alias into a zone that could not be read yet is told to nobody as a no, and nobody else is asked', () => {
  const zones = new ServedZones({ loop: LOOP, clock: STILL, publisher: new PlainPublisher() });
  zones.apply(planWith('example', 'lab.example', 'lab.test'));
  const aliases =
    'in CNAME ns1.lab\nover CNAME in\nfar CNAME gone.lab.test.\nto DNAME lab\nout CNAME www.elsewhere.test.\n';
  zones.learnZones([contentOf('example', aliases)], []);
  const asked: string[] = [];
  const forwarder: ForwardDesk = { ask: (query) => (asked.push(keyText(query.key)), 0) };
  const machine = clientAt('192.0.2.77');
  const own = new AddressSet([{ network: clientAt('192.0.2.0').address, prefix: 24 }]);
  const { responder, exchange } = responderOf(zones, { recursion: own, unlimited: own });
  responder.forwarder = forwarder;
  for (const name of ['in', 'over', 'far', 'ns1.to']) {
    for (const client of [machine, clientAt('198.51.100.1')]) {
      const reply = describeReply(exchange(question(`${name}.example A`, { recursion: true }), client));
      assert.deepEqual(reply, ['SERVFAIL qr rd', `question ${name}.example A`]);
    }
  }
  exchange(question('out.example A', { recursion: true }), machine);
  assert.deepEqual(asked, ['www.elsewhere.test']);
});
