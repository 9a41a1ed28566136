import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RACK, RackRig, reasonToSkip } from './rack-rig.ts';
import { bindSecondary, knotSecondary, nsdSecondary, type Secondary } from './secondaries.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
const SECRET = 'bm90IHNlY3JldCBhdCBhbGwsIGJ1dCBsb25nIGVub3VnaA==';
const WRONG = 'd3JvbmcgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIGEga2V5IQ==';
const KEY = { name: 'xfer.example', secret: SECRET };
const ZONES = ['rack.test', '127.168.192.in-addr.arpa'];
const [KNOT, NSD, BIND, STRANGER] = ['192.168.127.9', '192.168.127.10', '192.168.127.11', '192.168.127.12'] as const;

const CONFIG = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - cidr: 192.168.127.0/24
    interface: rack0
    management: dhcp+dns
    dynamic: 192.168.127.100-192.168.127.199
    router: 192.168.127.254
    domain: rack.test
    lease: 1h
    conflict-check: off
hosts:
  - { name: node1, mac: "52:54:00:00:00:01", address: 192.168.127.221 }
boot: { files: $DIR/files }
dns:
  keys:
    - { name: xfer.example, algorithm: hmac-sha256, secret-file: $DIR/xfer.key }
  transfer: [{ key: xfer.example }, ${NSD}]
  notify:
    - { address: ${KNOT}, key: xfer.example }
    - ${NSD}
    - { address: ${BIND}, key: xfer.example }
`;

const skip = await reasonToSkip('bind9', 'bind9-dnsutils', 'knot', 'knot-dnsutils', 'nsd');

describe('the secondaries', { skip }, () => {
  let rig: RackRig;
  let secondaries: readonly Secondary[];
  const running = new Map<string, ChildProcess>();

  before(async () => {
    rig = await RackRig.create('transfer', CONFIG);
    for (const address of [KNOT, NSD, BIND, STRANGER]) {
      await rig.client('ip', 'address', 'add', `${address}/24`, 'dev', 'client0');
    }
    writeFileSync(join(rig.directory, 'xfer.key'), `${SECRET}\n`);
    chmodSync(join(rig.directory, 'xfer.key'), 0o600);
    secondaries = [
      knotSecondary(rig.directory, { address: KNOT, zones: ZONES, key: KEY }),
      nsdSecondary(rig.directory, { address: NSD, zones: ZONES }),
      bindSecondary(rig.directory, { address: BIND, zones: ZONES, key: KEY }),
    ];
    await rig.start();
    for (const secondary of secondaries) begin(secondary);
  });

  after(async () => {
    for (const child of running.values()) child.kill('SIGKILL');
    await rig[Symbol.asyncDispose]();
  });

  function begin({ name, argv }: Secondary): void {
    running.set(name, rig.startClient(...argv));
  }

  async function ask(server: string, ...question: readonly string[]): Promise<string> {
    const { stdout } = await rig.client('dig', `@${server}`, '+tries=1', '+time=1', '+short', ...question);
    return stdout.trim();
  }

  async function serialAt(server: string, zone: string): Promise<number> {
    return Number((await ask(server, zone, 'SOA')).split(' ')[2] ?? Number.NaN);
  }

  async function counter(name: string): Promise<number> {
    return (await rig.status()).services['dns']?.counters[name] ?? 0;
  }

  /** All who run have what the rack has. */
  async function inStep(...names: readonly string[]): Promise<void> {
    for (const { name, address } of secondaries) {
      if (names.length > 0 && !names.includes(name)) continue;
      for (const zone of ZONES) {
        await rig.until(`${name} to have ${zone}`, async () => {
          const serial = await serialAt(RACK, zone);
          return serial > 0 && serial === (await serialAt(address, zone));
        });
      }
    }
  }

  /** A machine gets an address and a name; resolves when it has. */
  async function lease(name: string): Promise<string> {
    const { code, stdout } = await rig.client(execPath, DORA_CLIENT, '1', '1', name);
    assert.equal(code, 0);
    return stdout.trim().split(' ')[1] ?? '';
  }

  test('fetch the zones whole when they start', async () => {
    await inStep();
    for (const { address } of secondaries) {
      assert.equal(await ask(address, 'node1.rack.test', 'A'), '192.168.127.221');
      assert.equal(await ask(address, '-x', '192.168.127.221'), 'node1.rack.test.');
    }
    await rig.until('it to be counted', async () => (await counter('transfer.axfr')) >= 6);
  });

  test('fetch what changed, and no more, within a second of a lease', async () => {
    const [whole, changes] = [await counter('transfer.axfr'), await counter('transfer.ixfr')];
    const address = await lease('first');
    for (const secondary of secondaries) {
      await rig.until(`${secondary.name} to have the lease`, async () => {
        return (await ask(secondary.address, 'first0.rack.test', 'A')) === address;
      });
    }
    await inStep();
    await rig.until('it to be counted', async () => (await counter('transfer.ixfr')) >= changes + 6);
    assert.equal(await counter('transfer.axfr'), whole);
  });

  test('one that hangs keeps the others from nothing, and follows when it is back', async () => {
    const knot = await pidOf('knotd');
    process.kill(knot, 'SIGSTOP');
    try {
      const address = await lease('second');
      await inStep('NSD', 'BIND');
      assert.equal(await ask(BIND, 'second0.rack.test', 'A'), address);
    } finally {
      process.kill(knot, 'SIGCONT');
    }
    await inStep();
  });

  test('follow a rack that was killed, whose serials never go back', async () => {
    for (let round = 0; round < 3; round++) {
      const old = await Promise.all(ZONES.map((zone) => serialAt(RACK, zone)));
      await lease(`kill${round}`);
      await rig.end('SIGKILL');
      await rig.start();
      await rig.until('the zones to be settled', async () => (await serialAt(RACK, ZONES[0] ?? '')) > (old[0] ?? 0));
      const now = await Promise.all(ZONES.map((zone) => serialAt(RACK, zone)));
      assert.ok(
        now.every((serial, index) => serial > (old[index] ?? 0)),
        `${old.join()} then ${now.join()}`,
      );
      await inStep();
    }
  });

  test('fetch nothing whole when the rack was only stopped, and serials stay', async () => {
    await inStep();
    const old = await Promise.all(ZONES.map((zone) => serialAt(RACK, zone)));
    await rig.end('SIGTERM');
    await rig.start();
    await rig.until('the secondaries to be told', async () => (await counter('notify.answered')) >= 6);
    assert.deepEqual(await Promise.all(ZONES.map((zone) => serialAt(RACK, zone))), old);
    assert.equal(await counter('transfer.axfr'), 0);
  });

  const transfers: [name: string, words: string[], line: RegExp][] = [
    ['with the key', ['-y', `hmac-sha256:xfer.example:${SECRET}`], /node1\.rack\.test\./],
    ['without a key', [], /Transfer failed/],
    [
      'with a wrong secret',
      ['-y', `hmac-sha256:xfer.example:${WRONG}`],
      /(BADSIG|tsig verify failure|Transfer failed)/,
    ],
    [
      'with an unknown key',
      ['-y', `hmac-sha256:other.example:${SECRET}`],
      /(BADKEY|tsig indicates error|Transfer failed)/,
    ],
  ];
  for (const [name, words, line] of transfers) {
    test(`a stranger ${name} ${line.source.startsWith('node1') ? 'may have' : 'may not have'} a zone`, async () => {
      const options = ['+tries=1', '+time=2', '-b', STRANGER, ...words];
      const { output } = await rig.client('dig', `@${RACK}`, ...options, 'rack.test', 'AXFR');
      assert.match(output, line);
      if (!line.source.startsWith('node1')) assert.doesNotMatch(output, /node1/);
    });
  }

  test('a signed question is answered signed, by UDP and TCP, to dig and kdig', async () => {
    for (const transport of ['+notcp', '+tcp']) {
      const key = `hmac-sha256:xfer.example:${SECRET}`;
      const { output } = await rig.client('dig', `@${RACK}`, transport, '+norec', '-y', key, 'node1.rack.test', 'A');
      assert.match(output, /status: NOERROR/);
      assert.match(output, /TSIG PSEUDOSECTION:\n.*NOERROR/);
      assert.doesNotMatch(output, /WARNING|Couldn't verify/);
    }
    const kdig = await rig.client(
      'kdig',
      `@${RACK}`,
      '-y',
      `hmac-sha256:xfer.example:${SECRET}`,
      'node1.rack.test',
      'A',
    );
    assert.match(kdig.output, /192\.168\.127\.221/);
    assert.doesNotMatch(kdig.output, /WARNING|;; ERROR/);
  });

  test('many questions of one connection are answered, to dig and kdig', async () => {
    const questions = ['node1.rack.test', 'rack-t.rack.test', 'nobody.rack.test', 'rack.test'];
    const dig = await rig.client('dig', `@${RACK}`, '+tcp', '+keepopen', '+noall', '+comments', ...questions);
    assert.equal(dig.output.match(/status: NOERROR/g)?.length, 3);
    assert.equal(dig.output.match(/status: NXDOMAIN/g)?.length, 1);
    const kdig = await rig.client('kdig', `@${RACK}`, '+tcp', '+keepopen', ...questions);
    assert.equal(kdig.output.match(/status: NOERROR/g)?.length, 3);
  });

  test('a thousand idle connections cost next to nothing, and keep nobody from an answer', async () => {
    const empty = await memory();
    const idle = rig.startClient(
      execPath,
      join(import.meta.dirname, 'idle-clients.ts'),
      RACK,
      '1000',
      KNOT,
      NSD,
      BIND,
      STRANGER,
    );
    try {
      await rig.until('a thousand connections', async () => (await counter('tcp.open')) >= 1000);
      for (let round = 0; round < 20; round++) {
        assert.equal(await ask(RACK, 'node1.rack.test', 'A'), '192.168.127.221');
        assert.equal(await ask(RACK, '+tcp', 'node1.rack.test', 'A'), '192.168.127.221');
      }
      const grown = (await memory()) - empty;
      assert.ok(grown < 24 * 1024 * 1024, `grown by ${grown} bytes`);
    } finally {
      idle.kill('SIGKILL');
    }
    await rig.until('them to be gone', async () => (await counter('tcp.open')) < 10);
  });

  /** Resident bytes of the daemon. */
  async function memory(): Promise<number> {
    const pid = await pidOf('node', 'rack');
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1]) * 1024;
  }

  async function pidOf(program: string, end: 'rack' | 'client' = 'client'): Promise<number> {
    const { stdout } = await runCommand(['ip', 'netns', 'pids', `${rig.name}-${end}`]);
    const pids = stdout.split('\n').filter((line) => line !== '');
    const found = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]?.endsWith(program));
    assert.ok(found !== undefined, `${program} does not run`);
    return Number(found);
  }
});
