import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test, type TestContext } from 'node:test';

import { events } from '../../src/cli/events.ts';
import { machines, machineStory } from '../../src/cli/machines.ts';
import { status } from '../../src/cli/status.ts';
import { RefusedError } from '../../src/cli/control-client.ts';
import { createOperatorApi, serveOnSocket } from '../../src/rack/operator-api.ts';
import { FakeRack } from '../rack/fake-rack.ts';
import { booted, eventsOf, MAC, OFFER, UEFI, type Step } from '../story/story-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-machines-'));
after(() => rmSync(directory, { recursive: true }));
const control = join(directory, 'control.sock');
const OTHER = '52:54:00:00:00:09';

const TROUBLE = 'offer-not-taken: it was offered 192.0.2.5 once, last at 00:00:01, and never asked for it';

describe('machines on the command line', () => {
  let fake: FakeRack;
  let lines: string[];
  const out = (line: string): void => void lines.push(line);

  function learn(steps: readonly Step[], mac = MAC): void {
    const told = eventsOf(steps).map((event) => ({ ...event, mac }));
    fake.timeline.append(told);
    for (const event of told) fake.machines.learn(event);
  }

  beforeEach(async (t) => {
    fake = new FakeRack();
    fake.now = 70_000;
    lines = [];
    const server = await serveOnSocket(createOperatorApi({ rack: fake.rack, config: '/c', testHooks: false }), control);
    (t as TestContext).after(() => server.close());
    learn([
      [0, UEFI],
      [1, OFFER],
    ]);
    learn(booted(), OTHER);
  });

  test('each has a line, with what is wrong at its end', async () => {
    assert.equal(await machines({ control, json: false, trouble: false }, out), 0);
    assert.deepEqual(lines, [
      '                 52:54:00:00:00:09  192.0.2.5        local     1970-01-01T00:00:12Z',
      `                 52:54:00:12:34:56                   offered   1970-01-01T00:00:01Z  ${TROUBLE.replace('it ', '')}`,
    ]);
  });

  test('what strangers wrote steers no terminal and makes up no line', async () => {
    const [stage, mac] = ['failed \u{1b}[2J\nTROUBLE all', '52:54:00:00:00:07'];
    learn([...booted(), [13, { kind: 'machine.report', report: { stage } }]], mac);
    await machineStory({ control, json: false }, mac, out);
    await machines({ control, json: false, trouble: true }, out);
    assert.equal(lines.filter((line) => line.includes('failed \u{fffd}[2J TROUBLE all')).length, 4);
    assert.ok(lines.every((line) => !/\p{Cc}/u.test(line)));
  });

  test('only those in trouble are listed where that is asked for, as JSON as well', async () => {
    await machines({ control, json: true, trouble: true }, out);
    const found = JSON.parse(lines[0] ?? '') as { mac: string; trouble: { kind: string } }[];
    assert.deepEqual(
      found.map(({ mac, trouble }) => [mac, trouble.kind]),
      [[MAC, 'offer-not-taken']],
    );
  });

  test('the story of one is what happened, what is wrong, why and what to do, and the exit code tells that something is', async () => {
    assert.equal(await machineStory({ control, json: false }, MAC, out), 1);
    assert.match(lines[0] ?? '', /offered/);
    assert.match(lines[1] ?? '', /^ {2}00:00:00\.000 dhcp 52:54:00:12:34:56 192\.0\.2\.5 asks for an address \(PXE/);
    assert.equal(lines[3], `TROUBLE ${TROUBLE}`);
    assert.match(lines[4] ?? '', /^ {2}probably: its firmware ignores the offer/);
    assert.match(lines[5] ?? '', /^ {2}next: `rackboot capture --mac 52:54:00:12:34:56`/);
    assert.equal(lines.length, 6);
    assert.equal(await machineStory({ control, json: true }, OTHER, out), 0);
  });

  test('who is nobody is said to be nobody', async () => {
    await assert.rejects(machineStory({ control, json: false }, 'node9', out), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.match(error.message, /^no machine that was heard of, no host and no lease is called node9$/);
      return true;
    });
  });

  test('the events of one machine end with what is wrong with it, those of all do not', async () => {
    const options = { control, json: false, follow: false, stop: new AbortController().signal };
    await events({ ...options, mac: MAC }, out);
    assert.deepEqual(lines.slice(2, 3), [`TROUBLE ${TROUBLE}`]);
    lines = [];
    await events({ ...options, mac: '52:54:00:00:00:ff' }, out);
    assert.equal(lines.length, 0);
    await events(options, out);
    assert.ok(lines.length > 10 && lines.every((line) => line.startsWith('00:00:')));
  });

  test('what is wrong is told while a machine is followed, once, and when it is something else', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const told = events({ control, json: false, follow: true, mac: MAC, stop: stop.signal }, (line) => {
      seen.push(line);
      if (!line.startsWith('  next')) return;
      if (seen.filter((each) => each.startsWith('TROUBLE')).length === 2) stop.abort();
      else learn([[61, { kind: 'dhcp.ignored', reason: 'r', server: '10.0.0.9' }]]);
    });
    assert.equal(await told, 0);
    const troubles = seen.filter((line) => line.startsWith('TROUBLE'));
    assert.deepEqual(troubles, [
      `TROUBLE ${TROUBLE}`,
      'TROUBLE other-server: it was offered 192.0.2.5 and took an address of the DHCP server 10.0.0.9 instead',
    ]);
  });

  test('the status says how it stands with the region, and is no success while what that says is refused', async () => {
    for (const thread of fake.threads) thread.state = 'serving';
    fake.standing = { version: 7, conflicts: ['a differs'] };
    assert.equal(await status({ control, json: false }, out), 0);
    assert.deepEqual(lines.slice(2, 5), ['region: not asked yet', '  plan 7 of the region is in force', '  a differs']);
    fake.standing = { conflicts: [], refused: { version: 7, faults: ['b', 'c'] } };
    lines = [];
    assert.equal(await status({ control, json: false }, out), 1);
    assert.deepEqual(lines.slice(2, 7), [
      'region: not asked yet',
      '  no plan of the region is in force; plan 7 is REFUSED:',
      '    b',
      '    c',
      'NOTICE plan 7 of the region is refused, nothing of what the region says is in force: b; and 1 more',
    ]);
  });

  test('the status says how many are in trouble, and in which', async () => {
    await status({ control, json: false }, out);
    assert.ok(
      lines.includes('1 machine in trouble (offer-not-taken 1): `rackboot machines --trouble`'),
      lines.join('\n'),
    );
    lines = [];
    fake.now = 2_000;
    await status({ control, json: false }, out);
    assert.ok(!lines.some((line) => line.includes('in trouble')));
  });
});
