import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');

const FIVE_FAULTS = `
rack: { name: rack-t, state: $DIR/state, control: $DIR/control.sock }
subnets:
  - cidr: 192.168.127.0/24
    interface: rack9
    management: dhcp+dns
    dynamic: 192.168.126.100-192.168.126.199
    router: 192.168.127.300
    lease: 5 parsecs
    colour: blue
boot: { files: $DIR/files }
`;

describe('the daemon', { skip: await reasonToSkip('curl', 'bind9-dnsutils') }, () => {
  test('check names five faults with line and column, and the running rack keeps its plan', async () => {
    await using rig = await RackRig.create('faults');
    await rig.start();
    rig.writeConfig(FIVE_FAULTS);
    const check = await rig.rackboot('check');
    assert.equal(check.code, 1);
    const faults = check.stdout.split('\n').filter((line) => /rackboot\.yaml:\d+:\d+: /.test(line));
    assert.equal(faults.length, 5, check.stdout);
    for (const [line, words] of [
      [5, 'rack9'],
      [7, '192.168.127.0/24'],
      [8, '192.168.127.300'],
      [9, '5 parsecs'],
      [10, 'colour'],
    ] as const) {
      assert.ok(
        faults.some((fault) => fault.includes(`rackboot.yaml:${line}:`) && fault.includes(words)),
        `${line}: ${words}\n${check.stdout}`,
      );
    }
    await rig.until('the new file to be refused', async () => (await rig.status()).config.state === 'refused');
    const status = await rig.status();
    assert.equal(status.config.faults.length, 5);
    assert.equal(status.subnets[0]?.dynamic, '192.168.127.100-192.168.127.199');
    assert.equal((await rig.rackboot('status')).code, 1);
    assert.equal(
      (await rig.client('curl', '-sf', `http://${RACK}:5248/undionly.kpxe`)).stdout,
      'not really a loader\n',
    );
  });

  test('a file that is replaced, as editors do, is taken up; SIGHUP takes it up as well', async () => {
    await using rig = await RackRig.create('reload');
    await rig.start();
    const added = SIMPLE.replace(
      'hosts:',
      'hosts:\n  - { name: node2, mac: "52:54:00:00:00:02", address: 192.168.127.222 }',
    );
    const temporary = join(rig.directory, '.rackboot.yaml.swp');
    writeFileSync(temporary, added.replaceAll('$DIR', rig.directory));
    renameSync(temporary, rig.config);
    const resolves = async (name: string): Promise<boolean> =>
      (await rig.client('dig', '+short', '+time=1', '+tries=1', `@${RACK}`, name)).stdout !== '';
    await rig.until('node2 to have a name', () => resolves('node2.rack.test'));
    const before = (await rig.status()).config.read;
    rig.daemon.kill('SIGHUP');
    await rig.until('SIGHUP to be followed', async () => (await rig.status()).config.read > before);
  });

  test('a transfer that runs during a reload ends with every byte', async () => {
    await using rig = await RackRig.create('transfer');
    const image = randomBytes(8 * 1024 * 1024);
    writeFileSync(join(rig.files, 'image'), image);
    await rig.start();
    const target = join(rig.directory, 'fetched');
    const download = rig.client('curl', '-sS', '--limit-rate', '8M', '-o', target, `http://${RACK}:5248/image`);
    const tftp = rig.client('curl', '-sS', '--tftp-blksize', '1024', '-o', `${target}-tftp`, `tftp://${RACK}/image`);
    await rig.until('the download to have begun', async () =>
      (await rig.onRack('ss', '-tn', 'sport', '=', ':5248')).stdout.includes('ESTAB'),
    );
    const before = (await rig.status()).config.read;
    rig.writeConfig(SIMPLE.replace('lease: 1h', 'lease: 2h'));
    await rig.until('the new plan to be in force', async () => (await rig.status()).config.read > before);
    assert.equal((await download).code, 0);
    assert.equal((await tftp).code, 0);
    assert.deepEqual(readFileSync(target), image);
    assert.deepEqual(readFileSync(`${target}-tftp`), image);
  });

  for (const service of ['dhcp', 'dns', 'tftp', 'http'] as const) {
    test(`when the ${service} service throws, it is back and the others answer all along`, async (t) => {
      await using rig = await RackRig.create(`fail-${service}`);
      await rig.start();
      const answers: Record<typeof service, () => Promise<boolean>> = {
        dhcp: async () => (await rig.client(process.execPath, DORA_CLIENT, '1')).code === 0,
        dns: async () =>
          (await rig.client('dig', '+short', '+time=1', '+tries=1', `@${RACK}`, 'node1.rack.test')).stdout ===
          '192.168.127.221\n',
        tftp: async () =>
          (await rig.client('curl', '-s', '-m', '1', `tftp://${RACK}/snponly.efi`)).stdout.includes('loader'),
        http: async () =>
          (await rig.client('curl', '-s', '-m', '1', `http://${RACK}:5248/snponly.efi`)).stdout.includes('loader'),
      };
      const back = new AbortController();
      const others = Object.entries(answers).filter(([name]) => name !== service);
      const probes = others.map(async ([name, answer]) => {
        let asked = 0;
        for (; !back.signal.aborted || asked < 2; asked++)
          assert.ok(await answer(), `${name} while ${service} is away`);
      });
      await rig.fail(service);
      await rig.until(`${service} to serve again`, async () => {
        const state = (await rig.status()).services[service];
        return state?.restarts === 1 && state.state === 'serving';
      });
      back.abort();
      await Promise.all(probes);
      assert.ok(await answers[service](), `${service} afterwards`);
      const events = await rig.events();
      const failed = events.find((event) => event.kind === 'service.failed');
      const ready = events.findLast((event) => event.kind === 'service.ready' && event.service === service);
      assert.ok(failed && ready, JSON.stringify(events));
      t.diagnostic(`${service} was away for ${ready.at - failed.at} ms`);
    });
  }

  test('SIGTERM ends it within two seconds, with exit code 0 and no socket left behind', async () => {
    await using rig = await RackRig.create('stop');
    await rig.start();
    const milliseconds = await rig.end('SIGTERM');
    assert.equal(rig.daemon.exitCode, 0, rig.log);
    assert.ok(milliseconds < 2_000, `${milliseconds} ms`);
    assert.equal((await rig.rackboot('status')).code, 3);
  });

  test('a taken port ends the start with who holds it', async () => {
    await using rig = await RackRig.create('taken');
    await rig.start();
    const second = join(rig.directory, 'second.yaml');
    writeFileSync(
      second,
      SIMPLE.replace('$DIR/control.sock', '$DIR/other.sock')
        .replace('$DIR/state', '$DIR/other')
        .replaceAll('$DIR', rig.directory),
    );
    const result = await rig.onRack(process.execPath, MAIN, 'run', '--config', second);
    assert.equal(result.code, 1);
    assert.match(result.output, /dhcp can't have 67\/udp on rack0: another program has it \(.+, process \d+\)/);
  });

  test('a second rack on the same state does not start', async () => {
    await using rig = await RackRig.create('twice');
    await rig.start();
    const result = await rig.onRack(process.execPath, MAIN, 'run', '--config', rig.config);
    assert.equal(result.code, 1);
    assert.match(result.output, /another rackboot works in/);
  });

  test('an interface that goes away and comes back is served again, and so is one that comes late', async () => {
    await using rig = await RackRig.create('nic');
    await rig.start();
    const served = async (): Promise<string | undefined> => (await rig.status()).subnets[0]?.management;
    await rig.onRack('ip', 'address', 'del', `${RACK}/24`, 'dev', 'rack0');
    await rig.until('the subnet to be out of service', async () => (await served()) === 'none');
    await rig.end('SIGKILL');
    await rig.start();
    assert.equal(await served(), 'none');
    await rig.onRack('ip', 'address', 'add', `${RACK}/24`, 'dev', 'rack0');
    await rig.until('the subnet to be served', async () => (await served()) === 'dhcp+dns');
    assert.equal((await rig.client(process.execPath, DORA_CLIENT, '1')).code, 0);
  });

  test('a rack that starts with a broken file serves what it last served', async () => {
    await using rig = await RackRig.create('kept');
    await rig.start();
    await rig.end('SIGTERM');
    rig.writeConfig(FIVE_FAULTS);
    await rig.start();
    const status = await rig.status();
    assert.equal(status.config.state, 'refused');
    assert.equal(status.subnets[0]?.dynamic, '192.168.127.100-192.168.127.199');
    assert.equal((await rig.client(process.execPath, DORA_CLIENT, '1')).code, 0);
  });

  test('an error of its own ends it at once with a line in the log, threads and all', async () => {
    await using rig = await RackRig.create('crash');
    await rig.start();
    const exited = once(rig.daemon, 'exit');
    await rig.fail('rack').catch(() => undefined);
    const [code] = (await exited) as [number];
    assert.equal(code, 1);
    assert.match(rig.log, /"level":60.*made to fail by a test/);
  });

  test('an ordinary user with two capabilities can run it', async (t) => {
    const seen = await runCommand([
      'setpriv',
      '--reuid',
      'nobody',
      '--clear-groups',
      'test',
      '-r',
      import.meta.filename,
    ]);
    if (seen.code !== 0) return t.skip('this checkout is in a directory that other users may not look into');
    await using rig = await RackRig.create('caps');
    const caps = '+net_bind_service,+net_raw';
    await rig.onRack('chown', '-R', 'nobody', rig.directory);
    await rig.onRack('chmod', '711', rig.directory);
    await rig.start([
      'setpriv',
      '--reuid',
      'nobody',
      '--clear-groups',
      '--inh-caps',
      caps,
      '--ambient-caps',
      caps,
      '--bounding-set',
      '-all,+net_bind_service,+net_raw',
      '--no-new-privs',
    ]);
    const { stdout } = await rig.onRack('grep', 'CapEff', `/proc/${rig.daemon.pid}/status`);
    assert.match(stdout, /0000000000002400/);
  });
});
