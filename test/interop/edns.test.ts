import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';

import { decode } from 'dns-packet';

import { startDnsRack } from './dns-rack.ts';
import { RACK, reasonToSkip, type RackRig } from './rack-rig.ts';

const RAW_CLIENT = join(import.meta.dirname, 'raw-dns-client.ts');
const [SOA, TXT, A, DNSKEY, CACHING] = [6, 16, 1, 48, 0x0100];
const RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  ...Array<string>(10).fill('?'),
  'BADVERS',
];

/** Written by hand from RFC 1035 §4.1 and RFC 6891 §6.1.2: what the codec of ours does is not asked here. */
interface Words {
  readonly flags?: number;
  readonly counts?: readonly [questions: number, answers: number, authorities: number, additionals: number];
  readonly name?: string;
  readonly type?: number;
  /** Hex of what stands behind the question. */
  readonly rest?: string;
  /** Hex of all behind the header. */
  readonly body?: string;
}

function message({ flags = 0, name = 'rack.test', type = SOA, rest = '', counts, body }: Words): string {
  const question = wireName(name) + hex(type, 2) + hex(1, 2);
  const additionals = rest === '' ? 0 : 1;
  const header = [0xbeef, flags, ...(counts ?? [1, 0, 0, additionals])].map((word) => hex(word, 2)).join('');
  return header + (body ?? question + rest);
}

function wireName(name: string): string {
  const labels = name.split('.').map((label) => hex(label.length, 1) + Buffer.from(label).toString('hex'));
  return `${labels.join('')}00`;
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, '0');
}

interface OptWords {
  readonly size?: number;
  readonly version?: number;
  /** DO is 0x8000, the others must be zero. */
  readonly flags?: number;
  readonly options?: string;
  /** RDLENGTH, when it is to be a lie. */
  readonly length?: number;
  readonly owner?: string;
}

function opt({ size = 4096, version = 0, flags = 0, options = '', length, owner = '00' }: OptWords = {}): string {
  const ttl = hex(0, 1) + hex(version, 1) + hex(flags, 2);
  return owner + hex(41, 2) + hex(size, 2) + ttl + hex(length ?? options.length / 2, 2) + options;
}

function option(code: number, value = ''): string {
  return hex(code, 2) + hex(value.length / 2, 2) + value;
}

function edns(words: OptWords, more: Words = {}): string {
  return message({ ...more, rest: opt(words) });
}

const UNKNOWN = option(100);
const NSID = option(3);
const COOKIE = option(10, '0102030405060708');
const SUBNET = option(8, '000108000a');
const EXPIRE = option(9);
const A_RECORD = `${wireName('x.test')}0001000100000000000401020304`;

type Row = readonly [title: string, message: string, says: string];

/** The columns of the EDNS compliance checks that resolvers' makers agreed on (DNS flag days 2019 and 2020), and their neighbours. */
const COMPLIANT: readonly Row[] = [
  ['plain DNS', message({}), 'NOERROR aa 1/1/0/0'],
  ['plain DNS that wants recursion', message({ flags: CACHING }), 'NOERROR aa rd 1/1/0/0'],
  ['EDNS', edns({}), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['EDNS 1', edns({ version: 1 }), 'BADVERS 1/0/0/1 v0 1232'],
  ['EDNS 100', edns({ version: 100 }), 'BADVERS 1/0/0/1 v0 1232'],
  ['EDNS 255', edns({ version: 255 }), 'BADVERS 1/0/0/1 v0 1232'],
  ['an unknown option', edns({ options: UNKNOWN }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['EDNS 1 with an unknown option', edns({ version: 1, options: UNKNOWN }), 'BADVERS 1/0/0/1 v0 1232'],
  ['an option of 200 octets', edns({ options: option(65_001, '00'.repeat(200)) }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['a flag that must be zero', edns({ flags: 0x0080 }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['all flags that must be zero', edns({ flags: 0x7fff }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['EDNS 1 with such a flag', edns({ version: 1, flags: 0x0080 }), 'BADVERS 1/0/0/1 v0 1232'],
  ['DO', edns({ flags: 0x8000 }), 'NOERROR aa 1/1/0/1 v0 1232 do'],
  [
    'DO for a key that is not there',
    edns({ flags: 0x8000, size: 512 }, { type: DNSKEY }),
    'NOERROR aa 1/0/1/1 v0 1232 do',
  ],
  ['EDNS 1 with DO', edns({ version: 1, flags: 0x8000 }), 'BADVERS 1/0/0/1 v0 1232 do'],
  ['a size of 0', edns({ size: 0 }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['a size of 511', edns({ size: 511 }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['a size of 65535', edns({ size: 65_535 }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['AD and CD', edns({}, { flags: 0x0030 }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['the header’s Z', edns({}, { flags: 0x0040 }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['a name that is not there', edns({}, { name: 'nobody.rack.test' }), 'NXDOMAIN aa 1/0/1/1 v0 1232'],
  ['a zone that is not ours', edns({}, { name: 'elsewhere.test' }), 'REFUSED 1/0/0/1 v0 1232'],
  ['an opcode nobody knows', edns({}, { flags: 0x3800 }), 'NOTIMP'],
  ['a subnet option, which is not echoed', edns({ options: SUBNET }), 'NOERROR aa 1/1/0/1 v0 1232'],
  ['NSID', edns({ options: NSID }), 'NOERROR aa 1/1/0/1 v0 1232 3'],
  ['a cookie', edns({ options: COOKIE }), 'NOERROR aa 1/1/0/1 v0 1232 10'],
  ['all of them', edns({ options: NSID + SUBNET + EXPIRE + COOKIE }), 'NOERROR aa 1/1/0/1 v0 1232 3 10'],
  // RFC 6891 §6.1.3: the version goes before what only that version may mean
  ['EDNS 1 with NSID', edns({ version: 1, options: NSID }), 'BADVERS'],
  // RFC 7873 §5.4
  [
    'a cookie without a question',
    message({ counts: [0, 0, 0, 1], body: opt({ options: COOKIE }) }),
    'NOERROR 0/0/0/1 v0 1232 10',
  ],
];

const BROKEN: readonly Row[] = [
  ['two OPT', message({ counts: [1, 0, 0, 2], rest: opt() + opt() }), 'FORMERR'],
  ['an OPT with an owner', edns({ owner: '017800' }), 'FORMERR'],
  ['an OPT among the answers', message({ counts: [1, 1, 0, 0], rest: opt() }), 'FORMERR'],
  ['OPT data past the end', edns({ length: 4 }), 'FORMERR'],
  ['an option longer than its OPT', edns({ options: hex(3, 2) + hex(9, 2) }), 'FORMERR'],
  ['half an option', edns({ options: '0003' }), 'FORMERR'],
  // RFC 7873 §5.2.2
  ['a cookie of 7 octets', edns({ options: option(10, '00'.repeat(7)) }), 'FORMERR'],
  ['a cookie of 15 octets', edns({ options: option(10, '00'.repeat(15)) }), 'FORMERR'],
  ['a cookie of 41 octets', edns({ options: option(10, '00'.repeat(41)) }), 'FORMERR'],
  ['no question', message({ counts: [0, 0, 0, 0], body: '' }), 'FORMERR'],
  ['no question, but an OPT', message({ counts: [0, 0, 0, 1], body: opt() }), 'FORMERR'],
  // RFC 9619
  ['two questions', message({ counts: [2, 0, 0, 0], rest: wireName('rack.test') + '00060001' }), 'FORMERR'],
  ['a question that is not there', message({ body: '' }), 'FORMERR'],
  ['a question cut off', message({ body: wireName('rack.test') + '0006' }), 'FORMERR'],
  ['a name that points at itself', message({ body: 'c00c00060001' }), 'FORMERR'],
  ['a name that points into the header', message({ body: 'c00000060001' }), 'FORMERR'],
  ['a label of a kind that is no more', message({ body: '417800060001' }), 'FORMERR'],
  [
    'a name of 256 octets',
    message({ body: `3f${'61'.repeat(63)}`.repeat(3) + `3e${'61'.repeat(62)}0000060001` }),
    'FORMERR',
  ],
  ['65,535 answers that are not there', message({ counts: [1, 65_535, 0, 0] }), 'FORMERR'],
  ['records that nobody needs', message({ counts: [1, 1, 1, 1], rest: A_RECORD.repeat(3) }), 'NOERROR aa 1/1/0/0'],
  ['bytes behind the end', `${message({})}deadbeef`, 'NOERROR aa 1/1/0/0'],
  ['a response', message({ flags: 0x8000 }), '-'],
  ['a response of an unknown opcode', message({ flags: 0xf800 }), '-'],
  ['eleven bytes', message({}).slice(0, 22), '-'],
  ['nothing at all', '', '-'],
  ['an ordinary question after all that', message({ name: 'node1.rack.test', type: A }), 'NOERROR aa 1/1/0/0'],
];

const UDP_ONLY: readonly Row[] = [
  [
    'much text for 512 octets',
    edns({ size: 512 }, { name: 'many.lab.test', type: TXT }),
    'NOERROR aa tc 1/0/0/1 v0 1232',
  ],
  [
    'much text for 65,535 octets',
    edns({ size: 65_535 }, { name: 'many.lab.test', type: TXT }),
    'NOERROR aa tc 1/0/0/1 v0 1232',
  ],
  ['much text without EDNS', message({ name: 'many.lab.test', type: TXT }), 'NOERROR aa tc 1/0/0/0'],
];

/** Code, flags, counts, and of OPT: version, size, DO and the codes of its options. */
function describeReply(reply: Buffer): string {
  const packet = decode(reply);
  const found = packet.additionals?.find((record) => record.type === 'OPT');
  const rcode = ((found?.extendedRcode ?? 0) << 4) | (reply.readUInt8(3) & 15);
  const bits = reply.readUInt16BE(2);
  const flags = [
    [0x0400, 'aa'],
    [0x0200, 'tc'],
    [0x0100, 'rd'],
    [0x0080, 'ra'],
    [0x0040, 'z'],
    [0x0020, 'ad'],
    [0x0010, 'cd'],
  ] as const;
  const words = flags.flatMap(([bit, word]) => ((bits & bit) === 0 ? [] : [word]));
  const counts = [4, 6, 8, 10].map((at) => reply.readUInt16BE(at)).join('/');
  const options = found
    ? [
        `v${found.ednsVersion}`,
        found.udpPayloadSize,
        ...describeOptFlags(found.flags),
        ...found.options.map(({ code }) => code),
      ]
    : [];
  assert.ok((bits & 0x8000) !== 0, 'it is no response');
  return [RCODES[rcode] ?? rcode, ...words, counts, ...options].join(' ');
}

/** `do`, and whatever came back that must be zero. */
function describeOptFlags(flags: number): string[] {
  const rest = flags & 0x7fff;
  return [...((flags & 0x8000) === 0 ? [] : ['do']), ...(rest === 0 ? [] : [`z${hex(rest, 2)}`])];
}

describe('EDNS compliance', { skip: await reasonToSkip() }, () => {
  let rig: RackRig;

  before(async () => {
    rig = await startDnsRack('edns');
  });

  after(() => rig[Symbol.asyncDispose]());

  for (const [transport, rows] of [
    ['udp', [...COMPLIANT, ...UDP_ONLY, ...BROKEN]],
    ['tcp', [...COMPLIANT, ...BROKEN]],
  ] as const) {
    describe(`by ${transport.toUpperCase()}`, () => {
      let replies: readonly string[] = [];

      before(async () => {
        const sent = rows.map(([, text]) => text);
        const { code, stdout, output } = await rig.client(execPath, RAW_CLIENT, transport, RACK, ...sent);
        assert.equal(code, 0, output);
        replies = stdout.trim().split('\n');
        assert.equal(replies.length, rows.length);
      });

      for (const [index, [title, sent, says]] of rows.entries()) {
        test(title, () => {
          const text = replies[index] ?? '';
          if (says === '-') return assert.equal(text, '-');
          assert.notEqual(text, '-', 'no reply');
          const reply = Buffer.from(text, 'hex');
          const described = describeReply(reply);
          // One word: only the code matters
          assert.equal(says.includes(' ') ? described : described.split(' ')[0], says);
          assert.equal(reply.readUInt16BE(0), 0xbeef, 'the id');
          assertEchoed(reply, sent);
          return undefined;
        });
      }
    });
  }
});

/** The question of a reply is the one that was asked; a refusal is hardly longer, so that it is no tool against others. */
function assertEchoed(reply: Buffer, sent: string): void {
  const asked = Buffer.from(sent, 'hex');
  const questions = reply.readUInt16BE(4);
  assert.ok(questions <= 1);
  if (questions === 1) {
    const end = asked.indexOf(0, 12) + 5;
    assert.deepEqual(reply.subarray(12, end), asked.subarray(12, end));
  }
  const rcode = reply.readUInt8(3) & 15;
  if (rcode !== 0 && rcode !== 3) assert.ok(reply.length <= asked.length + 11, `${reply.length} octets`);
}
