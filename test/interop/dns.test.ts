import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import { toColumns } from '../../src/service/lease-columns.ts';
import type { FromService, ThreadData, ToService } from '../../src/service/letters.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { boundPort, openUdp } from '../../src/system/udp-socket.ts';
import { Wake } from '../../src/system/wake.ts';
import { ip4, leaseOf, planOf } from '../dns/plan-of.ts';

const run = promisify(execFile);
const skip = spawnSync('dig', ['-v']).error ? 'needs dig (Debian: bind9-dnsutils)' : false;

const PLAN = planOf({
  subnets: ['192.0.2.0/24 rack.example 192.0.2.1'],
  hosts: ['node1 192.0.2.5 52:54:00:00:00:01'],
});

describe('dig', { skip }, () => {
  const libc = loadLibc();
  const address = ip4('127.0.0.1');
  const fd = openUdp(libc, { address, port: 0 });
  const port = boundPort(libc, fd);
  const wake = new Wake(libc);
  const state = mkdtempSync(join(tmpdir(), 'rackboot-dns-'));
  const letters: FromService[] = [];
  let thread: Worker;

  function tell(letter: ToService): void {
    thread.postMessage(letter);
    wake.ring();
  }

  async function heard(type: FromService['type']): Promise<void> {
    while (!letters.some((letter) => letter.type === type)) await once(thread, 'message');
  }

  async function dig(...question: string[]): Promise<string> {
    const args = ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=2', '+nocmd', ...question];
    return (await run('dig', args)).stdout;
  }

  before(async () => {
    const workerData: ThreadData = { name: 'dns', wakeFd: wake.fd, cookieKey: new Uint8Array(32) };
    thread = new Worker(new URL('../../src/dns/thread.ts', import.meta.url), { workerData });
    thread.on('message', (letter: FromService) => void letters.push(letter));
    tell({
      type: 'plan',
      plan: { ...PLAN, rack: { ...PLAN.rack, state } },
      sockets: [{ fd, transport: 'udp', address, port }],
    });
    tell({ type: 'leases', bound: toColumns([leaseOf('192.0.2.50 52:54:00:00:00:02 laptop')]), ended: [] });
    tell({ type: 'leases', bound: toColumns([leaseOf('127.0.0.1 52:54:00:00:00:03')]), ended: [] });
    await heard('ready');
  });

  after(async () => {
    const ended = once(thread, 'exit');
    tell({ type: 'stop' });
    await ended;
    wake.close();
    rmSync(state, { recursive: true });
    libc.close(fd);
  });

  const short: [question: string[], answer: string][] = [
    [['node1.rack.example', 'A'], '192.0.2.5'],
    [['laptop.rack.example', 'A'], '192.0.2.50'],
    [['-x', '192.0.2.50'], 'laptop.rack.example.'],
    [['rack.example', 'NS'], 'rack-a1.rack.example.'],
    [['node1.rack.example', 'AAAA'], ''],
  ];
  for (const [question, answer] of short) {
    test(`asks ${question.join(' ')}`, async () => assert.equal((await dig('+short', ...question)).trim(), answer));
  }

  const whole: [question: string[], ...lines: RegExp[]][] = [
    [
      ['nobody.rack.example', 'A'],
      /status: NXDOMAIN/,
      /flags: qr aa rd;/,
      /^rack\.example\.\s+10\s+IN\s+SOA\s+rack-a1/m,
    ],
    [
      ['NODE1.Rack.Example', 'A'],
      /^NODE1\.Rack\.Example\.\s+300\s+IN\s+A\s+192\.0\.2\.5$/m,
      /EDNS: version: 0, flags:; udp: 1232/,
    ],
    [['example.com', 'A'], /status: REFUSED/, /flags: qr rd;/],
    [['+edns=1', '+noednsneg', 'node1.rack.example', 'A'], /status: BADVERS/],
    [['+noedns', 'node1.rack.example', 'A'], /status: NOERROR/, /ADDITIONAL: 0/],
    [['+opcode=status', 'node1.rack.example', 'A'], /status: NOTIMP/],
    [['+header-only', '+noedns'], /status: FORMERR/],
    [['CH', 'version.bind', 'TXT'], /status: REFUSED/],
    [['node1.rack.example', 'ANY', '+notcp'], /ANSWER: 1/],
  ];
  for (const [question, ...lines] of whole) {
    test(`understands the reply to ${question.join(' ')}`, async () => {
      const reply = await dig(...question);
      for (const line of lines) assert.match(reply, line);
      assert.doesNotMatch(reply, /WARNING: (?!recursion)|malformed|mismatch/i);
    });
  }

  test('is reported once, as it has a lease', async () => {
    await heard('events');
    const events = letters.flatMap((letter) => (letter.type === 'events' ? letter.events : []));
    const seen = events.map(({ kind, mac, address: from }) => `${kind} ${mac} ${from}`);
    assert.deepEqual(seen, ['dns.first-question 52:54:00:00:00:03 127.0.0.1']);
  });
});
