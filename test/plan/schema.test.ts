import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { QUIRKS } from '../../src/plan/quirk-table.ts';
import { configJsonSchema, keysAt } from '../../src/plan/schema.ts';

const SCHEMA_FILE = new URL('../../etc/rackboot.schema.json', import.meta.url);

test('etc/rackboot.schema.json is what the schema in the code says', () => {
  const current = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
  if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(SCHEMA_FILE, current);
  const stale = 'etc/rackboot.schema.json is stale: run UPDATE_FIXTURES=1 node --test test/plan/schema.test.ts';
  assert.equal(readFileSync(SCHEMA_FILE, 'utf8'), current, stale);
});

test('each key of the JSON Schema has a description', () => {
  const bare: string[] = [];
  collectBare(configJsonSchema(), '', bare);
  assert.deepEqual(bare, []);
});

test('the keys that a mapping may have are found by its path', () => {
  assert.deepEqual(keysAt([]), [
    'rack',
    'region',
    'subnets',
    'hosts',
    'options',
    'always',
    'classes',
    'boot',
    'images',
    'http',
    'tftp',
    'dns',
    'watch',
    'admin',
    'log',
    'timeline',
  ]);
  assert.deepEqual(keysAt(['rack']), ['name', 'state', 'control']);
  assert.deepEqual(keysAt(['hosts', 7]), [
    'name',
    'mac',
    'client-id',
    'circuit-id',
    'address',
    'boot',
    'loaders',
    'exit',
    'pace',
    'options',
    'always',
    'quirks',
  ]);
  assert.deepEqual(keysAt(['classes', 0]), ['name', 'match', 'options', 'always', 'loaders', 'quirks']);
  assert.deepEqual(
    keysAt(['hosts', 7, 'quirks']),
    QUIRKS.map(({ name }) => name),
  );
  assert.deepEqual(keysAt(['classes', 0, 'match']), [
    'vendor-class',
    'user-class',
    'arch',
    'mac-prefix',
    'circuit-id',
    'remote-id',
  ]);
  assert.deepEqual(keysAt(['boot', 'entries', 'any']), ['image', 'kernel', 'initrd', 'dtb', 'cmdline', 'once', 'loop']);
  assert.deepEqual(keysAt(['boot', 'loop']), ['boots', 'within', 'quiet']);
  assert.deepEqual(keysAt(['boot', 'loaders']), [
    'bios',
    'uefi',
    'uefi-ia32',
    'uefi-arm64',
    'uefi-arm32',
    'open-firmware',
  ]);
  assert.deepEqual(keysAt(['http']), ['port', 'pace', 'tls']);
  assert.deepEqual(keysAt(['http', 'tls']), ['port', 'certificate', 'key']);
  assert.deepEqual(keysAt(['dns', 'zones', 0]), ['name', 'file', 'update', 'transfer', 'notify']);
  assert.deepEqual(keysAt(['dns', 'transfer', 3]), ['address', 'key']);
  assert.deepEqual(keysAt(['dns', 'routes', 0, 'forward', 1]), ['address', 'port', 'tls', 'ca']);
  assert.deepEqual(keysAt(['dns', 'rate-limit']), ['responses', 'window', 'slip']);
  assert.deepEqual(keysAt(['hosts', 7, 'mac', 0]), []);
  assert.deepEqual(keysAt(['nothing', 'here']), []);
});

function collectBare(schema: unknown, path: string, bare: string[]): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, part] of Object.entries(schema)) {
    if (key === 'properties') {
      for (const [name, property] of Object.entries(part)) {
        if (!Object.hasOwn(Object(property), 'description')) bare.push(`${path}/${name}`);
      }
    }
    collectBare(part, `${path}/${key}`, bare);
  }
}
