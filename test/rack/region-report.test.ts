import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { toIp4 } from '../../src/addr/ip4.ts';
import { statusReportSchema } from '../../src/contract/rack-words.ts';
import { compilePlan } from '../../src/plan/compile-plan.ts';
import { reportOf } from '../../src/rack/region-report.ts';
import type { RackFacts } from '../../src/service/region-letters.ts';
import { openImageStore } from '../../src/images/open-image-store.ts';
import { imageIndex } from '../../src/images/open-image-store.ts';
import { imageRow } from '../images/image-fixture.ts';
import { FakeRack, PLAN } from './fake-rack.ts';

const state = mkdtempSync(join(tmpdir(), 'rackboot-report-'));
after(() => rmSync(state, { recursive: true }));

const TEXT = `
rack: { name: rack-t }
region: { url: "https://region.test", credentials: /secret/place }
subnets: [{ cidr: 192.0.2.0/24, management: dhcp }]
hosts: [{ name: node1, mac: "52:54:00:00:00:01" }]
dns: { forward: [192.0.2.53] }
boot:
  default: debian
  entries:
    debian: { kernel: vmlinuz, cmdline: "auto=true passwd/root-password=hunter2" }
`;

function report(
  {
    text,
    standing,
    plan = { ...PLAN, rack: { ...PLAN.rack, state } },
  }: { readonly text?: string; readonly standing?: FakeRack['standing']; readonly plan?: typeof PLAN } = {},
  withFile = false,
): RackFacts {
  const rack = new FakeRack();
  if (text !== undefined) rack.attempt = { ...rack.attempt, text };
  rack.standing = standing;
  Object.assign(rack, { plan, images: {} });
  const interfaces = [
    { name: 'lo', address: toIp4(0x7f000001), prefix: 8 },
    { name: 'eth0', address: toIp4(0xc0000201), prefix: 24 },
  ];
  const facts = reportOf(rack.rack, interfaces, withFile);
  statusReportSchema.parse({ at: 1, version: '0.1.0', outbox: { waiting: 0 }, ...facts });
  return facts;
}

test('a report says how services and wires are, and what is in force', () => {
  const { services, interfaces, plan, leases, isImporting, file } = report({
    standing: { conflicts: ['the file wins'] },
  });
  assert.deepEqual(services[2], { name: 'tftp', state: 'failed', restarts: 2 });
  assert.deepEqual(
    interfaces.map(({ name, address, prefix }) => [name, address, prefix]),
    [['eth0', '192.0.2.1', 24]],
  );
  assert.deepEqual(plan, { conflicts: ['the file wins'] });
  assert.deepEqual([leases, isImporting, file], [0, false, undefined]);
});

test('the version of the region’s plan stands there when one is in force', () => {
  assert.equal(report({ standing: { version: 7, conflicts: [] } }).plan.version, 7);
});

test('that no subnet is served is told with what else there is to know', () => {
  const idle = { ...PLAN, rack: { ...PLAN.rack, state }, subnets: [] };
  const { notices } = report({ standing: { version: 7, conflicts: [] }, plan: idle });
  assert.deepEqual(notices, ["it serves no subnet: neither the file nor the region's plan 7 has one"]);
});

test('images are named with their state and size', () => {
  const { store } = openImageStore(imageIndex(state), 1);
  const row = imageRow();
  store.write({ set: [row] });
  store.close();
  const { images } = report();
  assert.deepEqual(
    images.map((image) => image.state),
    ['published'],
  );
  assert.match(images[0]?.name ?? '', /^ubuntu\//);
});

test('the file is known by its hash; what is in it is shown when it is wished for, and nothing secret even then', () => {
  const hash = createHash('sha256').update(TEXT).digest('hex');
  assert.deepEqual(report({ text: TEXT }).file, { hash });
  const { file } = report({ text: TEXT }, true);
  assert.equal(file?.hash, hash);
  assert.deepEqual(file?.config, {
    subnets: [{ cidr: '192.0.2.0/24', management: 'dhcp' }],
    hosts: [{ name: 'node1', mac: '52:54:00:00:00:01' }],
    boot: {
      default: 'debian',
      entries: { debian: { kernel: 'vmlinuz', cmdline: 'x'.repeat('auto=true passwd/root-password=hunter2'.length) } },
    },
    dns: { forward: ['192.0.2.53'] },
  });
});

for (const [what, text] of [
  ['no YAML', 'subnets: [{'],
  ['a list', '- 1'],
  ['boot entries that are none', 'boot: { entries: [1] }'],
  ['held by itself', 'subnets: &a [*a]'],
  ['held by itself where command lines are', 'boot: &a { entries: *a }'],
] as const) {
  test(`a file that is ${what} is reported all the same`, () => {
    assert.ok(report({ text }, true).file?.config);
  });
}

/** What a command line may cost an entry, and whether what the region sees in its place costs the same. */
const LINES: readonly (readonly [what: string, cmdline: unknown, faulty: boolean])[] = [
  ['that is good', 'quiet password=hunter2 ${mac}', false],
  ['with a variable that stands for nothing', 'password=hunter2 ${secret}', true],
  ['that never reaches the kernel whole', 'hunter2 '.repeat(250), true],
  ['that is too long once its variables are filled in', '${name}'.repeat(40), true],
  ['of two lines', 'quiet\nhunter2', true],
  ['that is no text', 2, true],
];
for (const [what, cmdline, isFaulty] of LINES) {
  test(`of a command line ${what} the region sees nothing but what it costs`, () => {
    const text = JSON.stringify({
      region: { url: 'https://region.test' },
      boot: { files: '/', loaders: { bios: 'none', uefi: 'none' }, entries: { one: { kernel: 'vmlinuz', cmdline } } },
    });
    const { file } = report({ text }, true);
    const seen = JSON.stringify(file?.config);
    assert.doesNotMatch(seen, /hunter2|secret/);
    const surroundings = {
      hostName: 'rack-t',
      interfaces: [],
      excuses: () => false,
      fileExists: () => true,
      directoryExists: () => true,
    };
    const said = JSON.stringify({ region: { url: 'https://region.test' }, ...file?.config });
    for (const each of [text, said])
      assert.equal(compilePlan(each, 'file', surroundings).faults.length > 0, isFaulty, each);
    const region = { name: 'region', config: { boot: { entries: { one: { cmdline: 'the region’s' } } } } };
    assert.equal(
      compilePlan(said, 'file', surroundings, region).plan?.boot.entries[0]?.cmdline.startsWith('x') ?? true,
      true,
    );
  });
}

test('more sentences than the region has room for are cut', () => {
  const many = Array.from({ length: 200 }, (_, i) => `${i} ${'x'.repeat(3_000)}`);
  const { plan } = report({ standing: { conflicts: many } });
  assert.equal(plan.conflicts.length, 100);
});
