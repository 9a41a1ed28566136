import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { api } from '../../src/cli/api.ts';
import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { formatKey } from '../../src/region/operators/keys.ts';
import { obeyDesk } from '../../src/region/region-desk.ts';
import { RegionRig, STATUS } from '../region/region-rig.ts';

const home = mkdtempSync(join(tmpdir(), 'rackboot-api-'));
let region: RegionRig;
let key: string;

before(async () => {
  region = await RegionRig.create(await openEmbeddedDatabase('memory://'));
  await obeyDesk(region.database, { kind: 'init', source: true });
  key = formatKey(await region.key());
  const rack = await region.enrol('maas');
  await region.say(rack, 'POST', '/racks/v1/status', STATUS);
});
after(async () => {
  await region[Symbol.asyncDispose]();
  rmSync(home, { recursive: true });
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function say(...words: string[]): Promise<Said> {
  let [out, err] = ['', ''];
  const code = await api({
    words,
    environment: { XDG_CONFIG_HOME: home },
    now: () => Date.now(),
    readInput: () => `${key}\n`,
    write: (bytes) => (out += Buffer.from(bytes).toString('utf8')),
    print: (line) => (out += `${line}\n`),
    complain: (line) => (err += `${line}\n`),
  });
  return { code, out, err };
}

test('the commands of the document of 2015 do what it shows', async () => {
  const login = await say('login', 'lab', `${region.url}/MAAS/api/1.0`, key);
  assert.equal(login.code, 0);
  assert.ok(
    login.out.includes(
      `You are now logged in to the MAAS server at\n${region.url}/MAAS/api/1.0/ with the profile name 'lab'.`,
    ),
  );
  const sources = await say('lab', 'boot-sources', 'read');
  assert.ok(
    sources.out.startsWith(
      'Success.\nMachine-readable output follows:\n[\n    {\n        "url": "http://images.maas.io/',
    ),
    sources.out,
  );
  const wish = ['os=ubuntu', 'release=precise', 'arches=amd64', 'subarches=*', 'labels= *'];
  const created = await say('lab', 'boot-source-selections', 'create', '1', ...wish);
  assert.ok(created.out.includes('"release": "precise"'), created.out + created.err);
  assert.equal(
    (await say('lab', 'boot-resources', 'import')).out,
    'Success.\nMachine-readable output follows:\nImport of boot resources started\n',
  );
  const groups = await say('lab', 'node-groups', 'list');
  const uuid = /"uuid": "([^"]+)"/.exec(groups.out)?.[1] ?? '';
  const update = await say(
    'lab',
    'node-group-interface',
    'update',
    uuid,
    'eth0',
    'ip_range_low=192.168.127.121',
    'ip_range_high=192.168.127.140',
    'static_ip_range_low=192.168.127.221',
    'static_ip_range_high=192.168.127.240',
    'management=2',
    'subnet_mask=255.255.255.0',
    'router_ip=192.168.127.254',
    'broadcast_ip=192.168.127.255',
  );
  assert.ok(update.out.includes('    "management": 2,\n'), update.out + update.err);
  const refused = await say('lab', 'node-group-interface', 'update', uuid, 'eth0', 'ip_range_high=192.168.127.254');
  assert.deepEqual([refused.code, refused.out], [1, '']);
  assert.match(refused.err, /^409: .*region plan \d+: subnets\[0\]\.dynamic: expected/);
});

test('keys are in a file that only its owner reads, and are told by no command', async () => {
  const file = join(home, 'rackboot', 'profiles.json');
  await say('login', 'other', region.url, '-');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const secret = key.split(':')[2] ?? '';
  assert.ok(readFileSync(file, 'utf8').includes(secret));
  for (const words of [['list'], ['other', '--help'], ['other', 'users', 'whoami', '--debug']]) {
    const { out, err } = await say(...words);
    assert.ok(!(out + err).includes(secret), words.join(' '));
  }
  chmodSync(file, 0o644);
  await assert.rejects(say('list'), /others may read or write it/);
  chmodSync(file, 0o600);
  assert.equal((await say('logout', 'other')).code, 0);
  assert.ok(!(await say('list')).out.includes('other'));
});

const WRONG: readonly (readonly [words: readonly string[], fault: RegExp])[] = [
  [['nobody', 'boot-sources', 'read'], /there is no profile nobody/],
  [['lab', 'boot-source', 'raed', '1'], /no action raed \(did you mean `read`\?\)/],
  [['lab', 'boot-sorces', 'read'], /did you mean `boot-source/],
  [['lab', 'boot-source-selections', 'read'], /expected boot_source_id/],
  [['lab', 'boot-sources', 'create', 'url'], /expected name=value/],
  [['login', 'lab', 'ftp://x', 'a:b:c'], /expected a URL/],
  [['login', 'lab', 'http://x', 'abc'], /expected a key of three parts/],
  [['login', 'list', 'http://x', 'a:b:c'], /can't be called list/],
];
for (const [words, fault] of WRONG) {
  test(`api ${words.join(' ')} is no command`, async () => {
    await say('login', 'lab', `${region.url}/MAAS/api/1.0/`, key);
    const { code, err } = await say(...words);
    assert.equal(code, 2);
    assert.match(err, fault);
  });
}

test('a wrong key, and a place that is no API, are no login', async () => {
  await assert.rejects(say('login', 'x', `${region.url}/MAAS/api/1.0/`, 'a:b:c'), /does not know this key/);
  await assert.rejects(say('login', 'x', `${region.url}/api/9.9/`, key), /is no API that describes itself/);
  await assert.rejects(say('login', 'x', 'http://127.0.0.1:1/', key), { name: 'UnreachableError' });
});
