import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { describe, test } from 'node:test';

import type { BootLine } from '../../src/rack/boot-routes.ts';
import { x86Kernel } from '../fixtures/programs.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const DORA_CLIENT = join(import.meta.dirname, 'dora-client.ts');
/** The first client of dora-client. */
const MAC = '02:aa:00:00:00:00';
const DASHED = MAC.replaceAll(':', '-');
const HTTP = `http://${RACK}:5248`;
const TFTP = `tftp://${RACK}`;

const BOOTS = `${SIMPLE.replace(/^boot: .*\n/m, '')}boot:
  files: $DIR/files
  default: once
  loop: { boots: 3, within: 1h }
  entries:
    once: { kernel: k/vmlinuz, initrd: [k/a.gz, k/b.gz], once: delivered }
    report: { kernel: k/vmlinuz, once: reported }
    always: { kernel: k/vmlinuz }
`;

async function rigOf(name: string, config = BOOTS): Promise<RackRig> {
  const rig = await RackRig.create(name, config);
  mkdirSync(join(rig.files, 'k'));
  writeFileSync(join(rig.files, 'k/vmlinuz'), Buffer.concat([x86Kernel(), randomBytes(24 * 1024 * 1024)]));
  for (const file of ['k/a.gz', 'k/b.gz']) writeFileSync(join(rig.files, file), randomBytes(100_000));
  return rig;
}

/** A machine with a lease, whose address the client's end has. */
class Machine {
  readonly rig: RackRig;
  readonly address: string;

  static async lease(rig: RackRig): Promise<Machine> {
    const { stdout } = await rig.client(execPath, DORA_CLIENT, '1');
    const [mac, address = ''] = stdout.trim().split(' ');
    assert.equal(mac, MAC);
    await rig.client('ip', 'address', 'add', `${address}/24`, 'dev', 'client0');
    return new Machine(rig, address);
  }

  private constructor(rig: RackRig, address: string) {
    this.rig = rig;
    this.address = address;
  }

  async fetch(url: string, ...options: readonly string[]): Promise<string> {
    const source = ['--interface', `host!${this.address}`];
    return (await this.rig.client('curl', '-sS', ...source, ...options, url)).stdout;
  }

  /** What its script says: the entry that it netboots, or that it boots its own disk. */
  async script(): Promise<string> {
    const text = await this.fetch(`${HTTP}/ipxe/${DASHED}`);
    return /^kernel /m.test(text) ? (/ boots (\w+)$/m.exec(text)?.[1] ?? text) : (text.split('\n')[1] ?? '');
  }

  get(file: string, ...options: readonly string[]): Promise<string> {
    return this.fetch(file.includes('://') ? file : `${HTTP}/${file}`, '-o', '/dev/null', ...options);
  }

  async boots(): Promise<BootLine[]> {
    const { stdout } = await this.rig.rackboot('boots', '--json');
    return JSON.parse(stdout) as BootLine[];
  }

  async state(entry: string): Promise<string | undefined> {
    return (await this.boots()).find((line) => line.mac === MAC && line.entry === entry)?.state;
  }

  async until(entry: string, state: string): Promise<void> {
    await this.rig.until(`${entry} to be ${state}`, async () => (await this.state(entry)) === state);
  }
}

/** The same machines, whose addresses another server gives. */
const PROXIED = BOOTS.replace(/management: dhcp\+dns\n[^]*hosts:\n.*\n/, 'management: proxy\n');

describe('what a machine has had to boot', { skip: await reasonToSkip('curl', 'dnsmasq-base') }, () => {
  test('a machine whose address another server gave is known by it, and has an entry once', async () => {
    await using rig = await rigOf('proxied', PROXIED);
    await rig.start();
    const range = '--dhcp-range=192.168.127.50,192.168.127.99,1h';
    const files = ['--conf-file=/dev/null', '--user=root', '--pid-file=', `--dhcp-leasefile=${rig.directory}/other`];
    await rig.onRack('dnsmasq', '--port=0', '--interface=rack0', '--bind-interfaces', '--no-ping', range, ...files);
    const machine = await Machine.lease(rig);
    await rig.until('the rack to have heard', async () =>
      (await rig.events()).some((event) => event.kind === 'dhcp.elsewhere' && event.mac === MAC),
    );
    assert.equal(await machine.script(), 'once');
    await machine.get('k/a.gz');
    // A file counts some milliseconds after its last byte
    await new Promise((resolve) => setTimeout(resolve, 300));
    // What it heard is gone with it: that the script was given at this address is not
    await rig.end('SIGKILL');
    await rig.start();
    for (const file of ['k/vmlinuz', 'k/b.gz']) await machine.get(file);
    await machine.until('once', 'delivered');
    assert.match(await machine.script(), /it was sent all of it/);
  });

  test('an entry for once is netbooted until all of it was sent, over both protocols and a kill of the rack', async () => {
    await using rig = await rigOf('once');
    await rig.start();
    const machine = await Machine.lease(rig);
    assert.equal(await machine.script(), 'once');
    await machine.get('k/a.gz');
    await machine.get(`${TFTP}/k/b.gz`);
    // Neither is a delivery of the kernel: HEAD, a part, a download that breaks, another machine's
    await machine.fetch(`${HTTP}/k/vmlinuz`, '--head');
    await machine.get('k/vmlinuz', '-r', '0-1000000');
    await machine.get('k/vmlinuz', '--limit-rate', '1M', '--max-time', '1');
    await rig.client('curl', '-sS', '-o', '/dev/null', `${HTTP}/k/vmlinuz`);
    await rig.end('SIGKILL');
    await rig.start();
    assert.equal(await machine.state('once'), 'armed');
    await machine.get('k/vmlinuz');
    await machine.until('once', 'delivered');
    await rig.end('SIGKILL');
    await rig.start();
    assert.match(
      await machine.script(),
      /its own disk: the boot entry "once" is for once, and it was sent all of it on/,
    );
    assert.ok((await rig.events()).some((event) => event.kind === 'boot.done' && event.mac === MAC));

    const reset = await rig.rackboot('boots', 'reset', MAC);
    assert.deepEqual([reset.code, reset.stdout], [0, `${MAC} netboots once again if it is to boot it\n`]);
    assert.equal(await machine.script(), 'once');
  });

  test('a kernel that lies in the buffers of a machine that went away was not sent to it', async () => {
    await using rig = await rigOf('buffers', BOOTS.replace(', initrd: [k/a.gz, k/b.gz]', ''));
    writeFileSync(join(rig.files, 'k/vmlinuz'), Buffer.concat([x86Kernel(), randomBytes(300_000)]));
    await rig.start();
    const machine = await Machine.lease(rig);
    assert.equal(await machine.script(), 'once');
    // It would take ten seconds on this wire, which is cut as soon as the rack's kernel has it
    const slow = ['rate', '250kbit', 'burst', '10kb', 'latency', '60s'];
    assert.equal((await rig.onRack('tc', 'qdisc', 'add', 'dev', 'rack0', 'root', 'tbf', ...slow)).code, 0);
    const download = machine.get('k/vmlinuz', '--max-time', '5');
    await rig.until('the file to be in the buffers', async () =>
      (await rig.events()).some((event) => event.kind === 'http.sent' && event.path === '/k/vmlinuz'),
    );
    await rig.client('ip', 'link', 'set', 'client0', 'down');
    await download;
    assert.equal(await machine.state('once'), 'armed');
  });

  test('ranges that together are the whole file are a delivery', async () => {
    await using rig = await rigOf('ranges');
    await rig.start();
    const machine = await Machine.lease(rig);
    assert.equal(await machine.script(), 'once');
    for (const part of ['20000000-', '0-9999999', '9000000-20000000']) await machine.get('k/vmlinuz', '-r', part);
    for (const file of ['k/b.gz', 'k/a.gz']) await machine.get(file);
    await machine.until('once', 'delivered');
  });

  test('an entry until reported is netbooted until its machine says that it is installed', async () => {
    await using rig = await rigOf('report', BOOTS.replace('default: once', 'default: report'));
    await rig.start();
    const machine = await Machine.lease(rig);
    const report = (stage: string): Promise<string> =>
      machine.fetch(`${HTTP}/report`, '--json', JSON.stringify({ stage }));
    // Before it was given the script: it says so of something else
    await report('installed');
    assert.equal(await machine.script(), 'report');
    await machine.get('k/vmlinuz');
    await report('partitioning');
    assert.equal(await machine.script(), 'report');
    await report('installed');
    await machine.until('report', 'reported');
    assert.match(await machine.script(), /it reported "installed" on/);
    rig.writeConfig(BOOTS.replace('default: once', 'default: always'));
    await rig.until('the other entry to be netbooted', async () => (await machine.script()) === 'always');
    rig.writeConfig(BOOTS.replace('default: once', 'default: report'));
    await rig.until('the entry it had not to be', async () => /reported "installed"/.test(await machine.script()));
  });

  test('a file of boot states that is garbage is set aside, and nobody is installed anew for it', async () => {
    await using rig = await rigOf('garbage-boots');
    mkdirSync(join(rig.directory, 'state'));
    writeFileSync(join(rig.directory, 'state', 'boots.db'), 'these were boot states once\n'.repeat(1000));
    await rig.start();
    const machine = await Machine.lease(rig);
    assert.match(await machine.script(), /own disk: .*what this rack knew of that was lost/);
    assert.match((await rig.rackboot('status')).stdout, /^NOTICE .* was lost: those not known boot their own disk/m);
    await rig.end('SIGTERM');
    await rig.start();
    assert.match(await machine.script(), /was lost/);
    assert.equal((await rig.rackboot('boots', 'reset', MAC)).code, 0);
    assert.equal(await machine.script(), 'once');
    assert.equal((await rig.rackboot('boots', 'reset', '--all')).code, 0);
    assert.doesNotMatch((await rig.rackboot('status')).stdout, /was lost/);
  });

  test('a machine that netboots over and over is told to boot its disk, and an operator hears of it', async () => {
    const config = BOOTS.replace('default: once', 'default: always').replace('boots: 3', 'boots: 2');
    await using rig = await rigOf('loop', config);
    await rig.start();
    const machine = await Machine.lease(rig);
    assert.equal(await machine.script(), 'always');
    await machine.get('k/vmlinuz');
    // No machine is back sooner
    await new Promise((resolve) => setTimeout(resolve, 10_100));
    // Several stages of one boot
    for (let i = 0; i < 5; i++) assert.equal(await machine.script(), 'always');
    assert.doesNotMatch((await rig.rackboot('status')).stdout, /NOTICE.*netbooted/);
    await machine.get(`${TFTP}/k/vmlinuz`, '--tftp-blksize', '8192');
    await machine.until('always', 'held');
    assert.match(await machine.script(), /own disk: it netbooted the boot entry "always" 2 times within 1 h/);
    const status = await rig.rackboot('status');
    assert.deepEqual(
      [status.code, /^NOTICE 02:aa:00:00:00:00: netbooted over and over/m.test(status.stdout)],
      [0, true],
    );
    assert.match(
      (await rig.rackboot('explain', '--mac', MAC, '--arch', '0')).stdout,
      /^boot plan local: .*as in a loop/m,
    );
    assert.match(rig.log, /"level":40,[^\n]*"kind":"boot.held"/);
    await rig.end('SIGKILL');
    await rig.start();
    assert.match(
      (await rig.rackboot('boots')).stdout,
      /^02:aa:00:00:00:00 +always +.*held: netbooted it over and over$/m,
    );
    assert.equal((await rig.rackboot('boots', 'reset', MAC)).code, 0);
    assert.equal(await machine.script(), 'always');
    assert.doesNotMatch((await rig.rackboot('status')).stdout, /NOTICE.*netbooted/);
  });

  test('an operator who resets what is not there, or nothing, is told so', async () => {
    await using rig = await rigOf('wrong');
    await rig.start();
    const unknown = await rig.rackboot('boots', 'reset', 'node9');
    assert.deepEqual([unknown.code, /no machine that netbooted is called node9/.test(unknown.output)], [1, true]);
    const fresh = await rig.rackboot('boots', 'reset', 'node1');
    assert.deepEqual([fresh.code, /node1 has nothing to reset/.test(fresh.output)], [1, true]);
    assert.equal((await rig.rackboot('boots', 'reset')).code, 2);
    assert.equal((await rig.rackboot('boots', 'reset', 'node1', '--all')).code, 2);
    assert.equal((await rig.rackboot('boots', '--control', '/nowhere/control.sock')).code, 3);
  });
});
