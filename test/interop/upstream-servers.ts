import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';

import { runCommand } from '../../src/lab/run-command.ts';
import type { Issued } from '../fixtures/certificate.ts';
import type { RackRig } from './rack-rig.ts';

const LIAR = join(import.meta.dirname, 'dns-liar.ts');

/** Resolvers beyond the rack: a namespace of their own, joined to the rack's by one wire, an address for each. */
export class UpstreamServers implements AsyncDisposable {
  readonly #rig: RackRig;
  readonly #space: string;
  readonly #running = new Set<ChildProcess>();

  static async create(rig: RackRig): Promise<UpstreamServers> {
    const servers = new UpstreamServers(rig);
    await servers.#wire();
    return servers;
  }

  private constructor(rig: RackRig) {
    this.#rig = rig;
    this.#space = `${rig.name}-up`;
  }

  /** `data`: lines as of unbound's local-data. With `tls` it also listens on port 853. */
  unbound(address: string, data: readonly string[], tls?: Issued): Promise<ChildProcess> {
    const directory = this.#directory(`unbound-${address}`);
    if (tls) {
      writeFileSync(join(directory, 'key.pem'), tls.key);
      writeFileSync(join(directory, 'cert.pem'), tls.cert);
    }
    const zones = new Set(data.map((line) => line.split(' ', 1)[0]?.split('.').slice(1).join('.')));
    const lines = [
      'server:',
      'directory: ""\nchroot: ""\nusername: ""\npidfile: ""\nuse-syslog: no\ndo-daemonize: no',
      'access-control: 0.0.0.0/0 allow\nmodule-config: "iterator"\nnum-threads: 1',
      `interface: ${address}`,
      ...(tls ? [`interface: ${address}@853`, 'tls-service-key: key.pem', 'tls-service-pem: cert.pem'] : []),
      ...Array.from(zones, (zone) => `local-zone: "${zone}" static`),
      ...data.map((line) => `local-data: "${line}"`),
      'remote-control:\n  control-enable: no',
    ];
    writeFileSync(join(directory, 'unbound.conf'), `${lines.join('\n')}\n`);
    return this.#start(address, directory, ['unbound', '-d', '-p', '-c', 'unbound.conf']);
  }

  /** An authoritative BIND with one zone. */
  named(address: string, zone: string, records: readonly string[]): Promise<ChildProcess> {
    const directory = this.#directory(`named-${address}`);
    const soa = `$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\nns IN A ${address}\n`;
    writeFileSync(join(directory, 'zone'), `${soa}${records.join('\n')}\n`);
    writeFileSync(
      join(directory, 'named.conf'),
      `options { directory "${directory}"; listen-on { ${address}; }; listen-on-v6 { none; }; pid-file none;
        session-keyfile "${directory}/session.key"; recursion no; allow-query { any; }; dnssec-validation no; };
      controls { };
      zone "${zone}" { type primary; file "zone"; };\n`,
    );
    return this.#start(address, directory, ['named', '-f', '-4', '-n', '1', '-c', join(directory, 'named.conf')]);
  }

  dnsmasq(address: string, ...options: readonly string[]): Promise<ChildProcess> {
    const directory = this.#directory(`dnsmasq-${address}`);
    const fixed = ['--no-resolv', '--no-hosts', '--bind-interfaces', '--user=root', '--pid-file='];
    const argv = ['dnsmasq', '-k', '-C', '/dev/null', `--listen-address=${address}`, '--except-interface=lo', ...fixed];
    return this.#start(address, directory, [...argv, ...options]);
  }

  /** Says many wrong things before the right one; how, the names it is asked for say. */
  liar(address: string): Promise<ChildProcess> {
    return this.#start(address, this.#directory('liar'), [execPath, LIAR, address]);
  }

  async end(server: ChildProcess): Promise<void> {
    const exited = once(server, 'exit');
    if (server.exitCode !== null || server.signalCode !== null || !server.kill('SIGKILL')) return;
    await exited;
    this.#running.delete(server);
  }

  async inside(...argv: readonly string[]): Promise<string> {
    return (await runCommand(['ip', 'netns', 'exec', this.#space, ...argv])).output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((server) => this.end(server)));
    await runCommand(['ip', 'netns', 'delete', this.#space]);
  }

  async #start(address: string, directory: string, argv: readonly string[]): Promise<ChildProcess> {
    const log = openSync(join(directory, 'log'), 'w');
    const command = ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', this.#space, ...argv];
    const server = spawn('setpriv', command, { stdio: ['ignore', log, log], cwd: directory });
    this.#running.add(server);
    await this.#rig.until(`${argv[0]} to answer at ${address}`, async () => {
      if (server.exitCode !== null)
        throw new Error(`${argv[0]} ended: ${readFileSync(join(directory, 'log'), 'utf8')}`);
      const dig = ['dig', `@${address}`, '+tries=1', '+time=1', '+noall', '+comments', 'is-it-there.example', 'A'];
      return (await this.inside(...dig)).includes('status:');
    });
    return server;
  }

  #directory(name: string): string {
    const directory = join(this.#rig.directory, name);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  async #wire(): Promise<void> {
    const rack = `${this.#rig.name}-rack`;
    const addresses = Array.from({ length: 8 }, (_, i) => `10.53.0.${i + 1}/24`);
    const steps = [
      ['netns', 'add', this.#space],
      ['-n', this.#space, 'link', 'set', 'lo', 'up'],
      ['-n', rack, 'link', 'add', 'uplink0', 'type', 'veth', 'peer', 'name', 'up0', 'netns', this.#space],
      ['-n', rack, 'address', 'add', '10.53.0.254/24', 'dev', 'uplink0'],
      ['-n', rack, 'link', 'set', 'uplink0', 'up'],
      ...addresses.map((address) => ['-n', this.#space, 'address', 'add', address, 'dev', 'up0']),
      ['-n', this.#space, 'link', 'set', 'up0', 'up'],
    ];
    for (const step of steps) {
      const result = await runCommand(['ip', ...step]);
      if (result.code !== 0) throw new Error(`ip ${step.join(' ')}: ${result.output}`);
    }
  }
}
