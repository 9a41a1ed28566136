import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';

import type { BootSign } from '../../src/boots/boot-sign.ts';
import { mac } from '../boot/boot-plan-fixture.ts';
import { ask, HttpRack, LOOPBACK, talk, type Question } from './http-rack.ts';

const NODE1 = mac('52:54:00:12:34:56');
const SCRIPT = '/ipxe/52-54-00-12-34-56';
const KERNEL = '/debian/vmlinuz';

/** What one request of a machine with a lease makes known. */
async function signsOf(t: TestContext, path: string, question: Question = {}): Promise<readonly BootSign[]> {
  const rack = new HttpRack(t, { 'debian/vmlinuz': Buffer.alloc(1000), other: 'x' });
  rack.service.learn([{ address: LOOPBACK, mac: NODE1 }], []);
  await ask(rack, path, question);
  await sleep(150);
  return rack.signs.map((sign) =>
    sign.kind === 'file' ? { ...sign, file: sign.file.slice(join(rack.files).length) } : sign,
  );
}

const DOER = { address: LOOPBACK, mac: NODE1 };
const FILE = { kind: 'file', file: KERNEL, first: 0, last: 999, size: 1000, ...DOER };

describe('what a machine did by HTTP on its way through a boot', () => {
  const CASES: readonly (readonly [string, string, Question, readonly object[]])[] = [
    ['its script', SCRIPT, {}, [{ kind: 'script', of: NODE1, entry: 'debian', ...DOER }]],
    [
      'a script of its own disk',
      '/ipxe/02-00-00-00-00-01',
      {},
      [{ kind: 'script', of: mac('02:00:00:00:00:01'), ...DOER }],
    ],
    ['a kernel', KERNEL, {}, [FILE]],
    ['a kernel on a connection that is kept', KERNEL, { headers: { Connection: 'keep-alive' } }, [FILE]],
    ['a part', KERNEL, { headers: { Range: 'bytes=10-19' } }, [{ ...FILE, first: 10, last: 19 }]],
    ['HEAD', KERNEL, { method: 'HEAD' }, []],
    ['a script by HEAD', SCRIPT, { method: 'HEAD' }, []],
    ['a part that is not there', KERNEL, { headers: { Range: 'bytes=5000-' } }, []],
    ['a file of no entry', '/other', {}, []],
    ['the first script of all', '/boot.ipxe', {}, []],
    ['a report', '/report', { method: 'POST', body: '{"stage":"up"}' }, [{ kind: 'report', mac: NODE1, stage: 'up' }]],
    ['a report that is none', '/report', { method: 'POST', body: '{}' }, []],
  ];
  for (const [what, path, question, signs] of CASES) {
    it(`${what}: ${signs.length === 0 ? 'nothing' : 'is known'}`, async (t) =>
      assert.deepEqual(await signsOf(t, path, question), signs));
  }

  it('a kernel for a client of HTTP/1.0, whose connection ends with it, is known', async (t) => {
    const rack = new HttpRack(t, { 'debian/vmlinuz': Buffer.alloc(500_000) });
    await talk(rack, `GET ${KERNEL} HTTP/1.0\r\n\r\n`);
    await sleep(150);
    assert.deepEqual(
      rack.signs.map((sign) => sign.kind === 'file' && [sign.last, sign.mac]),
      [[499_999, undefined]],
    );
  });

  it('what the rack says of a machine decides its next script', async (t) => {
    const rack = new HttpRack(t);
    const state = { kind: 'held', boots: 8, withinSeconds: 3600, since: 0 } as const;
    rack.service.learnBoots({ set: [{ mac: NODE1, entry: 'debian', state }], cleared: [] });
    assert.match((await ask(rack, SCRIPT)).body.toString(), /as in a loop/);
    rack.service.learnBoots({ set: [], cleared: [{ mac: NODE1, entry: 'debian' }] });
    assert.match((await ask(rack, SCRIPT)).body.toString(), /^kernel /m);
  });
});
