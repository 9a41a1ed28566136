import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { nameKey } from '../../src/wire/dns/name.ts';
import { readKeptZone } from '../../src/zones/read-kept-zone.ts';
import { SqliteZoneStore } from '../../src/zones/zone-store.ts';
import { ORIGIN, record, soa } from './records.ts';

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-kept-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'zones.db');
}

describe('what was published last of a zone', () => {
  test('is read while its service has the file open, the SOA first', (t) => {
    const file = scratch(t);
    const store = new SqliteZoneStore(file);
    t.after(() => store.close());
    const id = store.zoneId(ORIGIN);
    const records = [record('a A 192.0.2.1'), record('b A 192.0.2.2')];
    store.transaction(false, () => {
      for (const one of records) store.put(id, one);
      store.setSoa(id, soa(9));
    });
    assert.deepEqual(readKeptZone(file, ORIGIN), [soa(9), ...records]);
    assert.equal(readKeptZone(file, nameKey('other.example')), undefined);
  });

  test('is not known while its records are being written anew', (t) => {
    const file = scratch(t);
    const store = new SqliteZoneStore(file);
    t.after(() => store.close());
    const id = store.zoneId(ORIGIN);
    store.setSoa(id, soa(9));
    store.unsetSoa(id);
    assert.equal(readKeptZone(file, ORIGIN), undefined);
  });

  test('is not known of a file that is not there, or is none', (t) => {
    const file = scratch(t);
    assert.equal(readKeptZone(file, ORIGIN), undefined);
    writeFileSync(file, 'this is no file of zones');
    assert.equal(readKeptZone(file, ORIGIN), undefined);
  });
});
