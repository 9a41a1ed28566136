import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readBootResources } from '../../src/images/boot-resources.ts';

const FILE = '/etc/maas/bootresources.yaml';
const UBUNTU = '/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg';

test("MAAS's offline file of 2015 is read as it stands", () => {
  const text = `boot:
  configure_me: True
  storage: "/var/lib/maas/boot-resources/"
  sources:
    - path: "http://maas.ubuntu.com/images/ephemeral-v2/releases/"
      keyring: "${UBUNTU}"
      selections:
        - release: "trusty"
          arches: ["i386", "amd64"]
          subarches: ["generic"]
          labels: ["release"]
`;
  assert.deepEqual(readBootResources(text, FILE), [
    {
      name: 'http://maas.ubuntu.com/images/ephemeral-v2/releases/',
      url: 'http://maas.ubuntu.com/images/ephemeral-v2/releases/',
      keyring: UBUNTU,
      keep: 1,
      selections: [
        { os: '*', release: 'trusty', arches: ['i386', 'amd64'], subarches: ['generic'], labels: ['release'] },
      ],
    },
  ]);
});

test('so is the list that it became, with the keys in the file itself', () => {
  const key = Buffer.from('key').toString('base64');
  const text = `- { url: "http://a/", keyring_data: !!binary "${key}", selections: [{ os: ubuntu }] }\n- { url: "http://b/", keyring_data: "${key}" }\n`;
  const [first, second] = readBootResources(text, FILE);
  for (const source of [first, second]) {
    assert.deepEqual([source?.keyring, source?.keyringData], [undefined, key]);
  }
  assert.deepEqual(second?.selections, []);
});

test("as in MAAS, an index that is called .json needs no signature, and all else Ubuntu's if no other is named", () => {
  const text = `- { url: "http://region:5240/MAAS/images-stream/streams/v1/index.json" }\n- { url: "http://b/" }\n`;
  assert.deepEqual(
    readBootResources(text, FILE).map(({ keyring }) => keyring),
    [undefined, UBUNTU],
  );
});

for (const [name, text, says] of [
  ['no YAML', '{', /^\/etc\/maas\/bootresources\.yaml: expected YAML/],
  ['nothing', '', /expected a mapping, found null/],
  ['no sources', 'boot: {}', /expected a list of sources, found undefined/],
  ['a source that is none', '[7]', /source 1: expected a mapping, found 7/],
  ['no URL', '[{}]', /source 1: url: expected text/],
  ['another URL', '[{ url: "ftp://a/" }]', /source 1: url: expected an http, https or file URL, found ftp:\/\/a\//],
  [
    'arches of another type',
    '[{ url: "http://a/", selections: [{ arches: amd64 }] }]',
    /selection 1: arches: expected a list, found amd64/,
  ],
] as const) {
  test(`refused by name: ${name}`, () => {
    assert.throws(() => readBootResources(text, FILE), { name: 'StreamError', message: says });
  });
}
