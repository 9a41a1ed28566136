import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import { faultsOfRestart } from '../../src/rack/needs-restart.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { NO_DNS } from '../plan/no-dns.ts';

const PLAN: Plan = {
  rack: { name: 'rack', state: '/s', control: '/c' },
  subnets: [],
  hosts: [],
  boot: { files: '/f', default: 'local', entries: [], loaders: {} },
  http: { port: 5248 },
  tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
  dns: NO_DNS,
  admin: { address: toIp4(1), port: 5249 },
  log: { level: 'info' },
  timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
};

test('what a rack can change while it runs is no fault', () => {
  assert.deepEqual(faultsOfRestart(PLAN, { ...PLAN, http: { port: 80 }, log: { level: 'debug' } }), []);
});

test('where its state is and where operators reach it takes a restart, each named', () => {
  const wanted: Plan = {
    ...PLAN,
    rack: { ...PLAN.rack, state: '/t', control: '/d' },
    admin: { ...PLAN.admin, port: 1 },
  };
  const named = faultsOfRestart(PLAN, wanted).map((fault) => fault.split(':', 1)[0]);
  assert.deepEqual(named, ['rack.state', 'rack.control', 'admin.listen']);
});
