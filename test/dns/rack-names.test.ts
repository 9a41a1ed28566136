import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { formatIp4 } from '../../src/addr/ip4.ts';
import type { RackNames } from '../../src/dns/rack-names.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { ip4, leaseOf, macOf, planOf } from './plan-of.ts';
import { rackNamesOf } from './rack-names-of.ts';
import { recordsOf } from './records-of.ts';

const ONE = '52:54:00:00:00:01';
const TWO = '52:54:00:00:00:02';
const PLAN = planOf({
  subnets: ['192.0.2.0/24 a.example 192.0.2.1', '10.0.0.0/24 b.example'],
  hosts: [`node1 192.0.2.5 ${ONE}`, `node2 - ${ONE}`],
});
/** What the Plan alone has: names of the rack and of node1. */
const STEADY = recordsOf(namesOf(PLAN).zones);

function namesOf(plan: Plan): RackNames {
  const names = rackNamesOf();
  names.apply(plan);
  return names;
}

/** Each step is a lease in words, or "end" with an address. */
function play(names: RackNames, steps: readonly string[]): void {
  for (const step of steps) {
    if (step.startsWith('end ')) names.learn([], [ip4(step.slice(4))]);
    else names.learn([leaseOf(step)], []);
  }
}

/** The address records that leases brought, as "name address"; checks that each has its pointer and none is left over. */
function leaseRecords(names: RackNames): string[] {
  const lines = recordsOf(names.zones).filter((line) => !STEADY.includes(line));
  const forward = lines.filter((line) => line.includes(' A ')).map((line) => line.replace(' A ', ' '));
  const pointers = lines.filter((line) => line.includes(' PTR ')).map(turnRound);
  assert.deepEqual(pointers.toSorted(), forward.toSorted());
  assert.equal(lines.length, forward.length + pointers.length);
  return forward;
}

function turnRound(line: string): string {
  const [owner = '', , name = ''] = line.split(' ');
  return `${name} ${owner.replace('.in-addr.arpa', '').split('.').toReversed().join('.')}`;
}

describe('a lease', () => {
  const stories: [title: string, steps: string[], records: string[]][] = [
    ['with a name has it', [`192.0.2.50 ${ONE} x`], ['x.a.example 192.0.2.50']],
    ['has the domain of its subnet', [`10.0.0.50 ${ONE} x`], ['x.b.example 10.0.0.50']],
    ['without a name has none', [`192.0.2.50 ${ONE}`], []],
    ['outside the served subnets has none', [`198.51.100.1 ${ONE} x`], []],
    ['with an upper-case name has it in lower case', [`192.0.2.50 ${ONE} X9`], ['x9.a.example 192.0.2.50']],
    ['with a dotted name has none', [`192.0.2.50 ${ONE} x.evil`], []],
    ['with a name that is no host name has none', [`192.0.2.50 ${ONE} -x`, `192.0.2.51 ${ONE} x*`], []],
    [
      'with a name that clients trust blindly has none',
      [`192.0.2.50 ${ONE} wpad`, `192.0.2.51 ${ONE} WPAD`, `192.0.2.52 ${TWO} isatap`, `192.0.2.53 ${TWO} localhost`],
      [],
    ],
    ['with a name of 64 characters has none', [`192.0.2.50 ${ONE} ${'x'.repeat(64)}`], []],
    ['that ends takes its name with it', [`192.0.2.50 ${ONE} x`, 'end 192.0.2.50'], []],
    ['that is renewed keeps its name', [`192.0.2.50 ${ONE} x`, `192.0.2.50 ${ONE} x`], ['x.a.example 192.0.2.50']],
    [
      'that changes its name has the new one',
      [`192.0.2.50 ${ONE} x`, `192.0.2.50 ${ONE} y`],
      ['y.a.example 192.0.2.50'],
    ],
    ['that gives up its name has none', [`192.0.2.50 ${ONE} x`, `192.0.2.50 ${ONE}`], []],
    ['of an address that changes hands', [`192.0.2.50 ${ONE} x`, `192.0.2.50 ${TWO} y`], ['y.a.example 192.0.2.50']],
  ];
  for (const [title, steps, records] of stories) {
    test(title, () => {
      const names = namesOf(PLAN);
      play(names, steps);
      assert.deepEqual(leaseRecords(names), records);
    });
  }
});

describe('of two that want one name', () => {
  const stories: [title: string, steps: string[], records: string[]][] = [
    ['a host beats a lease', [`192.0.2.50 ${TWO} node1`], []],
    ['a host beats a lease of its own machine elsewhere', [`192.0.2.50 ${ONE} node1`], []],
    ['a host without an address keeps its name for its own lease', [`192.0.2.50 ${TWO} node2`], []],
    ['a host without an address has it at its lease', [`192.0.2.50 ${ONE} node2`], ['node2.a.example 192.0.2.50']],
    ['a host keeps its name in all domains', [`10.0.0.50 ${TWO} node1`], []],
    ['a host of another domain has it here by a lease', [`10.0.0.50 ${ONE} node1`], ['node1.b.example 10.0.0.50']],
    ['the rack beats a lease', [`192.0.2.50 ${ONE} rack-a1`], []],
    ["a lease at a host's address has no name beside the host's", [`192.0.2.5 ${ONE} x`], []],
    ['the first lease has it', [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${TWO} x`], ['x.a.example 192.0.2.50']],
    [
      'the second has it when the first ends',
      [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${TWO} x`, 'end 192.0.2.50'],
      ['x.a.example 192.0.2.51'],
    ],
    [
      'the first stays when the second ends',
      [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${TWO} x`, 'end 192.0.2.51'],
      ['x.a.example 192.0.2.50'],
    ],
    [
      'a renewal does not lose the turn',
      [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${TWO} x`, `192.0.2.50 ${ONE} x`],
      ['x.a.example 192.0.2.50'],
    ],
    [
      'both have it, each in its domain',
      [`192.0.2.50 ${ONE} x`, `10.0.0.50 ${TWO} x`],
      ['x.a.example 192.0.2.50', 'x.b.example 10.0.0.50'],
    ],
    ['a machine that moves takes it along', [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${ONE} x`], ['x.a.example 192.0.2.51']],
    [
      'a machine that moved has it still when its old lease ends',
      [`192.0.2.50 ${ONE} x`, `192.0.2.60 ${TWO} x`, `192.0.2.51 ${ONE} x`, 'end 192.0.2.50'],
      ['x.a.example 192.0.2.51'],
    ],
    [
      'a machine that moves back takes it back',
      [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${ONE} x`, `192.0.2.50 ${ONE} x`],
      ['x.a.example 192.0.2.50'],
    ],
    [
      'a machine that moves while it waits goes on waiting',
      [`192.0.2.50 ${ONE} x`, `192.0.2.60 ${TWO} x`, `192.0.2.61 ${TWO} x`],
      ['x.a.example 192.0.2.50'],
    ],
  ];
  for (const [title, steps, records] of stories) {
    test(title, () => {
      const names = namesOf(PLAN);
      play(names, steps);
      assert.deepEqual(leaseRecords(names).toSorted(), records);
    });
  }
});

describe('a name of the file', () => {
  const named = planOf({
    subnets: ['192.0.2.0/24 a.example', '10.0.0.0/24 b.example'],
    domains: ['apps.a.example'],
    names: ['www.a.example 192.0.2.50', 'alias.a.example = www.a.example'],
  });
  const steady = ['50.2.0.192.in-addr.arpa PTR www.a.example', 'alias.a.example CNAME www.a.example'];
  const www = 'www.a.example A 192.0.2.50';
  const stories: [title: string, steps: string[], records: string[]][] = [
    ['is not to be had by a machine that wants it', [`192.0.2.60 ${ONE} www`], [...steady, www]],
    ['is not to be had by the machine that has its address', [`192.0.2.50 ${ONE} www`], [...steady, www]],
    ['stands beside no lease where it is an alias', [`192.0.2.60 ${ONE} alias`], [...steady, www]],
    ['is taken in its own domain only', [`10.0.0.60 ${ONE} www`], [...steady, www, 'www.b.example A 10.0.0.60']],
    ['that is a domain is not to be had', [`192.0.2.60 ${ONE} apps`], [...steady, www]],
    [
      'is not what its address is called while a machine with a name has that',
      [`192.0.2.50 ${ONE} x`],
      [
        '50.2.0.192.in-addr.arpa PTR x.a.example',
        'alias.a.example CNAME www.a.example',
        www,
        'x.a.example A 192.0.2.50',
      ],
    ],
    [
      'is what its address is called again when the lease ends',
      [`192.0.2.50 ${ONE} x`, 'end 192.0.2.50'],
      [...steady, www],
    ],
    ['is what its address is called while a machine without a name has that', [`192.0.2.50 ${ONE}`], [...steady, www]],
    [
      'is what its address is called again when the machine moves',
      [`192.0.2.50 ${ONE} x`, `192.0.2.60 ${ONE} x`],
      [...steady, www, 'x.a.example A 192.0.2.60'],
    ],
  ];
  for (const [title, steps, records] of stories) {
    test(title, () => {
      const names = namesOf(named);
      play(names, steps);
      const lines = recordsOf(names.zones).filter((line) => !/^60\..* PTR /.test(line));
      assert.deepEqual(lines, records.toSorted());
    });
  }

  test('that comes with a new Plan takes it from a lease, and gives it back when it goes', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.60 ${ONE} www`]);
    names.apply(named);
    assert.ok(recordsOf(names.zones).includes(www));
    assert.ok(!recordsOf(names.zones).some((line) => line.startsWith('60.')));
    names.apply(PLAN);
    assert.deepEqual(leaseRecords(names), ['www.a.example 192.0.2.60']);
  });
});

describe('a new Plan', () => {
  test('takes a name that a lease had for its host, and gives it back when the host goes', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.50 ${TWO} x`]);
    names.apply(planOf({ subnets: ['192.0.2.0/24 a.example'], hosts: [`x 192.0.2.9 ${ONE}`] }));
    assert.ok(recordsOf(names.zones).includes('x.a.example A 192.0.2.9'));
    names.apply(PLAN);
    assert.deepEqual(leaseRecords(names), ['x.a.example 192.0.2.50']);
  });

  test('keeps the turn of leases that want one name', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.51 ${ONE} x`, `192.0.2.50 ${TWO} x`]);
    names.apply(PLAN);
    assert.deepEqual(leaseRecords(names), ['x.a.example 192.0.2.51']);
  });

  test('keeps the turn of a machine that moved', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.50 ${ONE} x`, `192.0.2.60 ${TWO} x`, `192.0.2.51 ${ONE} x`, 'end 192.0.2.50']);
    names.apply(PLAN);
    assert.deepEqual(leaseRecords(names), ['x.a.example 192.0.2.51']);
  });

  test('knows leases that came before the first one', () => {
    const names = rackNamesOf();
    play(names, [`192.0.2.50 ${ONE} x`]);
    names.apply(PLAN);
    assert.deepEqual(leaseRecords(names), ['x.a.example 192.0.2.50']);
  });
});

function serial(names: RackNames, origin: string): number {
  return names.zones.get(nameKey(origin))?.serial ?? -1;
}

describe('the serial', () => {
  test('rises with each change, of the zones that changed only', () => {
    const names = namesOf(PLAN);
    const before = ['a.example', '2.0.192.in-addr.arpa', 'b.example'].map((origin) => serial(names, origin));
    play(names, [`192.0.2.50 ${ONE} x`]);
    const after = ['a.example', '2.0.192.in-addr.arpa', 'b.example'].map((origin) => serial(names, origin));
    assert.deepEqual(
      after.map((value, index) => value > (before[index] ?? 0)),
      [true, true, false],
    );
  });

  test('stays when a lease is renewed or has no name', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.50 ${ONE} x`]);
    const before = serial(names, 'a.example');
    play(names, [`192.0.2.50 ${ONE} x`, `192.0.2.51 ${TWO}`, 'end 192.0.2.51', 'end 192.0.2.99']);
    assert.equal(serial(names, 'a.example'), before);
  });
});

describe('the first question', () => {
  test('of a lease is told once', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.50 ${ONE} x`]);
    assert.deepEqual(
      [names.firstQuestion(ip4('192.0.2.50')), names.firstQuestion(ip4('192.0.2.50'))],
      [macOf(ONE), undefined],
    );
    play(names, [`192.0.2.50 ${ONE} y`]);
    assert.equal(names.firstQuestion(ip4('192.0.2.50')), undefined, 'a new name is no new lease');
  });

  test('is told again when the lease began anew, for another machine or after its end', () => {
    const names = namesOf(PLAN);
    play(names, [`192.0.2.50 ${ONE}`]);
    names.firstQuestion(ip4('192.0.2.50'));
    play(names, [`192.0.2.50 ${TWO}`]);
    assert.equal(names.firstQuestion(ip4('192.0.2.50')), macOf(TWO));
    play(names, ['end 192.0.2.50', `192.0.2.50 ${TWO}`]);
    assert.equal(names.firstQuestion(ip4('192.0.2.50')), macOf(TWO));
  });

  test('of an address without a lease is nothing', () => {
    assert.equal(namesOf(PLAN).firstQuestion(ip4('192.0.2.50')), undefined);
  });
});

describe('after any history of leases', () => {
  const address = fc.constantFrom(
    '192.0.2.5',
    '192.0.2.50',
    '192.0.2.51',
    '192.0.2.52',
    '10.0.0.50',
    '10.0.0.51',
    '8.8.8.8',
  );
  const mac = fc.constantFrom(ONE, TWO, TWO, '52:54:00:00:00:03');
  const name = fc.constantFrom('x', 'x', 'x', 'y', 'node1', 'node2', 'rack-a1', '');
  const bind = fc.tuple(address, mac, name).map((words) => words.join(' ').trim());
  const step = fc.oneof({ weight: 3, arbitrary: bind }, { weight: 1, arbitrary: address.map((text) => `end ${text}`) });
  const history = fc.array(step, { maxLength: 30 });

  test('the zones are what a full rebuild makes', () => {
    const written = ['x.b.example 192.0.2.50', 'y.a.example 192.0.2.50 192.0.2.51', 'z.a.example = x.a.example'];
    const plans = fc.constantFrom(PLAN, { ...PLAN, dns: planOf({ subnets: [], names: written }).dns });
    fc.assert(
      fc.property(plans, history, (plan, steps) => {
        const names = namesOf(plan);
        play(names, steps);
        const learned = recordsOf(names.zones);
        names.apply(plan);
        assert.deepEqual(learned, recordsOf(names.zones));
      }),
      { numRuns: 1000 },
    );
  });

  test('each name has one address, each address one name, and the steady names are untouched', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const names = namesOf(PLAN);
        play(names, steps);
        const records = recordsOf(names.zones);
        for (const line of STEADY) assert.ok(records.includes(line), line);
        const owners = leaseRecords(names).map((line) => line.split(' ', 1)[0]);
        assert.equal(new Set(owners).size, owners.length);
      }),
      { numRuns: 500 },
    );
  });

  test('a name that a living lease wants and may have is somebody’s', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const names = namesOf(PLAN);
        play(names, steps);
        for (const [at, wanted] of wishes(steps)) {
          const domain = at.startsWith('192.') ? 'a.example' : 'b.example';
          const key = nameKey(`${wanted}.${domain}`);
          assert.ok(names.zones.find(key)?.find(key), `${wanted} at ${at}`);
        }
      }),
    );
  });
});

/** Address → name of the leases that live at the end and want a name nobody else owns, at an address that is no host's. */
function wishes(steps: readonly string[]): Map<string, string> {
  const living = new Map<string, string>();
  for (const step of steps) {
    const [address = '', , name = ''] = step.split(' ');
    if (step.startsWith('end ')) living.delete(step.slice(4));
    else living.set(formatIp4(ip4(address)), name);
  }
  for (const [address, name] of living) {
    if (!['x', 'y'].includes(name) || ['192.0.2.5', '8.8.8.8'].includes(address)) living.delete(address);
  }
  return living;
}
