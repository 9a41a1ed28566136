import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test, type TestContext } from 'node:test';

import { askDaemon, RefusedError } from '../../src/cli/control-client.ts';
import { neighbours, scanNeighbours } from '../../src/cli/neighbours.ts';
import { createOperatorApi, serveOnSocket } from '../../src/rack/operator-api.ts';
import type { NeighbourReport } from '../../src/rack/watch-routes.ts';
import type { NeighbourFact } from '../../src/service/watch-letters.ts';
import { ip4, mac } from '../dhcp/test-plan.ts';
import { FakeRack } from './fake-rack.ts';

const NOW = Date.UTC(2026, 10, 28, 8);
const AT = '2026-11-28T08:00:00.000Z';
const [SERVER, EVE] = ['00:25:90:00:00:01', '02:00:00:00:00:0e'];

function refusal(message: string): (error: unknown) => boolean {
  return (error) => error instanceof RefusedError && error.message === message;
}

const directory = mkdtempSync(join(tmpdir(), 'rackboot-watch-routes-'));
after(() => rmSync(directory, { recursive: true }));

function fact(address: string, card: string, more: Partial<NeighbourFact> = {}): NeighbourFact {
  const times = { firstSeen: NOW, lastSeen: NOW };
  return {
    interface: 'eth0',
    vlan: 0,
    innerVlan: 0,
    address: ip4(address),
    mac: mac(card),
    ...times,
    isKnown: true,
    ...more,
  };
}

describe('the neighbours of the operators’ plane', () => {
  const control = join(directory, 'control.sock');
  let fake: FakeRack;
  let out: string[];

  beforeEach(async (t) => {
    fake = new FakeRack();
    out = [];
    const server = await serveOnSocket(createOperatorApi({ rack: fake.rack, config: 'f', testHooks: false }), control);
    (t as TestContext).after(() => server.close());
  });

  const print = (line: string): void => void out.push(line);

  test('are shown by place, with vendor and name', async () => {
    fake.leases.learn([{ address: ip4('192.0.2.10'), mac: mac(SERVER), name: 'oven' }], []);
    const tagged = fact('10.7.0.2', EVE, { vlan: 7, innerVlan: 100, isKnown: false });
    fake.watchAnswer = {
      ...fake.watchAnswer,
      neighbours: [tagged, fact('192.0.2.11', EVE), fact('192.0.2.10', SERVER)],
    };
    const { neighbours: lines } = await askDaemon<NeighbourReport>(control, '/neighbours');
    const common = { interface: 'eth0', firstSeen: AT, lastSeen: AT };
    assert.deepEqual(lines, [
      { address: '192.0.2.10', mac: SERVER, ...common, name: 'oven', vendor: 'Super Micro Computer', known: true },
      { address: '192.0.2.11', mac: EVE, ...common, known: true },
      { address: '10.7.0.2', mac: EVE, ...common, vlan: '7.100', known: false },
    ]);
    assert.equal(await neighbours({ control, json: false }, print), 0);
    assert.deepEqual(out, [
      `192.0.2.10       ${SERVER}  eth0          oven             Super Micro Computer          ${AT}`,
      `192.0.2.11       ${EVE}  eth0                                                         ${AT}`,
      `10.7.0.2         ${EVE}  eth0:7.100                                                   ${AT} unproved`,
    ]);
  });

  test('that are wrong, and DHCP servers of others, are shown in a sentence each, and the answer is no', async () => {
    const at = { interface: 'eth0', address: ip4('192.0.2.10'), mac: mac(EVE), since: NOW };
    const other = mac(SERVER);
    fake.watchAnswer = {
      neighbours: [],
      conflicts: [
        { ...at, grievance: { kind: 'two-machines', other } },
        { ...at, grievance: { kind: 'own-address' } },
        { ...at, grievance: { kind: 'host-address', host: 'node1' } },
        { ...at, grievance: { kind: 'leased-address', other } },
        { ...at, grievance: { kind: 'wrong-address', host: 'node1', wanted: ip4('192.0.2.9') } },
        { ...at, grievance: { kind: 'many-addresses' } },
        { ...at, mac: other, grievance: { kind: 'squatted' } },
      ],
      servers: [
        { interface: 'eth0', address: ip4('10.0.0.8'), since: NOW, lastSeen: NOW },
        {
          interface: 'eth0',
          address: ip4('10.0.0.9'),
          mac: other,
          offered: ip4('10.0.0.50'),
          router: ip4('10.0.0.1'),
          bootFile: 'a.efi',
          since: NOW,
          lastSeen: NOW,
        },
      ],
    };
    assert.equal(await neighbours({ control, json: false }, print), 1);
    const eve = `CONFLICT 192.0.2.10 ${EVE} on eth0`;
    assert.deepEqual(out, [
      `${eve} has an address that ${SERVER} has too, since ${AT}`,
      `${eve} claims an address of this rack, since ${AT}`,
      `${eve} uses the address of host node1, since ${AT}`,
      `${eve} uses an address that is lent to ${SERVER}, since ${AT}`,
      `${eve} is host node1, which has 192.0.2.9, and uses another address, since ${AT}`,
      `${eve} answers for many addresses that are not its own: it listens in, or is a router that does so for all (proxy ARP) and not the one that the file names, since ${AT}`,
      `CONFLICT 192.0.2.10 ${SERVER} (Super Micro Computer) on eth0 uses an address of a range that nobody lent it, since ${AT}`,
      `STRANGE DHCP SERVER 10.0.0.8 on eth0 offers no address; since ${AT}, last heard ${AT}`,
      `STRANGE DHCP SERVER 10.0.0.9 (${SERVER}, Super Micro Computer) on eth0 offers 10.0.0.50, router 10.0.0.1, boot file a.efi; since ${AT}, last heard ${AT}`,
    ]);
  });

  test('are looked for on all networks or one, and what can’t be is refused', async () => {
    fake.watchAnswer = { ...fake.watchAnswer, scan: { asked: 254, answered: 3 } };
    assert.equal(await scanNeighbours({ control, json: false }, undefined, print), 0);
    assert.equal(await scanNeighbours({ control, json: false }, '192.0.2.0/24', print), 0);
    assert.deepEqual(fake.watchOrders, [
      { kind: 'scan' },
      { kind: 'scan', subnet: { network: ip4('192.0.2.0'), prefix: 24 } },
    ]);
    assert.equal(out.at(-1), '254 addresses asked for, 3 answered');

    await assert.rejects(
      scanNeighbours({ control, json: false }, 'home', print),
      refusal('expected subnet=192.168.127.0/24'),
    );
    fake.watchAnswer = { ...fake.watchAnswer, fault: 'this rack watches no wire' };
    await assert.rejects(neighbours({ control, json: true }, print), refusal('this rack watches no wire'));
  });
});
