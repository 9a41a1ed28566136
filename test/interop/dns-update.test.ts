import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import type { Plan } from '../../src/plan/plan.ts';
import type { FromService, SocketHandle, ThreadData, ToService } from '../../src/service/letters.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { openTcpListener } from '../../src/system/tcp-listener.ts';
import { boundPort, openUdp } from '../../src/system/udp-socket.ts';
import { Wake } from '../../src/system/wake.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { toColumns } from '../../src/zones/zone-columns.ts';
import { ip4, planOf } from '../dns/plan-of.ts';
import { record, soa } from '../zones/records.ts';

const run = promisify(execFile);
const skip = spawnSync('nsupdate', ['-V']).error ? 'needs nsupdate (Debian: bind9-dnsutils)' : false;
const skipDisk = process.geteuid?.() === 0 ? false : 'a small disk needs root';
const SECRET = 'bm90IHNlY3JldCBhdCBhbGwsIGJ1dCBsb25nIGVub3VnaA==';
const WRONG = 'd3JvbmcgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIGEga2V5IQ==';

/** The thread of the DNS service, as the rack runs it. */
class DnsThread {
  readonly #libc = loadLibc();
  readonly #wake = new Wake(this.#libc);
  readonly #letters: FromService[] = [];
  readonly thread: Worker;
  readonly #sockets: readonly SocketHandle[];
  readonly port: number;

  constructor() {
    const address = ip4('127.0.0.1');
    const udp = openUdp(this.#libc, { address, port: 0 });
    this.port = boundPort(this.#libc, udp);
    const tcp = openTcpListener(this.#libc, address, this.port);
    const { port } = this;
    this.#sockets = [
      { fd: udp, transport: 'udp', address, port },
      { fd: tcp, transport: 'tcp', address, port },
    ];
    const workerData: ThreadData = { name: 'dns', wakeFd: this.#wake.fd, cookieKey: new Uint8Array(32) };
    this.thread = new Worker(new URL('../../src/dns/thread.ts', import.meta.url), { workerData });
    this.thread.on('message', (letter: FromService) => void this.#letters.push(letter));
  }

  tell(letter: ToService): void {
    this.thread.postMessage(letter);
    this.#wake.ring();
  }

  async serve(plan: Plan): Promise<void> {
    this.tell({ type: 'plan', plan, sockets: this.#sockets });
    while (!this.#letters.some(({ type }) => type === 'ready')) await once(this.thread, 'message');
  }

  /** What it said it did, by kind. */
  events(kind: string): unknown[] {
    const events = this.#letters.flatMap((letter) => (letter.type === 'events' ? letter.events : []));
    return events.filter((event) => event.kind === kind);
  }

  async end(): Promise<void> {
    const ended = once(this.thread, 'exit');
    this.tell({ type: 'stop' });
    await ended;
    this.#free();
  }

  /** As a crash ends it: nothing is written any more. */
  async kill(): Promise<void> {
    const ended = this.thread.terminate();
    // It is in a system call
    this.#wake.ring();
    await ended;
    this.#free();
  }

  #free(): void {
    this.#wake.close();
    for (const { fd } of this.#sockets) this.#libc.close(fd);
  }
}

describe('nsupdate', { skip }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-update-'));
  let dns: DnsThread;

  function plan(): Plan {
    const made = planOf({ subnets: [] });
    const secretFile = join(directory, 'ddns.key');
    writeFileSync(secretFile, SECRET, { mode: 0o600 });
    const zone = { update: [{ key: 'ddns.example' }], transfer: [{ key: 'ddns.example' }], notify: [] };
    const zones = [
      { name: 'rack.example', ...zone },
      { name: 'fixed.example', ...zone, update: [] },
    ];
    const keys = [{ name: 'ddns.example', algorithm: 'hmac-sha256' as const, secretFile }];
    return { ...made, rack: { ...made.rack, state: directory }, dns: { ...made.dns, zones, keys } };
  }

  async function start(): Promise<void> {
    dns = new DnsThread();
    const lines = ['@ NS ns.rack.example', 'ns A 192.0.2.1', 'www A 192.0.2.2'];
    const rack = toColumns(nameKey('rack.example'), [soa(7), ...lines.map((line) => record(line))]);
    const fixed = nameKey('fixed.example');
    const other = toColumns(fixed, [
      { ...soa(7), owner: fixed },
      { ...record('@ NS ns.rack.example'), owner: fixed },
    ]);
    dns.tell({ type: 'zones', zones: [rack, other], gone: [] });
    await dns.serve(plan());
  }

  before(start);

  after(async () => {
    await dns.end();
    rmSync(directory, { recursive: true });
  });

  /** What nsupdate says to these lines; '' when all went well. */
  async function update(
    lines: readonly string[],
    secret = SECRET,
    key = 'ddns.example',
    ...words: string[]
  ): Promise<string> {
    const child = spawn('nsupdate', ['-t', '5', ...words, '-y', `hmac-sha256:${key}:${secret}`]);
    child.stdin.end([`server 127.0.0.1 ${dns.port}`, ...lines, 'send', ''].join('\n'));
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => void chunks.push(chunk));
    await once(child, 'close');
    return Buffer.concat(chunks).toString().trim();
  }

  async function dig(...question: readonly string[]): Promise<string> {
    const { stdout } = await run('dig', [
      '@127.0.0.1',
      '-p',
      String(dns.port),
      '+tries=1',
      '+time=2',
      '+short',
      ...question,
    ]);
    return stdout.trim();
  }

  const rows: [name: string, lines: string[], said: RegExp, question: string[], answer: string][] = [
    ['adds a name', ['update add new.rack.example 60 A 192.0.2.7'], /^$/, ['new.rack.example', 'A'], '192.0.2.7'],
    [
      'replaces an address',
      [
        'prereq yxrrset www.rack.example A',
        'update delete www.rack.example A',
        'update add www.rack.example 60 A 192.0.2.8',
      ],
      /^$/,
      ['www.rack.example', 'A'],
      '192.0.2.8',
    ],
    [
      'adds records of many types',
      [
        'update add t.rack.example 60 TXT "hello; world"',
        'update add t.rack.example 60 MX 10 www.rack.example.',
        'update add _x._tcp.rack.example 60 SRV 0 5 80 www.rack.example.',
        'update add t.rack.example 60 AAAA 2001:db8::7',
        'update add t.rack.example 60 TYPE65280 \\# 4 0A000001',
      ],
      /^$/,
      ['t.rack.example', 'MX'],
      '10 www.rack.example.',
    ],
    ['deletes a name', ['update delete new.rack.example'], /^$/, ['new.rack.example', 'A'], ''],
    [
      'is refused where a prerequisite does not hold',
      ['prereq nxdomain www.rack.example', 'update add other.rack.example 60 A 192.0.2.9'],
      /YXDOMAIN/,
      ['other.rack.example', 'A'],
      '',
    ],
    [
      'is refused where a set is not as it says',
      ['prereq yxrrset www.rack.example A 192.0.2.99', 'update add other.rack.example 60 A 192.0.2.9'],
      /NXRRSET/,
      ['other.rack.example', 'A'],
      '',
    ],
    [
      'is refused in a zone that takes none',
      ['zone fixed.example', 'update add x.fixed.example 60 A 192.0.2.9'],
      /REFUSED/,
      ['x.fixed.example', 'A'],
      '',
    ],
  ];
  for (const [name, lines, said, question, answer] of rows) {
    test(name, async () => {
      assert.match(await update(lines), said);
      assert.equal(await dig(...question), answer);
    });
  }

  test('does so by TCP, too', async () => {
    assert.equal(await update(['update add tcp.rack.example 60 A 192.0.2.7'], SECRET, 'ddns.example', '-v'), '');
    assert.equal(await dig('tcp.rack.example', 'A'), '192.0.2.7');
  });

  test('with a wrong secret is refused, and with a wrong key', async () => {
    const lines = ['update add evil.rack.example 60 A 192.0.2.66'];
    assert.match(await update(lines, WRONG), /BADSIG|TSIG error|NOTAUTH/);
    assert.match(await update(lines, SECRET, 'other.example'), /BADKEY|TSIG error|NOTAUTH/);
    assert.equal(await dig('evil.rack.example', 'A'), '');
  });

  test('finds what it changed after a crash, and serials above those of before', async () => {
    const serial = async (): Promise<number> => Number((await dig('rack.example', 'SOA')).split(' ')[2]);
    const first = await serial();
    assert.equal(await update(['update add kept.rack.example 60 A 192.0.2.7', 'update delete ns.rack.example A']), '');
    const last = await serial();
    assert.ok(last > first);
    await dns.kill();
    await start();
    assert.equal(await dig('kept.rack.example', 'A'), '192.0.2.7');
    assert.equal(await dig('ns.rack.example', 'A'), '');
    assert.equal(await dig('www.rack.example', 'A'), '192.0.2.8');
    // Where the disk had it all before the crash, the zone has the very serial of before
    assert.ok((await serial()) >= last, `${await serial()} after ${last}`);
    // It takes none until it is known what changed since
    const more = (): Promise<string> => update(['update add later.rack.example 60 A 192.0.2.7']);
    let said = await more();
    while (said.includes('SERVFAIL')) said = await more();
    assert.equal(said, '');
    assert.ok((await serial()) > last, `${await serial()} after ${last}`);
  });

  test(
    'is told no where the disk is full, and who asks or transfers notices nothing',
    { skip: skipDisk },
    async (t) => {
      await dns.end();
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', directory]);
      t.after(() => spawnSync('umount', ['-l', directory]));
      await start();
      const filler = join(directory, 'filler');
      try {
        // Until not even a byte is left
        const fd = openSync(filler, 'w');
        for (const size of [65_536, 4096, 1]) while (fits(fd, size));
        closeSync(fd);
      } catch {
        // It is full
      }
      assert.match(await update(['update add full.rack.example 60 A 192.0.2.7']), /SERVFAIL/);
      assert.equal(await dig('full.rack.example', 'A'), '');
      assert.equal(await dig('www.rack.example', 'A'), '192.0.2.2');
      const key = `hmac-sha256:ddns.example:${SECRET}`;
      assert.match(await dig('-y', key, 'rack.example', 'AXFR'), /192\.0\.2\.2/);
      while (dns.events('dns.store-failed').length === 0) await once(dns.thread, 'message');
    },
  );
});

/** Whether so many bytes more went into a file. */
function fits(fd: number, size: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(size)) === size;
  } catch {
    return false;
  }
}
