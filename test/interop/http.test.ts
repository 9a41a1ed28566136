import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { Authority } from '../fixtures/certificate.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const skip = await reasonToSkip('curl');
const URL = `http://${RACK}:5248`;
const SECURE = `https://${RACK}:5250`;
const ADDRESS = RACK.split('.').map(Number);
const BIG = randomBytes(40 << 20);

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

async function rigOf(name: string, more = ''): Promise<RackRig> {
  const rig = await RackRig.create(name);
  writeFileSync(join(rig.files, 'big'), BIG);
  writeFileSync(join(rig.files, 'script'), 'hello\n');
  rig.writeConfig(`${SIMPLE}${more}`);
  return rig;
}

test('curl gets a large file, parts of it, and the rest of one that it has in part', { skip }, async () => {
  await using rig = await rigOf('curl-parts');
  await rig.start();
  const got = join(rig.directory, 'got');
  const curl = (...argv: string[]) =>
    rig.client('curl', '-sS', '-o', got, '-w', '%{http_code} %{http_version}', ...argv);
  const whole = createHash('sha256').update(BIG).digest('hex');

  assert.equal((await curl(`${URL}/big`)).stdout, '200 1.1');
  assert.equal(hashOf(got), whole);
  assert.equal((await curl('--http1.0', `${URL}/big`)).stdout.slice(0, 3), '200');
  assert.equal(hashOf(got), whole);
  assert.equal((await curl('-r', '1000000-30000000', `${URL}/big`)).stdout, '206 1.1');
  assert.ok(readFileSync(got).equals(BIG.subarray(1_000_000, 30_000_001)));

  writeFileSync(got, BIG.subarray(0, 12_345_678));
  assert.equal((await curl('-C', '-', `${URL}/big`)).stdout, '206 1.1');
  assert.equal(hashOf(got), whole);

  assert.equal((await curl('-r', '0-9,30000000-30000009', `${URL}/big`)).stdout, '206 1.1');
  const parts = readFileSync(got);
  assert.ok(parts.includes(BIG.subarray(0, 10)) && parts.includes(BIG.subarray(30_000_000, 30_000_010)));
  assert.match(parts.toString('latin1'), /Content-Range: bytes 30000000-30000009\/41943040\r\n/);

  const twice = await rig.client(
    'curl',
    '-sS',
    '-w',
    '%{num_connects}\n',
    '-o',
    got,
    `${URL}/big`,
    '-o',
    got,
    `${URL}/script`,
  );
  assert.equal(twice.stdout, '1\n0\n');
  const sent = (await rig.events()).filter(({ kind }) => kind === 'http.sent');
  assert.equal(sent.length, 7);
});

test(
  'a client that limits itself, and one that is held to its pace, get the file at that speed',
  { skip },
  async () => {
    await using rig = await rigOf('curl-pace', 'http: { pace: 20MB/s }\n');
    await rig.start();
    const got = join(rig.directory, 'got');
    const timed = async (...argv: string[]): Promise<number> => {
      const { stdout, output } = await rig.client(
        'curl',
        '-sS',
        '-o',
        got,
        '-w',
        '%{time_total}',
        ...argv,
        `${URL}/big`,
      );
      assert.ok(readFileSync(got).equals(BIG), output);
      return Number(stdout);
    };
    const paced = await timed();
    assert.ok(paced > 1.9 && paced < 8, `${paced} s at 20 MB/s`);
    const limited = await timed('--limit-rate', '10M');
    assert.ok(limited > 3 && limited < 12, `${limited} s at 10 MiB/s`);
  },
);

test('HTTPS serves the same files; its certificate is renewed under running transfers', { skip }, async () => {
  const ca = new Authority();
  await using rig = await rigOf('curl-https', 'http: { tls: { certificate: $DIR/rack.pem, key: $DIR/rack.key } }\n');
  const [certificate, key, authority, got] = ['rack.pem', 'rack.key', 'ca.pem', 'got'].map((name) =>
    join(rig.directory, name),
  );
  assert.ok(certificate && key && authority && got);
  const put = (pair: { cert?: string; key?: string }): void => {
    for (const [file, text] of [
      [certificate, pair.cert],
      [key, pair.key],
    ] as const) {
      if (text === undefined) continue;
      writeFileSync(`${file}.new`, text);
      chmodSync(`${file}.new`, 0o600);
      renameSync(`${file}.new`, file);
    }
  };
  const curl = (...argv: string[]) => rig.client('curl', '-sS', '--cacert', authority, ...argv);
  const serial = async (): Promise<string> => {
    const { output } = await curl('-w', '%{certs}', '-o', got, `${SECURE}/script`);
    return /Serial Number:([0-9a-f: ]+)/i.exec(output)?.[1] ?? output;
  };

  writeFileSync(authority, ca.cert);
  put(ca.issue(ADDRESS));
  await rig.start();
  assert.equal((await curl(`${SECURE}/script`)).stdout, 'hello\n');
  assert.equal((await curl('-o', got, '-r', '5-20000000', '-w', '%{http_code}', `${SECURE}/big`)).stdout, '206');
  assert.ok(readFileSync(got).equals(BIG.subarray(5, 20_000_001)));
  assert.equal((await rig.client('curl', '-s', `${SECURE}/script`)).code, 60);
  const first = await serial();

  const running = curl('--limit-rate', '8M', '-o', `${got}.long`, `${SECURE}/big`);
  put(ca.issue(ADDRESS));
  await rig.until('the new certificate', async () => (await serial()) !== first);
  const second = await serial();

  put({ key: 'nonsense' });
  await rig.until('the fault to be told', async () => {
    const { notices, config } = await rig.status();
    return notices.some((line) => line.includes('rack.key holds no private key')) && config.faults.length === 1;
  });
  assert.equal((await rig.rackboot('check')).code, 1);
  assert.equal(await serial(), second);
  assert.equal((await rig.status()).config.state, 'applied');

  put(ca.issue(ADDRESS));
  await rig.until('the third certificate', async () => (await serial()) !== second);
  assert.deepEqual((await rig.status()).notices, []);
  assert.deepEqual((await rig.status()).config.faults, []);
  assert.equal((await running).code, 0);
  assert.ok(readFileSync(`${got}.long`).equals(BIG));
  assert.doesNotMatch(rig.log, /PRIVATE KEY/);
});

test('a rack without its certificate boots its machines by HTTP', { skip }, async () => {
  await using rig = await rigOf('curl-none', 'http: { tls: { certificate: $DIR/none.pem, key: $DIR/none.key } }\n');
  await rig.start();
  assert.equal((await rig.client('curl', '-sS', `${URL}/script`)).stdout, 'hello\n');
  assert.equal((await rig.client('curl', '-s', '-k', `${SECURE}/script`)).code, 35);
  assert.match((await rig.status()).notices.join('\n'), /HTTPS is not served: .*none\.pem can't be read \(ENOENT\)/);
});

test('2,000 clients that hardly read do not hold up a healthy one', { skip }, async () => {
  await using rig = await rigOf('curl-slow');
  await rig.start();
  const addresses = Array.from({ length: 8 }, (_, i) => `192.168.127.${10 + i}`);
  for (const address of addresses) await rig.client('ip', 'address', 'add', `${address}/24`, 'dev', 'client0');
  const slowClients = join(import.meta.dirname, 'slow-clients.ts');
  const slow = rig.startClient(execPath, slowClients, RACK, '/big', '250', ...addresses);
  assert.ok(slow.stdout);
  await once(slow.stdout, 'data');
  await rig.until('all to be served', async () => (await rig.status()).services['http']?.counters['sending'] === 2000);
  const got = join(rig.directory, 'got');
  for (let i = 0; i < 3; i++) {
    const { stdout } = await rig.client('curl', '-sS', '-o', got, '-w', '%{time_total}', `${URL}/big`);
    assert.ok(Number(stdout) < 6, `40 MB took ${stdout} s`);
    assert.ok(readFileSync(got).equals(BIG));
    const script = await rig.client('curl', '-sS', '-o', got, '-w', '%{time_total}', `${URL}/boot.ipxe`);
    assert.ok(Number(script.stdout) < 1, `a script took ${script.stdout} s`);
  }
  for (const event of await rig.events()) {
    if (event.kind === 'http.sent') assert.ok((event.waited ?? 0) < 2000, `it waited ${event.waited} ms behind others`);
  }
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${rig.daemon.pid}/status`, 'utf8'))?.[1]);
  assert.ok(resident < 400_000, `${resident} KiB resident`);
  slow.kill('SIGKILL');
  await rig.until('all to be gone', async () => (await rig.status()).services['http']?.counters['sending'] === 0);
});
