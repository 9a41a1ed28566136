import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { Database } from '../../src/region/database/database.ts';
import { publish } from '../../src/region/answer/publish.ts';
import { paramsOf } from '../../src/region/operators/describe.ts';
import { fieldsOf } from '../../src/region/operators/form-words.ts';
import type { Action, ApiVersion } from '../../src/region/operators/handler.ts';
import { HANDLERS } from '../../src/region/operators/handlers.ts';
import type { KeyParts } from '../../src/region/operators/keys.ts';
import { RegionRig, STATUS } from './region-rig.ts';

const ROUNDS = Math.min(Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 1_000), 200_000);
const MAC = '52:54:00:12:34:56';

interface Place {
  readonly version: ApiVersion;
  readonly path: string;
  readonly action: Action;
}
const PLACES: readonly Place[] = HANDLERS.flatMap(({ versions, path, actions }) =>
  versions.flatMap((version) => actions.map((action) => ({ version, path, action }))),
);

/** What operators could mean, so that some of it goes through; and what nobody means. */
const GOOD = [
  '1',
  '2',
  '3',
  '0',
  '10',
  '60',
  'true',
  'false',
  'none',
  'proxy',
  'dhcp',
  'dhcp+dns',
  'dynamic',
  'static',
  'reserved',
  '192.168.127.1',
  '192.168.127.10',
  '192.168.127.20',
  '192.168.127.30',
  '192.168.127.254',
  '10.1.0.5',
  '2001:db8::1',
  '192.168.127.0/24',
  '10.1.0.0/24',
  '10.9.0.0/16',
  'eth0',
  'rack-a1',
  'rack-b1',
  '',
  MAC,
  '52:54:00:00:00:09',
  'lab.example',
  'www.lab.example',
  'www',
  '@',
  'maas',
  'ubuntu',
  'noble',
  'amd64',
  'ubuntu/noble',
  'AAAA',
  '*',
  'http://mirror.example/images/',
  '/usr/share/keyrings/k.gpg',
  'upstream_dns',
  'boot_image',
  'kernel_opts',
  '255.255.255.0',
];
const ODD = [
  "'; DROP TABLE rack; --",
  '" OR ""="',
  '$1',
  '%',
  '\\',
  '\0',
  '\uD800',
  '\r\nX-Y: z',
  '\u202E',
  '../../etc/passwd',
  '-1',
  '1.5',
  '1e9',
  '99999999999999999999',
  'NaN',
  '[object Object]',
  '{"a":1}',
  '0.0.0.0/0',
  '255.255.255.255',
  '127.0.0.1',
  '224.0.0.1',
  '::ffff:1.2.3.4',
  '192.168.127.0/33',
  'x'.repeat(3_000),
  '.',
  '..',
  'constructor',
  '__proto__',
];
/** What will do for a field, so that most of what is asked goes as far as it can. */
const FITTING: Readonly<Record<string, readonly string[]>> = {
  type: ['dynamic', 'static', 'reserved'],
  management: ['0', '1', '2', 'none', 'dhcp', 'dhcp+dns'],
  cidr: ['192.168.127.0/24', '10.1.0.0/24', '10.9.0.0/16'],
  rack: ['rack-a1', 'rack-b1', ''],
  primary_rack: ['rack-a1', 'rack-b1'],
  domain: ['maas', 'lab.example', '1'],
  name: ['lab.example', 'www', 'upstream_dns', 'boot_image', 'eth0'],
  value: ['ubuntu/noble', '192.0.2.53', '', 'true', '60'],
  fqdn: ['www.maas', 'lab.example'],
  mac_address: [MAC, '52:54:00:00:00:09'],
  mac: [MAC],
  url: ['http://mirror.example/images/', 'http://other.example/images/'],
  keyring_filename: ['/usr/share/keyrings/k.gpg', ''],
  keyring_data: ['AAAA', ''],
  interface: ['eth0', ''],
  subnet: ['1', '2', '192.168.127.0/24'],
  subnet_mask: ['255.255.255.0', '255.255.0.0'],
  level: ['ERROR', 'INFO', 'DEBUG'],
  os: ['ubuntu', 'debian'],
  release: ['noble', 'jammy'],
  limit: ['1', '10'],
  priority: ['1', '5'],
};
const ADDRESSES = ['192.168.127.10', '192.168.127.20', '192.168.127.30', '10.9.0.10', '10.9.0.20', ''];
const TRUTHS = ['true', 'false'];

function fitting(name: string): readonly string[] {
  if (Object.hasOwn(FITTING, name)) return FITTING[name] ?? GOOD;
  if (/^(?:enabled|skip_|managed|authoritative|force|all|neighbours|dhcp_on)/.test(name)) return TRUTHS;
  return /(?:^|_)ips?(?:_|$)|dns_servers/.test(name) ? ADDRESSES : GOOD;
}

const word = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...GOOD) },
  { weight: 3, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
/** For a field: what fits it, by number, or anything. */
const fill = fc.oneof({ weight: 6, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: word });
const request = fc.record({
  place: fc.nat(PLACES.length - 1),
  uri: fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom('1', '1', '2', '3') }, word), {
    minLength: 2,
    maxLength: 2,
  }),
  fills: fc.array(fc.array(fill, { minLength: 1, maxLength: 2 }), { minLength: 12, maxLength: 12 }),
  given: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 12, maxLength: 12 }),
  // Seldom, as it has all the rest refused
  extra: fc.oneof({ weight: 19, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.tuple(word, word) }),
});
type Request = typeof request extends fc.Arbitrary<infer R> ? R : never;

/** So that there is something to change. */
const FIRST: readonly (readonly [path: string, form: Record<string, string>])[] = [
  ['2.0/boot-sources/', { url: 'http://first.example/images/', keyring_data: 'AAAA' }],
  ['2.0/boot-sources/1/selections/', { os: 'ubuntu', release: 'noble' }],
  ['2.0/ipranges/', { type: 'dynamic', start_ip: '192.168.127.10', end_ip: '192.168.127.19' }],
  ['2.0/reservedips/', { ip: '192.168.127.50', mac_address: MAC }],
  ['2.0/domains/', { name: 'first.example' }],
  ['2.0/dnsresources/', { fqdn: 'www.first.example', ip_addresses: '192.0.2.1' }],
];

/** Tables that operators change; what is written down of who did it comes beside. */
const TABLES = [
  'boot_source',
  'boot_source_selection',
  'domain',
  'dns_resource',
  'ip_range',
  'reserved_ip',
  'setting',
  'subnet',
];

async function stateOf(database: Database): Promise<string> {
  const parts = TABLES.map(
    (table) => `(SELECT jsonb_agg(row ORDER BY row::text) FROM (SELECT * FROM ${table}) AS row)::text`,
  );
  const [row] = await database.query(
    `SELECT md5(concat_ws('|', ${parts.join(', ')}, (SELECT string_agg(plan::text, ',' ORDER BY id) FROM rack))) AS state,
       (SELECT count(*) FROM audit) AS deeds`,
  );
  return JSON.stringify(row);
}

/** Whatever operators ask, on any database. `open` gives an empty one. */
export function testOperatorsFuzz(title: string, open: () => Promise<Database>): void {
  test(
    `${title}: whatever is asked is answered, written down when it changes something, and changes nothing when it is refused`,
    { timeout: 600_000 },
    async () => {
      await using region = await RegionRig.create(await open());
      const key = await region.key();
      const rack = await region.enrol('rack-a1');
      await region.say(rack, 'POST', '/racks/v1/status', STATUS);
      await region.enrol('rack-b1');
      for (const [path, form] of FIRST) {
        const { status, body } = await region.operate(key, 'POST', path, form);
        assert.equal(status, 201, JSON.stringify(body));
      }
      const taken = new Map<string, number>();
      await fc.assert(
        fc.asyncProperty(request, async (wish) => {
          const place = PLACES[wish.place] ?? assert.fail();
          const { version, path, action } = place;
          // Who takes away the racks or his own key has little left to ask
          if (action.name === 'delete_authorisation_token' || path.startsWith('rackcontrollers/{')) return;
          const before = await stateOf(region.database);
          const { status, what } = await ask(region, key, rack.rack, place, wish);
          assert.ok(status < 500 && status !== 405, what);
          const after = await stateOf(region.database);
          if (status >= 400 || !action.change) assert.equal(after, before, what);
          else assert.notEqual(JSON.parse(after)['deeds'], JSON.parse(before)['deeds'], what);
          if (status < 300) taken.set(`${version} ${path} ${action.name}`, status);
        }),
        { numRuns: ROUNDS, interruptAfterTimeLimit: 540_000, markInterruptAsFailure: false },
      );
      // What came out of it is what a rack takes
      await region.database.transaction((sql) => publish(sql, 'all'));
      assert.ok(taken.size > PLACES.length / 8, `${taken.size} of ${PLACES.length} were ever taken`);
    },
  );
}

async function ask(
  region: RegionRig,
  key: KeyParts,
  rack: string,
  { version, path, action }: Place,
  { uri, fills, given, extra }: Request,
): Promise<{ readonly status: number; readonly what: string }> {
  let target = `${version}/${path}`;
  for (const [i, name] of paramsOf(path).entries()) {
    const usual = { uuid: rack, name: 'eth0', vid: '0', username: 'root', system_id: rack }[name];
    const said = uri[i] ?? '1';
    const value = usual !== undefined && /^\d$/.test(said) ? usual : said;
    // A client itself takes dots for steps
    const plain = /^\.{0,2}$/.test(value) ? '%20' : encodeURIComponent(value.toWellFormed());
    target = target.replace(`{${name}}`, plain);
  }
  const form = new URLSearchParams();
  for (const [i, { name, isRequired }] of fieldsOf(action.parameters).entries()) {
    if (!isRequired && given[i] !== 0) continue;
    const choice = fitting(name);
    for (const value of fills[i] ?? [])
      form.append(name, typeof value === 'string' ? value : (choice[value % choice.length] ?? ''));
  }
  if (extra) form.append(...extra);
  const { status, body } = await region.operate(
    key,
    action.method,
    `${target}${action.op === undefined ? '' : `?op=${action.op}`}`,
    form.toString(),
  );
  return {
    status,
    what: `${action.method} ${target} ${action.op ?? ''} ${form.toString()}: ${status} ${JSON.stringify(body)}`,
  };
}
