import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFault, formatPath, scopeOf, type FaultScope, type Path } from '../../src/plan/fault.ts';

const fault = {
  file: 'rackboot.yaml',
  line: 12,
  column: 9,
  path: 'subnets[0].router',
  expected: 'an address inside 192.168.127.0/24',
  found: '10.0.0.1',
  scope: 'plan',
} as const;

test('a fault is one line that begins with where it is', () => {
  assert.equal(
    formatFault(fault),
    'rackboot.yaml:12:9: subnets[0].router: expected an address inside 192.168.127.0/24, found 10.0.0.1',
  );
});

test('a fault of the file as a whole names no path', () => {
  assert.equal(
    formatFault({ ...fault, path: '', expected: 'valid YAML', found: 'a tab' }),
    'rackboot.yaml:12:9: expected valid YAML, found a tab',
  );
});

const paths: readonly (readonly [Path, string, FaultScope])[] = [
  [[], '', 'plan'],
  [['rack', 'name'], 'rack.name', 'plan'],
  [['subnets', 0, 'dns', 1], 'subnets[0].dns[1]', 'plan'],
  [['hosts'], 'hosts', 'plan'],
  [['hosts', 3], 'hosts[3]', 'entry'],
  [['hosts', 3, 'mac', 0], 'hosts[3].mac[0]', 'entry'],
  [['boot', 'entries'], 'boot.entries', 'plan'],
  [['boot', 'entries', 'debian'], 'boot.entries.debian', 'entry'],
  [['boot', 'entries', 'debian', 'kernel'], 'boot.entries.debian.kernel', 'entry'],
  [['boot', 'loaders', 'bios'], 'boot.loaders.bios', 'entry'],
  [['boot', 'default'], 'boot.default', 'plan'],
];

for (const [path, text, scope] of paths) {
  test(`a fault at '${text}' costs the ${scope}`, () => {
    assert.equal(formatPath(path), text);
    assert.equal(scopeOf(path), scope);
  });
}
