import assert from 'node:assert/strict';
import { test } from 'node:test';

import { commandName, resourcesOf, wordOf } from '../../src/api-client/commands.ts';
import { readDescription } from '../../src/api-client/description.ts';
import { Description } from '../../src/region/operators/describe.ts';
import { HANDLERS } from '../../src/region/operators/handlers.ts';
import { API_1_0, API_2_0, description, handler } from './describe-fixture.ts';

const NAMES: readonly (readonly [handler: string, command: string])[] = [
  ['BootSourceSelectionsHandler', 'boot-source-selections'],
  ['NodeGroupInterfaceHandler', 'node-group-interface'],
  ['NodeGroupsHandler', 'node-groups'],
  ['MaasHandler', 'maas'],
  ['AnonNodesHandler', 'anon-nodes'],
  ['IPRangesHandler', 'ipranges'],
  ['DNSResourceRecordsHandler', 'dnsresource-records'],
  ['SSHKeysHandler', 'sshkeys'],
  ['Boot', 'boot'],
  ['Bcache2Handler', 'bcache2'],
];
for (const [name, command] of NAMES) {
  test(`${name} is typed ${command}`, () => assert.equal(commandName(name), command));
}

test('an op is typed with hyphens, and may be typed as it is', () => {
  assert.deepEqual(['set_config', 'set-config', 'SET_CONFIG', 'import'].map(wordOf), [
    'set-config',
    'set-config',
    'set-config',
    'import',
  ]);
});

function commandsOf(value: unknown): string[] {
  return resourcesOf(readDescription(JSON.stringify(value))).flatMap(({ name, actions }) =>
    actions.map(({ name: action, method, op, params }) => [name, action, ...params, method, op ?? '-'].join(' ')),
  );
}

test('commands of 1.0, in the order of their resources', () => {
  assert.deepEqual(commandsOf(API_1_0), [
    'boot-resources read GET -',
    'boot-resources import POST import',
    'boot-source read id GET -',
    'boot-source update id PUT -',
    'boot-source delete id DELETE -',
    'boot-source-selections read boot_source_id GET -',
    'boot-source-selections create boot_source_id POST -',
    'boot-sources read GET -',
    'boot-sources create POST -',
    'networks read GET -',
    'node-group-interface read uuid name GET -',
    'node-group-interface update uuid name PUT -',
    'node-groups list GET list',
  ]);
});

test('commands of 2.0', () => {
  assert.deepEqual(commandsOf(API_2_0), [
    'ipranges read GET -',
    'ipranges create POST -',
    'maas get-config GET get_config',
    'maas set-config POST set_config',
    'rack-controller read system_id GET -',
    'rack-controller delete system_id DELETE -',
    'users read GET -',
    'users whoami GET whoami',
  ]);
});

test('what our own region says of itself has the commands of the document of 2015', () => {
  const commands = new Set(commandsOf(new Description(HANDLERS, '1.0').at('http://region.example')));
  for (const command of [
    'boot-sources read GET -',
    'boot-source-selections read boot_source_id GET -',
    'boot-source-selections create boot_source_id POST -',
    'boot-resources import POST import',
    'networks read GET -',
    'node-groups list GET list',
    'node-group-interface update uuid name PUT -',
  ])
    assert.ok(commands.has(command), command);
  assert.ok(
    commandsOf(new Description(HANDLERS, '2.0').at('http://region.example')).includes(
      'maas set-config POST set_config',
    ),
  );
});

const [readable, writable] = [
  handler('NodeHandler', '/a/', ['read GET']),
  handler('NodeHandler', '/a/', ['create POST']),
];
const ODD: readonly (readonly [title: string, description: object, commands: readonly string[]])[] = [
  [
    'what needs a key is taken before what needs none',
    { resources: [{ name: 'NodeHandler', anon: readable, auth: writable }] },
    ['node create POST -'],
  ],
  [
    'what needs no key is there too',
    { resources: [{ name: 'NodeHandler', anon: readable, auth: null }] },
    ['node read GET -'],
  ],
  ['a resource of nobody has no commands', { resources: [{ name: 'NodeHandler', anon: null, auth: null }] }, []],
  ['the oldest descriptions have handlers only', { handlers: [readable] }, ['node read GET -']],
  [
    'where there is no path its URL has it',
    description(handler('NodeHandler', '/a/{id}/', ['read GET'], { path: undefined })),
    ['node read id GET -'],
  ],
  ['of two with one name the first has it', description(readable, writable), ['node read GET -']],
  [
    'a method that nobody knows here takes only its own action away',
    description(handler('NodeHandler', '/a/', ['x CONNECT', 'read GET'])),
    ['node read GET -'],
  ],
];
for (const [title, value, commands] of ODD) test(title, () => assert.deepEqual(commandsOf(value), commands));
