import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ChildProcess } from 'node:child_process';

import { Authority } from '../fixtures/certificate.ts';
import { CLIENT, RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';
import { UpstreamServers } from './upstream-servers.ts';

const skip = await reasonToSkip('bind9-dnsutils', 'bind9', 'unbound', 'dnsmasq-base');

const [UNBOUND, NAMED, DNSMASQ, LIAR] = ['10.53.0.1', '10.53.0.2', '10.53.0.3', '10.53.0.4'];
const [MORTAL, STRANGER] = ['10.53.0.5', '10.53.0.6'];
/** Nobody has this address. */
const HOLE = '10.53.0.99';

const CONFIG = `${SIMPLE}
dns:
  forward: [${UNBOUND}]
  routes:
    - { domain: bind.example, forward: [${NAMED}] }
    - { domain: dnsmasq.example, forward: [${DNSMASQ}] }
    - { domain: liar.example, forward: [${LIAR}] }
    - { domain: slow.example, forward: [${LIAR}, ${UNBOUND}] }
    - { domain: mortal.example, forward: [${MORTAL}] }
    - { domain: hole.example, forward: [${HOLE}, ${UNBOUND}] }
    - { domain: tls.example, forward: [{ address: ${UNBOUND}, tls: dns.up.example, ca: $DIR/ca.pem }] }
    - { domain: wrong-name.example, forward: [{ address: ${UNBOUND}, tls: other.example, ca: $DIR/ca.pem }] }
    - { domain: wrong-ca.example, forward: [{ address: ${STRANGER}, tls: dns.up.example }] }
  cache: { stale: 1h }
`;

describe('forwarding', { skip }, () => {
  let rig: RackRig;
  let servers: UpstreamServers;
  let mortal: ChildProcess;

  async function dig(...question: string[]): Promise<string> {
    return (await rig.client('dig', `@${RACK}`, '+tries=1', '+time=6', '+nocmd', ...question)).stdout;
  }

  async function counters(): Promise<Readonly<Record<string, number>>> {
    return (await rig.status()).services['dns']?.counters ?? {};
  }

  /** Counters are told once a second. */
  async function untilCount(name: string, holds: (count: number) => boolean): Promise<void> {
    await rig.until(name, async () => holds((await counters())[name] ?? 0));
  }

  before(async () => {
    rig = await RackRig.create('forward', CONFIG);
    servers = await UpstreamServers.create(rig);
    const authority = new Authority();
    const issued = authority.issueFor('dns.up.example');
    writeFileSync(join(rig.directory, 'ca.pem'), authority.cert);
    const data = [
      'www.unbound.example. 300 IN A 203.0.113.1',
      'www.hole.example. 300 IN A 203.0.113.1',
      'www.slow.example. 300 IN A 203.0.113.1',
      'slow.slow.example. 300 IN A 203.0.113.1',
      'www.tls.example. 300 IN A 203.0.113.8',
      'big.tls.example. 300 IN A 203.0.113.8',
      'www.wrong-name.example. 300 IN A 203.0.113.9',
      'often.unbound.example. 10 IN A 203.0.113.1',
    ];
    const many = Array.from({ length: 90 }, (_, i) => `big IN A 203.0.114.${i}`);
    const aliases = ['alias IN CNAME www', 'www IN A 203.0.113.2', 'out IN CNAME www.unbound.example.'];
    [mortal] = await Promise.all([
      servers.unbound(MORTAL, ['www.mortal.example. 1 IN A 203.0.113.5']),
      servers.unbound(UNBOUND, data, issued),
      servers.unbound(STRANGER, ['www.wrong-ca.example. 300 IN A 203.0.113.6'], authority.issueFor('dns.up.example')),
      servers.named(NAMED, 'bind.example', [...many, ...aliases]),
      servers.dnsmasq(DNSMASQ, '--host-record=www.dnsmasq.example,203.0.113.3', '--local=/dnsmasq.example/'),
      servers.liar(LIAR),
    ]);
    await rig.start();
  });

  after(async () => {
    await servers[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
  });

  const answered: [question: string[], ...lines: RegExp[]][] = [
    [
      ['www.unbound.example', 'A'],
      /status: NOERROR/,
      /flags: qr rd ra;/,
      /^www\.unbound\.example\.\s+300\s+IN\s+A\s+203\.0\.113\.1$/m,
    ],
    [['WWW.unbound.Example', 'A'], /^WWW\.unbound\.Example\.\s+\d+\s+IN\s+A\s+203\.0\.113\.1$/m],
    [['no.unbound.example', 'A'], /status: NXDOMAIN/],
    [
      ['alias.bind.example', 'A'],
      /ANSWER: 2,/,
      /^alias\.bind\.example\.\s+300\s+IN\s+CNAME\s+www\.bind\.example\.$/m,
      /203\.0\.113\.2/,
    ],
    [['nobody.bind.example', 'A'], /status: NXDOMAIN/, /^bind\.example\.\s+60\s+IN\s+SOA/m],
    [['www.bind.example', 'AAAA'], /status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/],
    [['www.dnsmasq.example', 'A'], /203\.0\.113\.3/],
    [['big.bind.example', 'A', '+notcp', '+ignore'], /flags: qr tc rd ra;/],
    [['-x', '10.1.2.3'], /status: NXDOMAIN/, /^10\.in-addr\.arpa\.\s+10800\s+IN\s+SOA/m],
    [['www.unbound.example', 'A', '+norecurse'], /status: REFUSED/],
    [['node1.rack.test', 'A'], /flags: qr aa rd/, /192\.168\.127\.221/],
  ];
  for (const [question, ...lines] of answered) {
    test(`answers ${question.join(' ')}`, async () => {
      const reply = await dig(...question);
      for (const line of lines) assert.match(reply, line);
      assert.doesNotMatch(reply, /malformed|mismatch|extra bytes/i);
    });
  }

  test('asks by TCP what is cut off by UDP, and keeps it', async () => {
    await untilCount(`upstream.${NAMED}.streamed`, (count) => count > 0);
  });

  test('refuses strangers', async () => {
    const address = ['address', 'add', '172.30.0.1/32', 'dev', 'client0'];
    await rig.client('ip', ...address);
    await rig.onRack('ip', 'route', 'add', '172.30.0.1/32', 'dev', 'rack0');
    assert.match(await dig('-b', '172.30.0.1', 'www.unbound.example', 'A'), /status: REFUSED/);
    assert.match(await dig('-b', CLIENT, 'www.unbound.example', 'A'), /status: NOERROR/);
  });

  const lies: [name: string, what: string][] = [
    ['elsewhere', 'answers to another question'],
    ['junk', 'junk'],
    ['lower', 'answers in other letters'],
    ['flood', 'a flood of other ids'],
    ['after', 'what came before'],
  ];
  for (const [name, what] of lies) {
    test(`does not believe ${what}`, async () => {
      assert.match(await dig('+short', `${name}.liar.example`, 'A'), /^203\.0\.113\.4$/m);
    });
  }

  test('tells of the flood, and asks by TCP from then on', async () => {
    await rig.until('the event', async () => (await rig.events()).some(({ kind }) => kind === 'dns.upstream-forged'));
    await untilCount(`upstream.${LIAR}.wrong`, (wrong) => wrong >= 40);
  });

  test('does not wait for a slow upstream where another is quicker', async () => {
    for (const name of ['slow', 'www']) assert.match(await dig('+short', `${name}.slow.example`, 'A'), /203\.0\.113\./);
  });

  test('answers while an upstream is in a black hole, tells of it once, and shows it', async () => {
    for (let i = 0; i < 12; i++) assert.match(await dig(`n${i}.hole.example`, 'A'), /status: NXDOMAIN/);
    await rig.until('the hole to be told', async () => {
      const events = await rig.events();
      return events.some((event) => event.kind === 'dns.upstream-failed' && event.upstream === HOLE);
    });
    assert.match(await dig('+stats', 'last.hole.example', 'A'), /Query time: \d{1,2} msec/);
    // Its counters are told once a second
    await rig.until('the hole to be shown', async () => {
      const status = (await rig.rackboot('status')).stdout;
      const isNoticed = status.includes(`the upstream ${HOLE} does not answer`);
      return (
        isNoticed && new RegExp(`upstream ${HOLE}: DOWN`).test(status) && /upstream \S+: up, \d+\.\d ms/.test(status)
      );
    });
  });

  test('asks over TLS, over one connection', async () => {
    assert.match(await dig('+short', 'www.tls.example', 'A'), /^203\.0\.113\.8$/m);
    assert.match(await dig('+short', 'big.tls.example', 'A'), /^203\.0\.113\.8$/m);
    await rig.until('the counters of dot', async () => {
      const dot = (await rig.status()).services['dot']?.counters ?? {};
      return dot[`${UNBOUND}:853/dns.up.example.connections`] === 1;
    });
    assert.equal((await rig.onRack('sh', '-c', `stat -c %a ${rig.directory}/dot-*.sock | sort -u`)).stdout, '600\n');
  });

  const untrusted: [domain: string, reason: RegExp][] = [
    ['wrong-name', /altnames|does not match/i],
    ['wrong-ca', /unable to|self.signed|issuer/i],
  ];
  for (const [domain, reason] of untrusted) {
    test(`does not ask over TLS of ${domain}, and says why`, async () => {
      assert.match(await dig(`www.${domain}.example`, 'A'), /status: SERVFAIL/);
      await rig.until('the reason', async () =>
        (await rig.events()).some((event) => event.kind === 'dns.tls-failed' && reason.test(event.reason)),
      );
    });
  }

  test('fetches a name anew that is asked for again and again', async () => {
    await rig.until('a prefetch', async () => {
      await dig('+short', 'often.unbound.example', 'A');
      return ((await counters())['forward.prefetched'] ?? 0) > 0;
    });
  });

  test('answers what it knew when all who know better are dead', async () => {
    assert.match(await dig('www.mortal.example', 'A'), /^www\.mortal\.example\.\s+1\s+IN\s+A\s+203\.0\.113\.5$/m);
    await servers.end(mortal);
    await rig.until('a stale answer', async () =>
      /^www\.mortal\.example\.\s+30\s+IN\s+A\s+203\.0\.113\.5$/m.test(await dig('www.mortal.example', 'A')),
    );
    assert.match(await dig('www.mortal.example', 'A'), /EDE: 3 \(Stale Answer\)/);
    assert.match(await dig('other.mortal.example', 'A'), /status: SERVFAIL/);
    mortal = await servers.unbound(MORTAL, ['www.mortal.example. 1 IN A 203.0.113.55']);
    await rig.until('the new answer', async () =>
      /203\.0\.113\.55/.test(await dig('+short', 'www.mortal.example', 'A')),
    );
  });
});
