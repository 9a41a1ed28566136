import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, test } from 'node:test';

import type { LeaseLine } from '../../src/rack/operator-api.ts';
import { askDaemon } from '../../src/cli/control-client.ts';
import { order } from '../../src/region/answer/publish.ts';
import type { Row, Sql } from '../../src/region/database/database.ts';
import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { isReported } from '../../src/timeline/is-reported.ts';
import { signOf } from './event-sign.ts';
import { RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';
import { RegionProcess } from './region-process.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
const MACHINES = 60;
/** Ahead of a kill: what is on one disk by then may not be on the other. */
const LAST_MOMENT = 2_000;
/** That nothing waits is told a moment late: so long it must be so. */
const STEADY_MILLISECONDS = 3_000;

function configOf(region: RegionProcess): string {
  return `${SIMPLE}region: { url: '${region.url}' }\n`;
}

/** What a region that has ended knows. */
async function recall(region: RegionProcess): Promise<{ leases: Row[]; events: Row[]; streams: Row[] }> {
  const database = await openEmbeddedDatabase(join(region.state, 'database'));
  try {
    return {
      leases: await database.query('SELECT host(address) AS address, mac::text AS mac FROM lease ORDER BY address'),
      events: await database.query(
        'SELECT kind, mac::text AS mac, host(address) AS address, at, body FROM event ORDER BY id',
      ),
      streams: await database.query('SELECT kept, forgotten FROM stream'),
    };
  } finally {
    await database.close();
  }
}

/** Does this to a region that has ended. */
async function change<T>(region: RegionProcess, work: (sql: Sql) => Promise<T>): Promise<T> {
  const database = await openEmbeddedDatabase(join(region.state, 'database'));
  try {
    return await database.transaction(work);
  } finally {
    await database.close();
  }
}

async function keyHash(sql: Sql): Promise<unknown> {
  return (await sql.query('SELECT key_hash FROM rack'))[0]?.['key_hash'];
}

describe('a rack that follows a region', { skip: await reasonToSkip() }, () => {
  test('its region is killed and gone, and so is it: machines get addresses all along, and in the end the region has all of it once', async () => {
    await using rig = await RackRig.create('follow');
    await using region = await RegionProcess.start({ inside: rig.insideRack });
    rig.writeConfig(configOf(region));
    await rig.start();
    await region.adopt(rig);
    const isConnected = async (): Promise<boolean> => {
      const { region: seen } = await rig.status();
      return seen?.link === 'connected' && seen.waiting === 0;
    };
    let since: number | undefined;
    const isTold = async (): Promise<boolean> => {
      since = (await isConnected()) ? (since ?? performance.now()) : undefined;
      return since !== undefined && performance.now() - since > STEADY_MILLISECONDS;
    };
    await rig.until('the region to be followed', isConnected);
    const boot = async (name: string, count = MACHINES): Promise<void> => {
      const asked = await rig.client(execPath, DORA_CLIENT, String(count), '20', name);
      assert.equal(asked.code, 0, asked.output);
    };
    await boot('before');
    await region.end('SIGKILL');
    await rig.until('the region to be missed', async () => (await rig.status()).region?.link === 'lost');
    await boot('without');
    await rig.until('events to wait', async () => ((await rig.status()).region?.waiting ?? 0) > MACHINES);
    await rig.end('SIGTERM');
    await rig.start();
    await boot('again');
    // Of its last moment the one may be on disk, and the other not: timeline and outbox are two files
    const killing = Date.now();
    await rig.end('SIGKILL');
    const killed = Date.now();
    await rig.start();
    await boot('restarted');
    await Promise.all([region.start(), boot('meanwhile', MACHINES)]);
    await rig.until('all to be told', isConnected, 60);
    await boot('at last', 80);
    await rig.until('the last to be told', isTold);
    const leases = await askDaemon<LeaseLine[]>(rig.control, '/leases');
    const timeline = await rig.events();
    await rig.end('SIGTERM');
    await region.end('SIGTERM');

    const known = await recall(region);
    assert.equal(leases.length, 80);
    assert.deepEqual(
      known.leases.map(({ address, mac }) => `${String(address)} ${String(mac)}`).toSorted(),
      leases.map(({ address, mac }) => `${address} ${mac}`).toSorted(),
    );
    assert.deepEqual(
      known.streams.map(({ forgotten }) => forgotten),
      [0],
    );
    const told = known.events.map(({ at, kind, mac, address }) =>
      signOf({
        at: (at as Date).getTime(),
        kind: String(kind),
        ...(typeof mac === 'string' && { mac }),
        ...(typeof address === 'string' && { address }),
      }),
    );
    const isLastMoment = (at: number): boolean => at >= killing - LAST_MOMENT && at <= killed;
    const expected = timeline.filter((event) => isReported(event) && !isLastMoment(event.at)).map(signOf);
    const counts = new Map<string, number>();
    for (const sign of told) counts.set(sign, (counts.get(sign) ?? 0) + 1);
    const own = new Map<string, number>();
    for (const sign of expected) own.set(sign, (own.get(sign) ?? 0) + 1);
    assert.ok(expected.length > 5 * MACHINES, `${expected.length} events`);
    const missing = [...own].filter(([sign, count]) => (counts.get(sign) ?? 0) < count);
    const twice = [...counts].filter(([sign, count]) => own.has(sign) && count > (own.get(sign) ?? 0));
    assert.deepEqual([missing, twice], [[], []]);
  });

  test('its region is put back to before it took a new key: it is back by itself, and the region has the new one again', async () => {
    await using rig = await RackRig.create('restored');
    await using region = await RegionProcess.start({ inside: rig.insideRack });
    rig.writeConfig(configOf(region));
    await rig.start();
    await region.adopt(rig);
    const until = (what: string, kind: string): Promise<void> =>
      rig.until(what, async () => (await rig.events()).some((event) => event.kind === kind), 60);
    await rig.until('the region to be followed', async () => (await rig.status()).region?.link === 'connected');
    await region.end('SIGTERM');
    const before = await change(region, async (sql) => {
      const hash = await keyHash(sql);
      await order(sql, 'all', 'rotateKey');
      return hash;
    });
    await region.start();
    await until('the new key', 'region.key-changed');
    await region.end('SIGTERM');
    const after = await change(region, async (sql) => {
      const hash = await keyHash(sql);
      await sql.query('UPDATE rack SET key_hash = $1, next_key_hash = NULL', [before]);
      return hash;
    });
    assert.notEqual(after, before);
    await region.start();
    await until('the present key to be taken again', 'region.key-restored');
    await rig.until('the region to be followed', async () => (await rig.status()).region?.link === 'connected', 60);
    await region.end('SIGTERM');
    assert.equal(await change(region, keyHash), after);
    assert.equal((await rig.events()).filter(({ kind }) => kind === 'region.refused').length, 1, 'when it was new');
  });

  test('where its region is somebody else it serves, is not enrolled, and says so', async () => {
    await using rig = await RackRig.create('liar');
    rig.writeConfig(`${SIMPLE}region: { url: 'http://127.0.0.1:5248' }\n`);
    // Its own boot files answer there
    await rig.start();
    await rig.rackboot('enrol', '--token=a-token-that-nobody-made');
    const asked = await rig.client(execPath, DORA_CLIENT, '5');
    assert.equal(asked.code, 0, asked.output);
    const status = await rig.rackboot('status');
    assert.match(status.output, /region http:\/\/127\.0\.0\.1:5248: DOES NOT KNOW THIS RACK/);
    assert.equal(status.code, 0);
  });
});
