import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { readWords, requestOf, WordsError } from '../../src/api-client/api-request.ts';
import { commandName, descriptionSchema, resourcesOf } from '../../src/api-client/description.ts';
import { authorizationOf, parseApiKey } from '../../src/api-client/oauth.ts';
import { describeApi } from '../../src/region/operators/describe.ts';
import { HANDLERS } from '../../src/region/operators/handlers.ts';

const NAMES: readonly (readonly [handler: string, command: string])[] = [
  ['BootSourceSelectionsHandler', 'boot-source-selections'],
  ['NodeGroupInterfaceHandler', 'node-group-interface'],
  ['NodeGroupsHandler', 'node-groups'],
  ['MaasHandler', 'maas'],
  ['IPRangesHandler', 'ip-ranges'],
  ['DNSResourceRecordsHandler', 'dns-resource-records'],
  ['VlanHandler', 'vlan'],
];
for (const [handler, command] of NAMES) {
  test(`${handler} is ${command}`, () => assert.equal(commandName(handler), command));
}

test('what our own region says of itself has the commands of the document of 2015', () => {
  const resources = resourcesOf(descriptionSchema.parse(describeApi(HANDLERS, '1.0')));
  const commands = resources.flatMap(({ name, actions }) => actions.map((action) => `${name} ${action.name}`));
  for (const command of [
    'boot-sources read',
    'boot-source-selections read',
    'boot-source-selections create',
    'boot-resources import',
    'networks read',
    'node-groups list',
    'node-group-interface update',
  ])
    assert.ok(commands.includes(command), command);
});

test('parameters of the path come first, and the others travel where the method has them', () => {
  const action = {
    name: 'x',
    doc: '',
    path: '/MAAS/api/1.0/nodegroups/{uuid}/interfaces/{name}/',
    params: ['uuid', 'name'],
  };
  const { uri, fields, files } = readWords(action, [
    'a/b',
    'eth0',
    'management=2',
    'labels=a',
    'labels= *',
    'key@=/tmp/k',
  ]);
  assert.deepEqual([uri, files], [['a/b', 'eth0'], [['key', '/tmp/k']]]);
  assert.deepEqual(requestOf({ ...action, method: 'PUT' }, uri, fields), {
    method: 'PUT',
    path: '/MAAS/api/1.0/nodegroups/a%2Fb/interfaces/eth0/',
    fields: [
      ['management', '2'],
      ['labels', 'a'],
      ['labels', ' *'],
    ],
  });
  assert.deepEqual(
    requestOf({ ...action, method: 'GET', op: 'list', params: [] }, [], fields).path.split('?')[1],
    'op=list&management=2&labels=a&labels=+*',
  );
  assert.deepEqual(readWords({ params: [] }, ['labels=', '*']).fields, [['labels', '*']]);
  assert.throws(() => readWords(action, ['a']), WordsError);
  assert.throws(() => readWords(action, ['a', 'b', 'c']), WordsError);
});

test('a key is three parts, and is said as OAuth has it', () => {
  const key = parseApiKey('abc:def:ghi\n');
  assert.deepEqual(key, { consumer: 'abc', token: 'def', secret: 'ghi' });
  assert.equal(parseApiKey('abc:def'), undefined);
  assert.match(
    authorizationOf(key, 1_700_000_000_999),
    /^OAuth oauth_version="1\.0", oauth_signature_method="PLAINTEXT", oauth_consumer_key="abc", oauth_token="def", oauth_signature="%26ghi", oauth_nonce="[0-9a-f]{16}", oauth_timestamp="1700000000"$/,
  );
});

test('whatever a server says of itself is taken or refused', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = descriptionSchema.safeParse(value);
      if (read.success) resourcesOf(read.data);
    }),
  );
});
