import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expandCommandLine } from '../../src/boot/command-line.ts';
import { ip4, mac } from './boot-plan-fixture.ts';

const FACTS = { mac: mac('52-54-00-12-34-56'), rack: 'http://192.0.2.1:5248' };
const NODE1 = { name: 'node1', macs: [FACTS.mac], boot: 'debian' };

describe('the variables of a command line', () => {
  it('are the machine and the rack', () => {
    const facts = { ...FACTS, machine: NODE1, address: ip4('192.0.2.41') };
    assert.deepEqual(expandCommandLine('a=${mac} b=${rack}/x c=${name}-${address}', facts), {
      text: 'a=52:54:00:12:34:56 b=http://192.0.2.1:5248/x c=node1-192.0.2.41',
      unknown: [],
    });
  });

  it('are empty where the machine has no name or address', () => {
    assert.equal(expandCommandLine('name=${name} ip=${address}', FACTS).text, 'name= ip=');
  });

  it('that we do not know are left alone and told', () => {
    assert.deepEqual(expandCommandLine('${MAC} ${__proto__} ${} ${open $HOME', FACTS), {
      text: '${MAC} ${__proto__} ${} ${open $HOME',
      unknown: ['MAC', '__proto__', ''],
    });
  });
});
