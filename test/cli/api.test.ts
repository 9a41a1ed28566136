import assert from 'node:assert/strict';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { formatKey } from '../../src/region/operators/keys.ts';
import { obeyDesk } from '../../src/region/region-desk.ts';
import { RegionRig, STATUS } from '../region/region-rig.ts';
import { ApiTerminal } from './api-terminal.ts';

const HEAD = 'Success.\nMachine-readable output follows:\n';

let region: RegionRig;
let key: string;
let rack: string;

before(async () => {
  region = await RegionRig.create(await openEmbeddedDatabase('memory://'));
  await obeyDesk(region.database, { kind: 'init', source: true });
  key = formatKey(await region.key());
  const credentials = await region.enrol('maas');
  rack = credentials.rack;
  await region.say(credentials, 'POST', '/racks/v1/status', STATUS);
});
after(() => region[Symbol.asyncDispose]());

test('the commands of the document of 2015 do and print what it shows', async () => {
  using terminal = new ApiTerminal();
  const { say, pipe } = terminal;
  const login = await say('login', 'my-own-profile', `${region.url}/MAAS/api/1.0`, key);
  assert.deepEqual(login, {
    code: 0,
    err: '',
    out: `
You are now logged in to the MAAS server at
${region.url}/MAAS/api/1.0/ with the profile name 'my-own-profile'.

For help with the available commands, try:

  rackboot api my-own-profile --help

`,
  });
  assert.deepEqual(await say('my-own-profile', 'boot-sources', 'read'), {
    code: 0,
    err: '',
    out: `${HEAD}[
    {
        "url": "http://images.maas.io/ephemeral-v3/stable/",
        "keyring_data": "",
        "resource_uri": "/MAAS/api/1.0/boot-sources/1/",
        "keyring_filename": "/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg",
        "id": 1
    }
]
`,
  });
  const read = await say('my-own-profile', 'boot-source-selections', 'read', '1');
  assert.ok(read.out.startsWith(`${HEAD}[\n    {\n        "labels": [\n`), read.out);
  const words = ['os=ubuntu', 'release=precise', 'arches=amd64', 'subarches=*', 'labels=', '*'];
  assert.deepEqual(await say('my-own-profile', 'boot-source-selections', 'create', '1', ...words), {
    code: 0,
    err: '',
    out: `${HEAD}{
    "labels": [
        "*"
    ],
    "arches": [
        "amd64"
    ],
    "subarches": [
        "*"
    ],
    "release": "precise",
    "os": "ubuntu",
    "id": 2,
    "resource_uri": "/MAAS/api/1.0/boot-sources/1/selections/2/"
}
`,
  });
  assert.equal(
    (await say('my-own-profile', 'boot-resources', 'import')).out,
    `${HEAD}Import of boot resources started\n`,
  );
  assert.ok((await say('my-own-profile', 'networks', 'read')).out.includes('"name": "maas-eth0",\n'));
  // $(… node-groups list | grep uuid | cut -d\" -f4)
  const groups = await pipe('my-own-profile', 'node-groups', 'list');
  const line = groups.out.split('\n').find((each) => each.includes('uuid')) ?? '';
  assert.equal(line.split('"')[3], rack);
  const ranges = [
    'ip_range_low=192.168.127.121',
    'ip_range_high=192.168.127.140',
    'static_ip_range_low=192.168.127.221',
    'static_ip_range_high=192.168.127.240',
    'management=2',
    'subnet_mask=255.255.255.0',
    'router_ip=192.168.127.254',
    'broadcast_ip=192.168.127.255',
  ];
  const update = await say('my-own-profile', 'node-group-interface', 'update', rack, 'eth0', ...ranges);
  assert.deepEqual([update.code, update.err], [0, '']);
  assert.ok(update.out.startsWith(`${HEAD}{\n    "ip_range_high": "192.168.127.140",\n`), update.out);
  assert.ok(update.out.includes('    "management": 2,\n'), update.out);
  const refused = await say(
    'my-own-profile',
    'node-group-interface',
    'update',
    rack,
    'eth0',
    'ip_range_high=192.168.127.254',
  );
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(refused.err, /^409 Conflict\n\{\n {4}"__all__": \[\n.*region plan \d+: subnets\[0\]\.dynamic: expected/);
});

test('an API of 2.0 is talked to in the same way, and is the one where no version is written', async () => {
  using terminal = new ApiTerminal();
  const { say, pipe } = terminal;
  assert.match((await say('login', 'new', region.url, key)).out, /\/MAAS\/api\/2\.0\/ with the profile name 'new'\./);
  assert.equal((await say('new', 'maas', 'set_config', 'name=upstream_dns', 'value=192.0.2.53')).code, 0);
  assert.equal((await pipe('new', 'maas', 'get-config', 'name=upstream_dns')).out, '"192.0.2.53"\n');
  const keyring = join(terminal.home, 'keys.b64');
  writeFileSync(keyring, 'a2V5\n');
  const made = await pipe(
    'new',
    'boot-sources',
    'create',
    'url=http://mirror.example/images/',
    `keyring_data@=${keyring}`,
  );
  const source = JSON.parse(made.out) as { id: number; keyring_data: string };
  assert.equal(source.keyring_data, 'a2V5');
  assert.deepEqual(await say('new', 'boot-source', 'delete', String(source.id)), {
    code: 0,
    err: '',
    out: `${HEAD}\n`,
  });
  assert.deepEqual(await pipe('new', 'boot-source', 'read', String(source.id)), {
    code: 1,
    out: '',
    err: '404 Not Found\nthere is no such boot source\n',
  });
});

test('a key comes as a word, by standard input, out of a file, or is asked for', async () => {
  using terminal = new ApiTerminal();
  const { say, sayWith } = terminal;
  const file = join(terminal.home, 'key');
  writeFileSync(file, `${key}\n`);
  assert.equal((await say('login', 'a', region.url, key)).code, 0);
  terminal.input = `${key}\n`;
  assert.equal((await say('login', 'b', region.url, '-')).code, 0);
  assert.equal((await say('login', 'c', region.url)).code, 0);
  terminal.input = '';
  assert.equal((await say('login', 'd', region.url, '--key-file', file)).code, 0);
  const questions: string[] = [];
  const askSecret = (question: string): Promise<string> => Promise.resolve((questions.push(question), key));
  assert.equal((await sayWith({ askSecret }, 'login', 'e', region.url)).code, 0);
  assert.deepEqual(questions, ['API key: ']);
  const { out } = await say('list');
  assert.equal(out, ['a', 'b', 'c', 'd', 'e'].map((name) => `${name} ${region.url}/MAAS/api/2.0/\n`).join(''));
});

test('keys are in a file that only its owner reads, and are told by no command', async () => {
  using terminal = new ApiTerminal();
  const { say } = terminal;
  await say('login', 'lab', region.url, key);
  assert.equal(statSync(terminal.profiles).mode & 0o777, 0o600);
  const [, , secret = ''] = key.split(':');
  assert.ok(readFileSync(terminal.profiles, 'utf8').includes(secret));
  for (const words of [['list'], ['lab', '--help'], ['lab', 'users', 'whoami', '--debug'], ['refresh', 'lab']]) {
    const { code, out, err } = await say(...words);
    assert.equal(code, 0);
    assert.ok(!(out + err).includes(secret), words.join(' '));
  }
  chmodSync(terminal.profiles, 0o644);
  await assert.rejects(say('list'), /is open to others, and there are keys in it/);
  chmodSync(terminal.profiles, 0o600);
  assert.equal((await say('logout', 'lab')).code, 0);
  assert.equal((await say('list')).out, '');
  assert.ok(!readFileSync(terminal.profiles, 'utf8').includes(secret));
});

const WRONG: readonly (readonly [words: readonly string[], fault: RegExp])[] = [
  [['nobody', 'boot-sources', 'read'], /there is no profile nobody: `rackboot api login nobody URL` makes one/],
  [['lap', 'boot-sources', 'read'], /there is no profile lap \(did you mean `lab`\?\)/],
  [
    ['lab', 'boot-source', 'raed', '1'],
    /no action raed \(did you mean `read`\?\); `rackboot api lab boot-source --help`/,
  ],
  [['lab', 'boot-sorces', 'read'], /did you mean `boot-source/],
  [['lab', 'boot-source-selections', 'read'], /boot-source-selections read BOOT_SOURCE_ID: expected BOOT_SOURCE_ID$/m],
  [['lab', 'boot-sources', 'create', 'url'], /boot-sources create: expected name=value or name@=file, found "url"/],
  [['lab', 'boot-sources', 'create', 'x@=/nowhere/x'], /boot-sources create: \/nowhere\/x can't be read: ENOENT/],
  [['lab', 'boot-sources', 'read', '--insecure'], /'--insecure'/],
  [['login', 'lab', 'ftp://x', 'a:b:c'], /expected a URL like/],
  [['login', 'lab', 'http://x', 'abc'], /expected a key of three parts/],
  [['login', 'lab', 'http://x', 'a:b:c', '--key-file', '/x'], /expected KEY or --key-file, found both/],
  [['login', 'lab', 'http://x', 'a:b:c', '--pin', '00'.repeat(32)], /--ca and --pin are for a URL with https/],
  [['login', 'lab', 'https://x', 'a:b:c', '--pin', 'x'], /--pin: expected a SHA-256, .* found "x"/],
  [['login', 'lab', 'https://x', 'a:b:c', '--ca', '/dev/null'], /--ca: \/dev\/null holds no certificate in PEM/],
  [['login', 'lab', 'http://x', 'a:b:c', 'd'], /expected login PROFILE URL/],
  [['login', 'list', 'http://x', 'a:b:c'], /can't be called list/],
  [['login', 'a b', 'http://x', 'a:b:c'], /without blanks for PROFILE, found "a b"/],
  [['logout'], /expected logout PROFILE/],
  [['list', 'x'], /expected nothing behind list/],
];
test('what is written in a wrong way is told of in a sentence', async () => {
  using terminal = new ApiTerminal();
  await terminal.say('login', 'lab', `${region.url}/MAAS/api/1.0/`, key);
  for (const [words, fault] of WRONG) {
    const { code, out, err } = await terminal.say(...words);
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, fault);
    assert.equal(err.split('\n').length, 3, err);
  }
  await assert.rejects(
    terminal.say('logout', 'lap'),
    /^RefusedError: there is no profile lap \(did you mean `lab`\?\)$/,
  );
  await assert.rejects(terminal.say('refresh', 'lap'), /^RefusedError: there is no profile lap/);
});

test('a wrong key, and a place that is no API, are no login', async () => {
  using terminal = new ApiTerminal();
  const { say } = terminal;
  await assert.rejects(say('login', 'x', `${region.url}/MAAS/api/1.0/`, 'a:b:c'), {
    name: 'RefusedError',
    message: `${region.url}/MAAS/api/1.0/ does not know this key`,
  });
  await assert.rejects(say('login', 'x', `${region.url}/api/9.9/`, key), /describe\/ answers 404 Not Found$/);
  await assert.rejects(say('login', 'x', 'http://127.0.0.1:1/', key), { name: 'UnreachableError' });
  assert.equal((await say('list')).out, '');
});

test('a key that the region made worthless is refused with what the region says', async () => {
  using terminal = new ApiTerminal();
  const { say, pipe } = terminal;
  await say('login', 'lab', region.url, key);
  const made = JSON.parse((await pipe('lab', 'account', 'create-authorisation-token', 'name=other')).out) as Record<
    string,
    string
  >;
  const other = `${made['consumer_key']}:${made['token_key']}:${made['token_secret']}`;
  assert.equal((await say('login', 'other', region.url, other)).code, 0);
  assert.equal((await say('lab', 'account', 'delete-authorisation-token', `token_key=${made['token_key']}`)).code, 0);
  const { code, err } = await say('other', 'users', 'whoami');
  assert.equal(code, 1);
  assert.match(err, /^401 Unauthorized\n/);
});

test('there is help at each level, out of what the region says of itself', async () => {
  using terminal = new ApiTerminal();
  const { say } = terminal;
  await say('login', 'lab', `${region.url}/MAAS/api/1.0/`, key);
  assert.match((await say('--help')).out, /^usage: rackboot api login PROFILE URL/);
  assert.match((await say('login', '--help')).out, /^usage: rackboot api login PROFILE URL/);
  const profile = await say('lab', '--help');
  assert.match(profile.out, /^ {2}boot-source-selections {2,}Manage what is taken of a boot source\.$/m);
  const resource = await say('lab', 'node-group-interface', '--help');
  assert.match(resource.out, /^ {2}update UUID NAME {2,}Update a network of a rack\.$/m);
  const action = await say('lab', 'boot-source-selections', 'create', '-h');
  assert.equal(
    action.out,
    `usage: rackboot api lab boot-source-selections create BOOT_SOURCE_ID [name=value | name@=FILE]…

Create a selection of a boot source.

parameters:
  os         ubuntu, centos … Required.
  release    noble, jammy … Required.
  arches     amd64, arm64 … Default: all.
  subarches  Kernels. Default: all.
  labels     stable, candidate … Default: all.

POST /MAAS/api/1.0/boot-sources/{boot_source_id}/selections/
`,
  );
  assert.deepEqual([profile.code, resource.code, action.code], [0, 0, 0]);
  assert.deepEqual([(await say()).code, (await say('lab')).code, (await say('lab', 'boot-sources')).code], [2, 2, 2]);
});
