import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { decode, type Answer } from 'dns-packet';

import { runWhole } from '../../src/dns/slices.ts';
import { buildZone } from '../../src/dns/zone-builder.ts';
import { ZoneSet } from '../../src/dns/zone-set.ts';
import { isWithin, keyText, nameKey, type NameKey } from '../../src/wire/dns/name.ts';
import { TYPE, typeName } from '../../src/wire/dns/record-type.ts';
import { responderOf, STREAM } from '../dns/responder-of.ts';
import { startBind, startKnot, type NameServer } from './name-servers.ts';
import { Dice, masterFile, ORIGINS, randomName, randomType, randomZones, type RandomZone } from './random-zones.ts';

/** RACKBOOT_QUESTIONS=10000 asks so many in all; RACKBOOT_SEED=… makes the zones of another run again. */
const QUESTIONS = Number(process.env['RACKBOOT_QUESTIONS'] ?? 3000);
const SEED = Number(process.env['RACKBOOT_SEED'] ?? 2000);
const ROUNDS = Math.max(2, Math.ceil(QUESTIONS / 1000));

interface Question {
  readonly name: NameKey;
  readonly type: number;
}

/** A reply as sets of lines. */
interface Reply {
  readonly rcode: string;
  readonly flags: string;
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
}

type Peer = 'BIND' | 'Knot';

/** Where a peer differs from us, and why ours is right. */
interface Difference {
  readonly who: readonly Peer[];
  readonly reason: string;
  readonly applies: (question: Question, ours: Reply, theirs: Reply, zones: readonly RandomZone[]) => boolean;
}

const DIFFERENCES: readonly Difference[] = [
  {
    who: ['BIND', 'Knot'],
    reason: 'an alias into another zone is followed: RFC 1034 §4.3.2 goes back to step 1, which is to find the zone',
    applies: ({ name }, ours, theirs) => {
      const before = ({ answers }: Reply): string[] => answers.filter((record) => isIn(zoneOf(keyText(name)), record));
      return before(ours).some(leavesZone) && before(ours).join('\n') === before(theirs).join('\n');
    },
  },
  {
    who: ['BIND'],
    reason:
      'the addresses of name servers are told wherever the zone has them (RFC 9471 §2.2), by BIND below cuts only',
    applies: (_, ours, theirs) =>
      [...ours.authorities, ...ours.answers].some((record) => record.includes(' ns ')) &&
      show('', withoutAdditionals(ours)) === show('', withoutAdditionals(theirs)) &&
      isSubset(theirs.additionals, ours.additionals),
  },
  {
    who: ['BIND'],
    reason: 'hosts below a cut are told with their glue, not only to whom is referred there (RFC 1034 §4.3.2 step 6)',
    applies: (_, ours, theirs, zones) => {
      const above = (reply: Reply): Reply => withoutAdditionals(reply, (owner) => isBelowCut(owner, zones));
      return show('', above(ours)) === show('', above(theirs)) && isSubset(theirs.additionals, ours.additionals);
    },
  },
  {
    who: ['Knot'],
    reason: 'no address is made of a wildcard below a cut: what is there is not for us to say (RFC 4592 §2.2)',
    applies: (_, ours, theirs, zones) => {
      const above = (reply: Reply): Reply => withoutAdditionals(reply, (owner) => isBelowCut(owner, zones));
      return show('', above(ours)) === show('', above(theirs)) && isSubset(ours.additionals, theirs.additionals);
    },
  },
  {
    who: ['BIND'],
    reason: 'an alias for itself is told as any loop is; BIND fails for loops of one name, not for longer ones',
    applies: (_, ours, theirs) => theirs.rcode === 'SERVFAIL' && ours.answers.some(isOwnAlias),
  },
  {
    who: ['BIND', 'Knot'],
    reason:
      'hosts in another zone of ours have the addresses that zone gives them, and are told too (RFC 1034 §4.3.2 step 6)',
    applies: (_, ours, theirs) => {
      const own = (reply: Reply): Reply => withoutAdditionals(reply, (owner) => isInOtherZone(owner, ours));
      return show('', own(ours)) === show('', own(theirs));
    },
  },
  {
    who: ['BIND', 'Knot'],
    reason: 'a chain without an end is cut somewhere: no RFC says where, and nobody needs more than sixteen aliases',
    applies: (_, ours, theirs) =>
      ours.answers.filter(isAlias).length > 16 &&
      (theirs.rcode === 'YXDOMAIN' ||
        ours.answers.every((record) => theirs.answers.includes(record)) ||
        theirs.answers.every((record) => ours.answers.includes(record))),
  },
];

/** Whether a CNAME in a line leads into another zone. */
function leavesZone(record: string): boolean {
  const [owner = '', , type, target = ''] = record.split(' ');
  return type === 'cname' && zoneOf(owner) !== zoneOf(JSON.parse(target) as string);
}

function isIn(zone: NameKey | undefined, record: string): boolean {
  return zoneOf(record.split(' ', 1)[0] ?? '') === zone;
}

/**
 * Knot gives a DNAME at "*" the owner that it would have if it were made of a wildcard. Nothing is synthesized for names below
 * "*" (RFC 6672 §3.3, RFC 4592 §2.1.3): the owner is the "*" that is there, as BIND and we say.
 */
function withStars(theirs: Reply, ours: Reply): Reply {
  const stars = ours.answers.filter((record) => record.startsWith('*.') && record.includes(' dname '));
  const answers = theirs.answers.map((record) => stars.find((star) => record.endsWith(`.${star}`)) ?? record);
  return { ...theirs, answers: answers.toSorted() };
}

function isOwnAlias(record: string): boolean {
  const [owner = '', , type, target] = record.split(' ');
  return type === 'cname' && target === JSON.stringify(owner);
}

function isAlias(record: string): boolean {
  return record.includes(' cname ');
}

/** Whether a name belongs to another zone than what was said before. */
function isInOtherZone(name: string, { answers, authorities }: Reply): boolean {
  return ![...answers, ...authorities].some((record) => isIn(zoneOf(name), record));
}

/** Whether a name is delegated by the zone it is in, or below one that is. */
function isBelowCut(name: string, zones: readonly RandomZone[]): boolean {
  const zone = zones.find(({ origin }) => origin === zoneOf(name));
  return (zone?.records ?? []).some(
    ({ owner, type }) => type === TYPE.NS && owner !== zone?.origin && isWithin(nameKey(name), owner),
  );
}

function withoutAdditionals(reply: Reply, isLeftOut: (owner: string) => boolean = () => true): Reply {
  return { ...reply, additionals: reply.additionals.filter((record) => !isLeftOut(record.split(' ', 1)[0] ?? '')) };
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  return some.every((record) => all.includes(record));
}

function zoneOf(name: string): NameKey | undefined {
  const key = nameKey(name);
  return ORIGINS.toSorted((a, b) => b.length - a.length).find((origin) => isWithin(key, origin));
}

const skip = spawnSync('named', ['-v']).error
  ? 'needs named (Debian: bind9)'
  : spawnSync('knotd', ['-V']).error
    ? 'needs knotd (Debian: knot)'
    : false;

describe('random questions to random zones', { skip }, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const seed = SEED + round;
    test(`of seed ${seed} are answered as BIND and Knot do, or as the table says`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rackboot-differential-'));
      try {
        await compareAll(seed, folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});

async function compareAll(seed: number, folder: string): Promise<void> {
  const dice = new Dice(seed);
  const zones = randomZones(dice) as [RandomZone, ...RandomZone[]];
  const questions = Array.from({ length: Math.ceil(QUESTIONS / ROUNDS) }, (): Question => {
    return { name: randomName(dice, zones), type: randomType(dice) };
  });
  const messages = questions.map(encodeQuestion);
  await using bind = await startBind(join(folder, 'bind'), zones);
  await using knot = await startKnot(join(folder, 'knot'), zones);
  const ours = askOurs(zones, messages);
  const unexplained: string[] = [];
  for (const peer of [bind, knot]) {
    const theirs = await askPeer(peer, messages);
    for (const [index, question] of questions.entries()) {
      const [our, said] = [ours[index], theirs[index]];
      assert.ok(our && said);
      const their = peer.name === 'Knot' ? withStars(said, our) : said;
      if (isSame(our, their)) continue;
      if (DIFFERENCES.some(({ who, applies }) => who.includes(peer.name) && applies(question, our, their, zones)))
        continue;
      unexplained.push(
        `${peer.name}: ${keyText(question.name)} ${typeName(question.type)}\n${show('ours', our)}\n${show(peer.name, their)}`,
      );
    }
  }
  if (process.env['SHOW']) console.log(unexplained.join('\n'), unexplained.length, zones.map(masterFile).join('\n'));
  await compareCut(zones, [bind, knot]);
  assert.deepEqual(unexplained.slice(0, 5), [], `${unexplained.length} differences with RACKBOOT_SEED=${seed}`);
}

/** What is too much for a datagram: all say so by TC, and send no part of it as if it were the whole. */
async function compareCut(zones: readonly RandomZone[], peers: readonly NameServer[]): Promise<void> {
  for (const [index, { origin }] of zones.entries()) {
    const message = encodeQuestion({ name: nameKey(`big.${keyText(origin)}`), type: TYPE.TXT }, index);
    const our = readReply(responderOver(zones).exchange(message));
    assert.deepEqual([our.rcode, our.flags], ['NOERROR', 'aa tc']);
    for (const peer of peers) {
      const their = readReply(await peer.askByUdp(message));
      assert.deepEqual([their.rcode, their.flags], [our.rcode, our.flags], peer.name);
    }
  }
}

function askOurs(zones: readonly RandomZone[], messages: readonly Buffer[]): Reply[] {
  const { exchange } = responderOver(zones);
  return messages.map((message) => readReply(withoutRepetition(exchange(message, STREAM))));
}

function responderOver(zones: readonly RandomZone[]): ReturnType<typeof responderOf> {
  const set = new ZoneSet();
  for (const { origin, records } of zones) set.add(runWhole(buildZone(origin, records, 'file')));
  return responderOf(set);
}

/** No record is there twice (RFC 2181 §5), though Knot repeats a DNAME that leads to itself. */
function withoutRepetition(bytes: Buffer): Buffer {
  const { answers = [], authorities = [], additionals = [] } = decode(bytes);
  for (const records of [answers, authorities, additionals]) assert.equal(lines(records).length, records.length);
  return bytes;
}

async function askPeer(peer: NameServer, messages: readonly Buffer[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (let from = 0; from < messages.length; from += 100) {
    replies.push(...(await peer.ask(messages.slice(from, from + 100))).map(readReply));
  }
  return replies;
}

function encodeQuestion({ name, type }: Question, index: number): Buffer {
  const head = Buffer.from([index >>> 8, index & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(name, 'latin1'), Buffer.from([type >>> 8, type & 255, 0, 1])]);
}

function readReply(bytes: Buffer): Reply {
  const reply = decode(bytes) as ReturnType<typeof decode> & { readonly rcode: string };
  return {
    rcode: reply.rcode,
    flags: [reply.flag_aa && 'aa', reply.flag_tc && 'tc'].filter((flag) => flag !== false).join(' '),
    answers: lines(reply.answers),
    authorities: lines(reply.authorities),
    additionals: lines(reply.additionals),
  };
}

function lines(records: readonly Answer[] = []): string[] {
  return [...new Set(records.filter(({ type }) => type !== 'OPT').map(line))].toSorted();
}

function line(record: Answer): string {
  const { name, type, ...rest } = record;
  const data = 'data' in rest ? rest.data : '';
  const ttl = 'ttl' in rest ? rest.ttl : 0;
  const text = JSON.stringify(data, (_, value: unknown) => value);
  return `${name} ${String(ttl)} ${type} ${text}`.toLowerCase();
}

function isSame(a: Reply, b: Reply): boolean {
  return show('', a) === show('', b);
}

function show(who: string, { rcode, flags, answers, authorities, additionals }: Reply): string {
  const sections = Object.entries({ answers, authorities, additionals }).flatMap(([name, records]) =>
    records.map((record) => `    ${name} ${record.slice(0, 110)}`),
  );
  return [`  ${who} ${rcode} ${flags}`, ...sections].join('\n');
}
