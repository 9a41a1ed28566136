import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ServedZones } from '../../src/dns/served-zones.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Loop } from '../../src/system/loop.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { describeReply, question } from './ask.ts';
import { PlainPublisher } from './plain-publisher.ts';
import { planOf } from './plan-of.ts';
import { responderOf } from './responder-of.ts';

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

function contentOf(name: string): ZoneColumns {
  const text = '$TTL 60\n@ SOA ns1 h 7 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.1\n';
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
