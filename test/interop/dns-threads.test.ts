import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';

import { decode } from 'dns-packet';

import { describeReply, question } from '../dns/ask.ts';
import type { PortsReport } from './ports-client.ts';
import { CLIENT, RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';
import { UpstreamServers } from './upstream-servers.ts';

const skip = await reasonToSkip('bind9-dnsutils', 'unbound', 'knot-dnsutils');
const PORTS_CLIENT = join(import.meta.dirname, 'ports-client.ts');
/** With so many, the kernel leaves one of three threads out once in 100,000 times. */
const PORTS = 32;
const UPSTREAM = '10.53.0.1';
const SECRET = 'bm90IHNlY3JldCBhdCBhbGwsIGJ1dCBsb25nIGVub3VnaA==';
const KEY = `hmac-sha256:xfer.example:${SECRET}`;

const config = (threads: number): string => `${SIMPLE}
dns:
  threads: ${threads}
  zones: [{ name: lab.test, file: lab.test.zone, update: [{ key: xfer.example }], transfer: [{ key: xfer.example }] }]
  keys: [{ name: xfer.example, secret-file: xfer.key }]
  forward: [${UPSTREAM}]
`;

const ZONE = `$ORIGIN lab.test.
$TTL 600
@    SOA ns1 hostmaster 7 3600 600 604800 60
@    NS ns1
ns1  A 192.168.127.1
www  A 192.168.127.80
`;

describe('a rack whose DNS has three threads', { skip }, () => {
  let rig: RackRig;
  let servers: UpstreamServers;

  before(async () => {
    rig = await RackRig.create('threads', config(3));
    servers = await UpstreamServers.create(rig);
    writeFileSync(join(rig.directory, 'lab.test.zone'), ZONE);
    writeFileSync(join(rig.directory, 'xfer.key'), SECRET, { mode: 0o600 });
    await servers.unbound(UPSTREAM, ['www.up.example. 300 IN A 203.0.113.1']);
    await rig.start();
    await everywhere('node1.rack.test A', 'answer node1.rack.test 300 A 192.168.127.221');
  });

  after(async () => {
    await servers[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
  });

  async function askFromPorts(messages: readonly Buffer[], ports = PORTS): Promise<PortsReport> {
    const hex = messages.map((message) => message.toString('hex'));
    const asked = await rig.client(execPath, PORTS_CLIENT, RACK, String(ports), '0', ...hex);
    assert.equal(asked.code, 0, asked.output);
    return JSON.parse(asked.stdout) as PortsReport;
  }

  /** Waits until the third line of every thread's reply is this. */
  async function everywhere(asked: string, line: string): Promise<void> {
    await rig.until(`"${line}" everywhere`, async () => {
      const { replies, lost } = await askFromPorts([question(asked)]);
      const found = Object.keys(replies[0] ?? {}).map((hex) => describeReply(Buffer.from(hex, 'hex')));
      return lost === 0 && found.every((lines) => lines[2] === line || lines[0] === line);
    });
  }

  async function counters(name: string): Promise<number[]> {
    const { services } = await rig.status();
    return ['dns', 'dns-2', 'dns-3'].map((thread) => services[thread]?.counters[name] ?? 0);
  }

  async function startAsking(milliseconds: number, ...messages: readonly Buffer[]): Promise<Asking> {
    const hex = messages.map((message) => message.toString('hex'));
    const client = rig.startClient(execPath, PORTS_CLIENT, RACK, String(PORTS), String(milliseconds), ...hex);
    const had = await counters('received');
    await rig.until('the load', async () => (await counters('received')).every((now, i) => now > (had[i] ?? 0)));
    return new Asking(client);
  }

  async function until(what: string, name: string, restarts: number): Promise<void> {
    await rig.until(what, async () => {
      const service = (await rig.status()).services[name];
      return service?.state === 'serving' && service.restarts === restarts;
    });
  }

  async function dig(...words: readonly string[]): Promise<string> {
    return (await rig.client('dig', `@${RACK}`, '+tries=1', '+time=3', '+nocmd', ...words)).output;
  }

  /** The replies to one question from ports that were chosen here. */
  async function digFrom(ports: readonly number[], ...words: readonly string[]): Promise<string[]> {
    return Promise.all(ports.map((port) => dig('-b', `${CLIENT}#${port}`, ...words)));
  }

  test('each is a service of its own to the operator', async () => {
    const { services } = await rig.status();
    const threads = Object.keys(services).filter((name) => name.startsWith('dns'));
    assert.deepEqual(threads, ['dns', 'dns-2', 'dns-3']);
    const { output } = await rig.rackboot('status');
    assert.match(output, /^dns-3 serving$/m);
  });

  test('all answer the same, and each answers some', async () => {
    const had = await counters('rcode.NOERROR');
    const asked = [
      question('node1.rack.test A', { edns: {} }),
      question('221.127.168.192.in-addr.arpa PTR'),
      question('nobody.rack.test A'),
      question('www.lab.test A'),
      question('lab.test SOA'),
      question('id.server TXT', { class: 'CH' }),
      question('elsewhere.test A'),
    ];
    const { replies, lost } = await askFromPorts(asked);
    assert.equal(lost, 0);
    for (const [i, counts] of replies.entries()) {
      const [reply = '', ...others] = Object.keys(counts);
      assert.deepEqual([others, counts[reply]], [[], PORTS], `question ${i}`);
    }
    const lines = replies.map((counts) => describeReply(Buffer.from(Object.keys(counts)[0] ?? '', 'hex')));
    assert.deepEqual(lines.map(([first]) => first).slice(0, 4), [
      'NOERROR qr aa ra',
      'NOERROR qr aa ra',
      'NXDOMAIN qr aa ra',
      'NOERROR qr aa ra',
    ]);
    await rig.until('the counters', async () =>
      (await counters('rcode.NOERROR')).every((now, i) => now > (had[i] ?? 0)),
    );
  });

  test('what an update adds is answered by all, whichever got it; so is what it takes away', async () => {
    const handed = await counters('handed-over');
    const lines = Array.from(
      { length: 12 },
      (_, i) => `local ${CLIENT} ${21_000 + i}\nupdate add u${i}.lab.test 60 A 192.0.2.${i + 1}\nsend\n`,
    );
    assert.equal(await nsupdate(lines), '');
    for (let i = 0; i < 12; i += 4) await everywhere(`u${i}.lab.test A`, `answer u${i}.lab.test 60 A 192.0.2.${i + 1}`);
    assert.equal(await nsupdate(['update delete u0.lab.test\nsend\n']), '');
    await everywhere('u0.lab.test A', 'NXDOMAIN qr aa ra');
    await rig.until('the counters', async () => {
      const [, ...now] = await counters('handed-over');
      return now.every((count, i) => count > (handed[i + 1] ?? 0));
    });
  });

  async function nsupdate(lines: readonly string[]): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', `${rig.name}-client`, 'nsupdate', '-t', '5', '-y', KEY]);
    const chunks: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => void chunks.push(chunk));
    child.stdin.end([`server ${RACK}\nzone lab.test\n`, ...lines].join(''));
    await once(child, 'close');
    return Buffer.concat(chunks).toString().trim();
  }

  test('a lease has its name at all while it lasts', async () => {
    const file = join(rig.directory, 'leases.csv');
    const columns =
      'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id';
    const end = Math.floor(Date.now() / 1000) + 3000;
    writeFileSync(file, `${columns}\n192.168.127.150,02:aa:00:00:00:01,,3600,${end},1,0,0,laptop,0,,0\n`);
    const { code, output } = await rig.rackboot('leases', 'import', '--from', 'kea', file);
    assert.equal(code, 0, output);
    await everywhere('laptop.rack.test A', 'answer laptop.rack.test 30 A 192.168.127.150');
    await everywhere('150.127.168.192.in-addr.arpa PTR', 'answer 150.127.168.192.in-addr.arpa 30 PTR laptop.rack.test');
    await rig.rackboot('leases', 'release', '192.168.127.150');
    await everywhere('laptop.rack.test A', 'NXDOMAIN qr aa ra');
  });

  test('the first question of a machine is told once, whomever it asked', async () => {
    const file = join(rig.directory, 'first.csv');
    const columns =
      'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id';
    const end = Math.floor(Date.now() / 1000) + 3000;
    // The client's own address
    writeFileSync(file, `${columns}\n192.168.127.151,02:aa:00:00:00:02,,3600,${end},1,0,0,asker,0,,0\n`);
    await rig.client('ip', 'address', 'add', '192.168.127.151/24', 'dev', 'client0');
    await rig.rackboot('leases', 'import', '--from', 'kea', file);
    await everywhere('asker.rack.test A', 'answer asker.rack.test 30 A 192.168.127.151');
    const ports = Array.from({ length: 24 }, (_, i) => 22_000 + i);
    await Promise.all(ports.map((port) => dig('-b', `192.168.127.151#${port}`, 'node1.rack.test', 'A')));
    const told = async () =>
      (await rig.events()).filter(
        ({ kind, address }) => kind === 'dns.first-question' && address === '192.168.127.151',
      );
    await rig.until('the event', async () => (await told()).length > 0);
    const [event, ...others] = await told();
    assert.equal(others.length, 0);
    assert.equal(event?.source, 'dns');
  });

  const CHOSEN = Array.from({ length: 16 }, (_, i) => 23_000 + i);

  test('a question with TSIG is answered signed, whoever gets it', async () => {
    for (const reply of await digFrom(CHOSEN, '-y', KEY, 'www.lab.test', 'A')) {
      assert.match(reply, /192\.168\.127\.80/);
      assert.match(reply, /TSIG\s+hmac-sha256\. .* NOERROR 0/);
      assert.doesNotMatch(reply, /Couldn't verify|bad TSIG|BADSIG/i);
    }
  });

  test('IXFR by UDP and AXFR by TCP are given, whoever is asked', async () => {
    const serial = Number((await dig('+short', 'lab.test', 'SOA')).split(' ')[2]);
    for (const reply of await digFrom(CHOSEN, '-y', KEY, '+notcp', 'lab.test', `IXFR=${serial}`)) {
      assert.match(reply, new RegExp(`SOA\\s+ns1\\.lab\\.test\\. hostmaster\\.lab\\.test\\. ${serial} `));
      assert.doesNotMatch(reply, /Couldn't verify|failed/i);
    }
    assert.match(await dig('-y', KEY, 'lab.test', 'AXFR'), /u1\.lab\.test\.\s+60\s+IN\s+A\s+192\.0\.2\.2/);
    for (const reply of await digFrom(CHOSEN, '+notcp', '+comments', 'lab.test', `IXFR=${serial}`)) {
      assert.match(reply, /status: REFUSED/);
    }
  });

  test('a name outside is asked for, whoever gets the question', async () => {
    for (const reply of await digFrom(CHOSEN, 'www.up.example', 'A')) assert.match(reply, /203\.0\.113\.1/);
    const { replies } = await askFromPorts([question('www.up.example A', { recursion: true })]);
    const answers = Object.keys(replies[0] ?? {}).flatMap((hex) => decode(Buffer.from(hex, 'hex')).answers ?? []);
    assert.ok(answers.length > 0 && answers.every((answer) => answer.type === 'A' && answer.data === '203.0.113.1'));
  });

  test('a cookie of one is good at all', async () => {
    const client = '0102030405060708';
    const first = await askFromPorts([withCookie(client)], 1);
    const cookie = cookieIn(Object.keys(first.replies[0] ?? {})[0] ?? '');
    assert.equal(cookie.length, 48);
    const [bad, good] = [await counters('cookie.bad'), await counters('cookie.good')];
    const { replies, lost } = await askFromPorts([withCookie(cookie)]);
    assert.equal(lost, 0);
    // A good one is not replaced
    assert.deepEqual(new Set(Object.keys(replies[0] ?? {}).map(cookieIn)), new Set([cookie]));
    await rig.until('the counters', async () =>
      (await counters('cookie.good')).every((now, i) => now > (good[i] ?? 0)),
    );
    assert.deepEqual(await counters('cookie.bad'), bad);
  });

  test('kdig sees a server that behaves, from any port', async () => {
    for (let i = 0; i < 8; i++) {
      const { stdout } = await rig.client('kdig', `@${RACK}`, '+nsid', '+cookie', '+edns', 'node1.rack.test', 'A');
      assert.match(stdout, /status: NOERROR/);
      assert.match(stdout, /NSID: .*rack-t/);
    }
  });

  test('when one that answers fails, no question is lost: it is back with all zones', async () => {
    const asking = await startAsking(3_000, question('node1.rack.test A'), question('u1.lab.test A'));
    await rig.fail('dns-2');
    await until('dns-2 to be back', 'dns-2', 1);
    const { lost, replies } = await asking.report();
    assert.equal(lost, 0);
    assert.deepEqual(
      replies.map((counts) => Object.keys(counts).map((hex) => describeReply(Buffer.from(hex, 'hex'))[2])),
      [['answer node1.rack.test 300 A 192.168.127.221'], ['answer u1.lab.test 60 A 192.0.2.2']],
    );
    const events = await rig.events();
    assert.ok(events.some((event) => event.kind === 'service.failed' && event.service === 'dns-2'));
  });

  test('when the one that has the zones fails, the others go on, and what changes after it is told to them', async () => {
    const asking = await startAsking(3_000, question('node1.rack.test A'), question('u1.lab.test A'));
    await rig.fail('dns');
    await until('dns to be back', 'dns', 1);
    assert.equal(await nsupdate(['update add after.lab.test 60 A 192.0.2.200\nsend\n']), '');
    await everywhere('after.lab.test A', 'answer after.lab.test 60 A 192.0.2.200');
    const { lost, replies } = await asking.report();
    assert.equal(lost, 0);
    assert.deepEqual(
      replies.map((counts) => Object.keys(counts).map((hex) => describeReply(Buffer.from(hex, 'hex'))[2])),
      [['answer node1.rack.test 300 A 192.168.127.221'], ['answer u1.lab.test 60 A 192.0.2.2']],
    );
    const { services } = await rig.status();
    assert.deepEqual([services['dns-2']?.restarts, services['dns-3']?.restarts], [1, 0]);
  });

  test('a reload makes them fewer or more, and no question is lost', async () => {
    const asking = await startAsking(6_000, question('node1.rack.test A'), question('u1.lab.test A'));
    for (const threads of [1, 4, 2]) {
      rig.writeConfig(config(threads));
      rig.daemon.kill('SIGHUP');
      await rig.until(`${threads} threads`, async () => {
        const { services } = await rig.status();
        const dns = Object.entries(services).filter(([name]) => name.startsWith('dns'));
        return dns.length === threads && dns.every(([, { state }]) => state === 'serving');
      });
    }
    const { lost, replies } = await asking.report();
    assert.equal(lost, 0);
    assert.equal(replies.flatMap((counts) => Object.keys(counts)).length, 2);
  });
});

/** A client that asks for a while. */
class Asking {
  readonly #client: ChildProcess;
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<unknown>;

  constructor(client: ChildProcess) {
    this.#client = client;
    client.stdout?.on('data', (chunk: Buffer) => void this.#chunks.push(chunk));
    this.#closed = once(client, 'close');
  }

  async report(): Promise<PortsReport> {
    await this.#closed;
    assert.equal(this.#client.exitCode, 0);
    return JSON.parse(Buffer.concat(this.#chunks).toString()) as PortsReport;
  }
}

/** "node1.rack.test A" with a COOKIE option (RFC 7873 §4). */
function withCookie(hex: string): Buffer {
  const message = question('node1.rack.test A', { edns: {} });
  const cookie = Buffer.from(hex, 'hex');
  // OPT is last, without options
  message.writeUInt16BE(4 + cookie.length, message.length - 2);
  return Buffer.concat([message, Buffer.from([0, 10, 0, cookie.length]), cookie]);
}

/** The cookie that ends a reply. */
function cookieIn(hex: string): string {
  const at = hex.lastIndexOf('000a0018');
  return at < 0 ? '' : hex.slice(at + 8, at + 56);
}
