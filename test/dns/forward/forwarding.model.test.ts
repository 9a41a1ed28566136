import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  array,
  assert as check,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  type Arbitrary,
} from 'fast-check';

import { FIRST, ForwardRig, SECOND } from './forward-rig.ts';
import { replyTo, type Asked, type Server } from './memory-upstreams.ts';

const NAMES = Array.from({ length: 6 }, (_, i) => `n${i}.zone.example`);

/** The one true address of a name: lies have others. */
function truth(name: string): string {
  return `203.0.113.${1 + NAMES.indexOf(name.toLowerCase())}`;
}

function honest({ message, name }: Asked): Buffer {
  return replyTo(message, { answers: [`${name} 20 A ${truth(name)}`] });
}

/** What upstreams do, well or badly. None of it may make anybody believe a lie. */
const BEHAVIOURS: Readonly<Record<string, Server>> = {
  honest,
  silent: () => 'silent',
  refused: () => 'refused',
  servfail: ({ message }) => replyTo(message, { rcode: 2 }),
  refuses: ({ message }) => replyTo(message, { rcode: 5 }),
  truncated: (asked) => (asked.by === 'udp' ? replyTo(asked.message, { flags: 0x0200 }) : honest(asked)),
  lowercase: (asked) =>
    asked.by === 'udp'
      ? replyTo(asked.message, {
          spelled: asked.name.toLowerCase(),
          answers: [`${asked.name} 20 A ${truth(asked.name)}`],
        })
      : honest(asked),
  noEdns: (asked) => (asked.message[11] === 1 ? replyTo(asked.message, { rcode: 1, edns: false }) : honest(asked)),
  garbled: (asked) => (asked.by === 'udp' ? honest(asked).subarray(0, -14) : 'refused'),
  forged: (asked) => {
    const lie = replyTo(asked.message, { answers: [`${asked.name} 20 A 6.6.6.6`] });
    lie.writeUInt16BE((lie.readUInt16BE(0) + 1) & 0xffff, 0);
    return asked.by === 'udp' ? [lie, lie, lie, honest(asked)] : honest(asked);
  },
  stranger: ({ message, name }) =>
    replyTo(message, {
      answers: [`${name} 20 A ${truth(name)}`, 'n0.zone.example 20 TXT x', 'bank.example 20 A 6.6.6.6'],
      authorities: ['zone.example 20 NS evil.example'],
      additionals: ['n1.zone.example 20 A 6.6.6.6'],
    }),
};

type Step =
  | { readonly kind: 'ask'; readonly name: number; readonly client: number; readonly isLoud: boolean }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'change'; readonly place: string; readonly to: string; readonly delay: number };

const steps: Arbitrary<Step> = oneof(
  {
    weight: 6,
    arbitrary: record({ kind: constantFrom('ask'), name: nat(5), client: nat(3), isLoud: constantFrom(true, false) }),
  },
  { weight: 3, arbitrary: record({ kind: constantFrom('pass'), milliseconds: integer({ min: 1, max: 9000 }) }) },
  {
    weight: 2,
    arbitrary: record({
      kind: constantFrom('change'),
      place: constantFrom(FIRST, SECOND),
      to: constantFrom(...Object.keys(BEHAVIOURS)),
      delay: constantFrom(0, 5, 300, 2500),
    }),
  },
);

test('whatever upstreams do, each question has one answer within five seconds, and never a lie', () => {
  check(
    property(array(steps, { minLength: 10, maxLength: 80 }), (all) => {
      const rig = new ForwardRig({ upstreams: [FIRST, SECOND], cache: { sizeBytes: 1024 * 1024 } });
      for (const place of [FIRST, SECOND]) rig.serve(place, honest);
      const asked: { readonly name: string; readonly at: number; readonly reply: ReturnType<ForwardRig['ask']> }[] = [];
      for (const step of all) {
        if (step.kind === 'pass') rig.time.pass(step.milliseconds, 'milliseconds');
        if (step.kind === 'change') {
          rig.serve(step.place, BEHAVIOURS[step.to] ?? honest);
          rig.world.delays.set(step.place, step.delay);
        }
        if (step.kind === 'ask') {
          const name = NAMES[step.name] ?? '';
          const spelled = step.isLoud ? name.toUpperCase() : name;
          const reply = rig.ask(`${spelled} A`, { from: `192.0.2.${60 + step.client}` });
          asked.push({ name: spelled, at: rig.time.monotonic(), reply });
        }
        for (const { at, reply } of asked) {
          if (rig.time.monotonic() - at >= 5000) assert.notEqual(reply.lines[0], 'nothing', 'not answered in time');
        }
      }
      rig.time.pass(60);
      for (const { name, reply } of asked) {
        const [head, question, ...records] = reply.lines;
        assert.match(head ?? '', /^(NOERROR|SERVFAIL) qr rd ra$/);
        assert.equal(question, `question ${name} A`);
        assert.equal(records.length, head?.startsWith('NOERROR') ? 1 : 0);
        for (const line of records) assert.match(line, new RegExp(`^answer ${name} \\d+ A ${truth(name)}$`));
      }
      assert.deepEqual([rig.count('forward.questions'), rig.count('forward.waiting')], [0, 0]);
      rig.forwarding.close();
      // What servers were about to say
      rig.time.pass(5);
      assert.deepEqual([rig.world.peers.size, rig.time.timers], [0, 0]);
    }),
    { numRuns: Number(process.env['RACKBOOT_MODEL_RUNS'] ?? 300) },
  );
});
