import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Requester } from '../../../src/dns/client-acl.ts';
import type { Zone } from '../../../src/dns/zone.ts';
import { runWhole } from '../../../src/dns/slices.ts';
import { UpdateDesk } from '../../../src/dns/update/update-desk.ts';
import { buildZone } from '../../../src/dns/zone-builder.ts';
import type { AclEntry } from '../../../src/plan/plan.ts';
import type { EventBody } from '../../../src/timeline/event.ts';
import { nameKey } from '../../../src/wire/dns/name.ts';
import { expandData } from '../../../src/wire/dns/rdata-names.ts';
import { rcodeName } from '../../../src/wire/dns/rcode.ts';
import { recordsOf, ttlOf } from '../../../src/wire/dns/record-set.ts';
import { TYPE, typeName } from '../../../src/wire/dns/record-type.ts';
import { ZoneOverlay } from '../../../src/zones/zone-overlay.ts';
import type { OverlayChange } from '../../../src/zones/zone-journal.ts';
import { HandTime } from '../../dhcp/hand-time.ts';
import { fuzz } from '../../wire/fuzz.ts';
import { ORIGIN, record, soa } from '../../zones/records.ts';
import { ip4 } from '../plan-of.ts';
import { updateMessage } from './update-message.ts';

const CLIENT: Requester = { address: ip4('192.0.2.9'), key: undefined };
const FILE = [
  '@ NS ns.rack.example',
  'ns A 192.0.2.1',
  'www A 192.0.2.2',
  'www A 192.0.2.3',
  'alias CNAME www.rack.example',
];

interface Ground {
  readonly zone: Zone;
  readonly overlay: ZoneOverlay;
  readonly events: EventBody[];
  readonly commits: OverlayChange[];
  readonly time: HandTime;
  /** The rcode of an update. */
  readonly update: (...lines: readonly string[]) => string;
  readonly send: (message: Buffer, from?: Requester) => string;
  /** "www A 2" for each set but the SOA. */
  readonly sets: () => string[];
}

function ground(wishes: { readonly acl?: readonly AclEntry[]; readonly disk?: 'full' } = {}): Ground {
  const time = new HandTime();
  const overlay = new ZoneOverlay();
  const file = [soa(7), ...FILE.map((line) => record(line))];
  const zone = runWhole(buildZone(ORIGIN, overlay.over(file), 'file'));
  zone.publish(() => 7);
  const events: EventBody[] = [];
  const commits: OverlayChange[] = [];
  const desk = new UpdateDesk({
    clock: time,
    events: { emit: (body) => void events.push(body) },
    check: (type, data) => void expandData(Buffer.from(data, 'latin1'), type, 0, data.length),
    zones: {
      zone: (origin) => (origin === ORIGIN ? zone : undefined),
      updateAcl: () => wishes.acl ?? [{ cidr: { network: ip4('192.0.2.0'), prefix: 24 } }],
      overlay: () => overlay,
      commit: (_origin, change) => {
        if (wishes.disk === 'full') throw new Error('disk full');
        commits.push(change);
      },
      publish: (changed) => void changed.publish((serial) => serial + 1),
    },
  });
  const send = (message: Buffer, from: Requester = CLIENT): string => rcodeName(desk.answer(message, from));
  const sets = (): string[] =>
    [...zone.names()].flatMap(([owner, node]) =>
      node.sets
        .filter((set) => typeName(set.type) !== 'SOA')
        .map((set) => `${label(owner)} ${typeName(set.type)} ${recordsOf(owner, set).length}`),
    );
  return { zone, overlay, events, commits, time, update: (...lines) => send(updateMessage(lines)), send, sets };
}

function label(owner: string): string {
  return owner === ORIGIN ? '@' : owner.slice(1, 1 + owner.charCodeAt(0));
}

describe('prerequisites', () => {
  const rows: [line: string, rcode: string][] = [
    ['yx www', 'NOERROR'],
    ['yx nobody', 'NXDOMAIN'],
    ['yx www A', 'NOERROR'],
    ['yx www TXT', 'NXRRSET'],
    ['nx nobody', 'NOERROR'],
    ['nx www', 'YXDOMAIN'],
    ['nx www TXT', 'NOERROR'],
    ['nx www A', 'YXRRSET'],
    ['is ns A 192.0.2.1', 'NOERROR'],
    ['is ns A 192.0.2.9', 'NXRRSET'],
    ['is www A 192.0.2.2', 'NXRRSET'],
    ['is alias CNAME WWW.rack.example', 'NOERROR'],
  ];
  for (const [line, rcode] of rows) {
    test(`${line}: ${rcode}`, () => {
      const { update, sets, zone } = ground();
      assert.equal(update(line, 'add new A 192.0.2.7'), rcode);
      assert.deepEqual([sets().includes('new A 1'), zone.serial], rcode === 'NOERROR' ? [true, 8] : [false, 7]);
    });
  }

  test('a set is compared whole, in any order, and the same record twice is one', () => {
    const { update } = ground();
    assert.equal(update('is www A 192.0.2.3', 'is www A 192.0.2.2', 'is www A 192.0.2.3'), 'NOERROR');
  });
});

describe('updates', () => {
  const rows: [name: string, lines: string[], then: string[]][] = [
    ['a record is added to its set', ['add www A 192.0.2.4'], ['www A 3']],
    ['a record that is there already stays one', ['add www A 192.0.2.2'], ['www A 2']],
    ['a name is added, with those above it', ['add a.b.c A 192.0.2.4'], ['a A 1', 'www A 2']],
    ['a record is deleted', ['del www A 192.0.2.2'], ['www A 1']],
    ['a set is deleted', ['add www TXT hi', 'del www A'], ['www TXT 1']],
    ['a name is deleted', ['add www TXT hi', 'del www'], []],
    ['what is deleted and added again is what was added', ['del www A', 'add www A 192.0.2.9'], ['www A 1']],
    ['what is not there is deleted in silence', ['del nobody', 'del www TXT'], ['www A 2']],
    ['data are not added to a CNAME', ['add alias A 192.0.2.4'], ['alias CNAME 1']],
    ['a CNAME is not added to data', ['add www CNAME ns.rack.example'], ['www A 2']],
    ['a CNAME takes the place of another', ['add alias CNAME ns.rack.example'], ['alias CNAME 1']],
    ['the last NS of the zone stays', ['del @ NS ns.rack.example'], ['@ NS 1']],
    ['an NS goes when there is another', ['add @ NS b.example', 'del @ NS ns.rack.example'], ['@ NS 1']],
    ['NS and SOA outlive the deletion of all', ['add @ TXT hi', 'del @'], ['@ NS 1']],
    ['and that of their set', ['del @ NS'], ['@ NS 1']],
  ];
  for (const [name, lines, then] of rows) {
    test(name, () => {
      const { update, sets, zone } = ground();
      assert.equal(update(...lines), 'NOERROR');
      const names = new Set([...then, ...lines].map((line) => line.replace(/^(add|del) /, '').split(/[ .]/)[0]));
      const found = sets().filter(
        (line) => names.has(line.split(' ')[0]) && then.some((one) => one.startsWith(line.split(' ')[0] ?? '')),
      );
      assert.deepEqual(found.toSorted(), then.toSorted());
      assert.ok(zone.soa.count === 1);
    });
  }

  test('all of a message is one serial, one event and one write, whatever its length', () => {
    const { update, zone, events, commits } = ground();
    const lines = Array.from({ length: 200 }, (_, n) => `add n${n} A 192.0.2.7`);
    assert.equal(update(...lines, 'del www A 192.0.2.2'), 'NOERROR');
    assert.deepEqual([zone.serial, commits.length], [8, 1]);
    assert.deepEqual(events, [{ kind: 'zone.updated', zone: 'rack.example', by: '192.0.2.9', added: 200, removed: 1 }]);
  });

  test('what changes nothing is no change', () => {
    const { update, zone, commits, events } = ground();
    assert.equal(update('add www A 192.0.2.2', 'del nobody'), 'NOERROR');
    assert.deepEqual([zone.serial, commits.length, events.length], [7, 0, 0]);
  });

  const refused: [name: string, message: Buffer, rcode: string][] = [
    ['a zone that is not ours', updateMessage(['add www A 192.0.2.4'], 'other.example'), 'NOTAUTH'],
    ['a name below the zone, asked for as one', updateMessage(['add www A 192.0.2.4'], 'www.rack.example'), 'NOTAUTH'],
    ['a message that is cut off', updateMessage(['add www A 192.0.2.4']).subarray(0, -2), 'FORMERR'],
    ['a type that is a question', patchType(updateMessage(['add www A 192.0.2.4']), 252), 'FORMERR'],
    ['a TTL beyond the longest', patchTtl(updateMessage(['add www A 192.0.2.4']), 2 ** 31), 'FORMERR'],
    ['data that are none of their type', updateMessage(['add www A 192.0.2.4', 'add x MX x']), 'FORMERR'],
  ];
  for (const [name, message, rcode] of refused) {
    test(`${name} is refused whole: ${rcode}`, () => {
      const { send, zone, commits } = ground();
      assert.deepEqual([send(message), zone.serial, commits.length], [rcode, 7, 0]);
    });
  }

  test('a name outside the zone refuses all of it', () => {
    const { send, zone } = ground();
    const message = Buffer.concat([updateMessage(['add a A 192.0.2.4']), nameOutside()]);
    message.writeUInt16BE(2, 8);
    assert.deepEqual([send(message), zone.serial], ['NOTZONE', 7]);
  });

  describe('the TTL of a set', () => {
    const ttls: [name: string, line: string, ttl: number, then: number, kept: string[]][] = [
      ['follows a lower one', 'add www A 192.0.2.4', 60, 60, ['4 60']],
      ['is the file’s where an update wants it higher', 'add www A 192.0.2.4', 900, 300, ['4 300']],
      ['follows that of a record of the file that is added again', 'add www A 192.0.2.2', 60, 60, ['2 60']],
      ['is what an update wants where nothing of the file is left', 'add ns A 192.0.2.1', 900, 900, ['1 900']],
    ];
    for (const [name, line, ttl, then, kept] of ttls) {
      test(`${name}; what the file has beside goes with the file`, () => {
        const { send, zone, overlay } = ground();
        assert.equal(send(patchTtl(updateMessage([line]), ttl)), 'NOERROR');
        const owner = record(line.slice(4)).owner;
        assert.equal(ttlOf(zone.find(owner)?.[0] ?? zone.soa), then);
        // The operator deletes all of the name
        const file = [soa(8), record('@ NS ns.rack.example')];
        const left = [...overlay.over(file)].filter((one) => one.owner === owner);
        assert.deepEqual(
          left.map((one) => `${one.data.charCodeAt(3)} ${one.ttl}`),
          kept,
        );
      });
    }

    test('that an update made higher is so, though the set is of several records', () => {
      const { update, send, zone } = ground();
      update('add new A 192.0.2.7', 'add new A 192.0.2.8');
      send(patchTtl(updateMessage(['add new A 192.0.2.8']), 900));
      const [set] = zone.find(record('new A 192.0.2.7').owner) ?? [];
      assert.deepEqual([set?.count, set && ttlOf(set)], [2, 900]);
    });
  });

  test('a set may grow to what fits into an answer: what is above is refused whole, and it can be made smaller', () => {
    const { send, sets, zone } = ground();
    // 4,000 records of 16 octets
    const full = addressesMessage('big', 0, 4000);
    assert.deepEqual([send(full), sets().includes('big A 4000')], ['NOERROR', true]);
    assert.deepEqual([send(addressesMessage('big', 4000, 1)), zone.serial], ['REFUSED', 8]);
    assert.deepEqual([send(full), zone.serial], ['NOERROR', 8]);
    assert.deepEqual([send(updateMessage(['del big A 10.0.0.7'])), sets().includes('big A 3999')], ['NOERROR', true]);
  });

  test('a name may come to have 256 types: what is above is refused whole, and it can have fewer', () => {
    const { update, send, zone } = ground();
    assert.equal(update(...types(1000, 256)), 'NOERROR');
    assert.deepEqual([update(...types(1256, 1)), zone.find(record('many A 10.0.0.1').owner)?.length], ['REFUSED', 256]);
    assert.equal(update('del many TYPE1000', ...types(1256, 1)), 'NOERROR');
    assert.equal(update('del many TYPE1001'), 'NOERROR');
    assert.deepEqual(
      [send(updateMessage(['del many'])), zone.find(record('many A 10.0.0.1').owner)],
      ['NOERROR', undefined],
    );
  });

  test('a zone with too many updates takes those that make them fewer', (t) => {
    const { update, overlay } = ground();
    update('add new A 192.0.2.7');
    t.mock.getter(overlay, 'size', () => 250_001);
    assert.deepEqual([update('add newer A 192.0.2.8'), update('del www')], ['SERVFAIL', 'SERVFAIL']);
    assert.equal(update('del new'), 'NOERROR');
  });

  test('nothing is in force that is not on disk', () => {
    const { update, zone, sets, overlay } = ground({ disk: 'full' });
    assert.equal(update('add new A 192.0.2.7'), 'SERVFAIL');
    assert.deepEqual([zone.serial, sets().includes('new A 1'), overlay.size], [7, false, 0]);
  });

  test('only who may is let, and is not told what is there', () => {
    const key = nameKey('ddns.example');
    const { send } = ground({ acl: [{ key: 'ddns.example' }] });
    const message = updateMessage(['yx nobody', 'add new A 192.0.2.7']);
    assert.equal(send(message), 'REFUSED');
    assert.equal(send(message, { ...CLIENT, key: nameKey('other.example') }), 'REFUSED');
    assert.equal(send(message, { ...CLIENT, key }), 'NXDOMAIN');
  });

  test('who may not is refused before the records are read: that anybody can make long', () => {
    const { send } = ground({ acl: [] });
    const whole = updateMessage(['add new A 192.0.2.7']);
    assert.deepEqual([send(whole), send(whole.subarray(0, -2))], ['REFUSED', 'REFUSED']);
  });

  test('there are only so many a second', () => {
    const { update, time } = ground();
    const codes = Array.from({ length: 300 }, (_, n) => update(`add n${n} A 192.0.2.7`));
    assert.equal(codes.filter((code) => code === 'NOERROR').length, 200);
    time.pass(1);
    assert.equal(update('add late A 192.0.2.7'), 'NOERROR');
  });
});

test('any bytes are an update that is carried out or refused', () => {
  let [current, count] = [ground(), 0];
  fuzz({
    seeds: [
      updateMessage(['yx www', 'is ns A 192.0.2.1', 'add new A 192.0.2.7', 'del www A']),
      updateMessage(['nx www TXT', 'add @ NS b.rack.example', 'del alias', 'add x CNAME y.rack.example']),
    ],
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 50_000),
    run: (bytes) => {
      // What is let in makes the zone larger
      if (++count % 100 === 0) current = ground();
      current.send(Buffer.from(bytes));
      const { apex } = current.zone;
      assert.deepEqual([apex.sets[0]?.count, apex.sets.some(({ type }) => type === TYPE.NS)], [1, true]);
    },
  });
});

/** Adds 10.0.0.0 and the addresses behind it, their owners compressed. */
function addressesMessage(name: string, first: number, count: number): Buffer {
  const head = updateMessage([`add ${name} A 10.0.0.0`]);
  const owner = 12 + ORIGIN.length + 4;
  const records = Array.from({ length: count }, (_, n) => {
    const bytes = Buffer.from([0xc0, owner, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 0, 0, 0, 0]);
    bytes.writeUInt32BE(0x0a00_0000 + first + n, 12);
    return bytes;
  });
  // The first of them has the owner that the others point at
  const whole = Buffer.concat([head, ...records.slice(1)]);
  whole.writeUInt32BE(0x0a00_0000 + first, head.length - 4);
  whole.writeUInt16BE(count, 8);
  return whole;
}

function patchType(message: Buffer, type: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(type, message.length - 14);
  return copy;
}

function patchTtl(message: Buffer, ttl: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt32BE(ttl, message.length - 10);
  return copy;
}

function nameOutside(): Buffer {
  const fixed = Buffer.from([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]);
  return Buffer.concat([Buffer.from(nameKey('www.example'), 'latin1'), fixed]);
}

/** Lines that add a record of each of `count` types to one name. */
function types(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `add many TYPE${from + n} x`);
}
