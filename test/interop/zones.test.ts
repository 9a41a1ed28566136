import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import type { ZoneLine } from '../../src/rack/zone-routes.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const CONFIG = `${SIMPLE}
dns:
  zones:
    - { name: lab.example, file: zones/lab.zone }
    - { name: ddns.example, update: [192.168.127.2] }
`;
const TOP = '$TTL 60\n@ SOA ns1 h 7 1h 15m 1w 5\n@ NS ns1\nns1 A 192.0.2.1\n';

interface LabZone {
  readonly file: string;
  write(text: string): void;
}

function labZone(rig: RackRig): LabZone {
  const directory = join(rig.directory, 'zones');
  mkdirSync(directory);
  const file = join(directory, 'lab.zone');
  return { file, write: (text) => writeFileSync(file, text) };
}

async function ask(rig: RackRig, name: string, type = 'A'): Promise<string> {
  const { stdout } = await rig.client('dig', '+short', '+time=1', '+tries=1', `@${RACK}`, name, type);
  return stdout.trim();
}

async function listed(rig: RackRig, name: string): Promise<ZoneLine | undefined> {
  const { stdout } = await rig.rackboot('zones', '--json');
  return (JSON.parse(stdout) as ZoneLine[]).find(({ zone }) => zone === name);
}

describe('a zone of the file', { skip: await reasonToSkip('bind9-dnsutils', 'bind9-utils') }, () => {
  test('is served from the start, again after each change, and as it was when its file is broken or gone', async () => {
    await using rig = await RackRig.create('zones', CONFIG);
    const zone = labZone(rig);
    zone.write(`${TOP}www A 192.0.2.80\n$INCLUDE more\n`);
    writeFileSync(join(rig.directory, 'zones', 'more'), 'more A 192.0.2.81\n');
    await rig.start();
    await rig.until('the zone to be served', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.80');
    assert.equal(await ask(rig, 'more.lab.example'), '192.0.2.81');
    assert.match(await ask(rig, 'ddns.example', 'SOA'), /^rack-t\.rack\.test\. hostmaster\.ddns\.example\. /);

    // An editor that replaces
    writeFileSync(`${zone.file}.new`, `${TOP}www A 192.0.2.90\n$INCLUDE more\n`);
    renameSync(`${zone.file}.new`, zone.file);
    await rig.until('the change to be served', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.90');

    writeFileSync(join(rig.directory, 'zones', 'more'), 'more A 192.0.2.82\n');
    await rig.until('what is included too', async () => (await ask(rig, 'more.lab.example')) === '192.0.2.82');

    zone.write(`${TOP}www A 192.0.2.99\nwww A 192.0.2\n`);
    await rig.until('the fault to be told', async () => (await listed(rig, 'lab.example'))?.faults.length === 1);
    const fault = `${zone.file}:6: expected an IPv4 address like 192.0.2.1, found 192.0.2`;
    assert.deepEqual((await listed(rig, 'lab.example'))?.faults, [fault]);
    assert.equal(await ask(rig, 'www.lab.example'), '192.0.2.90', 'what was read before stays');
    assert.ok((await rig.status()).notices.some((notice) => notice.includes(fault)));
    const check = await rig.rackboot('check');
    assert.equal(check.code, 1);
    assert.equal(check.stdout, `${fault}\n1 fault\n`);
    assert.equal((await rig.rackboot('zones')).code, 1);

    rmSync(zone.file);
    await rig.until('that it is gone', async () =>
      /found none/.test((await listed(rig, 'lab.example'))?.faults[0] ?? ''),
    );
    assert.equal(await ask(rig, 'www.lab.example'), '192.0.2.90');
    zone.write(`${TOP}www A 192.0.2.100\n`);
    await rig.until('it to be back', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.100');
    assert.equal((await rig.rackboot('zones')).code, 0);
  });

  test('whose file is broken when the rack starts is served as it was, under the same serial', async () => {
    await using rig = await RackRig.create('zones-kept', CONFIG);
    const zone = labZone(rig);
    zone.write(`${TOP}www A 192.0.2.80\n`);
    await rig.start();
    await rig.until('the zone to be served', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.80');
    const soa = await ask(rig, 'lab.example', 'SOA');
    await rig.end('SIGTERM');
    zone.write(`${TOP}www A 192.0.2\n`);
    await rig.start();
    await rig.until('the zone to be served', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.80');
    assert.equal(await ask(rig, 'lab.example', 'SOA'), soa);
    const line = await listed(rig, 'lab.example');
    assert.equal(line?.faults.length, 1);
    zone.write(`${TOP}www A 192.0.2.81\n`);
    await rig.until('what is mended to be served', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.81');
    assert.notEqual(await ask(rig, 'lab.example', 'SOA'), soa);
  });

  test('is there again when the DNS service was restarted, and gone when the file names it no more', async () => {
    await using rig = await RackRig.create('zones-restart', CONFIG);
    labZone(rig).write(`${TOP}www A 192.0.2.80\n`);
    await rig.start();
    await rig.until('the zone to be served', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.80');
    await rig.fail('dns');
    await rig.until('it to be served again', async () => (await ask(rig, 'www.lab.example')) === '192.0.2.80');
    rig.writeConfig(SIMPLE);
    await rig.until('it to be gone', async () => (await listed(rig, 'lab.example')) === undefined);
    assert.equal(await ask(rig, 'www.lab.example'), '');
  });

  test('is shown as a master file that BIND reads, and so is one of the rack', async () => {
    await using rig = await RackRig.create('zones-dump', CONFIG);
    labZone(rig).write(`${TOP}$GENERATE 1-5000 host$ A 10.0.0.1\ntxt TXT "a \\"b\\" c"\n`);
    await rig.start();
    await rig.until('the zone to be served', async () => (await listed(rig, 'lab.example'))?.records === 5004);
    for (const name of ['lab.example', 'rack.test', '127.168.192.in-addr.arpa', 'ddns.example']) {
      const dump = await rig.rackboot('zones', 'dump', name);
      assert.equal(dump.code, 0, dump.stdout);
      const file = join(rig.directory, 'dump');
      writeFileSync(file, dump.stdout);
      const { status, stdout } = spawnSync('named-checkzone', ['-i', 'local', name, file], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
      const records = readFileSync(file, 'utf8').trimEnd().split('\n').length;
      assert.equal(records, (await listed(rig, name))?.records, name);
    }
    assert.equal((await rig.rackboot('zones', 'dump', 'nowhere.example')).code, 1);
    assert.equal((await rig.rackboot('zones', 'dump')).code, 2);
  });

  test('is asked what updates did to it, over a restart, and has that undone for good', async () => {
    await using rig = await RackRig.create('zones-updates', CONFIG);
    labZone(rig).write(TOP);
    await rig.start();
    const script = join(rig.directory, 'update');
    writeFileSync(script, `server ${RACK}\nzone ddns.example\nupdate add a.ddns.example 60 A 192.0.2.7\nsend\n`);
    await rig.until('an update to be taken', async () => (await rig.client('nsupdate', '-t', '2', script)).code === 0);
    const line = '+ a.ddns.example. 60 IN A 192.0.2.7\n';
    assert.equal((await rig.rackboot('zones', 'updates', 'ddns.example')).stdout, line);
    assert.equal((await listed(rig, 'ddns.example'))?.updated, 1);
    await rig.end('SIGTERM');
    await rig.start();
    await rig.until('it to be served', async () => (await ask(rig, 'a.ddns.example')) === '192.0.2.7');
    const forgot = await rig.rackboot('zones', 'updates', 'ddns.example', '--forget');
    assert.equal(forgot.stdout, `${line}1 change undone: ddns.example is what its file says\n`);
    await rig.until('it to be gone', async () => (await ask(rig, 'a.ddns.example')) === '');
    await rig.end('SIGTERM');
    await rig.start();
    await rig.until('the zone to be served', async () => (await listed(rig, 'ddns.example'))?.serial !== undefined);
    assert.equal(await ask(rig, 'a.ddns.example'), '');
    assert.equal((await rig.rackboot('zones', 'updates', 'rack.test')).code, 1);
  });
});

const withNames = (www: string, more = '') => `${SIMPLE}
dns:
  threads: 2
  transfer: [192.168.127.2]
  domains: [apps.test]
  names:
    - { name: www.rack.test, addresses: [${www}, "2001:db8::50"], ttl: 1m }
    - { name: git.apps.test, alias: www.rack.test }
    - { name: apps.test, addresses: [192.168.127.50] }
${more}`;

/** Threads learn zone by zone. */
async function served(rig: RackRig, ...answers: (readonly [name: string, type: string, answer: string])[]) {
  for (const [name, type, answer] of answers) {
    await rig.until(`${name} ${type} to be ${answer}`, async () => (await ask(rig, name, type)) === answer);
  }
}

describe('a name of the file', { skip: await reasonToSkip('bind9-dnsutils', 'bind9-utils') }, () => {
  test('is resolved with its alias and its pointer, transferred whole and by changes, and gone when it is no more', async () => {
    await using rig = await RackRig.create('names', withNames('192.168.127.50'));
    await rig.start();
    await served(
      rig,
      ['www.rack.test', 'A', '192.168.127.50'],
      ['git.apps.test', 'A', 'www.rack.test.\n192.168.127.50'],
      ['git.apps.test', 'AAAA', 'www.rack.test.\n2001:db8::50'],
      ['50.127.168.192.in-addr.arpa', 'PTR', 'www.rack.test.'],
    );
    assert.equal(await ask(rig, 'apps.test', 'NS'), 'rack-t.apps.test.');
    assert.equal(await ask(rig, 'rack-t.apps.test'), RACK);
    const absent = await rig.client('dig', '+time=1', '+tries=1', `@${RACK}`, 'nobody.apps.test');
    assert.match(
      absent.stdout,
      /status: NXDOMAIN[^]*flags: qr aa[^]*^apps\.test\.\s+10\s+IN\s+SOA\s+rack-t\.apps\.test\. /m,
    );
    const line = await listed(rig, 'apps.test');
    assert.deepEqual([line?.kind, line?.names, line?.records], ['rack', 3, 5]);
    assert.match((await rig.rackboot('zones')).stdout, /^apps\.test {2}serial \d+, .* from hosts, names and leases$/m);

    const serial = Number((await ask(rig, 'rack.test', 'SOA')).split(' ')[2]);
    const whole = await rig.client('dig', '+noall', '+answer', '+onesoa', `@${RACK}`, 'apps.test', 'AXFR');
    assert.match(whole.stdout, /^git\.apps\.test\.\s+300\s+IN\s+CNAME\s+www\.rack\.test\.$/m);

    rig.writeConfig(withNames('192.168.127.51'));
    await served(
      rig,
      ['www.rack.test', 'A', '192.168.127.51'],
      ['51.127.168.192.in-addr.arpa', 'PTR', 'www.rack.test.'],
      ['50.127.168.192.in-addr.arpa', 'PTR', 'apps.test.'],
    );
    const changes = await rig.client('dig', '+noall', '+answer', `@${RACK}`, 'rack.test', `IXFR=${serial}`);
    const moved = changes.stdout
      .match(/^www\.rack\.test\..*$/gm)
      ?.map((record) => record.split(/\s+/).slice(1).join(' '));
    assert.deepEqual(moved, ['60 IN A 192.168.127.50', '60 IN A 192.168.127.51']);

    rig.writeConfig(SIMPLE);
    await served(rig, ['www.rack.test', 'A', ''], ['apps.test', 'A', '']);
    await rig.until('its domain to be gone', async () => (await listed(rig, 'apps.test')) === undefined);
  });

  test('is answered all the while ten thousand others come and go', async () => {
    const count = 10_000;
    const more = Array.from(
      { length: count },
      (_, i) => `    - { name: n${i}.apps.test, addresses: [10.1.${i >>> 8}.${i & 255}] }\n`,
    ).join('');
    await using rig = await RackRig.create('names-many', withNames('192.168.127.50'));
    await rig.start();
    await served(
      rig,
      ['www.rack.test', 'A', '192.168.127.50'],
      ['git.apps.test', 'A', 'www.rack.test.\n192.168.127.50'],
    );
    for (const [text, last] of [
      [more, '10.1.39.15'],
      ['', ''],
    ] as const) {
      rig.writeConfig(withNames('192.168.127.50', text));
      await rig.until('the last of them', async () => {
        // One lost, or refused, would be empty
        assert.equal(await ask(rig, 'www.rack.test'), '192.168.127.50');
        assert.equal(await ask(rig, 'git.apps.test'), 'www.rack.test.\n192.168.127.50');
        return (await ask(rig, `n${count - 1}.apps.test`)) === last;
      });
    }
  });
});
