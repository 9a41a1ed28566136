import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { order, publish } from '../../src/region/answer/publish.ts';
import { RefusedChange } from '../../src/region/answer/refused-change.ts';
import type { Database } from '../../src/region/database/database.ts';
import { hashSecret } from '../../src/region/secret-hash.ts';
import { newKey, RegionRig, STATUS } from './region-rig.ts';

const MAC = '52:54:00:12:34:56';

/** What racks are promised, on any database. `open` gives an empty one. */
export function testRacks(name: string, open: () => Promise<Database>): void {
  const rig = async (): Promise<RegionRig> => RegionRig.create(await open());

  test(`${name}: a token enrols one rack, once; the same question again is answered again`, async () => {
    await using region = await rig();
    const [token, keyHash] = [await region.token(), hashSecret(newKey())];
    const enrolment = { token, keyHash, name: 'rack-a1', version: '0.1.0' };
    const first = await region.post('/racks/v1/enrol', enrolment);
    assert.equal(first.status, 201);
    assert.deepEqual(await region.post('/racks/v1/enrol', enrolment), first);
    const other = await region.post('/racks/v1/enrol', { ...enrolment, keyHash: hashSecret(newKey()) });
    assert.equal(other.status, 403);
  });

  test(`${name}: no token is good for another name, after its time, or for a rack that is there`, async () => {
    await using region = await rig();
    const enrol = async (token: string, rack: string) =>
      (await region.post('/racks/v1/enrol', { token, keyHash: hashSecret(newKey()), name: rack, version: '1' })).status;
    assert.equal(await enrol(await region.token('rack-b1'), 'rack-a1'), 403);
    assert.equal(await enrol(await region.token(undefined, -1), 'rack-a1'), 403);
    assert.equal(await enrol('x'.repeat(43), 'rack-a1'), 403);
    assert.equal(await enrol(await region.token(), 'rack-a1'), 201);
    assert.equal(await enrol(await region.token(), 'rack-a1'), 409);
    assert.equal(await enrol(await region.token('rack-a1'), 'rack-a1'), 201);
  });

  test(`${name}: whoever enrols at the same moment is in nobody's way`, async () => {
    await using region = await rig();
    const enrol = async (token: string, rack: string, keyHash = hashSecret(newKey())) => {
      const { status, body } = await region.post('/racks/v1/enrol', { token, keyHash, name: rack, version: '1' });
      return `${status} ${status === 201 ? (body as { rack: string }).rack : ''}`;
    };
    const names = Array.from({ length: 40 }, (_, n) => `rack-${n}`);
    const tokens = await Promise.all(names.map(() => region.token()));
    const many = await Promise.all(names.map((rack, n) => enrol(tokens[n] ?? '', rack)));
    assert.equal(new Set(many.filter((answer) => answer.startsWith('201 '))).size, names.length, many.join());
    const [token, keyHash] = [await region.token(), hashSecret(newKey())];
    const twice = await Promise.all([enrol(token, 'rack-a1', keyHash), enrol(token, 'rack-a1', keyHash)]);
    assert.match(twice.join(), /^201 (\S+),201 \1$/);
    const stolen = await region.token();
    const both = await Promise.all([enrol(stolen, 'rack-b1'), enrol(stolen, 'rack-b1')]);
    assert.match(both.toSorted().join(), /^201 \S+,403 $/);
    const again = await Promise.all(
      [await region.token('rack-c1'), await region.token('rack-c1')].map((each) => enrol(each, 'rack-c1')),
    );
    assert.match(again.join(), /^201 (\S+),201 \1$/);
    const free = await Promise.all([await region.token(), await region.token()].map((each) => enrol(each, 'rack-d1')));
    assert.match(free.toSorted().join(), /^201 \S+,409 $/);
  });

  test(`${name}: a rack is who has its key; a new key holds from its first use on, and the old one until then`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const plan = '/racks/v1/plan';
    assert.equal((await region.ask('GET', plan)).status, 401);
    assert.equal((await region.say({ ...rack, key: newKey() }, 'GET', plan)).status, 401);
    assert.equal((await region.say({ ...rack, rack: randomUUID() }, 'GET', plan)).status, 401);
    const next = { ...rack, key: newKey() };
    assert.equal((await region.say(rack, 'POST', '/racks/v1/key', { keyHash: hashSecret(next.key) })).status, 200);
    assert.equal((await region.say(rack, 'GET', plan)).status, 200);
    assert.equal((await region.say(next, 'GET', plan)).status, 200);
    assert.equal((await region.say(rack, 'GET', plan)).status, 401);
  });

  test(`${name}: whoever guesses is not listened to for a while, but a rack of the same address that was heard before is`, async () => {
    await using region = await rig();
    const [heard, unheard] = [await region.enrol('rack-a1'), await region.enrol('rack-b1')];
    const plan = '/racks/v1/plan';
    assert.equal((await region.say(heard, 'GET', plan)).status, 200);
    for (let n = 0; n < 10; n++) assert.equal((await region.say({ ...heard, key: newKey() }, 'GET', plan)).status, 401);
    assert.equal((await region.say({ ...heard, key: newKey() }, 'GET', plan)).status, 429);
    assert.equal((await region.say(unheard, 'GET', plan)).status, 429);
    assert.equal((await region.say(heard, 'GET', plan)).status, 200);
    // Of another rack a key is good for nothing, although it is somebody's
    assert.equal((await region.say({ ...unheard, key: heard.key }, 'GET', plan)).status, 429);
  });

  test(`${name}: of a flood of refused requests the log has a beginning`, async () => {
    await using region = await rig();
    for (let n = 0; n < 50; n++) assert.equal((await region.ask('GET', `/${'x'.repeat(500)}`)).status, 404);
    const lines = region.log.filter((line) => line.includes('"status":404'));
    assert.equal(lines.length, 20);
    assert.ok(lines.every((line) => line.includes('"from":"127.0.0.1"') && line.length < 600));
  });

  test(`${name}: who waits for a newer plan has it once there is one`, { timeout: 20_000 }, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const first = await region.say(rack, 'GET', '/racks/v1/plan');
    assert.deepEqual(first.body, { version: 1, config: {}, orders: {} });
    assert.equal((await region.say(rack, 'GET', '/racks/v1/plan?after=1&wait=0')).status, 204);
    const waiting = region.say(rack, 'GET', '/racks/v1/plan?after=1&wait=60');
    await region.database.transaction((sql) => order(sql, [rack.rack], 'import'));
    assert.deepEqual((await waiting).body, { version: 2, config: {}, orders: { import: 1 } });
  });

  test(`${name}: what a rack tells is kept once, however often it comes, and in its order`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const stream = randomUUID();
    const bound = (number: number, address: string, more: object = {}) => ({
      number,
      at: 1000,
      kind: 'lease.bound',
      mac: MAC,
      address,
      ...more,
    });
    const records = [
      { number: 3, at: 1000, kind: 'dhcp.ack', mac: MAC, address: '192.0.2.5', name: 'node\0\uD800' },
      bound(4, '192.0.2.5', { name: 'node1', expires: 5000 }),
      bound(5, '192.0.2.6'),
      { number: 6, at: 1000, kind: 'lease.ended', address: '192.0.2.6' },
      { number: 7, at: 1000, kind: 'neighbour.new', mac: MAC, address: '192.0.2.5', interface: 'eth0' },
      { number: 8, at: 2000, kind: 'machine.report', mac: MAC, address: '192.0.2.5', report: { stage: 'up' } },
      { number: 9, at: 2000, kind: 'dhcp-server.found', mac: MAC, interface: 'eth0', server: '10.0.0.9' },
    ];
    const tell = async (some: readonly object[]) =>
      (await region.say(rack, 'POST', '/racks/v1/events', { stream, sentAt: 1, records: some })).body;
    assert.deepEqual(await tell(records.slice(0, 3)), { kept: 5 });
    assert.deepEqual(await tell(records), { kept: 9 });
    assert.deepEqual(await tell(records), { kept: 9 });
    const { database } = region;
    assert.deepEqual(
      (await database.query('SELECT kind FROM event ORDER BY id')).map((row) => row['kind']),
      ['dhcp.ack', 'neighbour.new', 'machine.report', 'dhcp-server.found'],
    );
    const [event] = await database.query("SELECT body FROM event WHERE kind = 'dhcp.ack'");
    assert.deepEqual(event, { body: { name: 'node\uFFFD\uFFFD' } });
    const leases = await database.query('SELECT address, mac, name, expires FROM lease');
    assert.deepEqual(leases, [{ address: '192.0.2.5', mac: MAC, name: 'node1', expires: new Date(5_000_000) }]);
    assert.deepEqual(await database.query('SELECT kind, report FROM machine'), [
      { kind: 'machine.report', report: { stage: 'up' } },
    ]);
    assert.equal((await database.query('SELECT * FROM neighbour')).length, 1);
    assert.equal((await database.query('SELECT * FROM foreign_dhcp_server')).length, 1);
    // A whole telling: what is not in it is no more
    await tell([{ number: 10, at: 1, kind: 'lease.all-begun' }, bound(11, '192.0.2.7')]);
    assert.equal((await database.query('SELECT * FROM lease')).length, 2);
    await tell([
      { number: 12, at: 1, kind: 'lease.all-ended' },
      { number: 13, at: 1, kind: 'dhcp-server.gone', interface: 'eth0', server: '10.0.0.9' },
    ]);
    assert.deepEqual(await database.query('SELECT address FROM lease'), [{ address: '192.0.2.7' }]);
    assert.equal((await database.query('SELECT * FROM foreign_dhcp_server')).length, 0);
  });

  test(`${name}: batches of one rack that come at the same time are kept one after the other`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const stream = randomUUID();
    const records = Array.from({ length: 50 }, (_, i) => ({ number: i + 1, at: 1, kind: 'dhcp.ack', mac: MAC }));
    const batch = { stream, sentAt: 1, records };
    const answers = await Promise.all([1, 2, 3, 4].map(() => region.say(rack, 'POST', '/racks/v1/events', batch)));
    assert.deepEqual(
      answers.map(({ body }) => body),
      answers.map(() => ({ kept: 50 })),
    );
    assert.deepEqual(await region.database.query('SELECT count(*)::int AS n FROM event'), [{ n: 50 }]);
  });

  test(`${name}: a status is kept, and a file that is not known is asked for`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const file = { hash: hashSecret('a file') };
    const first = await region.say(rack, 'POST', '/racks/v1/status', { ...STATUS, file });
    assert.deepEqual([first.status, (first.body as { wants: unknown }).wants], [200, ['file']]);
    const config = { hosts: [{ name: 'a', mac: MAC }] };
    const second = await region.say(rack, 'POST', '/racks/v1/status', { ...STATUS, file: { ...file, config } });
    assert.equal((second.body as { wants: unknown }).wants, undefined);
    const third = await region.say(rack, 'POST', '/racks/v1/status', { ...STATUS, file });
    assert.equal((third.body as { wants: unknown }).wants, undefined);
    const [row] = await region.database.query('SELECT seen_at, file_config FROM rack_report');
    assert.deepEqual(row, { seen_at: '127.0.0.1', file_config: config });
  });

  test(`${name}: a record that is not as it should be is kept as far as that goes, and holds up nothing`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const pair = '\u{1F600}';
    const at = 1000;
    const records = [
      'no record',
      { at, kind: 'dhcp.ack' },
      { number: 1, at: 'yesterday', kind: 'dhcp.ack', mac: 'nobody', address: '192.0.2.999' },
      { number: 2, at, kind: 'OR 1=1; --', mac: MAC, more: [{ deep: '\0' }] },
      { number: 2, at, kind: 'dhcp.ack' },
      { number: 3, at, kind: 'lease.bound', mac: MAC, address: '192.0.2.5', name: `${'x'.repeat(254)}${pair}` },
      { number: 4, at, kind: 'neighbour.new', mac: MAC, address: '192.0.2.5', interface: `${'x'.repeat(254)}${pair}` },
      {
        number: 5,
        at: 8_640_000_000_000_000,
        kind: 'dhcp.ack',
        mac: MAC,
        ['\uD800\0']: JSON.parse('{"__proto__":1}') as unknown,
      },
      {
        number: 6,
        at,
        kind: 'dhcp.ack',
        mac: MAC,
        deep: JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`) as unknown,
      },
    ];
    const batch = { stream: randomUUID(), sentAt: 2000, records };
    assert.deepEqual((await region.say(rack, 'POST', '/racks/v1/events', batch)).body, { kept: 6 });
    const { database } = region;
    const events = await database.query('SELECT at, kind, mac, body FROM event ORDER BY id LIMIT 2');
    assert.deepEqual(events, [
      {
        at: new Date(2000),
        kind: 'dhcp.ack',
        mac: null,
        body: { at: 'yesterday', mac: 'nobody', address: '192.0.2.999' },
      },
      {
        at: new Date(at),
        kind: 'record.unreadable',
        mac: MAC,
        body: { kind: 'OR 1=1; --', more: [{ deep: '\uFFFD' }] },
      },
    ]);
    assert.deepEqual(await database.query('SELECT name FROM lease'), [{ name: `${'x'.repeat(254)}\uFFFD` }]);
    assert.deepEqual(await database.query('SELECT mended FROM stream'), [{ mended: 5 }]);
    const [machine] = await database.query('SELECT seen <= now() AS been FROM machine');
    assert.deepEqual(machine, { been: true });
    assert.match(region.log.join(''), /"records":5,"msg":"records of a rack were not as they should be"/);
  });

  test(`${name}: what a rack gave up is counted once, by the sum it tells`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const stream = randomUUID();
    for (const [number, count] of [
      [1, 10],
      [1, 10],
      [2, 30],
    ] as const) {
      const records = [{ number, at: 1, kind: 'dhcp.ack' }];
      await region.say(rack, 'POST', '/racks/v1/events', {
        stream,
        sentAt: 1,
        records,
        forgotten: { count, before: 1 },
      });
    }
    assert.deepEqual(await region.database.query('SELECT forgotten FROM stream'), [{ forgotten: 30 }]);
  });

  test(`${name}: the networks that a rack is on become subnets once, for operators to find`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const report = (...interfaces: readonly (readonly [string, string, number])[]) =>
      region.say(rack, 'POST', '/racks/v1/status', {
        ...STATUS,
        interfaces: interfaces.map(([device, address, prefix]) => ({ name: device, address, prefix })),
      });
    const subnets = async () =>
      (await region.database.query('SELECT cidr, interface, management, description FROM subnet ORDER BY id')).map(
        (row) => [row['cidr'], row['interface'], row['management'], row['description']],
      );
    const [loopback, eth0] = [['lo', '127.0.0.1', 8] as const, ['eth0', '192.168.127.100', 24] as const];
    // A second network of a wire, one inside another, and one of a single machine are left to operators
    const left = [
      ['eth0', '10.9.0.1', 16] as const,
      ['eth1', '192.168.127.130', 25] as const,
      ['tun0', '10.8.0.1', 32] as const,
    ];
    await report(loopback, eth0, ...left);
    const first = ['192.168.127.0/24', 'eth0', 'none', 'Auto created when creating interface eth0 on cluster rack-a1'];
    assert.deepEqual(await subnets(), [first]);
    await region.database.query('DELETE FROM subnet');
    await report(eth0);
    assert.deepEqual(await subnets(), []);
    await report(eth0, ['eth2', '172.16.5.9', 20]);
    assert.deepEqual(await subnets(), [
      ['172.16.0.0/20', 'eth2', 'none', 'Auto created when creating interface eth2 on cluster rack-a1'],
    ]);
    const [line] = await region.database.query(
      "SELECT who, did, after FROM audit WHERE what LIKE 'subnet%' ORDER BY id",
    );
    assert.deepEqual(line, { who: 'rack-a1', did: 'create', after: { cidr: '192.168.127.0/24', interface: 'eth0' } });
  });

  test(`${name}: a report that says nothing new is kept, and nothing follows from it`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const first = await region.say(rack, 'POST', '/racks/v1/status', STATUS);
    assert.equal(first.status, 200);
    await region.database.query('DELETE FROM subnet');
    await region.say(rack, 'POST', '/racks/v1/status', { ...STATUS, leases: 7 });
    assert.deepEqual(await region.database.query('SELECT * FROM subnet'), []);
    const [row] = await region.database.query("SELECT status ->> 'leases' AS leases FROM rack_report");
    assert.deepEqual(row, { leases: '7' });
  });

  test(`${name}: a rack that is in trouble already does not keep others from a change that is not its trouble`, async () => {
    await using region = await rig();
    const [good, bad] = [await region.enrol('rack-a1'), await region.enrol('rack-b1')];
    await region.say(good, 'POST', '/racks/v1/status', STATUS);
    await region.say(bad, 'POST', '/racks/v1/status', STATUS);
    const { database } = region;
    await database.transaction(async (sql) => {
      await sql.query("UPDATE subnet SET management = 'dhcp+dns'");
      await publish(sql, 'all');
    });
    // Its wire is another now
    const eth9 = [{ name: 'eth9', address: '10.0.0.1', prefix: 24 }];
    await region.say(bad, 'POST', '/racks/v1/status', { ...STATUS, interfaces: eth9 });
    await database.transaction(async (sql) => {
      await sql.query("INSERT INTO setting (name, value) VALUES ('upstream_dns', '[\"192.0.2.53\"]')");
      await publish(sql, 'all');
    });
    const plans = await database.query("SELECT name, plan_version, plan ->> 'dns' AS dns FROM rack ORDER BY name");
    const dns = '{"forward": ["192.0.2.53"]}';
    assert.deepEqual(plans, [
      { name: 'rack-a1', plan_version: 3, dns },
      { name: 'rack-b1', plan_version: 3, dns },
    ]);
    // What is its trouble is refused all the same
    const worse = database.transaction(async (sql) => {
      await sql.query("UPDATE subnet SET router = '10.9.9.9' WHERE rack_id = $1", [bad.rack]);
      await publish(sql, 'all');
    });
    await refused(
      worse,
      /^rack rack-b1 would refuse this: region plan 4: subnets\[0\]\.router: .*, found 10\.9\.9\.9$/,
    );
  });

  test(`${name}: what a rack would refuse is refused here, in its own words, and changes nothing`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const config = {
      subnets: [
        { cidr: '10.0.0.0/8', management: 'none' },
        { cidr: '192.168.127.0/24', dynamic: '192.168.127.121-192.168.127.140' },
      ],
    };
    await region.say(rack, 'POST', '/racks/v1/status', { ...STATUS, file: { hash: hashSecret('f'), config } });
    const add = (cidr: string, router: string | null) =>
      region.database.transaction(async (sql) => {
        await sql.query(
          `INSERT INTO subnet (rack_id, name, cidr, management, router, domain_id) VALUES ($1, 'x', $2, 'dhcp', $3, 1)
           ON CONFLICT (rack_id, cidr) DO UPDATE SET management = 'dhcp', router = excluded.router`,
          [rack.rack, cidr, router],
        );
        await publish(sql, [rack.rack]);
      });
    await refused(
      add('10.1.0.0/16', null),
      /^rack rack-a1 would refuse this: region plan 2: subnets\[0\]\.cidr: expected a network apart from 10\.0\.0\.0\/8 on line 1, found 10\.1\.0\.0\/16$/,
    );
    await refused(
      add('192.168.127.0/24', '192.168.128.1'),
      /subnets\[0\]\.router: expected an address inside 192\.168\.127\.0\/24, found 192\.168\.128\.1/,
    );
    await refused(
      add('192.168.127.0/24', '192.168.127.121'),
      /^rack rack-a1 would refuse this: rackboot\.yaml: subnets\[1\]\.dynamic: expected a range without the router 192\.168\.127\.121, /,
    );
    const wires = await region.database.query('SELECT cidr, management FROM subnet');
    assert.deepEqual(wires, [{ cidr: '192.168.127.0/24', management: 'none' }]);
    await add('192.168.127.0/24', '192.168.127.254');
    const plan = await region.say(rack, 'GET', '/racks/v1/plan');
    assert.deepEqual(plan.body, {
      version: 2,
      config: {
        subnets: [
          {
            cidr: '192.168.127.0/24',
            interface: 'eth0',
            management: 'dhcp',
            router: '192.168.127.254',
            domain: 'maas',
          },
        ],
      },
      orders: {},
    });
  });

  test(`${name}: a rack that is removed while it speaks hears that it is unknown, whatever it says`, async () => {
    const database = await open();
    let remove = nothing;
    // Behind the look at its key
    const removing: Database = {
      listen: (channel, hear, lost) => database.listen(channel, hear, lost),
      tend: () => database.tend(),
      close: () => database.close(),
      transaction: async (work, isolation) => remove().then(() => database.transaction(work, isolation)),
      query: async (text, values) => {
        if (text.startsWith('INSERT INTO rack_report')) await remove();
        return database.query(text, values);
      },
    };
    await using region = await RegionRig.create(removing);
    const batch = { stream: randomUUID(), sentAt: 1, records: [{ number: 1, at: 1, kind: 'dhcp.ack', mac: MAC }] };
    const known = { ...STATUS, leases: 1 };
    const table: readonly (readonly [path: string, body: unknown, before?: unknown])[] = [
      ['/racks/v1/events', batch],
      ['/racks/v1/status', STATUS],
      ['/racks/v1/status', known, STATUS],
      ['/racks/v1/key', { keyHash: hashSecret(newKey()) }],
    ];
    for (const [path, body, before] of table) {
      remove = nothing;
      const rack = await region.enrol('rack-a1');
      if (before !== undefined) await region.say(rack, 'POST', path, before);
      remove = async () => {
        await database.query("DELETE FROM rack WHERE name = 'rack-a1'");
      };
      assert.equal((await region.say(rack, 'POST', path, body)).status, 401, path);
    }
    assert.equal(region.log.filter((line) => line.includes('"level":50')).length, 0, region.log.join(''));
    assert.deepEqual(await database.query('SELECT * FROM event'), []);
  });

  test(`${name}: what makes no sense is refused by name, and no secret is logged`, async () => {
    await using region = await rig();
    const rack = await region.enrol('rack-a1');
    const json = { 'content-type': 'application/json', authorization: `Bearer ${rack.rack}.${rack.key}` };
    const events = '/racks/v1/events';
    const table: readonly (readonly [status: number, path: string, body: string, headers?: Record<string, string>])[] =
      [
        [400, events, '{'],
        [400, events, '[]'],
        [400, events, '{"stream":"x"}'],
        [400, events, `{"stream":${'['.repeat(100_000)}`],
        [413, events, ' '.repeat(9 * 1024 * 1024)],
        [415, events, '{}', { ...json, 'content-type': 'text/plain' }],
        [
          401,
          events,
          '{}',
          { 'content-type': 'application/json', authorization: `Bearer ${rack.rack}' OR 1=1--.${rack.key}` },
        ],
        [404, '/racks/v1/nothing', '{}'],
        [404, '/racks/v1/../../etc/passwd', '{}'],
      ];
    for (const [status, path, body, headers = json] of table) {
      const answer = await region.ask('POST', path, headers, body).catch((error: unknown) => error);
      // A server that does not read on may be gone before all is sent
      if (answer instanceof Error) assert.equal(status, 413);
      else assert.equal((answer as { status: number }).status, status, `${path} ${body.slice(0, 40)}`);
    }
    assert.equal((await region.ask('GET', '/racks/v1/plan?wait=61', json)).status, 400);
    assert.equal((await region.ask('GET', '/racks/v1/plan?after=1&after=2', json)).status, 400);
    const log = region.log.join('');
    assert.ok(log.length > 0 && !log.includes(rack.key) && !log.includes(rack.key.slice(0, 10)), log);
  });
}

async function nothing(): Promise<void> {
  // Until it is time
}

function refused(work: Promise<void>, fault: RegExp): Promise<void> {
  return assert.rejects(work, (error) => error instanceof RefusedChange && fault.test(error.message));
}
