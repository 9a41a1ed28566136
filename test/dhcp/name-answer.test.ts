import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DhcpRack } from './dhcp-rack.ts';
import { Machine } from './machine.ts';
import { letters } from './naive-packet.ts';
import { testPlan, type PlanWords } from './test-plan.ts';

const NODE9 = { name: 'node9', macs: ['52:54:00:00:00:09'] };
const [S, O, E, N] = [1, 2, 4, 8];
const CANONICAL_PC = [2, ...letters('pc'), 0];

interface Case {
  readonly title: string;
  readonly sent: readonly number[];
  readonly flags: number;
  readonly name: string;
  readonly leased: string | undefined;
  readonly plan?: PlanWords;
}

const CASES: readonly Case[] = [
  {
    title: 'asked to, we put it into DNS',
    sent: [S, 0, 0, ...letters('PC.home')],
    flags: S,
    name: 'pc.rack.example',
    leased: 'pc',
  },
  {
    title: 'in the encoding of the client',
    sent: [S | E, 0, 0, ...CANONICAL_PC],
    flags: S | E,
    name: 'pc.rack.example',
    leased: 'pc',
  },
  {
    title: 'a client that would do it itself is overridden',
    sent: [0, 0, 0, ...letters('pc')],
    flags: S | O,
    name: 'pc.rack.example',
    leased: 'pc',
  },
  {
    title: 'one that wants no records has none',
    sent: [N, 0, 0, ...letters('pc')],
    flags: N,
    name: '',
    leased: undefined,
  },
  {
    title: 'a host’s name is not stolen',
    sent: [S, 0, 0, ...letters('node9.rack.example')],
    flags: N | O,
    name: '',
    leased: undefined,
    plan: { hosts: [NODE9] },
  },
  {
    title: 'a name of dns.names is not to be had',
    sent: [S, 0, 0, ...letters('www')],
    flags: N | O,
    name: '',
    leased: undefined,
    plan: { names: ['www.rack.example'] },
  },
  {
    title: 'one that dns.names has in another domain is',
    sent: [S, 0, 0, ...letters('www')],
    flags: S,
    name: 'www.rack.example',
    leased: 'www',
    plan: { names: ['www.apps.example', 'a.www.rack.example'] },
  },
  {
    title: 'one that is a domain is not',
    sent: [S, 0, 0, ...letters('lab')],
    flags: N | O,
    name: '',
    leased: undefined,
    plan: {
      subnets: [
        {},
        { cidr: '10.0.7.0/24', rack: null, dynamic: null, static: null, router: null, domain: 'lab.rack.example' },
      ],
    },
  },
  {
    title: 'a host has its own name',
    sent: [S, 0, 0, ...letters('node9')],
    flags: S,
    name: 'me.rack.example',
    leased: 'me',
    plan: { hosts: [NODE9, { name: 'me', macs: ['52:54:00:00:00:01'] }] },
  },
  {
    title: 'without a domain there is nothing to put it into',
    sent: [S, 0, 0, ...letters('pc')],
    flags: N | O,
    name: 'pc',
    leased: 'pc',
    plan: { subnets: [{ domain: null }] },
  },
  {
    title: 'a rack that serves no names says so',
    sent: [S, 0, 0, ...letters('pc')],
    flags: N | O,
    name: 'pc.rack.example',
    leased: 'pc',
    plan: { subnets: [{ management: 'dhcp' }] },
  },
  {
    title: 'an empty name leaves it to option 12',
    sent: [S, 0, 0],
    flags: S,
    name: 'twelve.rack.example',
    leased: 'twelve',
  },
];

for (const { title, sent, flags, name, leased, plan } of CASES) {
  test(`option 81: ${title}`, () => {
    const rack = new DhcpRack(testPlan(plan));
    const machine = new Machine(rack, 1);
    const extra = { name: 'twelve', options: [[81, sent] as const] };
    const offer = machine.discover(extra);
    const ack = machine.select(offer?.yiaddr ?? '', extra);
    const labels = name.split('.').flatMap((label) => [label.length, ...letters(label)]);
    const written = flags & E ? [...labels, 0] : letters(name);
    for (const reply of [offer, ack]) assert.deepEqual(reply?.options.get(81), [flags, 255, 255, ...written]);
    assert.equal([...rack.leaseTable.values()][0]?.name, leased);
  });
}

test('a client that did not send option 81 does not get it', () => {
  assert.equal(new Machine(new DhcpRack(), 1).discover({ name: 'pc' })?.options.has(81), false);
});

test('an option 81 that can’t be read is as none', () => {
  const offer = new Machine(new DhcpRack(), 1).discover({ name: 'pc', options: [[81, [1, 0]]] });
  assert.deepEqual(offer?.options.get(12), letters('pc'));
  assert.equal(offer?.options.has(81), false);
});
