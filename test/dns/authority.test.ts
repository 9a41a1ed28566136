import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { encode } from 'dns-packet';

import { AddressSet } from '../../src/dns/address-set.ts';
import type { ForwardDesk } from '../../src/dns/forward-desk.ts';
import { TsigSigner } from '../../src/dns/tsig/tsig-signer.ts';
import { verifyTsig } from '../../src/dns/tsig/verify-tsig.ts';
import { keyText, nameKey } from '../../src/wire/dns/name.ts';
import { findTsig, readTsig } from '../../src/wire/dns/tsig.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { toColumns } from '../../src/zones/zone-columns.ts';
import { SqliteZoneStore } from '../../src/zones/zone-store.ts';
import { openZoneStore, type OpenedZones } from '../../src/zones/open-zone-store.ts';
import { fuzz } from '../wire/fuzz.ts';
import { record, soa } from '../zones/records.ts';
import { question } from './ask.ts';
import { ip4, planOf, leaseOf } from './plan-of.ts';
import { axfrQuery, ixfrQuery, Primary, primaryPlan, rcodeOf, recordLines, SECONDARY } from './primary.ts';
import { keysOf, SECRET, XFER } from './tsig/keys.ts';
import { updateMessage } from './update/update-message.ts';

const MAC = '52:54:00:00:00:09';
const LAB = { name: 'rack.example', update: [{ cidr: { network: ip4(SECONDARY), prefix: 32 } }] };
const [NOERROR, FORMERR, SERVFAIL, REFUSED, NOTAUTH] = [0, 1, 2, 5, 9];

function primary(t: TestContext, ...wishes: ConstructorParameters<typeof Primary>): Primary {
  const made = new Primary(...wishes);
  t.after(() => made.close());
  return made;
}

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-primary-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

describe('AXFR', () => {
  test('begins and ends with the SOA, and holds every record once', (t) => {
    const { ask, serial } = bound(primary(t, primaryPlan()));
    const lines = recordLines(ask(axfrQuery()));
    assert.deepEqual([lines[0], lines.at(-1)], Array(2).fill(`rack.example SOA ${serial()}`));
    assert.deepEqual(lines.slice(1, -1).toSorted(), [
      'node1.rack.example A 192.0.2.5',
      'rack-a1.rack.example A 192.0.2.1',
      'rack.example NS rack-a1.rack.example',
    ]);
  });

  test('of a large zone goes in many messages, each with the ID, none larger than the others by far', (t) => {
    const hosts = Array.from({ length: 250 }, (_, n) => `machine-with-a-long-name-${n} 192.0.2.${n + 2}`);
    const made = primary(t, primaryPlan(hosts));
    for (let n = 0; n < 250; n++) made.lease(`192.0.2.${n + 2} 52:54:00:00:01:${n.toString(16).padStart(2, '0')}`);
    const messages = made.ask(axfrQuery('2.0.192.in-addr.arpa'));
    assert.ok(messages.length > 0 && messages.every((bytes) => bytes.readUInt16BE(0) === 77 && bytes.length <= 16_384));
    assert.equal(recordLines(messages).length, 250 + 2 + 2);
  });

  test('is of one serial, whatever changes meanwhile', (t) => {
    const hosts = Array.from({ length: 250 }, (_, n) => `${'x'.repeat(60)}${n} 192.0.2.${n + 2}`);
    const made = primary(t, primaryPlan(hosts));
    const before = made.serial('2.0.192.in-addr.arpa');
    const stream = made.connect();
    stream.stopReading();
    stream.arrive(
      Buffer.concat([Buffer.from([0, axfrQuery('2.0.192.in-addr.arpa').length]), axfrQuery('2.0.192.in-addr.arpa')]),
    );
    made.time.pass(1, 'milliseconds');
    made.lease(`192.0.2.254 ${MAC} late`);
    stream.read();
    for (let n = 0; n < 5; n++) {
      made.time.pass(1, 'milliseconds');
      stream.read();
    }
    const lines = recordLines(stream.messages);
    assert.deepEqual([lines[0], lines.at(-1)], Array(2).fill(`2.0.192.in-addr.arpa SOA ${before}`));
    assert.ok(!lines.some((line) => line.includes('late')));
    assert.notEqual(made.serial('2.0.192.in-addr.arpa'), before);
  });

  const refused: [name: string, query: Buffer, from: string, rcode: number][] = [
    ['by who may not', axfrQuery(), '192.0.2.10', REFUSED],
    ['of a zone that is not ours', axfrQuery('example.com'), SECONDARY, NOTAUTH],
    ['of a name in a zone', axfrQuery('node1.rack.example'), SECONDARY, NOTAUTH],
    ['of changes, without a serial', question('rack.example IXFR'), SECONDARY, FORMERR],
  ];
  for (const [name, query, from, rcode] of refused) {
    test(`${name} is refused`, (t) => {
      const messages = primary(t, primaryPlan()).ask(query, from);
      assert.deepEqual(messages.map(rcodeOf), [rcode]);
    });
  }

  test('by UDP is refused', (t) => {
    assert.equal(rcodeOf(primary(t, primaryPlan()).askUdp(axfrQuery())), REFUSED);
  });

  test('goes to one address eight at a time, so that a slow secondary does not shut out the others', (t) => {
    const slow = '192.0.2.10';
    const transfer = [SECONDARY, slow].map((from) => ({ cidr: { network: ip4(from), prefix: 32 } }));
    const made = primary(t, primaryPlan(undefined, { transfer }));
    const query = axfrQuery();
    const framed = Buffer.concat([Buffer.from([0, query.length]), query]);
    const streams = Array.from({ length: 9 }, () => made.connect(slow));
    for (const stream of streams) stream.arrive(framed);
    assert.equal(made.authority.counters()['transfer.running'], 8);
    assert.deepEqual(streams.at(-1)?.messages.map(rcodeOf), [SERVFAIL]);
    const other = made.connect();
    other.arrive(framed);
    assert.equal(made.authority.counters()['transfer.running'], 9);
    made.time.pass(1);
    assert.deepEqual(made.ask(query, slow).map(rcodeOf), [NOERROR]);
  });

  test('ends when its client goes, and leaves nothing behind', (t) => {
    const made = primary(t, primaryPlan());
    const stream = made.connect();
    const query = axfrQuery();
    stream.arrive(Buffer.concat([Buffer.from([0, query.length]), query]));
    stream.handler.closed(stream, 'ECONNRESET');
    made.time.pass(1);
    assert.equal(made.authority.counters()['transfer.running'], 0);
    assert.equal(made.authority.counters()['transfer.broken'], 1);
  });
});

describe('IXFR', () => {
  test('tells what went and what came, from serial to serial', (t) => {
    const made = primary(t, primaryPlan());
    const before = made.serial();
    made.lease(`192.0.2.50 ${MAC} laptop`);
    const lines = recordLines(made.ask(ixfrQuery(before)));
    assert.deepEqual(lines, [
      `rack.example SOA ${before + 1}`,
      `rack.example SOA ${before}`,
      `rack.example SOA ${before + 1}`,
      'laptop.rack.example A 192.0.2.50',
      `rack.example SOA ${before + 1}`,
    ]);
  });

  test('of several changes is one', (t) => {
    const made = primary(t, primaryPlan());
    const before = made.serial();
    made.lease(`192.0.2.50 ${MAC} laptop`);
    made.lease(`192.0.2.51 52:54:00:00:00:0a desk`);
    made.zones.learn([], [ip4('192.0.2.50')]);
    const lines = recordLines(made.ask(ixfrQuery(before)));
    assert.deepEqual(
      lines.filter((line) => !line.includes('SOA')),
      ['desk.rack.example A 192.0.2.51'],
    );
    assert.equal(lines.length, 5);
  });

  test('for who has all is the SOA alone', (t) => {
    const made = primary(t, primaryPlan());
    assert.deepEqual(recordLines(made.ask(ixfrQuery(made.serial()))), [`rack.example SOA ${made.serial()}`]);
    assert.deepEqual(recordLines(made.ask(ixfrQuery(made.serial() + 5))), [`rack.example SOA ${made.serial()}`]);
  });

  test('from a serial that is not known is the whole zone', (t) => {
    const made = primary(t, primaryPlan());
    const lines = recordLines(made.ask(ixfrQuery(made.serial() - 100)));
    assert.deepEqual([lines.length, lines.includes('node1.rack.example A 192.0.2.5')], [5, true]);
  });

  test('by UDP is all of it where that fits, else the SOA alone', (t) => {
    const made = primary(t, primaryPlan());
    const before = made.serial();
    made.lease(`192.0.2.50 ${MAC} laptop`);
    assert.equal(recordLines([made.askUdp(ixfrQuery(before))]).length, 5);
    for (let n = 100; n < 130; n++) made.lease(`192.0.2.${n} 52:54:00:00:00:${n - 80} machine${n}`);
    assert.deepEqual(recordLines([made.askUdp(ixfrQuery(before))]), [`rack.example SOA ${made.serial()}`]);
  });

  test('with answers in the question is refused: none of them is read', (t) => {
    const made = primary(t, primaryPlan());
    const query = ixfrQuery(made.serial());
    query.writeUInt16BE(1, 6);
    query.writeUInt16BE(0, 8);
    assert.equal(rcodeOf(made.askUdp(query)), 1);
  });
});

describe('NOTIFY', () => {
  test('is sent from our own address when the zone is served, once for a burst of changes, and until it is answered', (t) => {
    const made = primary(t, primaryPlan());
    made.time.pass(60, 'milliseconds');
    assert.deepEqual(
      made.notified.map(({ to }) => [to.address, to.port, to.source]),
      [0, 1].map(() => [ip4(SECONDARY), 53, ip4('192.0.2.1')]),
    );
    for (const { bytes } of made.notified) made.authority.heard(notifyAnswer(bytes));
    made.time.pass(5);
    assert.equal(made.notified.length, 2);
    for (let n = 100; n < 130; n++) made.lease(`192.0.2.${n} 52:54:00:00:00:${n - 80} machine${n}`);
    made.time.pass(60, 'milliseconds');
    const burst = made.notified.slice(2);
    assert.deepEqual(burst.flatMap(({ bytes }) => recordLines([bytes])).toSorted(), [
      `2.0.192.in-addr.arpa SOA ${made.serial('2.0.192.in-addr.arpa')}`,
      `rack.example SOA ${made.serial()}`,
    ]);
    made.time.pass(1000, 'milliseconds');
    assert.equal(made.notified.length, 6);
    made.time.pass(2000, 'milliseconds');
    assert.equal(made.notified.length, 8);
  });

  test('to a secondary that does not answer is told of once, however many zones it has; and when it does again', (t) => {
    const made = primary(t, primaryPlan());
    made.time.pass(120);
    const kinds = (): string[] => made.events.map(({ kind }) => kind);
    assert.deepEqual(kinds(), ['zone.notify-failed']);
    made.lease(`192.0.2.50 ${MAC} laptop`);
    made.time.pass(1);
    for (const { bytes } of made.notified.slice(-4)) made.authority.heard(notifyAnswer(bytes));
    assert.deepEqual(kinds(), ['zone.notify-failed', 'zone.notify-works']);
  });

  test('to a secondary that does not answer is told of on a rack that is busy, too', (t) => {
    const made = primary(t, primaryPlan());
    for (let n = 0; n < 30; n++) {
      made.lease(`192.0.2.${n + 50} 52:54:00:00:00:${n + 10} machine${n}`);
      made.time.pass(900, 'milliseconds');
    }
    assert.deepEqual(
      made.events.map(({ kind }) => kind),
      ['zone.notify-failed'],
    );
  });

  test('that is answered when there is more to tell is no failure, and the rest is told', (t) => {
    const made = primary(t, primaryPlan());
    made.time.pass(60, 'milliseconds');
    for (let n = 0; n < 60; n++) {
      const before = made.notified.length;
      made.lease(`192.0.2.${n + 50} 52:54:00:00:00:${n + 10} machine${n}`);
      for (const { bytes } of made.notified.slice(-2)) made.authority.heard(notifyAnswer(bytes));
      made.time.pass(400, 'milliseconds');
      assert.equal(made.notified.length, before + 2);
    }
    assert.deepEqual(made.events, []);
  });

  test('is not answered by just anybody', (t) => {
    const made = primary(t, primaryPlan());
    made.time.pass(60, 'milliseconds');
    for (const { bytes } of made.notified) made.authority.heard({ ...notifyAnswer(bytes), source: ip4('192.0.2.77') });
    assert.equal(made.authority.counters()['notify.waiting'], 2);
  });

  test('a refusal is told, and not tried again', (t) => {
    const made = primary(t, primaryPlan());
    made.time.pass(60, 'milliseconds');
    for (const { bytes } of made.notified) made.authority.heard(notifyAnswer(bytes, NOTAUTH));
    made.time.pass(120);
    assert.equal(made.notified.length, 2);
    assert.deepEqual(
      made.events.map((event) => 'reason' in event && event.reason),
      ['it answers NOTAUTH'],
    );
  });
});

describe('by key', () => {
  test('a transfer is allowed, and each of its messages signed', (t) => {
    const made = keyed(t);
    const now = Math.floor(made.time.now() / 1000);
    const { bytes, mac } = signed(axfrQuery(), now);
    const [message, ...rest] = made.ask(bytes, '192.0.2.200');
    assert.ok(message);
    assert.deepEqual([verifyTsig(message, keysOf(XFER), now, mac).kind, rest.length], ['good', 0]);
    assert.equal(recordLines([message]).length, 5);
  });

  test('without it there is none', (t) => {
    assert.deepEqual(keyed(t).ask(axfrQuery()).map(rcodeOf), [REFUSED]);
  });

  test('an ordinary question is answered signed, by UDP, in what the client takes', (t) => {
    const made = keyed(t);
    const now = Math.floor(made.time.now() / 1000);
    const { bytes, mac } = signed(question('rack.example SOA'), now);
    const reply = made.askUdp(bytes);
    assert.equal(verifyTsig(reply, keysOf(XFER), now, mac).kind, 'good');
    assert.ok(reply.length <= 512);
    assert.equal(recordLines([reply])[0], `rack.example SOA ${made.serial()}`);
  });

  test('a question for others is answered signed when their answer comes, in what the client takes', (t) => {
    const made = keyed(t);
    const { time, responder } = made;
    const asked: { readonly give: (reply: Uint8Array) => void; readonly limit: number }[] = [];
    const ask: ForwardDesk['ask'] = (_query, client, _into, { limit }) => {
      asked.push({ give: client.later(), limit });
      return 0;
    };
    const { client, replies } = forwardFor(made, ask);
    const plain = question('www.example.net A', { recursion: true });
    const { bytes, mac } = signed(plain, Math.floor(time.now() / 1000));
    for (const query of [bytes, plain]) assert.equal(responder.respond(query, client, Buffer.alloc(1232)), 0);
    time.pass(2);
    for (const { give } of asked) give(plain);
    const [sealed = assert.fail(), open] = replies;
    assert.equal(verifyTsig(sealed, keysOf(XFER), Math.floor(time.now() / 1000), mac).kind, 'good');
    assert.ok(sealed.length - plain.length + (asked[0]?.limit ?? 0) <= 512);
    assert.deepEqual([open, asked[1]?.limit], [plain, 512]);
  });

  test('a question whose alias leads to others is answered signed when their answer comes', (t) => {
    const made = keyed(t);
    const { time, responder } = made;
    const text = '$TTL 60\n@ SOA ns1 h 7 1h 15m 1w 5\n@ NS ns1\nns1 A 192.0.2.1\nout CNAME www.example.net.\n';
    const { origin, records = [] } = readMasterFile('lab.example', '/z', () => text);
    made.zones.learnZones([toColumns(origin, records)], []);
    const gives: (() => void)[] = [];
    const ask: ForwardDesk['ask'] = ({ header, key }, client) => {
      const name = keyText(key);
      const answers = [{ type: 'A', name, ttl: 7, data: '198.51.100.1' }] as const;
      const later = client.later();
      gives.push(() =>
        later(encode({ type: 'response', id: header.id, questions: [{ name, type: 'A' }], answers: [...answers] })),
      );
      return 0;
    };
    const { client, replies } = forwardFor(made, ask);
    const now = Math.floor(time.now() / 1000);
    const { bytes, mac } = signed(question('out.lab.example A', { recursion: true }), now);
    assert.equal(responder.respond(bytes, client, Buffer.alloc(1232)), 0);
    for (const give of gives) give();
    const [reply = assert.fail()] = replies;
    assert.equal(verifyTsig(reply, keysOf(XFER), now, mac).kind, 'good');
    assert.deepEqual(recordLines([Buffer.from(reply)]), [
      'out.lab.example CNAME www.example.net',
      'www.example.net A 198.51.100.1',
    ]);
  });

  const wrong: [name: string, spoil: (bytes: Buffer) => void, late: number, error: number, macSize: number][] = [
    ['a wrong MAC', (bytes) => bytes.writeUInt8(bytes.readUInt8(bytes.length - 10) ^ 1, bytes.length - 10), 0, 16, 0],
    ['an unknown key', (bytes) => bytes.write('y', bytes.length - 84, 'latin1'), 0, 17, 0],
    ['a wrong time', () => undefined, 400, 18, 32],
  ];
  for (const [name, spoil, late, error, macSize] of wrong) {
    test(`${name} is answered NOTAUTH, with the reason`, (t) => {
      const made = keyed(t);
      const { bytes } = signed(question('rack.example SOA'), Math.floor(made.time.now() / 1000) - late);
      spoil(bytes);
      const reply = made.askUdp(bytes);
      const tsig = readTsig(reply, findTsig(reply) ?? 0);
      assert.deepEqual([rcodeOf(reply), tsig.error, tsig.mac.length], [NOTAUTH, error, macSize]);
      assert.equal(tsig.other.length, error === 18 ? 6 : 0);
    });
  }

  test('NOTIFY is signed, and an answer that is not is not believed', (t) => {
    const made = keyed(t);
    const now = Math.floor(made.time.now() / 1000);
    made.time.pass(60, 'milliseconds');
    const [{ bytes } = { bytes: Buffer.alloc(12) }] = made.notified;
    assert.equal(verifyTsig(bytes, keysOf(XFER), now).kind, 'good');
    made.authority.heard(notifyAnswer(bytes));
    assert.equal(made.authority.counters()['notify.bad-signature'], 1);
    const answer = Buffer.alloc(600);
    const length = Buffer.from(notifyAnswer(bytes).bytes).copy(answer);
    answer.writeUInt16BE(0, 10);
    const { mac } = readTsig(bytes, findTsig(bytes) ?? 0);
    const whole = new TsigSigner(XFER, mac).sign(answer, length, now);
    made.authority.heard({ ...notifyAnswer(bytes), bytes: answer.subarray(0, whole) });
    assert.equal(made.authority.counters()['notify.answered'], 1);
  });

  test('a key whose file is not there is told, and refuses', (t) => {
    const keys = [{ name: 'xfer.example', algorithm: 'hmac-sha256' as const, secretFile: '/nowhere/key' }];
    const made = primary(t, primaryPlan(undefined, { keys, transfer: [{ key: 'xfer.example' }], notify: [] }));
    assert.deepEqual(
      made.events.map(({ kind }) => kind),
      ['dns.keys-failed'],
    );
    const { bytes } = signed(axfrQuery(), Math.floor(made.time.now() / 1000));
    assert.deepEqual(made.ask(bytes).map(rcodeOf), [NOTAUTH]);
  });
});

describe('after a restart', () => {
  test('the same content has the same serial, and who was in step gets the SOA alone', (t) => {
    const file = join(folder(t), 'zones.db');
    const first = new Primary(primaryPlan(), { file });
    first.lease(`192.0.2.50 ${MAC} laptop`);
    const serial = first.serial();
    first.close();
    const second = primary(t, primaryPlan(), { file });
    second.lease(`192.0.2.50 ${MAC} laptop`);
    assert.equal(second.serial(), serial);
    assert.deepEqual(recordLines(second.ask(ixfrQuery(serial))), [`rack.example SOA ${serial}`]);
    assert.equal(recordLines(second.ask(ixfrQuery(serial - 1))).length, 5);
  });

  test('what changed meanwhile is a change like any other', (t) => {
    const file = join(folder(t), 'zones.db');
    const first = new Primary(primaryPlan(), { file });
    first.lease(`192.0.2.50 ${MAC} laptop`);
    const serial = first.serial();
    first.close();
    const second = primary(t, primaryPlan(['node2 192.0.2.6']), { file });
    second.lease(`192.0.2.50 ${MAC} laptop`);
    assert.equal(second.serial(), serial + 1);
    const lines = recordLines(second.ask(ixfrQuery(serial)));
    assert.deepEqual(
      lines.filter((line) => !line.includes('SOA')),
      ['node1.rack.example A 192.0.2.5', 'node2.rack.example A 192.0.2.6'],
    );
  });

  test('until the leases are known nobody is told that they are gone', (t) => {
    const file = join(folder(t), 'zones.db');
    const first = new Primary(primaryPlan(), { file });
    first.lease(`192.0.2.50 ${MAC} laptop`);
    const serial = first.serial();
    first.close();
    const second = primary(t, primaryPlan(), { file });
    assert.equal(second.serial(), serial);
    assert.deepEqual(second.ask(ixfrQuery(serial - 1)).map(rcodeOf), [SERVFAIL]);
    second.time.pass(3);
    assert.deepEqual(second.ask(axfrQuery()).map(rcodeOf), [NOERROR]);
    assert.equal(second.serial(), serial + 1);
  });

  test('leases that take long to come are waited for', (t) => {
    const file = join(folder(t), 'zones.db');
    const leases = [leaseOf(`192.0.2.50 ${MAC} laptop`)];
    const first = new Primary(primaryPlan(), { file });
    first.zones.learn(leases, []);
    const serial = first.serial();
    first.close();
    const second = primary(t, primaryPlan(), { file });
    second.authority.leasesCome();
    second.time.pass(10);
    assert.deepEqual(second.ask(axfrQuery()).map(rcodeOf), [SERVFAIL]);
    second.zones.learn(leases, []);
    assert.deepEqual(second.ask(axfrQuery()).map(rcodeOf), [NOERROR]);
    assert.equal(second.serial(), serial, 'none of them was missed for a moment');
  });

  test('after a crash the serial is one that nobody has seen, although nothing changed', (t) => {
    const file = join(folder(t), 'zones.db');
    const first = new Primary(primaryPlan(), { file });
    first.time.pass(1);
    first.lease(`192.0.2.50 ${MAC} laptop`);
    const serial = first.serial();
    // It is not closed, and what it did last is not on disk
    const second = primary(t, primaryPlan(), { file });
    second.authority.leasesKnown();
    assert.ok(second.serial() > serial, `${second.serial()} after ${serial}`);
  });
});

describe('a disk that gives trouble', () => {
  test('while the zone of before is read leaves a new beginning, which who was in step fetches whole', (t) => {
    const file = join(folder(t), 'zones.db');
    const many = Array.from({ length: 500 }, (_, n) => `n${n} A 192.0.2.1`);
    const first = new Primary(labPlan(), { file });
    first.zones.learnZones(labFile(7, ...many), []);
    first.close();
    const open: typeof openZoneStore = (...wishes) => {
      const { store = assert.fail() } = openZoneStore(...wishes);
      const page = store.page.bind(store);
      t.mock.method(store, 'page', (...asked: Parameters<typeof page>) => {
        if (asked[1]) throw new Error('disk I/O error');
        return page(...asked);
      });
      return { store };
    };
    const second = primary(t, labPlan(), { file, open });
    second.zones.learnZones(labFile(7, ...many), []);
    assert.equal(second.serial(), 8);
    assert.equal(recordLines(second.ask(ixfrQuery(7))).length, 2 + 1 + 500);
    assert.deepEqual(kindsOf(second), ['dns.store-failed', 'zone.transferred']);
  });

  type Spoil = (t: TestContext, open: () => OpenedZones) => OpenedZones;
  /** `isKnown`: what serial 8 stood for. */
  const unreadable: [name: string, spoil: Spoil, isKnown: boolean][] = [
    ['keeps the file from being opened', () => ({ fault: 'not mounted' }), false],
    [
      'keeps them from being read',
      (t, open) => {
        const { store = assert.fail() } = open();
        t.mock.method(store, 'overlay', () => assert.fail('disk I/O error'), { times: 1 });
        return { store };
      },
      true,
    ],
  ];
  for (const [name, spoil, isKnown] of unreadable) {
    test(`and ${name} when the rack starts, has updates refused and those of before back when it is over`, (t) => {
      const file = join(folder(t), 'zones.db');
      const first = new Primary(labPlan(), { file });
      first.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
      first.askUdp(updateMessage(['add b A 192.0.2.2', 'del a A']));
      assert.equal(first.serial(), 8);
      first.close();
      let starts = 0;
      const open: typeof openZoneStore = (...wishes) =>
        starts++ === 0 ? spoil(t, () => openZoneStore(...wishes)) : openZoneStore(...wishes);
      const second = primary(t, labPlan(), { file, open });
      second.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
      assert.deepEqual(names(second), ['a.rack.example A 192.0.2.1']);
      assert.equal(rcodeOf(second.askUdp(updateMessage(['add c A 192.0.2.3']))), SERVFAIL);
      second.time.pass(31);
      assert.deepEqual(names(second), ['b.rack.example A 192.0.2.2']);
      const serial = second.serial();
      assert.ok(serial > 8);
      assert.equal(rcodeOf(second.askUdp(updateMessage(['add c A 192.0.2.3']))), NOERROR);
      assert.equal(second.serial(), serial + 1);
      // What changed since, or all
      assert.equal(recordLines(second.ask(ixfrQuery(8)))[1]?.startsWith('rack.example SOA'), isKnown);
    });
  }
});

describe('a file of zones that is found damaged while the rack runs', () => {
  const many = Array.from({ length: 500 }, (_, n) => `add n${n} A 192.0.2.1`);

  test('is replaced by one that has the updates of before', (t) => {
    const file = join(folder(t), 'zones.db');
    const made = damaged(t, file, ['del a A', ...many]);
    made.time.pass(31);
    assert.deepEqual(kindsOf(made), ['zone.updated', 'dns.store-failed', 'dns.store-replaced', 'dns.store-works']);
    assert.deepEqual([namesAfter(t, file).length, names(made).length], [500, 500]);
  });

  test('has no more than the updates of now, whatever comes while they are written', (t) => {
    const file = join(folder(t), 'zones.db');
    const made = damaged(t, file, many);
    const lines = ['del n1 A', 'del n499 A', 'add n1 A 192.0.2.9', 'add late A 192.0.2.3', 'del a A'];
    amid(made, () => assert.equal(rcodeOf(made.askUdp(updateMessage(lines))), NOERROR));
    assert.deepEqual(namesAfter(t, file), names(made));
  });

  test('has none of those that are forgotten meanwhile', (t) => {
    const file = join(folder(t), 'zones.db');
    const made = damaged(t, file, many);
    amid(made, () => made.authority.forgetUpdates(nameKey('rack.example')));
    assert.deepEqual(namesAfter(t, file), ['a.rack.example A 192.0.2.1']);
  });
});

describe('a reload', () => {
  test('with the same content changes nothing; with another, what differs', (t) => {
    const made = primary(t, primaryPlan());
    const serial = made.serial();
    made.zones.apply(primaryPlan());
    assert.equal(made.serial(), serial);
    made.zones.apply(primaryPlan(['node1 192.0.2.5', 'node2 192.0.2.6']));
    assert.equal(made.serial(), serial + 1);
    assert.deepEqual(
      recordLines(made.ask(ixfrQuery(serial))).filter((line) => !line.includes('SOA')),
      ['node2.rack.example A 192.0.2.6'],
    );
  });
});

describe('a zone of a file that takes updates', () => {
  test('has the serial of its file, and follows it where that rises', (t) => {
    const made = primary(t, labPlan());
    made.zones.learnZones(labFile(2024010101, 'a A 192.0.2.1'), []);
    assert.equal(made.serial(), 2024010101);
    made.zones.learnZones(labFile(2024010109, 'b A 192.0.2.1'), []);
    assert.equal(made.serial(), 2024010109);
    made.zones.learnZones(labFile(5, 'c A 192.0.2.1'), []);
    assert.equal(made.serial(), 2024010110);
    made.zones.learnZones(labFile(5, 'c A 192.0.2.1'), []);
    assert.equal(made.serial(), 2024010110);
  });

  test('keeps them when its file changes, and after a crash', (t) => {
    const path = join(folder(t), 'zones.db');
    const first = new Primary(labPlan(), { file: path });
    first.zones.learnZones(labFile(7, 'a A 192.0.2.1', 'b A 192.0.2.2'), []);
    const message = updateMessage(['add new A 192.0.2.7', 'del a A']);
    assert.equal(rcodeOf(first.askUdp(message)), NOERROR);
    const all = ['b.rack.example A 192.0.2.2', 'new.rack.example A 192.0.2.7'];
    assert.deepEqual([names(first), first.serial()], [all, 8]);
    first.zones.learnZones(labFile(9, 'a A 192.0.2.1', 'c A 192.0.2.3'), []);
    assert.deepEqual(names(first), ['c.rack.example A 192.0.2.3', 'new.rack.example A 192.0.2.7']);
    const second = primary(t, labPlan(), { file: path });
    second.zones.learnZones(labFile(9, 'a A 192.0.2.1', 'c A 192.0.2.3'), []);
    assert.deepEqual(names(second), ['c.rack.example A 192.0.2.3', 'new.rack.example A 192.0.2.7']);
    assert.ok(second.serial() > first.serial());
  });

  test('has the very serial of before after a crash, where nothing changed', (t) => {
    const path = join(folder(t), 'zones.db');
    const first = new Primary(labPlan(), { file: path });
    first.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    first.askUdp(updateMessage(['add new A 192.0.2.7']));
    first.time.pass(1);
    const second = primary(t, labPlan(), { file: path });
    second.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    assert.equal(second.serial(), 8);
    assert.equal(recordLines(second.ask(ixfrQuery(7))).length, 5);
  });

  test('what was added and deleted again is the file’s to have', (t) => {
    const made = primary(t, labPlan());
    made.zones.learnZones(labFile(7), []);
    made.askUdp(updateMessage(['add x A 192.0.2.7']));
    made.askUdp(updateMessage(['del x A 192.0.2.7']));
    made.zones.learnZones(labFile(8, 'x A 192.0.2.7'), []);
    assert.deepEqual(names(made), ['x.rack.example A 192.0.2.7']);
  });

  for (const deletion of ['del x', 'del x A', 'del x A 192.0.2.7']) {
    test(`has what its file overrules deleted for good by "${deletion}"`, (t) => {
      const made = primary(t, labPlan());
      made.zones.learnZones(labFile(7), []);
      made.askUdp(updateMessage(['add x A 192.0.2.7', 'add y A 192.0.2.8']));
      made.zones.learnZones(labFile(8, 'x CNAME a', 'y CNAME a'), []);
      assert.equal(rcodeOf(made.askUdp(updateMessage([deletion]))), NOERROR);
      assert.equal(made.authority.updatesOf(nameKey('rack.example'))?.overruled.length, 1);
      made.zones.learnZones(labFile(9), []);
      assert.deepEqual(names(made), ['y.rack.example A 192.0.2.8']);
    });
  }

  test('takes none while it is not known what changed in its file, nor which serial that is', (t) => {
    const made = primary(t, labPlan());
    const many = Array.from({ length: 2000 }, (_, n) => `n${n} A 192.0.2.1`);
    made.zones.learnZones(labFile(7, ...many), []);
    let ticks = made.time.monotonic();
    t.mock.method(made.time, 'monotonic', () => (ticks += 4));
    const rcodes = new Set<number>();
    const ask = (left: number): void => {
      const isSettling = made.authority.published(nameKey('rack.example')) === undefined;
      if (isSettling) rcodes.add(rcodeOf(made.askUdp(updateMessage(['add x A 192.0.2.7']))));
      if (left > 0) made.time.after(0, () => ask(left - 1));
    };
    made.zones.learnZones(labFile(8, ...many, 'z A 192.0.2.3'), []);
    ask(400);
    made.time.pass(1);
    assert.deepEqual([...rcodes], [SERVFAIL]);
    assert.equal(made.serial(), 8);
  });

  test('is told of by NOTIMP where nobody listens, and refused to who may not', (t) => {
    const made = primary(t, labPlan());
    made.zones.learnZones(labFile(7), []);
    assert.equal(rcodeOf(made.askUdp(updateMessage(['add x A 192.0.2.7']), '192.0.2.200')), REFUSED);
  });
});

describe('a name that moves', () => {
  test('from a file to the rack is published as what it is then, with serials that rise', (t) => {
    const made = primary(t, labPlan());
    made.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    putInForce(made, primaryPlan());
    made.time.pass(3);
    // The rack forgets the file's zone once the Plan is in force
    made.zones.learnZones([], ['rack.example']);
    assert.deepEqual(names(made), ['node1.rack.example A 192.0.2.5', 'rack-a1.rack.example A 192.0.2.1']);
    const serial = made.serial();
    assert.ok(serial > 7);
    made.lease(`192.0.2.50 ${MAC} laptop`);
    assert.equal(made.serial(), serial + 1);
    assert.equal(recordLines(made.ask(ixfrQuery(serial))).length, 5);
  });

  test('from the rack to a file, whose content is here before the Plan, takes updates then', (t) => {
    const made = primary(t, primaryPlan());
    const serial = made.serial();
    made.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    putInForce(made, labPlan());
    made.time.pass(3);
    assert.deepEqual(names(made), ['a.rack.example A 192.0.2.1']);
    assert.equal(made.serial(), serial + 1);
    assert.equal(rcodeOf(made.askUdp(updateMessage(['add new A 192.0.2.7']))), NOERROR);
    assert.equal(made.serial(), serial + 2);
    assert.equal(recordLines(made.ask(ixfrQuery(serial + 1))).length, 5);
  });
});

describe('a zone of the rack that is withdrawn while it waits for leases', () => {
  test('is not published when they are known, although its name is a file’s by then', (t) => {
    const file = join(folder(t), 'zones.db');
    const first = new Primary(primaryPlan(), { file });
    first.lease(`192.0.2.50 ${MAC} laptop`);
    const serial = first.serial();
    first.close();
    const second = new Primary(primaryPlan(), { file });
    putInForce(second, labPlan());
    second.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    second.time.pass(3);
    assert.equal(second.serial(), serial + 1);
    second.close();
    const third = primary(t, labPlan(), { file });
    third.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    assert.deepEqual([third.serial(), names(third)], [serial + 1, ['a.rack.example A 192.0.2.1']]);
    assert.equal(recordLines(third.ask(ixfrQuery(serial))).length, 4 + 4 + 2);
  });
});

describe('a zone of a file', () => {
  const { subnets } = planOf({ subnets: ['198.51.100.0/24 other.example 198.51.100.1'] });
  const elsewhere = { ...primaryPlan([]), subnets };

  test('is transferred to nobody, and nobody told of it, before its Plan is in force and after', (t) => {
    const made = primary(t, elsewhere);
    const rcodes = (): number[] => made.ask(axfrQuery()).map(rcodeOf);
    made.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    assert.deepEqual([rcodes(), toldOf(made)], [[REFUSED], []]);
    putInForce(made, labPlan());
    assert.deepEqual(rcodes(), [NOERROR]);
    putInForce(made, elsewhere);
    assert.deepEqual([rcodes(), toldOf(made)], [[REFUSED], []]);
  });

  test('that is new is told of when its Plan is in force', (t) => {
    const made = primary(t, { ...elsewhere, dns: { ...elsewhere.dns, notify: [] } });
    made.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
    const { notify } = elsewhere.dns;
    putInForce(made, { ...elsewhere, dns: { ...elsewhere.dns, zones: [{ ...LAB, transfer: [], notify }] } });
    assert.deepEqual(toldOf(made), ['rack.example SOA 7']);
  });
});

describe('a zone that leaves and returns', () => {
  const elsewhere = { ...primaryPlan([]), subnets: [] };

  test('before the disk has its last changes goes on from the serial that was published', (t) => {
    const file = join(folder(t), 'zones.db');
    const first = new Primary(primaryPlan(), { file });
    first.lease(`192.0.2.50 ${MAC} laptop`);
    first.close();
    const made = primary(t, primaryPlan(), { file });
    made.lease(`192.0.2.50 ${MAC} laptop`);
    made.time.pass(3);
    for (let n = 0; n < 5; n++) made.lease(`192.0.2.6${n} 52:54:00:00:00:2${n} machine${n}`);
    const serial = made.serial();
    putInForce(made, elsewhere);
    putInForce(made, primaryPlan());
    made.time.pass(3);
    assert.equal(made.serial(), serial + 1);
    assert.equal(recordLines(made.ask(axfrQuery())).length, 5 + 6);
    made.time.pass(1);
    made.lease(`192.0.2.99 52:54:00:00:00:99 late`);
    assert.equal(made.serial(), serial + 2);
    assert.equal(recordLines(made.ask(ixfrQuery(serial + 1))).length, 5);
  });

  test('when all is on disk has the serial of before for the same content', (t) => {
    const made = primary(t, primaryPlan());
    made.lease(`192.0.2.50 ${MAC} laptop`);
    const serial = made.serial();
    made.time.pass(1);
    putInForce(made, elsewhere);
    putInForce(made, primaryPlan());
    made.time.pass(3);
    assert.equal(made.serial(), serial);
    assert.equal(recordLines(made.ask(ixfrQuery(serial - 1))).length, 5);
  });
});

test('any bytes are a message that is answered or not', (t) => {
  const made = primary(t, primaryPlan());
  const { bytes } = { bytes: Buffer.alloc(600) };
  const length = new TsigSigner(XFER).sign(bytes, axfrQuery().copy(bytes), Math.floor(made.time.now() / 1000));
  fuzz({
    seeds: [
      axfrQuery(),
      ixfrQuery(made.serial()),
      ixfrQuery(1),
      bytes.subarray(0, length),
      updateMessage(['add x A 192.0.2.7']),
    ],
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 50_000),
    run: (message) => void made.askUdp(Buffer.from(message)),
  });
  assert.equal(recordLines(made.ask(axfrQuery())).length, 5);
});

function bound(made: Primary): { ask: Primary['ask']; serial: Primary['serial'] } {
  return { ask: (...asked) => made.ask(...asked), serial: (zone) => made.serial(zone) };
}

function kindsOf({ events }: Primary): string[] {
  return events.map(({ kind }) => kind);
}

/** What the DNS service does with a Plan. */
function putInForce({ authority, zones }: Primary, plan: ReturnType<typeof primaryPlan>): void {
  zones.readAgain(authority.apply(plan));
  zones.apply(plan);
}

/** What secondaries were told of the zone. */
function toldOf({ notified, time }: Primary): string[] {
  time.pass(60, 'milliseconds');
  return notified.flatMap(({ bytes }) => recordLines([bytes])).filter((line) => line.startsWith('rack.example '));
}

/** A primary whose file of zones turns out to be damaged when it has had these updates. */
function damaged(t: TestContext, file: string, updates: readonly string[]): Primary {
  const made = primary(t, labPlan(), { file });
  made.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
  assert.equal(rcodeOf(made.askUdp(updateMessage(updates))), NOERROR);
  made.time.pass(1);
  const error = Object.assign(new Error('database disk image is malformed'), { errcode: 11 });
  const fail = (): never => {
    throw error;
  };
  t.mock.method(SqliteZoneStore.prototype, 'transaction', fail, { times: 1 });
  assert.equal(rcodeOf(made.askUdp(updateMessage(['add late A 192.0.2.3']))), SERVFAIL);
  writeFileSync(file, Buffer.alloc(8192, 'junk'));
  return made;
}

/** Does something when the first 200 of its updates are in the file that replaces it, and not all. */
function amid({ time }: Primary, work: () => void): void {
  time.after(30_050, () => time.after(0, work));
  time.pass(31);
}

/** What the next process serves. */
function namesAfter(t: TestContext, file: string): string[] {
  const next = primary(t, labPlan(), { file });
  next.zones.learnZones(labFile(7, 'a A 192.0.2.1'), []);
  return names(next);
}

/** What a secondary says to a NOTIFY. */
function notifyAnswer(bytes: Buffer, rcode = NOERROR): Parameters<Primary['authority']['heard']>[0] {
  const answer = Buffer.from(bytes);
  answer[2] = (answer[2] ?? 0) | 0x80;
  answer[3] = rcode;
  const tsig = findTsig(bytes);
  return {
    bytes: tsig === undefined ? answer : answer.subarray(0, tsig),
    source: ip4(SECONDARY),
    sourcePort: 53,
    destination: ip4('192.0.2.1'),
    ifindex: 1,
  };
}

function signed(query: Buffer, now: number): { bytes: Buffer; mac: Uint8Array } {
  const bytes = Buffer.alloc(query.length + 400);
  const signer = new TsigSigner(XFER);
  const length = signer.sign(bytes, query.copy(bytes), now);
  return { bytes: bytes.subarray(0, length), mac: signer.mac };
}

/** Names outside are asked of `ask`, for everybody; a client, and what it is sent later. */
function forwardFor({ responder }: Primary, ask: ForwardDesk['ask']) {
  const everybody = new AddressSet([{ network: ip4('0.0.0.0'), prefix: 0 }]);
  responder.configure({ nsid: '', recursion: everybody, unlimited: everybody });
  responder.forwarder = { ask };
  const replies: Uint8Array[] = [];
  const later = () => (reply: Uint8Array) => void replies.push(reply);
  return { client: { address: ip4(SECONDARY), port: 4000, later }, replies };
}

function keyed(t: TestContext): Primary {
  const secretFile = join(folder(t), 'key');
  writeFileSync(secretFile, SECRET.toString('base64'));
  chmodSync(secretFile, 0o600);
  const keys = [{ name: 'xfer.example', algorithm: 'hmac-sha256' as const, secretFile }];
  const target = { address: ip4(SECONDARY), port: 53, key: 'xfer.example' };
  return primary(t, primaryPlan(undefined, { keys, transfer: [{ key: 'xfer.example' }], notify: [target] }));
}

function labPlan(): ReturnType<typeof primaryPlan> {
  const plan = primaryPlan([]);
  const { transfer } = plan.dns;
  return { ...plan, subnets: [], dns: { ...plan.dns, zones: [{ ...LAB, transfer, notify: [] }] } };
}

function labFile(serial: number, ...lines: readonly string[]): Parameters<Primary['zones']['learnZones']>[0] {
  const records = [soa(serial), record('@ NS ns.rack.example'), ...lines.map((line) => record(line))];
  return [toColumns(nameKey('rack.example'), records)];
}

function names(made: Primary): string[] {
  return recordLines(made.ask(axfrQuery()))
    .filter((line) => / A /.test(line))
    .toSorted();
}
