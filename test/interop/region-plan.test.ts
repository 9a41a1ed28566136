import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { pino } from 'pino';

import { formatCidr } from '../../src/addr/cidr.ts';
import { formatIp4 } from '../../src/addr/ip4.ts';
import type { PlanAnswer } from '../../src/contract/rack-words.ts';
import { Rack } from '../../src/rack/rack.ts';
import { isAnswerThread, serviceOf } from '../../src/service/thread-name.ts';
import { systemClock } from '../../src/system/clock.ts';
import { loadLibc } from '../../src/system/libc.ts';
import type { ThreadName } from '../../src/timeline/event.ts';
import { enterOwnNetwork, ip, noOwnNetwork } from './own-network.ts';
import { RackRig, reasonToSkip } from './rack-rig.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
const SUBNET = { cidr: '192.168.127.0/24', management: 'dhcp', dynamic: '192.168.127.100-192.168.127.199' };

function answerOf(version: number, config: Record<string, unknown>, orders = {}): PlanAnswer {
  return { version, config, orders };
}

function entryOf(name: ThreadName): URL {
  const file = isAnswerThread(name) ? 'answer-thread' : 'thread';
  return new URL(`../../src/${serviceOf(name)}/${file}.ts`, import.meta.url);
}
const OTHER = 'subnets: [{ cidr: 192.168.127.0/25, interface: left, management: dhcp }]';

/** Reads on where the one before it stopped: each test is a step in one rack's life. */
describe('a rack that follows a region', { skip: noOwnNetwork() }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-region-plan-'));
  const config = join(directory, 'rackboot.yaml');
  let state = join(directory, 'state-1');
  let rack: Rack;

  const write = (more = '', url = 'https://region.example'): void => {
    const own = `rack: { name: rack-t, state: ${state}, control: ${join(directory, 'control.sock')} }`;
    writeFileSync(config, `${own}\nregion: { url: '${url}' }\n${more}\n`);
  };
  const start = async (): Promise<Rack> => {
    const manager = { notify: () => undefined };
    return Rack.start({
      config,
      libc: loadLibc(),
      clock: systemClock,
      log: pino({}, { write: () => undefined }),
      manager,
      entryOf,
    });
  };
  /** On a copy: a process lets go of a state only when it ends. */
  const startAgain = async (changed: () => void): Promise<void> => {
    const last = state;
    state = join(directory, `state-${readdirSync(directory).length}`);
    cpSync(last, state, { recursive: true });
    changed();
    rack = await start();
  };
  const cidrs = (): string[] => rack.plan.subnets.map(({ cidr }) => formatCidr(cidr));
  const kept = (): number => (JSON.parse(readFileSync(join(state, 'region-plan.json'), 'utf8')) as PlanAnswer).version;
  const count = (kind: string): number =>
    rack.timeline.find({ limit: 1000 }).filter((event) => event.kind === kind).length;

  before(() => {
    enterOwnNetwork();
    ip('address add 192.168.127.1/24 dev left');
    mkdirSync(state);
  });
  after(async () => {
    await rack.stop('the test ends');
    rmSync(directory, { recursive: true });
  });

  test('starts without a subnet of its own, and waits for what it is told', async () => {
    write();
    rack = await start();
    assert.deepEqual([cidrs(), rack.standing], [[], { conflicts: [] }]);
    const notServing = (): string[] =>
      rack.threads.flatMap(({ name, state: each }) => (each === 'serving' ? [] : [name]));
    assert.deepEqual(
      notServing().filter((name) => name !== 'sync'),
      [],
    );
    // Machines do not wait for it
    for (let waited = 0; notServing().length > 0; waited += 20) {
      assert.ok(waited < 20_000, `sync: ${rack.threads.find(({ name }) => name === 'sync')?.state}`);
      await sleep(20);
    }
  });

  test('takes a plan, on the wire that it is for, and keeps it', async () => {
    assert.deepEqual(await rack.takeAnswer(answerOf(7, { subnets: [SUBNET] })), {
      version: 7,
      faults: [],
      conflicts: [],
    });
    const [subnet] = rack.plan.subnets;
    assert.equal(subnet?.interface, 'left');
    assert.equal(subnet.rackAddress !== undefined && formatIp4(subnet.rackAddress), '192.168.127.1');
    assert.deepEqual([rack.standing, kept()], [{ version: 7, conflicts: [] }, 7]);
  });

  test('refuses one with a fault, whole: what is in force stays, and what is kept', async () => {
    const { plan } = rack;
    const { faults } = await rack.takeAnswer(answerOf(8, { subnets: [SUBNET, { ...SUBNET, lease: '1h' }] }));
    assert.match(faults.join('\n'), /^region plan 8: subnets\[1\]\.cidr: expected a network apart from /);
    assert.equal(rack.plan, plan);
    assert.deepEqual([rack.standing, kept()], [{ version: 7, conflicts: [], refused: { version: 8, faults } }, 7]);
    assert.equal(count('region.plan-refused'), 1);
  });

  test('refuses one that does not go with its file, and takes it when the file is another', async () => {
    write('subnets: [{ cidr: 10.0.0.0/8, management: none }]');
    await rack.reload();
    assert.deepEqual(cidrs(), ['10.0.0.0/8', '192.168.127.0/24']);
    const answer = answerOf(9, { subnets: [SUBNET, { cidr: '10.1.0.0/16', management: 'none' }] });
    const { faults } = await rack.takeAnswer(answer);
    assert.match(
      faults.join('\n'),
      /^region plan 9: subnets\[1\]\.cidr: expected a network apart from 10\.0\.0\.0\/8 on /,
    );
    await rack.reload();
    assert.deepEqual(rack.standing?.refused, { version: 9, faults });
    await rack.takeAnswer(answer);
    assert.equal(count('region.plan-refused'), 2, 'it is told once');
    write();
    await rack.reload();
    assert.deepEqual(
      [cidrs(), rack.standing, kept()],
      [['192.168.127.0/24', '10.1.0.0/16'], { version: 9, conflicts: [] }, 9],
    );
  });

  test('does not switch anything for an order', async () => {
    const { plan } = rack;
    const applied = count('plan.applied');
    const { config: same } = answerOf(9, { subnets: [SUBNET, { cidr: '10.1.0.0/16', management: 'none' }] });
    assert.deepEqual((await rack.takeAnswer(answerOf(10, same, { import: 1 }))).faults, []);
    assert.deepEqual(
      [rack.plan === plan, count('plan.applied'), rack.standing?.version, kept()],
      [true, applied, 10, 10],
    );
  });

  test('forgets one that it refused when the one in force is said again, and says nothing of that', async () => {
    const { config: same } = answerOf(10, { subnets: [SUBNET, { cidr: '10.1.0.0/16', management: 'none' }] });
    await rack.takeAnswer(answerOf(11, { subnets: 'none' }));
    assert.equal(rack.standing?.refused?.version, 11);
    const taken = count('region.plan-taken');
    assert.deepEqual((await rack.takeAnswer(answerOf(10, same))).faults, []);
    assert.deepEqual([rack.standing, count('region.plan-taken')], [{ version: 10, conflicts: [] }, taken]);
  });

  test('follows another URL, and goes on with what the one before said', async () => {
    write('', 'https://other.example:5240');
    await rack.reload();
    assert.deepEqual(rack.plan.region?.urls, ['https://other.example:5240']);
    assert.equal(rack.standing?.version, 10);
  });

  test('takes many at once one after the other, and nothing when it stops', async () => {
    const versions = [11, 12, 13];
    const outcomes = await Promise.all(
      versions.map((version) => rack.takeAnswer(answerOf(version, { subnets: [{ ...SUBNET, lease: `${version}h` }] }))),
    );
    assert.deepEqual(
      outcomes,
      versions.map((version) => ({ version, faults: [], conflicts: [] })),
    );
    assert.deepEqual([rack.plan.subnets[0]?.leaseSeconds, kept()], [13 * 3600, 13]);
    const stopping = rack.stop('a test');
    const late = await rack.takeAnswer(answerOf(14, {}));
    await stopping;
    assert.deepEqual([late.faults, kept()], [['the rack stops'], 13]);
  });

  test('serves after a start what it was told before', async () => {
    await startAgain(write);
    assert.deepEqual([cidrs(), rack.standing], [['192.168.127.0/24'], { version: 13, conflicts: [] }]);
    await rack.stop('a test');
  });

  test('serves the file alone when what it was told before no longer goes with it, and says so', async () => {
    await startAgain(() => {
      write(OTHER);
      rmSync(join(state, 'last-good.yaml'));
    });
    assert.deepEqual([cidrs(), rack.attempt.plan], [['192.168.127.0/25'], undefined]);
    assert.equal(rack.standing?.version, undefined);
    assert.equal(rack.standing?.refused?.version, 13);
    assert.match(
      rack.standing.refused.faults.join('\n'),
      /^region plan 13: subnets\[0\]\.cidr: expected a network apart /,
    );
    assert.deepEqual((await rack.takeAnswer(answerOf(14, {}))).faults, []);
    assert.deepEqual([rack.standing, kept()], [{ version: 14, conflicts: [] }, 14]);
  });

  test('says once that what it was told before can’t be read, and serves the file', async () => {
    await rack.stop('a test');
    await startAgain(() => {
      write(OTHER);
      writeFileSync(join(state, 'region-plan.json'), '{"version":');
    });
    assert.deepEqual([cidrs(), rack.standing], [['192.168.127.0/25'], { conflicts: [] }]);
    assert.equal(count('region.plan-lost'), 1);
  });
});

test('machines get what the region said before while it says nothing', { skip: await reasonToSkip() }, async () => {
  const own = 'rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }';
  await using rig = await RackRig.create('region', `${own}\nregion: { url: 'https://192.0.2.1:5240' }\n`);
  mkdirSync(join(rig.directory, 'state'));
  writeFileSync(join(rig.directory, 'state', 'region-plan.json'), JSON.stringify(answerOf(7, { subnets: [SUBNET] })));
  await rig.start();
  const { code, stdout } = await rig.client(execPath, DORA_CLIENT, '3');
  assert.equal(code, 0, rig.log);
  assert.equal(stdout.match(/ 192\.168\.127\.1\d\d$/gm)?.length, 3, stdout);
  assert.equal((await rig.status()).region?.version, 7);
});
