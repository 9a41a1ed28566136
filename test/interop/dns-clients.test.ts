import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { LEASE, startDnsRack } from './dns-rack.ts';
import { RACK, reasonToSkip, type RackRig } from './rack-rig.ts';

/** What a client is asked to do, and what it then says. */
interface Row {
  readonly argv: readonly string[];
  readonly says: readonly RegExp[];
  readonly not?: readonly RegExp[];
  /** Its exit code; 0 unless given. */
  readonly code?: number;
}

interface Client {
  readonly name: string;
  readonly package: string;
  readonly rows: readonly Row[];
}

const AGAIN = ['+tries=1', '+time=2', '+nocmd'];

/** Words as on a command line; a reply that the client warns about never passes. */
function asks(client: string, words: string, ...says: readonly RegExp[]): Row {
  const argv = [...(client === 'dig' ? ['dig', `@${RACK}`, ...AGAIN] : [client]), ...words.split(' ')];
  return { argv, says, not: [/WARNING: (?!recursion)|malformed|mismatch|unexpected|Truncated|corrupt/i] };
}

function dig(words: string, ...says: readonly RegExp[]): Row {
  return asks('dig', words, ...says);
}

function kdig(words: string, ...says: readonly RegExp[]): Row {
  return asks('kdig', `@${RACK} +retry=0 +timeout=2 ${words}`, ...says);
}

function drill(words: string, ...says: readonly RegExp[]): Row {
  return asks('drill', `${words} @${RACK}`, ...says);
}

function delv(words: string, ...says: readonly RegExp[]): Row {
  return asks('delv', `@${RACK} ${words}`, ...says);
}

function ending(code: number, row: Row): Row {
  return { ...row, code };
}

/** A client that knows its server from resolv.conf alone, as nearly every program does. */
function system(words: string, ...says: readonly RegExp[]): Row {
  const bound = `mount --bind "$0" /etc/resolv.conf && exec ${words}`;
  return { argv: ['sh', '-c', bound, 'RESOLV_CONF'], says };
}

const NODE1 = /^node1\.rack\.test\.\s+300\s+IN\s+A\s+192\.168\.127\.221$/m;
const SOA_BELOW =
  /^rack\.test\.\s+10\s+IN\s+SOA\s+rack-t\.rack\.test\. hostmaster\.rack\.test\. \d+ 300 60 604800 10$/m;
const [YES, NO, NAY] = [/status: NOERROR/, /status: NXDOMAIN/, /status: REFUSED/];
const AUTHORITATIVE = /flags: qr aa rd;/i;
const EDNS = /EDNS: version: 0, flags:; udp: 1232/;
/** On one packet: no retry by TCP. */
const CUT = /flags: qr aa tc/i;

const DIG: readonly Row[] = [
  dig('node1.rack.test A', YES, AUTHORITATIVE, NODE1, EDNS, /ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1/),
  dig(`${LEASE.name} A`, YES, AUTHORITATIVE, /^laptop\.rack\.test\.\s+30\s+IN\s+A\s+192\.168\.127\.150$/m),
  dig(`-x ${LEASE.address}`, YES, /^150\.127\.168\.192\.in-addr\.arpa\.\s+30\s+IN\s+PTR\s+laptop\.rack\.test\.$/m),
  dig('-x 192.168.127.221', YES, /\sPTR\s+node1\.rack\.test\.$/m),
  dig('-x 192.168.127.99', NO, /^127\.168\.192\.in-addr\.arpa\.\s+10\s+IN\s+SOA/m),
  dig('rack.test SOA', YES, /\sSOA\s+rack-t\.rack\.test\. hostmaster\.rack\.test\. \d+ 300 60 604800 10$/m),
  dig('rack.test NS', YES, /\sNS\s+rack-t\.rack\.test\.$/m),
  dig('rack-t.rack.test A', YES, /\sA\s+192\.168\.127\.1$/m),
  dig('nobody.rack.test A', NO, AUTHORITATIVE, SOA_BELOW, /ANSWER: 0, AUTHORITY: 1/),
  dig('node1.rack.test AAAA', YES, AUTHORITATIVE, SOA_BELOW, /ANSWER: 0, AUTHORITY: 1/),
  dig('node1.rack.test TYPE65280', YES, SOA_BELOW),
  dig('node1.rack.test TYPE0', /status: (NOERROR|FORMERR|REFUSED)/),
  dig('NODE1.Rack.TEST A', YES, /^NODE1\.Rack\.TEST\.\s+300\s+IN\s+A\s+192\.168\.127\.221$/m),
  dig('elsewhere.test A', NAY, /flags: qr rd;/, /ANSWER: 0, AUTHORITY: 0/),
  dig('. NS', NAY, /ANSWER: 0, AUTHORITY: 0/),
  dig('+norec node1.rack.test A', YES, /flags: qr aa;/, NODE1),
  dig('+noedns node1.rack.test A', YES, NODE1, /ADDITIONAL: 0/),
  dig('+bufsize=512 node1.rack.test A', YES, NODE1, EDNS),
  dig('+bufsize=0 node1.rack.test A', YES, NODE1, EDNS),
  dig('+bufsize=65494 +dnssec node1.rack.test A', YES, NODE1, /EDNS: version: 0, flags: do; udp: 1232/),
  dig('+noedns +norec node1.rack.test A', YES, NODE1, /flags: qr aa;/),
  dig('+adflag +cdflag +aaflag +tcflag +raflag +zflag node1.rack.test A', YES, NODE1),
  dig('+edns=1 +noednsneg node1.rack.test A', /status: BADVERS/, /EDNS: version: 0/, /ANSWER: 0/),
  dig('+edns=1 node1.rack.test A', YES, NODE1),
  dig('+ednsopt=65001:abcd +ednsflags=0x4000 node1.rack.test A', YES, NODE1, EDNS),
  dig('+subnet=10.0.0.0/8 +expire +keepalive +padding=128 node1.rack.test A', YES, NODE1, EDNS),
  dig('+header-only +noedns', /status: FORMERR/, /QUERY: 0, ANSWER: 0/),
  dig('+header-only +cookie', YES, /COOKIE: [0-9a-f]{32,80} \(good\)/, /QUERY: 0, ANSWER: 0/),
  dig('+nsid node1.rack.test A', YES, NODE1, /^; NSID: .*\("rack-t"\)$/m),
  dig('+cookie node1.rack.test A', YES, NODE1, /^; COOKIE: [0-9a-f]{32,80} \(good\)$/m),
  dig('+opcode=7 node1.rack.test A', /status: NOTIMP/),
  dig('+opcode=status node1.rack.test A', /status: NOTIMP/),
  dig('+opcode=iquery node1.rack.test A', /status: NOTIMP/),
  dig('CH TXT version.bind', NAY, /ANSWER: 0/),
  dig('CH TXT id.server', YES, /\sTXT\s+"rack-t"$/m),
  dig('CH TXT hostname.bind', YES, /\sTXT\s+"rack-t"$/m),
  dig('-c ANY node1.rack.test A', /status: (REFUSED|NOERROR)/),
  dig('-c HS node1.rack.test A', NAY),
  dig('+notcp rack.test ANY', YES, /ANSWER: 1,/, AUTHORITATIVE),
  dig('+notcp node1.rack.test ANY', YES, /ANSWER: 1,/, NODE1),
  dig('+tcp node1.rack.test A', YES, NODE1, /\(TCP\)/),
  dig('rack.test ANY', YES, /ANSWER: 1,/, /\(TCP\)/),
  dig('+tcp +keepopen node1.rack.test A rack.test SOA', YES, NODE1, /\sSOA\s/),
  dig('rack.test AXFR', /; Transfer failed\./),
  // RFC 2136 from nobody who may
  dig('+opcode=update rack.test SOA', /status: (REFUSED|NOTIMP|FORMERR|NOTAUTH)/),
  dig('+opcode=notify rack.test SOA', /status: (REFUSED|NOTIMP|NOTAUTH|NOERROR)/),
];

/** What a zone from a file has. */
const DIG_FILE: readonly Row[] = [
  dig(
    'lab.test SOA',
    YES,
    AUTHORITATIVE,
    /^lab\.test\.\s+600\s+IN\s+SOA\s+ns1\.lab\.test\. hostmaster\.lab\.test\. \d+ 3600 600 604800 60$/m,
  ),
  dig('lab.test MX', YES, /^lab\.test\.\s+600\s+IN\s+MX\s+10 mail\.lab\.test\.$/m),
  dig('lab.test CAA', YES, /\sCAA\s+0 issue "ca\.example"$/m),
  dig('www.lab.test AAAA', YES, /\sAAAA\s+2001:db8::80$/m),
  dig('quoted.lab.test TXT', YES, /\sTXT\s+"two words" "semi;colon" "back\\\\slash"$/m),
  dig('_sip._tcp.lab.test SRV', YES, /\sSRV\s+10 20 5060 www\.lab\.test\.$/m),
  dig('svc.lab.test HTTPS', YES, /\sHTTPS\s+1 \. alpn="h2" ipv4hint=192\.168\.127\.80$/m),
  dig('odd.lab.test TYPE65280', YES, /\sTYPE65280\s+\\# 3 010203$/m),
  dig('nowhere.lab.test A', NO, /^lab\.test\.\s+60\s+IN\s+SOA/m),
];

const DIG_ANSWER: readonly Row[] = [
  dig(
    'alias.lab.test A',
    YES,
    /\sCNAME\s+www\.lab\.test\.$/m,
    /^www\.lab\.test\.\s+600\s+IN\s+A\s+192\.168\.127\.80$/m,
  ),
  dig('chain.lab.test A', YES, /ANSWER: 3,/, /^www\.lab\.test\.\s+600\s+IN\s+A\s+192\.168\.127\.80$/m),
  dig('chain.lab.test CNAME', YES, /ANSWER: 1,/, /\sCNAME\s+alias\.lab\.test\.$/m),
  dig('outside.lab.test A', YES, /ANSWER: 1,/, /\sCNAME\s+www\.elsewhere\.test\.$/m),
  // RFC 2308 §2.1: the code is that of the name at the end
  dig('lost.lab.test A', NO, /ANSWER: 1, AUTHORITY: 1/, /\sCNAME\s+nowhere\.lab\.test\.$/m),
  dig('any.thing.wild.lab.test A', YES, /^any\.thing\.wild\.lab\.test\.\s+600\s+IN\s+A\s+192\.168\.127\.81$/m),
  dig('thing.wild.lab.test TXT', YES, /ANSWER: 0, AUTHORITY: 1/),
  dig('of.ent.lab.test A', YES, /ANSWER: 0, AUTHORITY: 1/),
  dig(
    'x.sub.lab.test A',
    YES,
    /flags: qr rd;/,
    /ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 2/,
    /^sub\.lab\.test\.\s+600\s+IN\s+NS\s+ns\.sub\.lab\.test\.$/m,
    /^ns\.sub\.lab\.test\.\s+600\s+IN\s+A\s+192\.168\.127\.53$/m,
  ),
  dig('sub.lab.test DS', YES, AUTHORITATIVE, /ANSWER: 0, AUTHORITY: 1/, /\sSOA\s/),
  dig('+notcp +ignore many.lab.test TXT', YES, CUT, /ANSWER: 0/),
];

const CLIENTS: readonly Client[] = [
  {
    name: 'dig',
    package: 'bind9-dnsutils',
    rows: [
      ...DIG,
      ...DIG_FILE,
      ...DIG_ANSWER,
      { ...dig('many.lab.test TXT', /Truncated, retrying in TCP mode/, YES, /ANSWER: 13,/, /\(TCP\)/), not: [] },
    ],
  },
  {
    name: 'kdig',
    package: 'knot-dnsutils',
    rows: [
      kdig('node1.rack.test A', YES, AUTHORITATIVE, NODE1),
      kdig('+noedns -x 192.168.127.221', YES, /\sPTR\s+node1\.rack\.test\.$/m, /ADDITIONAL: 0/),
      kdig('+edns=1 node1.rack.test A', /status: BADVERS/, /ext-rcode: BADVERS/),
      kdig('+dnssec +bufsize=4096 node1.rack.test A', YES, NODE1, /flags: do; UDP size: 1232/),
      kdig('+padding +subnet=10.0.0.0/8 node1.rack.test A', YES, NODE1),
      kdig('+expire nobody.rack.test A', NO, SOA_BELOW),
      kdig('rack.test ANY', YES, /ANSWER: 1;/),
      kdig('elsewhere.test A', NAY),
      kdig('+nsid node1.rack.test A', YES, NODE1, /NSID: .*"rack-t"/),
      kdig('+cookie=0102030405060708 node1.rack.test A', YES, NODE1, /COOKIE: 0102030405060708[0-9A-F]{16,64}/i),
      kdig('+tcp node1.rack.test A', YES, NODE1, /\(TCP\)/),
      kdig('+tcp +keepopen node1.rack.test A nobody.rack.test A', YES, NO, NODE1),
    ],
  },
  {
    name: 'host',
    package: 'bind9-host',
    rows: [
      asks('host', `node1.rack.test ${RACK}`, /^node1\.rack\.test has address 192\.168\.127\.221$/m),
      asks('host', `${LEASE.address} ${RACK}`, /domain name pointer laptop\.rack\.test\.$/m),
      asks('host', `-t ns rack.test ${RACK}`, /^rack\.test name server rack-t\.rack\.test\.$/m),
      asks('host', `-v -t aaaa node1.rack.test ${RACK}`, YES, SOA_BELOW),
      ending(1, asks('host', `nobody.rack.test ${RACK}`, /not found: 3\(NXDOMAIN\)/)),
      ending(1, asks('host', `elsewhere.test ${RACK}`, /not found: 5\(REFUSED\)/)),
      asks('host', `-t any rack.test ${RACK}`, /^rack\.test has SOA record /m),
      ending(1, asks('host', `-l rack.test ${RACK}`, /Transfer failed|REFUSED/)),
    ],
  },
  {
    name: 'nslookup',
    package: 'bind9-dnsutils',
    rows: [
      asks('nslookup', `node1.rack.test ${RACK}`, /^Name:\tnode1\.rack\.test\nAddress: 192\.168\.127\.221$/m),
      asks('nslookup', `192.168.127.221 ${RACK}`, /name = node1\.rack\.test\.$/m),
      asks('nslookup', `-type=soa rack.test ${RACK}`, /origin = rack-t\.rack\.test$/m, /minimum = 10$/m),
      ending(1, asks('nslookup', `nobody.rack.test ${RACK}`, /can't find nobody\.rack\.test: NXDOMAIN/)),
    ],
  },
  {
    name: 'delv',
    package: 'bind9-dnsutils',
    // An unsigned zone has nothing that it could validate; without a trust anchor for the root it takes what is said
    rows: [
      delv('+noroot node1.rack.test A', /^; authoritative$/m, NODE1),
      delv('-i node1.rack.test A', /^; authoritative$/m, NODE1),
      delv('-i nobody.rack.test A', /ncache nxdomain/, /rack\.test\. SOA /),
      delv('-i node1.rack.test AAAA', /ncache nxrrset/, /rack\.test\. SOA /),
      delv('-i chain.lab.test A', /\sCNAME\s+alias\.lab\.test\.$/m, /\sA\s+192\.168\.127\.80$/m),
    ],
  },
  {
    name: 'drill',
    package: 'ldnsutils',
    rows: [
      drill('node1.rack.test A', /rcode: NOERROR/, /flags: qr aa rd ;/, NODE1),
      drill('-x 192.168.127.221', /rcode: NOERROR/, /\sPTR\s+node1\.rack\.test\.$/m),
      drill('-D node1.rack.test A', NODE1, /EDNS: version 0; flags: do ; udp: 1232/),
      drill('-b 4096 nobody.rack.test A', /rcode: NXDOMAIN/, SOA_BELOW),
      drill('-o rd node1.rack.test A', /flags: qr aa ;/, NODE1),
      drill('-t node1.rack.test A', NODE1),
    ],
  },
  {
    name: 'busybox',
    package: 'busybox-static',
    rows: [
      asks('busybox', `nslookup node1.rack.test ${RACK}`, /^Name:\tnode1\.rack\.test\nAddress: 192\.168\.127\.221$/m),
      asks('busybox', `nslookup 192.168.127.221 ${RACK}`, /name = node1\.rack\.test$/m),
      ending(1, asks('busybox', `nslookup nobody.rack.test ${RACK}`, /can't find nobody\.rack\.test: NXDOMAIN/)),
      system('busybox nslookup node1', /^Name:\tnode1\.rack\.test\nAddress: 192\.168\.127\.221$/m),
    ],
  },
  {
    name: 'the C library',
    package: 'iproute2',
    rows: [
      system('getent ahostsv4 node1', /^192\.168\.127\.221\s+STREAM node1\.rack\.test$/m),
      system('getent ahosts laptop.rack.test', /^192\.168\.127\.150\s+STREAM laptop\.rack\.test$/m),
      system('getent hosts 192.168.127.221', /^192\.168\.127\.221\s+node1\.rack\.test$/m),
      ending(2, system('getent ahosts nobody.rack.test')),
      system('getent ahostsv4 chain.lab.test', /^192\.168\.127\.80\s+STREAM www\.lab\.test$/m),
    ],
  },
];

describe('understands the rack’s answer to', { skip: await reasonToSkip() }, () => {
  let rig: RackRig;
  let resolvConf: string;

  before(async () => {
    rig = await startDnsRack('dns-clients');
    resolvConf = join(rig.directory, 'resolv.conf');
    writeFileSync(resolvConf, `nameserver ${RACK}\nsearch rack.test\noptions timeout:2 attempts:1\n`);
  });

  after(() => rig[Symbol.asyncDispose]());

  for (const { name, package: from, rows } of CLIENTS) {
    describe(name, async () => {
      const missing = await reasonToSkip(from);
      for (const { argv, says, not = [], code = 0 } of rows) {
        const title = argv.filter((word) => ![...AGAIN, 'RESOLV_CONF'].includes(word)).join(' ');
        test(title, { skip: missing }, async () => {
          const result = await rig.client(...argv.map((word) => (word === 'RESOLV_CONF' ? resolvConf : word)));
          assert.equal(result.code, code, result.output);
          for (const line of says) assert.match(result.output, line);
          for (const line of not) assert.doesNotMatch(result.output, line);
        });
      }
    });
  }
});
