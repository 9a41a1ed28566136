import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readRegionConfig } from '../../src/region/region-config.ts';

test('a region without a file has its database in itself, and serves everybody', () => {
  const config = readRegionConfig('', 'region.yaml');
  assert.ok(!('faults' in config));
  assert.deepEqual([config.database, config.listen, config.tls], ['embedded', [{ address: 0, port: 5240 }], undefined]);
});

test('what is wrong with the file of a region is told with its place', () => {
  const text = 'listen: x\ndatabase: mysql://db\nbogus: 1\ntls: { key: /k }\n';
  const config = readRegionConfig(text, 'region.yaml');
  assert.ok('faults' in config);
  assert.deepEqual(config.faults, [
    'region.yaml:1:9: listen: expected an address and a port like 127.0.0.1:5249, found x',
    'region.yaml:2:11: database: expected embedded, or a URL like postgres://rackboot@db.example/rackboot, found mysql://db',
    'region.yaml:3:1: bogus: expected a mapping with state, database, listen, tls, log, found bogus',
    'region.yaml:4:1: tls.certificate: expected an absolute path of a file, found nothing',
  ]);
});
