import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Document, isScalar, parse, visit } from 'yaml';

import { HANDLERS } from '../../src/region/operators/handlers.ts';
import { operatorsApi } from './operators-api.ts';

const FILE = join(import.meta.dirname, '../../etc/region-operators-api.yaml');
const HEAD = `# What operators ask of their region. Written from the table that it is served by (src/region/operators/handlers.ts):
# UPDATE_FIXTURES=1 node --test test/region/operators-api.test.ts
`;

/** What has nothing but a few words in it is on one line. */
function print(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_key, node) => {
      node.flow = node.items.every((item) => isScalar(item));
    },
    Map: (_key, node) => {
      const isShort = node.items.length <= 3 && node.items.every((pair) => isScalar(pair.value));
      node.flow = isShort && node.toString().length < 100;
    },
  });
  return document.toString({ lineWidth: 140, singleQuote: true });
}

test('etc/region-operators-api.yaml is what the table says', () => {
  const current = HEAD + print(operatorsApi(HANDLERS));
  if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(FILE, current);
  assert.equal(
    readFileSync(FILE, 'utf8'),
    current,
    'etc/region-operators-api.yaml is stale: run UPDATE_FIXTURES=1 node --test test/region/operators-api.test.ts',
  );
});

test('every reference in it leads somewhere, and each operation has a name of its own', () => {
  const document = parse(readFileSync(FILE, 'utf8')) as unknown;
  const text = JSON.stringify(document);
  for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let part = document;
    for (const step of path.split('/')) part = (part as Record<string, unknown> | undefined)?.[step];
    assert.ok(part, path);
  }
  const ids = Array.from(text.matchAll(/"operationId":"([^"]+)"/g), ([, id]) => id);
  assert.ok(ids.length > 50);
  assert.equal(new Set(ids).size, ids.length);
});

test('it has every action, and no path of which the racks have one', () => {
  const { paths } = operatorsApi(HANDLERS) as { paths: Record<string, Record<string, { operationId: string }>> };
  for (const { versions, path, actions } of HANDLERS) {
    for (const version of versions) {
      const item = paths[`/MAAS/api/${version}/${path}`];
      for (const { method, name } of actions) {
        const { operationId } = item?.[method.toLowerCase()] ?? assert.fail(`${path} ${method}`);
        assert.ok(operationId.includes(name), operationId);
      }
    }
  }
  const racks = parse(readFileSync(join(import.meta.dirname, '../../etc/region-api.yaml'), 'utf8')) as {
    paths: object;
  };
  assert.deepEqual(
    Object.keys(racks.paths).filter((path) => Object.hasOwn(paths, path)),
    [],
  );
});
