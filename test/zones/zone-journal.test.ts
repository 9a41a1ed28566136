import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';

import { openForReading } from '../../src/system/database-file.ts';
import type { NameKey } from '../../src/wire/dns/name.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { openZoneStore, type OpenedZones } from '../../src/zones/open-zone-store.ts';
import { recordText, serialOf, type ZoneChange } from '../../src/zones/zone-change.ts';
import { ZoneJournal } from '../../src/zones/zone-journal.ts';
import { readStranded } from '../../src/zones/zone-store.ts';
import { HandTime } from '../dhcp/hand-time.ts';
import { change, ORIGIN, record, soa } from './records.ts';

interface Ground {
  readonly file: string;
  readonly time: HandTime;
  readonly troubles: string[];
  /** What the zone is now: what the journal writes when it writes anew. */
  content: { soa: ResourceRecord; records: ResourceRecord[]; changes: ZoneChange[] };
  /** What updates did to it, as the process knows. */
  overlays: [NameKey, { added: ResourceRecord[]; deleted: ResourceRecord[] }][];
  /** A journal as a process that starts makes it. */
  readonly start: (open?: () => OpenedZones) => ZoneJournal;
}

function ground(t: TestContext): Ground {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-zones-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'zones.db');
  const time = new HandTime();
  const troubles: string[] = [];
  const made: Ground = {
    file,
    time,
    troubles,
    content: { soa: soa(1), records: [], changes: [] },
    overlays: [],
    start: (open = () => openZoneStore(file, time.now())) =>
      new ZoneJournal({
        loop: time,
        clock: time,
        open,
        trouble: (reason) => void troubles.push(reason),
        works: (overtaken) => void troubles.push(overtaken.length > 0 ? 'works, overtaken' : 'works'),
        replaced: ({ setAside }) => void troubles.push(`replaced ${setAside.replace(directory, '')}`),
        overlays: () => made.overlays,
        content: () => ({ soa: made.content.soa, records: () => made.content.records, changes: made.content.changes }),
      }),
  };
  return made;
}

function lines(records: Iterable<ResourceRecord>): string[] {
  return [...records].map(recordText).toSorted();
}

function stored(journal: ZoneJournal): {
  serial: number | undefined;
  records: string[];
  changes: number;
  isCurrent: boolean;
} {
  const loaded = journal.load(ORIGIN);
  assert.ok(loaded);
  const { zone, isCurrent, records } = loaded;
  return {
    serial: zone.soa && serialOf(zone.soa),
    records: lines(records),
    changes: zone.changes.length,
    isCurrent,
  };
}

describe('serials', () => {
  test('begin with the time, or with what the file of the zone says, and rise by one', (t) => {
    const { start } = ground(t);
    const journal = start();
    assert.equal(journal.nextSerial(ORIGIN), 1_700_000_000);
    assert.equal(journal.nextSerial(ORIGIN), 1_700_000_001);
    assert.equal(journal.nextSerial(ORIGIN, 1_800_000_000), 1_800_000_000);
  });

  test('never come again after a crash, whatever was on disk, also when the clock was set back', (t) => {
    const { start, time } = ground(t);
    const given = new Set<number>();
    let last = 0;
    for (let crash = 0; crash < 4; crash++) {
      // It is not closed: the process is gone
      const journal = start();
      journal.load(ORIGIN);
      for (let n = 0; n < 1500; n++) {
        const serial = journal.nextSerial(ORIGIN);
        assert.ok(serial > last && !given.has(serial), `${serial} after ${last}`);
        given.add(serial);
        last = serial;
      }
      time.setWall(-100_000);
    }
  });

  test('are given when the reservation is synced, never on the word of a write that a power cut takes back', (t) => {
    const { start, file, time, content } = ground(t);
    const opened = openZoneStore(file, time.now());
    assert.ok(opened.store);
    const { store } = opened;
    const [reserve, transaction] = [store.reserve.bind(store), store.transaction.bind(store)];
    let [isSynced, promised, waits] = [false, 0, 0];
    store.transaction = (synced, work) => {
      isSynced = synced;
      waits += Number(synced);
      transaction(synced, work);
    };
    store.reserve = (zone, serial) => {
      reserve(zone, serial);
      if (isSynced) promised = serial;
    };
    const journal = start(() => opened);
    for (let n = 1; n < 3000; n++) {
      const serial = journal.nextSerial(ORIGIN);
      assert.ok(serial <= promised, `${serial} was given where ${promised} were promised`);
      content.soa = soa(serial);
      journal.add(change(serial - 1, serial, `+n${n} A 192.0.2.1`), 1);
      if (n % 100 === 0) time.pass(1);
    }
    assert.ok(waits < 10, `the disk was waited for ${waits} times`);
  });

  test('of which it is not known how far they went go on from the clock, where that is later', (t) => {
    const { start, time } = ground(t);
    const journal = start();
    journal.nextSerial(ORIGIN);
    time.setWall(100_000);
    const next = start();
    next.load(ORIGIN);
    assert.equal(next.nextSerial(ORIGIN), 1_700_100_000);
    assert.equal(next.nextSerial(ORIGIN), 1_700_100_001);
  });

  for (const [name, use] of [
    ['does not know the zone', () => undefined],
    ['knows it, and publishes nothing of it', (journal: ZoneJournal) => journal.load(ORIGIN)],
  ] as const) {
    test(`that a crash left open are not taken for given by a process that ${name}, and stops in order`, (t) => {
      const g = ground(t);
      const first = g.start();
      g.content.soa = soa(first.nextSerial(ORIGIN));
      first.write(ORIGIN);
      g.time.pass(1);
      // The last of these are not on disk when it dies
      first.nextSerial(ORIGIN);
      const last = first.nextSerial(ORIGIN);
      const second = g.start();
      use(second);
      second.close();
      const third = g.start();
      assert.equal(stored(third).isCurrent, false);
      assert.ok(third.nextSerial(ORIGIN) > last);
    });
  }

  test('are not current after a stop for a zone that was missed, although the file has one with that serial', (t) => {
    const g = ground(t);
    const first = g.start();
    g.content.soa = soa(first.nextSerial(ORIGIN, 7));
    first.write(ORIGIN);
    first.close();
    let opened: OpenedZones = { fault: 'disk full' };
    const second = g.start(() => opened);
    // The file could not be read: what is published now need not be what was
    second.nextSerial(ORIGIN, 7);
    second.write(ORIGIN);
    opened = openZoneStore(g.file, g.time.now());
    t.mock.method(opened.store ?? assert.fail(), 'transaction', () => assert.fail('disk full'), { times: 1 });
    g.time.pass(31);
    second.close();
    const { serial, isCurrent } = stored(g.start());
    assert.deepEqual([serial, isCurrent], [undefined, false]);
  });

  test('go on without a gap after a stop', (t) => {
    const g = ground(t);
    const first = g.start();
    const serial = first.nextSerial(ORIGIN);
    g.content.soa = soa(serial);
    first.write(ORIGIN);
    first.close();
    const second = g.start();
    assert.equal(stored(second).isCurrent, true);
    assert.equal(second.nextSerial(ORIGIN), serial + 1);
  });
});

describe('contents and changes', () => {
  test('are on disk a moment after they are in force, gathered', (t) => {
    const { start, time, content } = ground(t);
    const journal = start();
    journal.nextSerial(ORIGIN);
    content.records.push(record('a A 192.0.2.1'), record('@ NS ns.rack.example'));
    journal.write(ORIGIN);
    journal.add(change(1, 2, '-a A 192.0.2.1', '+b A 192.0.2.2'), 1);
    journal.add(change(2, 3, '+c A 192.0.2.3'), 2);
    time.pass(60, 'milliseconds');
    const wanted = ['@ NS ns.rack.example', 'b A 192.0.2.2', 'c A 192.0.2.3'].map((line) => record(line));
    const found = stored(start());
    assert.deepEqual(found, { serial: 3, records: lines(wanted), changes: 2, isCurrent: false });
  });

  test('of a large zone are written in slices, and have no serial until they are whole', (t) => {
    const g = ground(t);
    const opened = openZoneStore(g.file, g.time.now());
    assert.ok(opened.store);
    const put = opened.store.put.bind(opened.store);
    let left = 700;
    opened.store.put = (zone, row) => {
      if (left-- === 0) throw new Error('the power is gone');
      put(zone, row);
    };
    const journal = g.start(() => opened);
    journal.nextSerial(ORIGIN);
    g.content.records = Array.from({ length: 1200 }, (_, n) => record(`n${n} A 192.0.2.1`));
    journal.write(ORIGIN);
    g.time.pass(1);
    const half = stored(g.start());
    assert.equal(half.serial, undefined);
    assert.ok(half.records.length > 0 && half.records.length < 700, `${half.records.length} records`);
    g.time.pass(31);
    const whole = stored(g.start());
    assert.deepEqual([whole.serial, whole.records.length], [1, 1200]);
  });

  test('are those of no serial while a change is half on disk, however small it is', (t) => {
    const g = ground(t);
    const { store } = openZoneStore(g.file, g.time.now());
    assert.ok(store);
    const transaction = store.transaction.bind(store);
    // What a process that starts would find if the power went behind each transaction: the serial, and how many records
    const found: [number | undefined, number][] = [];
    store.transaction = (isSynced, work) => {
      transaction(isSynced, work);
      const { id = 0, soa: start } = store.load(ORIGIN) ?? {};
      found.push([start && serialOf(start), store.page(id, undefined, 1000).length]);
    };
    const journal = g.start(() => ({ store }));
    journal.nextSerial(ORIGIN);
    found.length = 0;
    // Of 200 rows that one transaction takes the last is that of a change of one record
    journal.add(change(1, 2, '+m A 192.0.2.1', '+n A 192.0.2.1'), 0);
    for (let n = 2; n < 120; n++) journal.add(change(n, n + 1, `+n${n} A 192.0.2.1`), 0);
    g.time.pass(1);
    assert.deepEqual(found, [
      [undefined, 101],
      [120, 120],
    ]);
  });

  test('that are written anew take the place of what was there', (t) => {
    const { start, time, content } = ground(t);
    const journal = start();
    journal.nextSerial(ORIGIN);
    content.records = Array.from({ length: 1200 }, (_, n) => record(`n${n} A 192.0.2.1`));
    journal.write(ORIGIN);
    time.pass(1);
    content.soa = soa(9);
    content.records = [record('x A 192.0.2.9')];
    content.changes = [change(8, 9, '+x A 192.0.2.9')];
    journal.write(ORIGIN);
    time.pass(1);
    assert.deepEqual(stored(start()), { serial: 9, records: lines(content.records), changes: 1, isCurrent: false });
  });

  test('of before what is kept in memory are forgotten', (t) => {
    const { start, time } = ground(t);
    const journal = start();
    journal.nextSerial(ORIGIN);
    for (let serial = 1; serial < 30; serial++) journal.add(change(serial, serial + 1, `+n${serial} A 192.0.2.1`), 5);
    time.pass(1);
    const { zone } = start().load(ORIGIN) ?? {};
    assert.deepEqual(
      zone?.changes.map(({ to }) => serialOf(to)),
      [26, 27, 28, 29, 30],
    );
  });

  test('are all there after a stop, in the middle of anything', (t) => {
    const { start, content } = ground(t);
    const journal = start();
    content.records = Array.from({ length: 1200 }, (_, n) => record(`n${n} A 192.0.2.1`));
    journal.nextSerial(ORIGIN, 1);
    journal.write(ORIGIN);
    journal.nextSerial(ORIGIN, 2);
    journal.add(change(1, 2, '-n7 A 192.0.2.1'), 1);
    journal.close();
    const found = stored(start());
    assert.deepEqual([found.serial, found.records.length, found.isCurrent], [2, 1199, true]);
  });
});

describe('what updates did', () => {
  test('is on disk at once', (t) => {
    const { start } = ground(t);
    const journal = start();
    const [added, deleted] = [record('d A 192.0.2.4'), record('a A 192.0.2.1')];
    journal.commitOverlay(ORIGIN, {
      put: [
        { record: added, isDeleted: false },
        { record: deleted, isDeleted: true },
      ],
      dropped: [],
    });
    assert.deepEqual(start().overlay(ORIGIN), { added: [added], deleted: [deleted] });
    journal.commitOverlay(ORIGIN, { put: [], dropped: [added] });
    assert.deepEqual(start().overlay(ORIGIN), { added: [], deleted: [deleted] });
  });

  test('is synced together with the serial that it leads to', (t) => {
    const { start, file, time } = ground(t);
    const opened = openZoneStore(file, time.now());
    assert.ok(opened.store);
    const { store } = opened;
    const transaction = store.transaction.bind(store);
    let waits = 0;
    store.transaction = (isSynced, work) => {
      waits += Number(isSynced);
      transaction(isSynced, work);
    };
    const journal = start(() => opened);
    journal.nextSerial(ORIGIN, 7);
    const waitsOf = (serial: number, wanted: number, ...put: ResourceRecord[]): number => {
      waits = 0;
      journal.commitOverlay(ORIGIN, { put: put.map((one) => ({ record: one, isDeleted: false })), dropped: [] });
      assert.equal(journal.nextSerial(ORIGIN, wanted), serial);
      assert.equal(store.load(ORIGIN)?.reserved, serial);
      return waits;
    };
    assert.equal(waitsOf(8, 7, record('d A 192.0.2.4')), 1);
    assert.equal(waitsOf(9, 8, record('e A 192.0.2.4')), 1);
    assert.equal(waitsOf(50, 50, soa(50)), 1);
    assert.equal(waitsOf(60, 60), 2, 'one that was not foreseen');
  });

  test('is refused when the disk takes nothing', (t) => {
    const { start, troubles } = ground(t);
    const journal = start(() => ({ fault: 'disk full' }));
    assert.throws(() => journal.commitOverlay(ORIGIN, { put: [], dropped: [] }), /takes no writes/);
    assert.deepEqual(troubles, ['disk full']);
  });
});

describe('trouble', () => {
  test('with the disk is told once; serials go on, and all is written when it works again', (t) => {
    const g = ground(t);
    let isFull = true;
    const journal = g.start(() => (isFull ? { fault: 'disk full' } : openZoneStore(g.file, g.time.now())));
    const serials = [journal.nextSerial(ORIGIN), journal.nextSerial(ORIGIN)];
    journal.add(change(1, 2, '+a A 192.0.2.1'), 1);
    g.time.pass(120);
    assert.deepEqual([g.troubles, serials], [['disk full'], [1_700_000_000, 1_700_000_001]]);
    isFull = false;
    g.content = { soa: soa(5), records: [record('z A 192.0.2.5')], changes: [] };
    g.time.pass(31);
    assert.deepEqual(g.troubles, ['disk full', 'works']);
    assert.deepEqual(stored(g.start()).serial, 5);
    assert.ok(g.start().nextSerial(ORIGIN) > 0);
  });

  test('at the start that is over when it is first tried again has all written anew, as changes of before are not there', (t) => {
    const g = ground(t);
    const first = g.start();
    g.content = { soa: soa(first.nextSerial(ORIGIN, 5)), records: [record('a A 192.0.2.1')], changes: [] };
    first.write(ORIGIN);
    first.close();
    let isFull = true;
    const second = g.start(() => (isFull ? { fault: 'disk full' } : openZoneStore(g.file, g.time.now())));
    second.nextSerial(ORIGIN, 6);
    g.content = { soa: soa(6), records: [record('b A 192.0.2.2')], changes: [] };
    second.write(ORIGIN);
    isFull = false;
    g.time.pass(31);
    assert.deepEqual(g.troubles, ['disk full', 'works, overtaken']);
    second.nextSerial(ORIGIN, 7);
    g.content.records.push(record('c A 192.0.2.3'));
    second.add(change(6, 7, '+c A 192.0.2.3'), 1);
    g.time.pass(1);
    const { serial, records } = stored(g.start());
    assert.deepEqual([serial, records], [7, lines(g.content.records)]);
  });

  test('in the middle of writing loses nothing that is still there', (t) => {
    const g = ground(t);
    const opened = openZoneStore(g.file, g.time.now());
    assert.ok(opened.store);
    const journal = g.start(() => opened);
    journal.nextSerial(ORIGIN);
    const whole = opened.store.put.bind(opened.store);
    opened.store.put = () => {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
    };
    journal.add(change(1, 2, '+a A 192.0.2.1'), 1);
    g.time.pass(1);
    journal.add(change(2, 3, '+b A 192.0.2.2'), 2);
    g.time.pass(1);
    opened.store.put = whole;
    g.content = { soa: soa(3), records: [record('a A 192.0.2.1'), record('b A 192.0.2.2')], changes: [] };
    g.time.pass(31);
    assert.deepEqual(g.troubles, ['database or disk is full', 'works']);
    assert.deepEqual(stored(g.start()).records, lines(g.content.records));
  });

  test('that hides at the start how far serials went has zones told of that it overtakes, and lowers no promise', (t) => {
    const g = ground(t);
    const first = g.start();
    for (const serial of [7, 8]) first.nextSerial(ORIGIN, serial);
    first.close();
    const { store } = openZoneStore(g.file, g.time.now());
    assert.ok(store);
    t.mock.method(store, 'load', () => assert.fail('disk I/O error'), { times: 1 });
    const second = g.start(() => ({ store }));
    assert.equal(second.load(ORIGIN), undefined);
    assert.equal(second.nextSerial(ORIGIN, 7), 7);
    second.write(ORIGIN);
    assert.equal(store.load(ORIGIN)?.reserved, 8);
    g.time.pass(31);
    assert.deepEqual(g.troubles, ['disk I/O error', 'works, overtaken']);
    assert.equal(second.nextSerial(ORIGIN, 7), 9);
    assert.equal(store.load(ORIGIN)?.reserved, 9);
  });

  test('that hides how far serials went from a process that stops before it is over lowers no promise', (t) => {
    const g = ground(t);
    const first = g.start();
    for (const serial of [7, 8]) first.nextSerial(ORIGIN, serial);
    first.close();
    const { store } = openZoneStore(g.file, g.time.now());
    assert.ok(store);
    t.mock.method(store, 'load', () => assert.fail('disk I/O error'), { times: 1 });
    const second = g.start(() => ({ store }));
    second.load(ORIGIN);
    second.nextSerial(ORIGIN, 7);
    second.write(ORIGIN);
    second.close();
    const third = g.start();
    assert.equal(stored(third).isCurrent, false);
    assert.equal(third.nextSerial(ORIGIN, 7), 9);
  });

  test('on a disk that is read-only at the start updates and serials are known all the same', (t) => {
    const { start, file, time, troubles } = ground(t);
    const first = start();
    const serial = first.nextSerial(ORIGIN);
    const added = record('d A 192.0.2.4');
    first.commitOverlay(ORIGIN, { put: [{ record: added, isDeleted: false }], dropped: [] });
    first.close();
    const { store } = openZoneStore(file, time.now());
    store?.close();
    const database = openForReading(file, 'SELECT count(*) FROM zone');
    t.after(() => database.close());
    const next = start(() => ({ fault: 'read-only file system', stranded: readStranded(database) }));
    assert.deepEqual(next.overlay(ORIGIN)?.added, [added]);
    assert.equal(next.load(ORIGIN), undefined);
    assert.ok(next.nextSerial(ORIGIN) > serial);
    assert.deepEqual(troubles, ['read-only file system']);
  });

  test('a damaged file is set aside, and a new one begun', (t) => {
    const { start, file, troubles } = ground(t);
    const journal = start();
    journal.nextSerial(ORIGIN);
    journal.close();
    writeFileSync(file, Buffer.alloc(8192, 'junk'));
    const next = start();
    assert.match(troubles[0] ?? '', /^replaced \/zones\.db\.corrupt-/);
    assert.equal(next.load(ORIGIN), undefined);
    assert.ok(next.nextSerial(ORIGIN) >= 1_700_000_000);
    assert.ok(readdirSync(join(file, '..')).some((name) => name.includes('corrupt')));
  });

  test('a file that is cut short is one that is damaged', (t) => {
    const { start, file, troubles, time, content } = ground(t);
    const journal = start();
    content.records = Array.from({ length: 3000 }, (_, n) => record(`n${n} A 192.0.2.1`));
    journal.nextSerial(ORIGIN);
    journal.write(ORIGIN);
    time.pass(1);
    journal.close();
    truncateSync(file, 20_480);
    start();
    assert.match(troubles[0] ?? '', /^replaced/);
    assert.ok(existsSync(file));
  });

  test('a file of the first version is opened, and nothing that its mark says of all zones is believed', (t) => {
    const { start, file, troubles } = ground(t);
    const first = start();
    first.nextSerial(ORIGIN, 7);
    first.write(ORIGIN);
    first.close();
    const database = new DatabaseSync(file);
    database.exec(`
      CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
      INSERT INTO mark VALUES ('closed', 1);
      UPDATE zone SET reserved = 9;
      PRAGMA user_version = 1;
    `);
    database.close();
    for (const serial of [10, 11]) {
      const next = start();
      assert.equal(next.load(ORIGIN)?.isCurrent, false);
      assert.equal(next.nextSerial(ORIGIN, 7), serial);
    }
    assert.deepEqual(troubles, []);
  });

  test('a file of another version is set aside', (t) => {
    const { start, file, troubles } = ground(t);
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 9');
    database.close();
    start();
    assert.match(troubles[0] ?? '', /^replaced/);
  });
});
