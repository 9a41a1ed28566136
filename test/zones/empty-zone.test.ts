import assert from 'node:assert/strict';
import { test } from 'node:test';

import { emptyZone } from '../../src/zones/empty-zone.ts';
import { formatZone } from '../../src/zones/format-zone.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { ip4 } from '../dns/plan-of.ts';

const ADDRESSES = [ip4('192.0.2.1'), ip4('198.51.100.1')];

test('a zone that lives of updates names the rack as its server, by the domain of a subnet', () => {
  const records = emptyZone('ddns.example', { label: 'rack-a1', domain: 'rack.example', addresses: ADDRESSES });
  assert.deepEqual(
    [...formatZone(records)],
    [
      'ddns.example. 300 IN SOA rack-a1.rack.example. hostmaster.ddns.example. 1 300 60 604800 10',
      'ddns.example. 300 IN NS rack-a1.rack.example.',
    ],
  );
});

test('where no subnet has a domain the rack has its name, and its addresses, in the zone', () => {
  const text = [...formatZone(emptyZone('ddns.example', { label: 'rack-a1', addresses: ADDRESSES }))];
  assert.deepEqual(text.slice(1), [
    'ddns.example. 300 IN NS rack-a1.ddns.example.',
    'rack-a1.ddns.example. 300 IN A 192.0.2.1',
    'rack-a1.ddns.example. 300 IN A 198.51.100.1',
  ]);
  assert.deepEqual(readMasterFile('ddns.example', '/z', () => text.join('\n')).faults, []);
});
