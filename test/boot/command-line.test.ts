import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expandCommandLine } from '../../src/boot/command-line.ts';
import { ip4, mac } from './boot-plan-fixture.ts';

const FACTS = { mac: mac('52-54-00-12-34-56'), rack: 'http://192.0.2.1:5248' };
const NODE1 = { name: 'node1', macs: [FACTS.mac], boot: 'debian' };

describe('the variables of a command line', () => {
  it('are the machine and the rack', () => {
    const facts = { ...FACTS, machine: NODE1, address: ip4('192.0.2.41') };
    assert.equal(
      expandCommandLine('a=${mac} b=${rack}/x c=${name}-${address}', facts),
      'a=52:54:00:12:34:56 b=http://192.0.2.1:5248/x c=node1-192.0.2.41',
    );
  });

  it('are empty where the machine has no name or address', () => {
    assert.equal(expandCommandLine('name=${name} ip=${address}', FACTS), 'name= ip=');
  });

  it('that we do not know are left alone', () => {
    const text = '${MAC} ${__proto__} ${} $${mac} ${open $HOME';
    assert.equal(expandCommandLine(text, FACTS), text);
  });
});
