import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test, type TestContext } from 'node:test';

import { askDaemon, readFromDaemon, RefusedError } from '../../src/cli/control-client.ts';
import { dumpZone, showUpdates, zones } from '../../src/cli/zones.ts';
import { createOperatorApi, serveOnSocket } from '../../src/rack/operator-api.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { toColumns, type ZoneColumns } from '../../src/zones/zone-columns.ts';
import { FakeRack } from './fake-rack.ts';

const NOW = Date.UTC(2026, 10, 28, 8);
const HEAD = '$TTL 60\n@ SOA ns1 h 7 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.1\n';
const TEXT = `${HEAD}$GENERATE 1-1000 h$ A 192.0.2.2\n`;

const directory = mkdtempSync(join(tmpdir(), 'rackboot-routes-'));
after(() => rmSync(directory, { recursive: true }));

/** Records of lab.example, as lines of a master file. */
function columnsOf(...lines: string[]): ZoneColumns {
  const { origin, records = [] } = readMasterFile('lab.example', '/z', () => `${HEAD}${lines.join('\n')}\n`);
  return toColumns(origin, records.slice(3));
}

async function refused(control: string, path: string, message: string): Promise<void> {
  const isIt = (error: unknown) => error instanceof RefusedError && error.message === message;
  await assert.rejects(askDaemon(control, path), isIt);
}

describe('the zones of the operators’ plane', () => {
  const control = join(directory, 'control.sock');
  let fake: FakeRack;

  beforeEach(async (t) => {
    fake = new FakeRack();
    const server = await serveOnSocket(createOperatorApi({ rack: fake.rack, config: 'f', testHooks: false }), control);
    (t as TestContext).after(() => server.close());
    const rules = { update: [], transfer: [], notify: [] };
    fake.kept.push(
      {
        settings: { name: 'lab.example', file: '/z/lab', ...rules },
        content: { serial: 7, records: 5, loadedAt: NOW },
        faults: [],
        warnings: ['/z/lab:5: odd'],
      },
      { settings: { name: 'bad.example', file: '/z/bad', ...rules }, faults: ['/z/bad:6: wrong'], warnings: [] },
      {
        settings: { name: 'ddns.example', ...rules },
        content: { serial: 1, records: 2, loadedAt: NOW },
        faults: [],
        warnings: [],
      },
    );
    fake.zoneAnswer = {
      zones: [
        { zone: 'rack.example', kind: 'rack', serial: 9, names: 4, records: 6 },
        { zone: 'lab.example', kind: 'file', serial: 12, names: 3, records: 5 },
        { zone: 'ddns.example', kind: 'file', serial: 2, names: 1, records: 2, updated: 1, overruled: 1 },
      ],
    };
  });

  test('are listed by name, those that are not served too', async () => {
    const nothing = { faults: [], warnings: [] };
    assert.deepEqual(await askDaemon(control, '/zones'), [
      { zone: 'bad.example', kind: 'file', file: '/z/bad', faults: ['/z/bad:6: wrong'], warnings: [] },
      { zone: 'ddns.example', kind: 'file', serial: 2, names: 1, records: 2, updated: 1, overruled: 1, ...nothing },
      {
        zone: 'lab.example',
        kind: 'file',
        serial: 12,
        names: 3,
        records: 5,
        file: '/z/lab',
        loaded: '2026-11-28T08:00:00.000Z',
        faults: [],
        warnings: ['/z/lab:5: odd'],
      },
      { zone: 'rack.example', kind: 'rack', serial: 9, names: 4, records: 6, ...nothing },
    ]);
    assert.deepEqual(fake.zoneOrders, [{ kind: 'list' }]);
  });

  test('are printed a line each, with what is wrong below; a refused file is exit code 1', async () => {
    const lines: string[] = [];
    assert.equal(await zones({ control, json: false }, (line) => lines.push(line)), 1);
    assert.deepEqual(lines, [
      'bad.example  not served, from /z/bad',
      '  REFUSED /z/bad:6: wrong',
      'ddns.example  serial 2, 1 name, 2 records, from updates',
      '  1 record added or deleted by updates, 1 of them not in force: the file leaves no place for them',
      'lab.example  serial 12, 3 names, 5 records, from /z/lab, read at 2026-11-28T08:00:00.000Z',
      '  /z/lab:5: odd',
      'rack.example  serial 9, 4 names, 6 records, from hosts, names and leases',
    ]);
  });

  test('one is shown whole as a master file, in lines without end', async () => {
    const { origin, records = [] } = readMasterFile('lab.example', '/z', () => TEXT);
    fake.zoneAnswer = { zones: [], content: toColumns(origin, records) };
    const text = await readFromDaemon(control, '/zones/dump?of=Lab.Example.');
    assert.deepEqual(fake.zoneOrders, [{ kind: 'dump', zone: 'lab.example' }]);
    assert.deepEqual(readMasterFile('lab.example', '/z', () => text).records, records);
    const printed: string[] = [];
    assert.equal(await dumpZone({ control, json: false }, 'lab.example', (line) => printed.push(line)), 0);
    assert.equal(`${printed.join('\n')}\n`, text);
  });

  test('what updates did to one is shown, a line each, and undone', async () => {
    const added = columnsOf('new A 192.0.2.7', 'x CNAME a');
    const updates = { added, deleted: columnsOf('old A 192.0.2.8'), overruled: columnsOf('x CNAME a') };
    fake.zoneAnswer = { zones: [], updates };
    const changes = [
      '+ new.lab.example. 60 IN A 192.0.2.7',
      '+ x.lab.example. 60 IN CNAME a.lab.example.  ; not in force: the file leaves no place for it',
      '- old.lab.example. 60 IN A 192.0.2.8',
    ];
    const printed = async (forget: boolean): Promise<string[]> => {
      const lines: string[] = [];
      assert.equal(await showUpdates({ control, json: false, forget }, 'lab.example', (line) => lines.push(line)), 0);
      return lines;
    };
    assert.deepEqual(await printed(false), [changes.join('\n')]);
    assert.deepEqual(await printed(true), [changes.join('\n'), '3 changes undone: lab.example is what its file says']);
    assert.deepEqual(fake.zoneOrders, [
      { kind: 'updates', zone: 'lab.example' },
      { kind: 'forget-updates', zone: 'lab.example' },
    ]);
    fake.zoneAnswer = { zones: [], updates: { added: columnsOf(), deleted: columnsOf(), overruled: columnsOf() } };
    assert.deepEqual(await printed(false), ['lab.example is what its file says']);
    fake.zoneAnswer = { zones: [] };
    await refused(control, '/zones/updates?of=lab.example', 'no zone lab.example takes updates');
  });

  test('updates are not undone where the file was broken from the start: what is served is from before', async () => {
    const settings = { name: 'old.example', file: '/z/old', update: [], transfer: [], notify: [] };
    fake.kept.push({ settings, content: { serial: 7, records: 5 }, faults: ['/z/old:6: wrong'], warnings: [] });
    const reason = 'the file of old.example is not read yet: what is served came with its updates from before';
    await assert.rejects(
      showUpdates({ control, json: false, forget: true }, 'old.example', () => {}),
      (error) => error instanceof RefusedError && error.message === reason,
    );
    assert.deepEqual(fake.zoneOrders, []);
  });

  test('what can’t be shown is refused with its reason', async () => {
    fake.zoneAnswer = { zones: [] };
    await refused(control, '/zones/dump', 'expected of= and the name of a zone');
    await refused(control, '/zones/dump?of=a..b', 'expected of= and the name of a zone');
    await refused(control, '/zones/dump?of=nowhere', 'no zone nowhere is served');
    fake.zoneAnswer = { zones: [], fault: 'it sleeps' };
    await refused(control, '/zones/dump?of=nowhere', 'it sleeps');
    await refused(control, '/zones', 'it sleeps');
  });
});
