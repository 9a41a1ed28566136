import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { ZoneKeeper } from '../../src/rack/zone-keeper.ts';
import type { Plan, ZoneSettings } from '../../src/plan/plan.ts';
import type { ToService } from '../../src/service/letters.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { formatZone } from '../../src/zones/format-zone.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { readZoneFile } from '../../src/zones/read-zone-file.ts';
import { recordsOf } from '../../src/zones/zone-columns.ts';
import { planOf } from '../dns/plan-of.ts';

const NOW = 1_800_000_000_000;
const MOST_RECORDS = 200;
const TOP = '$TTL 60\n@ SOA ns1 h 7 1h 15m 1w 5\n@ NS ns1\nns1 A 192.0.2.1\n';

let directory: string;
let keeper: ZoneKeeper;
let letters: Extract<ToService, { type: 'zones' }>[];
let events: EventBody[];
let complaints: unknown[];
/** Done before a file is read. */
let beforeRead: (file: string) => void;
/** What was served before the start, by origin. */
let kept: Map<string, readonly ResourceRecord[]>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rackboot-zone-keeper-'));
  [letters, events, complaints] = [[], [], []];
  beforeRead = () => undefined;
  kept = new Map();
  keeper = new ZoneKeeper({
    clock: { ...systemClock, now: () => NOW },
    tell: (letter) => {
      assert.ok(letter.type === 'zones');
      letters.push(letter);
    },
    emit: (event) => void events.push(event),
    readFile: (file) => {
      beforeRead(file);
      return readZoneFile(file);
    },
    readKept: (origin) => kept.get(origin),
    mostRecords: MOST_RECORDS,
    complain: (error) => void complaints.push(error),
  });
});

afterEach(async () => {
  await keeper.close();
  rmSync(directory, { recursive: true });
  assert.deepEqual(complaints, []);
});

function path(name: string): string {
  return join(directory, name);
}

function planWith(...names: readonly string[]): Plan {
  const plan = planOf({ subnets: ['192.0.2.0/24 rack.example 192.0.2.1'] });
  const zones = names.map((name): ZoneSettings => {
    const [zone = '', file = `${zone}.zone`] = name.split(' ');
    const isFile = file !== '-';
    return { name: zone, ...(isFile && { file: path(file) }), update: [], transfer: [], notify: [] };
  });
  return { ...plan, dns: { ...plan.dns, zones } };
}

/** Two looks: the first sees that a file is another one, the second that it rests. */
async function look(plan: Plan): Promise<void> {
  keeper.look();
  keeper.look();
  await keeper.apply(plan);
}

/** What was told since the last call: zones with their number of records. */
function told(): string[] {
  return letters.splice(0).flatMap(({ zones, gone }) => [
    ...zones.map((columns) => {
      const [soa = '', ...rest] = formatZone(recordsOf(columns));
      return `${soa.split(' ', 1)[0]} ${1 + rest.length}`;
    }),
    ...gone.map((name) => `-${name}`),
  ]);
}

describe('zones of a Plan', () => {
  test('are told whole, and what is said of them', async () => {
    writeFileSync(path('a.example.zone'), `${TOP}x TXT y\nm MX 1 gone\n`);
    await keeper.apply(planWith('a.example', 'b.example -'));
    assert.deepEqual(told(), ['a.example. 5', 'b.example. 2']);
    assert.deepEqual(events, [
      {
        kind: 'zone.loaded',
        zone: 'a.example',
        records: 5,
        serial: 7,
        warnings: [`${path('a.example.zone')}:6: the MX of m.a.example names gone.a.example, which has no address`],
      },
    ]);
    const [zone] = keeper.zones();
    assert.deepEqual(zone?.content, { serial: 7, records: 5, loadedAt: NOW });
    assert.deepEqual(keeper.notices(), []);
  });

  test('are told again to a service that starts anew', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    await keeper.apply(planWith('a.example', 'b.example -'));
    const letter = keeper.letter();
    assert.ok(letter.type === 'zones');
    assert.equal(letter.zones.length, 2);
  });

  test('that are broken when the rack starts are served as they were before it, until they are mended', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    kept.set(nameKey('a.example'), readMasterFile('a.example', path('a.example.zone'), readZoneFile).records ?? []);
    writeFileSync(path('a.example.zone'), `${TOP}x A nowhere\n`);
    const plan = planWith('a.example', 'b.example');
    await keeper.apply(plan);
    assert.deepEqual(told(), ['a.example. 3']);
    assert.deepEqual(
      keeper.zones().map(({ content }) => content),
      [{ serial: 7, records: 3 }, undefined],
    );
    assert.match(keeper.notices()[0] ?? '', /what was read before is served: .*a\.example\.zone:5/);
    assert.match(keeper.notices()[1] ?? '', /it is not served/);
    assert.deepEqual(
      events.map((event) => event.kind === 'zone.refused' && [event.zone, event.kept]),
      [
        ['a.example', true],
        ['b.example', false],
      ],
    );
    writeFileSync(path('a.example.zone'), `${TOP}x A 192.0.2.9\n`);
    await look(plan);
    assert.deepEqual(told(), ['a.example. 4']);
  });

  test('that have not changed are not read again, and told to nobody', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    const plan = planWith('a.example', 'b.example -');
    await keeper.apply(plan);
    told();
    beforeRead = () => assert.fail('it was read');
    await keeper.apply(plan);
    assert.deepEqual(told(), []);
  });

  test('that are in it no more are dropped once it is in force', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    await keeper.apply(planWith('a.example'));
    told();
    await keeper.apply(planWith());
    assert.deepEqual(told(), []);
    keeper.forget(planWith());
    assert.deepEqual(told(), ['-a.example']);
    assert.deepEqual(keeper.zones(), []);
  });

  test('that are dropped while their file is read again are not told once more', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    await keeper.apply(planWith('a.example'));
    told();
    writeFileSync(path('a.example.zone'), `${TOP}x TXT y\n`);
    const isRead = new Promise<void>((resolve) => (beforeRead = () => resolve()));
    keeper.look();
    keeper.look();
    await isRead;
    keeper.forget(planWith());
    await keeper.apply(planWith());
    assert.deepEqual([told(), keeper.zones()], [['-a.example'], []]);
  });

  test('that have another file are read from there', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    writeFileSync(path('other'), `${TOP}x TXT y\n`);
    await keeper.apply(planWith('a.example'));
    await keeper.apply(planWith('a.example other'));
    assert.deepEqual(told(), ['a.example. 3', 'a.example. 4']);
  });
});

describe('a file that is no good', () => {
  test('leaves the zone as it was, and is told once with all its faults', async () => {
    const file = path('a.example.zone');
    const plan = planWith('a.example');
    writeFileSync(file, TOP);
    await keeper.apply(plan);
    told();
    events.length = 0;
    writeFileSync(file, `${TOP}x A 1\ny A 2\n`);
    await look(plan);
    writeFileSync(file, `${TOP}x A 1\ny A 2\n;\n`);
    await look(plan);
    assert.deepEqual(told(), []);
    const faults = [5, 6].map((line) => `${file}:${line}: expected an IPv4 address like 192.0.2.1, found ${line - 4}`);
    assert.deepEqual(events, [{ kind: 'zone.refused', zone: 'a.example', faults, kept: true }]);
    assert.deepEqual(keeper.zones()[0]?.faults, faults);
    assert.equal(keeper.zones()[0]?.content?.records, 3);
    assert.deepEqual(keeper.notices(), [
      `zone a.example: the file is refused, what was read before is served: ${faults.join('; ')}`,
    ]);
    writeFileSync(file, TOP);
    await look(plan);
    assert.deepEqual([told(), keeper.notices()], [['a.example. 3'], []]);
  });

  test('from the beginning has nothing served in its place', async () => {
    await keeper.apply(planWith('a.example'));
    const fault = `${path('a.example.zone')}:1: expected a readable file ${path('a.example.zone')}, found none`;
    assert.deepEqual(events, [{ kind: 'zone.refused', zone: 'a.example', faults: [fault], kept: false }]);
    assert.deepEqual(keeper.notices(), [`zone a.example: the file is refused, it is not served: ${fault}`]);
    writeFileSync(path('a.example.zone'), TOP);
    await look(planWith('a.example'));
    assert.deepEqual(told(), ['a.example. 3']);
  });

  test('is told in short when it has very many faults', async () => {
    writeFileSync(path('a.example.zone'), TOP + 'x A 1\n'.repeat(60));
    await keeper.apply(planWith('a.example'));
    const [event] = events;
    assert.ok(event?.kind === 'zone.refused');
    assert.equal(event.faults.length, 21);
    assert.equal(event.faults.at(-1), 'and 40 more');
    assert.match(keeper.notices()[0] ?? '', /; .*; .* and 57 more$/);
  });
});

describe('zones that are too large together', () => {
  test('are those that came last, and are served once there is room', async () => {
    writeFileSync(path('a.example.zone'), `${TOP}$GENERATE 1-120 a$ A 192.0.2.$\n`);
    writeFileSync(path('b.example.zone'), `${TOP}$GENERATE 1-120 b$ A 192.0.2.$\n`);
    await keeper.apply(planWith('a.example', 'b.example'));
    const fault = `${path('b.example.zone')}: expected at most 200 records in all zone files, found 123 here beside those of the others`;
    assert.deepEqual(told(), ['a.example. 123']);
    assert.deepEqual(keeper.notices(), [`zone b.example: the file is refused, it is not served: ${fault}`]);
    await keeper.apply(planWith('b.example'));
    keeper.forget(planWith('b.example'));
    await keeper.apply(planWith('b.example'));
    assert.deepEqual([told(), keeper.notices()], [['-a.example', 'b.example. 123'], []]);
  });

  test('are not, where one that grows is refused: what was read before is served', async () => {
    writeFileSync(path('a.example.zone'), TOP);
    await keeper.apply(planWith('a.example'));
    writeFileSync(path('a.example.zone'), `${TOP}$GENERATE 1-250 a$ A 192.0.2.1\n`);
    await look(planWith('a.example'));
    assert.deepEqual(told(), ['a.example. 3']);
    assert.match(keeper.notices()[0] ?? '', /what was read before is served: .* at most 200 records/);
    writeFileSync(path('a.example.zone'), `${TOP}x TXT y\n`);
    await look(planWith('a.example'));
    assert.deepEqual([told(), keeper.notices()], [['a.example. 4'], []]);
  });
});

describe('a file that changes', () => {
  test('is not read while it is being written', async () => {
    const file = path('a.example.zone');
    const plan = planWith('a.example');
    writeFileSync(file, TOP);
    await keeper.apply(plan);
    told();
    writeFileSync(file, `${TOP}half TXT`);
    keeper.look();
    writeFileSync(file, `${TOP}half TXT of it\n`);
    keeper.look();
    // Each look found another file; the next finds the same
    assert.deepEqual(told(), []);
    keeper.look();
    await keeper.apply(plan);
    assert.deepEqual(told(), ['a.example. 4']);
  });

  test('under the reader is read again', async () => {
    const file = path('a.example.zone');
    const plan = planWith('a.example');
    writeFileSync(file, TOP);
    beforeRead = () => {
      beforeRead = () => undefined;
      writeFileSync(file, `${TOP}late TXT x\n`);
    };
    await keeper.apply(plan);
    await look(plan);
    assert.deepEqual(told(), ['a.example. 4', 'a.example. 4'], 'what was seen before it was read is not what is there');
  });

  test('may be one that another includes, also one that was not there', async () => {
    const plan = planWith('a.example');
    writeFileSync(path('a.example.zone'), `${TOP}$INCLUDE more\n`);
    await keeper.apply(plan);
    assert.deepEqual(told(), []);
    writeFileSync(path('more'), 'm TXT x\n');
    await look(plan);
    assert.deepEqual(told(), ['a.example. 4']);
  });
});
