import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import type { RackCredentials } from '../../src/contract/rack-key.ts';
import type { Database } from '../../src/region/database/database.ts';
import type { KeyParts } from '../../src/region/operators/keys.ts';
import { RegionRig, STATUS } from './region-rig.ts';

const MAC = '52:54:00:12:34:56';
type Form = Record<string, string>;
type Json = Record<string, unknown>;

/** A region with the racks rack-a1 (192.168.127.100 on eth0) and rack-b1 (10.1.0.2 on eth0), and an operator. */
class Stage implements AsyncDisposable {
  readonly region: RegionRig;
  readonly key: KeyParts;
  readonly a1: RackCredentials;
  readonly b1: RackCredentials;

  static async open(database: Database): Promise<Stage> {
    const region = await RegionRig.create(database);
    const stage = new Stage(region, await region.key(), await region.enrol('rack-a1'), await region.enrol('rack-b1'));
    await region.say(stage.a1, 'POST', '/racks/v1/status', STATUS);
    const interfaces = [{ name: 'eth0', address: '10.1.0.2', prefix: 24 }];
    await region.say(stage.b1, 'POST', '/racks/v1/status', { ...STATUS, interfaces });
    return stage;
  }

  private constructor(region: RegionRig, key: KeyParts, a1: RackCredentials, b1: RackCredentials) {
    this.region = region;
    this.key = key;
    this.a1 = a1;
    this.b1 = b1;
  }

  /** What is answered where `status` is awaited. */
  async ask(status: number, method: string, path: string, form: Form = {}): Promise<unknown> {
    const answer = await this.region.operate(this.key, method, path, form);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async plan(rack: RackCredentials): Promise<Json> {
    return ((await this.region.say(rack, 'GET', '/racks/v1/plan')).body as { config: Json }).config;
  }

  tell(rack: RackCredentials, records: readonly object[]): Promise<unknown> {
    const numbered = records.map((record, i) => ({ number: i + 1, at: 1_700_000_000_000 + i, ...record }));
    const batch = { stream: randomUUID(), sentAt: 1_700_000_000_100, records: numbered };
    return this.region.say(rack, 'POST', '/racks/v1/events', batch);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.region[Symbol.asyncDispose]();
  }
}

function span(start: string, end: string, count: number, ...purpose: string[]): object {
  return { start, end, num_addresses: count, ...(purpose.length > 0 && { purpose }) };
}

function seen(address: string, mac: string): object {
  return { kind: 'neighbour.new', address, mac, interface: 'eth0' };
}

/** The things of 2.0, and those of 1.0 beyond the document of 2015, on any database. `open` gives an empty one. */
export function testOperatorsShapes(title: string, open: () => Promise<Database>): void {
  const stageOf = async (): Promise<Stage> => Stage.open(await open());

  test(`${title}: what is in use of a subnet, what is free, and how much that is`, async () => {
    await using stage = await stageOf();
    await stage.ask(200, 'PUT', '2.0/subnets/1/', { gateway_ip: '192.168.127.1', management: 'dhcp' });
    const range = { type: 'dynamic', start_ip: '192.168.127.10', end_ip: '192.168.127.19' };
    await stage.ask(201, 'POST', '2.0/ipranges/', range);
    await stage.ask(201, 'POST', '2.0/reservedips/', { ip: '192.168.127.50', mac_address: MAC });
    await stage.tell(stage.a1, [{ kind: 'lease.bound', mac: MAC, address: '192.168.127.12', name: 'node1' }]);
    // The same address at another rack is another's
    await stage.tell(stage.b1, [{ kind: 'lease.bound', mac: MAC, address: '192.168.127.13' }]);
    assert.deepEqual(await stage.ask(200, 'GET', '2.0/subnets/1/?op=reserved_ip_ranges'), [
      span('192.168.127.1', '192.168.127.1', 1, 'gateway-ip'),
      span('192.168.127.10', '192.168.127.19', 10, 'dynamic'),
      span('192.168.127.12', '192.168.127.12', 1, 'assigned-ip'),
      span('192.168.127.50', '192.168.127.50', 1, 'assigned-ip'),
    ]);
    assert.deepEqual(await stage.ask(200, 'GET', '2.0/subnets/1/?op=unreserved_ip_ranges'), [
      span('192.168.127.2', '192.168.127.9', 8),
      span('192.168.127.20', '192.168.127.49', 30),
      span('192.168.127.51', '192.168.127.254', 204),
    ]);
    assert.deepEqual(await stage.ask(200, 'GET', '2.0/subnets/1/?op=statistics'), {
      num_available: 242,
      largest_available: 204,
      num_unavailable: 12,
      total_addresses: 254,
      usage: 12 / 254,
      usage_string: '5%',
      available_string: '95%',
      first_address: '192.168.127.1',
      last_address: '192.168.127.254',
      ip_version: 4,
    });
    assert.deepEqual(await stage.ask(200, 'GET', '2.0/subnets/1/?op=ip_addresses'), [
      { ip: '192.168.127.12', mac_address: MAC, hostname: 'node1', expires: null },
    ]);
  });

  test(`${title}: a subnet is found by its network, with or without its slash in disguise, while one rack has it`, async () => {
    await using stage = await stageOf();
    for (const word of ['192.168.127.0%2F24', '192.168.127.0/24', 'cidr:192.168.127.0%2F24', '1'])
      assert.equal(((await stage.ask(200, 'GET', `2.0/subnets/${word}/`)) as { id: number }).id, 1, word);
    await stage.ask(201, 'POST', '2.0/subnets/', { cidr: '192.168.127.0/24', rack: 'rack-b1' });
    assert.match(String(await stage.ask(409, 'GET', '2.0/subnets/192.168.127.0%2F24/')), /several racks/);
    await stage.ask(404, 'GET', '2.0/subnets/192.168.0.0%2F24/');
    await stage.ask(400, 'POST', '2.0/subnets/', { cidr: '192.168.127.0/24', rack: 'rack-b1' });
  });

  test(`${title}: of what no rack serves yet nothing is stored that one would refuse`, async () => {
    await using stage = await stageOf();
    const made = (await stage.ask(201, 'POST', '2.0/subnets/', { cidr: '10.9.0.0/24' })) as { id: number };
    const subnet = String(made.id);
    const add = (type: string, low: number, high: number): Form => {
      return { type, subnet, start_ip: `10.9.0.${low}`, end_ip: `10.9.0.${high}` };
    };
    await stage.ask(201, 'POST', '2.0/ipranges/', add('dynamic', 10, 20));
    assert.match(
      JSON.stringify(await stage.ask(409, 'POST', '2.0/ipranges/', add('static', 15, 30))),
      /any rack would refuse this: region plan 1: subnets\[0\]\.static: expected a range apart from the dynamic range 10\.9\.0\.10-10\.9\.0\.20/,
    );
    assert.match(
      JSON.stringify(await stage.ask(409, 'PUT', `2.0/subnets/${subnet}/`, { gateway_ip: '10.9.0.11' })),
      /subnets\[0\]\.dynamic: expected .*the router 10\.9\.0\.11/,
    );
    await stage.ask(409, 'PUT', `2.0/subnets/${subnet}/`, { cidr: '10.9.1.0/24' });
    assert.deepEqual(await stage.ask(400, 'POST', '2.0/ipranges/', { ...add('static', 30, 40), end_ip: '10.9.1.1' }), {
      end_ip: ['expected an address inside 10.9.0.0/24'],
    });
    assert.deepEqual(await stage.ask(400, 'POST', '2.0/ipranges/', add('static', 40, 30)), {
      end_ip: ['expected an address that is not before start_ip'],
    });
    const source = { url: 'ftp://mirror.example/', skip_keyring_verification: 'true' };
    assert.match(
      JSON.stringify(await stage.ask(409, 'POST', '2.0/boot-sources/', source)),
      /images\.sources\[0\]\.url/,
    );
    assert.match(
      JSON.stringify(await stage.ask(409, 'POST', '2.0/boot-sources/', { url: 'http://mirror.example/' })),
      /expected one of keyring, keyring-data .* and unsigned: true/,
    );
    assert.equal((await stage.region.database.query('SELECT * FROM boot_source')).length, 0);
    assert.equal((await stage.region.database.query('SELECT * FROM ip_range')).length, 1);
  });

  test(`${title}: a range that is changed keeps its id and what was said of it, and stays out of what is reserved`, async () => {
    await using stage = await stageOf();
    const dynamic = { type: 'dynamic', start_ip: '192.168.127.10', end_ip: '192.168.127.19', comment: 'for all' };
    await stage.ask(201, 'POST', '2.0/ipranges/', dynamic);
    await stage.ask(201, 'POST', '2.0/ipranges/', {
      type: 'reserved',
      start_ip: '192.168.127.30',
      end_ip: '192.168.127.40',
    });
    const eth0 = `1.0/nodegroups/${stage.a1.rack}/interfaces/eth0/`;
    await stage.ask(200, 'PUT', eth0, { ip_range_high: '192.168.127.20' });
    const range = (await stage.ask(200, 'GET', '2.0/ipranges/1/')) as Json;
    assert.deepEqual([range['end_ip'], range['comment']], ['192.168.127.20', 'for all']);
    assert.deepEqual(await stage.ask(400, 'PUT', eth0, { ip_range_high: '192.168.127.33' }), {
      __all__: ['expected a range apart from the reserved range 192.168.127.30-192.168.127.40'],
    });
    assert.deepEqual(await stage.ask(400, 'PUT', eth0, { static_ip_range_low: '192.168.127.60' }), {
      static_ip_range_high: ['expected both ends of the range'],
    });
    await stage.ask(200, 'PUT', eth0, { ip_range_low: '', ip_range_high: '' });
    await stage.ask(404, 'GET', '2.0/ipranges/1/');
  });

  test(`${title}: of what many do at the same time each is done whole, and only one has what there is one of`, async () => {
    await using stage = await stageOf();
    const range = { type: 'dynamic', start_ip: '192.168.127.10', end_ip: '192.168.127.19' };
    const ask = (method: string, path: string, form: Form): Promise<{ readonly status: number }> =>
      stage.region.operate(stage.key, method, path, form);
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => ask('POST', '2.0/ipranges/', range)),
      ...Array.from({ length: 10 }, (_, i) => ask('PUT', '2.0/subnets/2/', { name: `name ${i}`, management: 'dhcp' })),
    ]);
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    assert.deepEqual(statuses, [
      ...Array.from({ length: 10 }, () => 200),
      201,
      ...Array.from({ length: 9 }, () => 400),
    ]);
    const deeds = await stage.region.database.query("SELECT did FROM audit WHERE who = 'root' AND did <> 'create'");
    assert.equal(deeds.length, 10);
  });

  test(`${title}: DHCP is turned on and off by the VLAN, at the rack that is on it`, async () => {
    await using stage = await stageOf();
    const vlan = (await stage.ask(200, 'GET', '2.0/fabrics/1/vlans/0/')) as Json;
    assert.deepEqual(vlan, {
      id: 1,
      vid: 0,
      name: 'untagged',
      fabric: 'fabric-1',
      fabric_id: 1,
      dhcp_on: false,
      external_dhcp: null,
      primary_rack: stage.a1.rack,
      secondary_rack: null,
      relay_vlan: null,
      resource_uri: '/MAAS/api/2.0/vlans/1/',
    });
    assert.match(
      JSON.stringify(await stage.ask(400, 'PUT', '2.0/fabrics/1/vlans/0/', { primary_rack: 'rack-b1' })),
      /expected the rack it is at: this is eth0 of rack rack-a1/,
    );
    const on = { dhcp_on: 'True', primary_rack: stage.a1.rack };
    assert.equal(((await stage.ask(200, 'PUT', '2.0/fabrics/fabric-1/vlans/untagged/', on)) as Json)['dhcp_on'], true);
    assert.deepEqual(await stage.plan(stage.a1), {
      subnets: [{ cidr: '192.168.127.0/24', interface: 'eth0', management: 'dhcp+dns', domain: 'maas' }],
    });
    await stage.ask(200, 'PUT', '2.0/vlans/1/', { dhcp_on: 'false' });
    assert.deepEqual(await stage.plan(stage.a1), {});
    // Behind relays: nobody is there yet
    const relayed = { cidr: '10.9.0.0/24', dns_servers: '10.9.0.1' };
    const { vlan: far } = (await stage.ask(201, 'POST', '2.0/subnets/', relayed)) as { vlan: Json };
    await stage.ask(400, 'PUT', `2.0/vlans/${String(far['id'])}/`, { dhcp_on: 'true' });
    await stage.ask(200, 'PUT', `2.0/vlans/${String(far['id'])}/`, { dhcp_on: 'true', primary_rack: 'rack-b1' });
    assert.deepEqual(await stage.plan(stage.b1), {
      subnets: [{ cidr: '10.9.0.0/24', management: 'dhcp+dns', dns: ['10.9.0.1'], domain: 'maas' }],
    });
    assert.equal(((await stage.ask(200, 'GET', '2.0/fabrics/')) as Json[]).length, 3);
    await stage.ask(404, 'GET', '2.0/fabrics/1/vlans/7/');
  });

  test(`${title}: names go to the racks whose domain they are in, and those of a domain of nobody's to all that answer names`, async () => {
    await using stage = await stageOf();
    await stage.ask(201, 'POST', '2.0/domains/', { name: 'lab.example' });
    await stage.ask(201, 'POST', '2.0/domains/', { name: 'Apps.Example.', ttl: '60' });
    await stage.ask(200, 'PUT', '2.0/subnets/1/', { management: 'dhcp+dns', domain: 'lab.example' });
    await stage.ask(200, 'PUT', '2.0/subnets/2/', { management: 'dhcp' });
    await stage.ask(200, 'POST', '2.0/maas/?op=set_config', { name: 'default_dns_ttl', value: '30' });
    await stage.ask(200, 'POST', '2.0/maas/?op=set_config', { name: 'upstream_dns', value: '192.0.2.53, 192.0.2.54' });
    const name = { fqdn: 'www.lab.example', ip_addresses: '192.168.127.50 2001:db8::0050' };
    assert.deepEqual(await stage.ask(201, 'POST', '2.0/dnsresources/', name), {
      id: 1,
      fqdn: 'www.lab.example',
      address_ttl: null,
      ip_addresses: [{ ip: '192.168.127.50' }, { ip: '2001:db8::50' }],
      resource_records: [],
      resource_uri: '/MAAS/api/2.0/dnsresources/1/',
    });
    const apex = { name: '@', domain: 'apps.example', ip_addresses: '192.0.2.9', address_ttl: '0' };
    await stage.ask(201, 'POST', '2.0/dnsresources/', apex);
    await stage.ask(201, 'POST', '2.0/dnsresources/', { fqdn: 'git.apps.example', ip_addresses: '192.0.2.9' });
    assert.deepEqual((await stage.plan(stage.a1))['dns'], {
      domains: ['apps.example', 'lab.example'],
      names: [
        { name: 'apps.example', addresses: ['192.0.2.9'], ttl: '0s' },
        { name: 'git.apps.example', addresses: ['192.0.2.9'], ttl: '60s' },
        { name: 'www.lab.example', addresses: ['192.168.127.50', '2001:db8::50'], ttl: '30s' },
      ],
      forward: ['192.0.2.53', '192.0.2.54'],
    });
    assert.equal((await stage.plan(stage.b1))['dns'], undefined, 'it answers no names');
    await stage.ask(200, 'PUT', '2.0/subnets/2/', { management: 'dhcp+dns' });
    assert.deepEqual(
      ((await stage.plan(stage.b1))['dns'] as { domains: unknown }).domains,
      ['apps.example'],
      "not another rack's domain: its machines would be hidden",
    );
    // What all would refuse, and what is in use
    assert.match(
      JSON.stringify(
        await stage.ask(400, 'POST', '2.0/dnsresources/', { fqdn: 'a.elsewhere.example', ip_addresses: '::1' }),
      ),
      /create that first/,
    );
    await stage.ask(400, 'POST', '2.0/dnsresources/', { fqdn: 'www.lab.example', ip_addresses: '192.0.2.1' });
    await stage.ask(409, 'POST', '2.0/dnsresources/', { fqdn: 'x.lab.example', ip_addresses: '224.0.0.1' });
    await stage.ask(409, 'DELETE', '2.0/domains/lab.example/');
    await stage.ask(400, 'DELETE', '2.0/domains/1/');
    await stage.ask(200, 'PUT', '2.0/domains/apps.example/', { authoritative: 'false' });
    assert.deepEqual(((await stage.plan(stage.a1))['dns'] as { domains: unknown }).domains, ['lab.example']);
    await stage.ask(200, 'PUT', '2.0/dnsresources/1/', { name: 'web', address_ttl: '' });
    assert.equal(
      ((await stage.ask(200, 'GET', '2.0/dnsresources/?domain=lab.example')) as Json[])[0]?.['fqdn'],
      'web.lab.example',
    );
    for (const id of [1, 2, 3]) await stage.ask(204, 'DELETE', `2.0/dnsresources/${id}/`);
    await stage.ask(204, 'DELETE', '2.0/domains/apps.example/');
  });

  test(`${title}: settings are known by name, and what they mean is in every plan`, async () => {
    await using stage = await stageOf();
    const set = (status: number, name: string, value: string): Promise<unknown> =>
      stage.ask(status, 'POST', '2.0/maas/?op=set_config', { name, value });
    const get = (name: string): Promise<unknown> => stage.ask(200, 'GET', '2.0/maas/?op=get_config', { name });
    assert.deepEqual([await get('upstream_dns'), await get('boot_images_auto_import')], ['', true]);
    await stage.ask(200, 'PUT', '2.0/subnets/1/', { management: 'dhcp' });
    await stage.ask(201, 'POST', '2.0/reservedips/', { ip: '192.168.127.50', mac_address: MAC });
    const keyring_data = 'AAAA';
    await stage.ask(201, 'POST', '2.0/boot-sources/', { url: 'http://mirror.example/', keyring_data });
    await set(200, 'commissioning_distro_series', 'noble');
    await set(200, 'kernel_opts', 'console=ttyS0');
    await set(200, 'http_proxy', 'http://proxy.example:3128');
    await set(200, 'boot_images_auto_import', 'false');
    assert.deepEqual([await get('boot_image'), await get('commissioning_distro_series')], ['ubuntu/noble', 'noble']);
    const { boot, images, hosts } = await stage.plan(stage.a1);
    assert.deepEqual(boot, {
      default: 'ubuntu-noble',
      entries: { 'ubuntu-noble': { image: 'ubuntu/noble', cmdline: 'console=ttyS0' } },
    });
    assert.deepEqual(hosts, [{ name: 'ip-192-168-127-50', mac: MAC, address: '192.168.127.50', boot: 'ubuntu-noble' }]);
    assert.deepEqual(images, {
      interval: 'off',
      sources: [
        {
          url: 'http://mirror.example/',
          'keyring-data': 'AAAA',
          proxy: 'http://proxy.example:3128',
          selections: [],
        },
      ],
    });
    for (const [name, value] of [
      ['upstream_dns', 'dns.example'],
      ['default_dns_ttl', '-1'],
      ['boot_image', 'noble'],
      ['boot_image', '../../etc/passwd'],
      ['http_proxy', 'http://me:secret@proxy.example/'],
      ['http_proxy', 'javascript:alert(1)'],
      ['boot_images_auto_import', 'maybe'],
      ['dns_trusted_acl', '10.0.0.1/8'],
      ['maas_name', 'x'],
      ['__proto__', 'x'],
    ] as const)
      await set(400, name, value);
    await set(200, 'boot_image', '');
    assert.equal((await stage.plan(stage.a1))['boot'], undefined);
  });

  test(`${title}: events are paged to both ends, by level, machine and rack, with what was asked for`, async () => {
    await using stage = await stageOf();
    const records = Array.from({ length: 25 }, () => ({
      kind: 'dhcp.request',
      mac: MAC,
      wanted: '192.0.2.5',
      state: 'init',
    }));
    await stage.tell(stage.a1, records);
    await stage.tell(stage.b1, [
      { kind: 'dhcp.store-failed', reason: 'disk full' },
      { kind: 'dhcp.nak', mac: '52:54:00:00:00:09', reason: 'no' },
      { kind: 'made.up', mac: MAC, odd: { a: 1 } },
      { kind: 'neighbour.refreshed', mac: MAC, address: '192.0.2.1', interface: 'eth0' },
      { kind: 'lease.bound', mac: MAC, address: '10.1.0.9', name: 'Node1' },
    ]);
    interface Page {
      count: number;
      events: { id: number; description: string; level: string; type: string; hostname: string; rack: string }[];
      next_uri: string;
      prev_uri: string | null;
    }
    const page = async (path: string): Promise<Page> =>
      (await stage.ask(200, 'GET', path.replace('/MAAS/api/', ''))) as Page;
    const all: number[] = [];
    let here = await page(`2.0/events/?op=query&mac_address=${MAC.toUpperCase()}&limit=10`);
    assert.match(here.prev_uri ?? '', /^\/MAAS\/api\/2\.0\/events\/\?mac_address=[^&]+&limit=10&op=query&before=\d+$/);
    const newest = here;
    while (here.count > 0) {
      all.push(...here.events.map(({ id }) => id));
      here = await page(here.prev_uri ?? assert.fail());
    }
    assert.equal(all.length, 26, 'one machine, but not what is only a detail');
    assert.deepEqual(
      all,
      all.toSorted((a, b) => b - a),
    );
    assert.equal((await page(newest.next_uri)).count, 0);
    const forward = await page(`2.0/events/?op=query&after=${all.at(-1) ?? 0}&limit=3`);
    assert.deepEqual(
      forward.events.map(({ id }) => id),
      all.toReversed().slice(1, 4).toReversed(),
      'the oldest of the newer ones',
    );
    const sentences = async (query: string): Promise<string[]> =>
      (await page(`2.0/events/?op=query&${query}`)).events.map(({ level, description }) => `${level} ${description}`);
    assert.deepEqual(await sentences('level=WARNING'), [
      'WARNING is refused its address: no',
      "ERROR leases can't be written: no new one is given, running ones are confirmed for the time they have left: disk full",
    ]);
    assert.equal((await sentences('level=ERROR')).length, 1);
    assert.deepEqual((await sentences('agent_name=rack-b1'))[0], 'INFO made.up');
    assert.equal((await page('2.0/events/?op=query&agent_name=rack-b1&level=DEBUG')).count, 4);
    assert.equal((await page('2.0/events/?op=query&hostname=node1')).count, 26);
    assert.equal((await page('2.0/events/?op=query&hostname=nobody&after=0')).prev_uri?.includes('before=1'), true);
    await stage.ask(400, 'GET', '2.0/events/?op=query&before=5&after=3');
    await stage.ask(400, 'GET', '2.0/events/?op=query&limit=1001');
  });

  test(`${title}: who is on the wires is listed, known or not, and can be forgotten and looked for`, async () => {
    await using stage = await stageOf();
    const other = '52:54:00:00:00:09';
    await stage.tell(stage.a1, [
      seen('192.168.127.7', MAC),
      seen('192.168.127.8', other),
      { kind: 'dhcp.ack', mac: MAC, address: '192.168.127.7' },
      { kind: 'lease.bound', mac: other, address: '192.168.127.8', name: 'printer' },
    ]);
    type Row = { ip: string; discovery_id: string; hostname: string | null };
    const list = async (op: string): Promise<string[]> =>
      ((await stage.ask(200, 'GET', `2.0/discovery/${op}`)) as Row[]).map(({ ip }) => ip);
    assert.deepEqual(await list(''), ['192.168.127.8', '192.168.127.7']);
    assert.deepEqual(await list('?op=by_unknown_mac'), ['192.168.127.8']);
    assert.deepEqual(await list('?op=by_unknown_ip'), ['192.168.127.7']);
    assert.deepEqual(await list('?op=by_unknown_ip_and_mac'), []);
    const [first] = (await stage.ask(200, 'GET', '2.0/discovery/')) as Row[];
    assert.deepEqual(await stage.ask(200, 'GET', `2.0/discovery/${first?.discovery_id ?? ''}/`), first);
    assert.equal(first?.hostname, 'printer');
    await stage.ask(404, 'GET', '2.0/discovery/AAAA/');
    const { scan_started_on: scanned } = (await stage.ask(200, 'POST', '2.0/discovery/?op=scan', {
      cidr: '192.168.127.0/24',
    })) as { scan_started_on: string[] };
    assert.deepEqual(scanned, ['rack-a1']);
    await stage.ask(400, 'POST', '2.0/discovery/?op=scan', { cidr: '10.77.0.0/24' });
    await stage.ask(204, 'POST', '2.0/discovery/?op=clear_by_mac_and_ip', { mac: other, ip: '192.168.127.8' });
    await stage.ask(404, 'POST', '2.0/discovery/?op=clear_by_mac_and_ip', { mac: other, ip: '192.168.127.8' });
    await stage.ask(400, 'POST', '2.0/discovery/?op=clear');
    await stage.ask(204, 'POST', '2.0/discovery/?op=clear', { all: 'true' });
    assert.deepEqual(await list(''), []);
  });

  test(`${title}: leases are asked for by rack and by machine, and never so many that nobody can hold them`, async () => {
    await using stage = await stageOf();
    const { database } = stage.region;
    await database.query(
      `INSERT INTO lease (rack_id, address, mac)
       SELECT id, inet '10.0.0.0' + n, '52:54:00:00:00:01' FROM rack, generate_series(1, 2) AS n`,
    );
    await database.query("UPDATE lease SET mac = '52:54:00:00:00:02' WHERE address = '10.0.0.2'");
    const found = async (query: string): Promise<string[]> =>
      ((await stage.ask(200, 'GET', `2.0/leases/${query}`)) as { rack: string; ip: string }[]).map(
        ({ rack, ip }) => `${rack} ${ip}`,
      );
    assert.deepEqual(await found(''), ['rack-a1 10.0.0.1', 'rack-a1 10.0.0.2', 'rack-b1 10.0.0.1', 'rack-b1 10.0.0.2']);
    assert.deepEqual(await found('?rack=rack-b1&mac_address=52:54:00:00:00:02'), ['rack-b1 10.0.0.2']);
    assert.deepEqual(await found('?rack=rack-c1'), []);
    await database.query(
      `INSERT INTO lease (rack_id, address, mac)
       SELECT id, inet '10.1.0.0' + n, '52:54:00:00:00:03' FROM rack, generate_series(1, 100000) AS n WHERE name = 'rack-a1'`,
    );
    const refusal = await stage.ask(400, 'GET', '2.0/leases/');
    assert.deepEqual(refusal, { rack: ['there are more than 100000 leases: ask for those of fewer racks'] });
    assert.equal((await found('?rack=rack-b1')).length, 2);
  });

  test(`${title}: a rack that serves is not taken away by a slip`, async () => {
    await using stage = await stageOf();
    const [row] = (await stage.ask(200, 'GET', '2.0/rackcontrollers/')) as {
      service_set: object[];
      hostname: string;
    }[];
    assert.deepEqual(
      [row?.hostname, row?.service_set],
      ['rack-a1', [{ name: 'dhcp', status: 'running', status_info: '' }]],
    );
    await stage.ask(200, 'PUT', '2.0/subnets/1/', { management: 'dhcp' });
    assert.match(String(await stage.ask(409, 'DELETE', '2.0/rackcontrollers/rack-a1/')), /serves 192\.168\.127\.0\/24/);
    await stage.ask(204, 'DELETE', '2.0/rackcontrollers/rack-a1/?force=true');
    await stage.ask(204, 'DELETE', '2.0/rackcontrollers/rack-b1/');
    assert.equal((await stage.region.say(stage.a1, 'GET', '/racks/v1/plan')).status, 401);
  });

  test(`${title}: node groups of 1.0 have their domain, and networks behind relays`, async () => {
    await using stage = await stageOf();
    const group = `1.0/nodegroups/${stage.a1.rack}/`;
    await stage.ask(400, 'PUT', group, { cluster_name: 'other' });
    const named = await stage.ask(200, 'PUT', group, { name: 'lab.example', cluster_name: 'rack-a1', status: '1' });
    assert.deepEqual(named, { cluster_name: 'rack-a1', status: 1, name: 'lab.example', uuid: stage.a1.rack });
    const far = {
      ip: '10.20.0.1',
      subnet_mask: '255.255.0.0',
      management: '1',
      router_ip: '10.20.0.254',
      ip_range_low: '10.20.1.0',
      ip_range_high: '10.20.1.255',
    };
    const made = (await stage.ask(201, 'POST', `${group}interfaces/?op=new`, far)) as Json;
    assert.deepEqual([made['name'], made['interface'], made['subnet_mask']], ['subnet-3', null, '255.255.0.0']);
    assert.deepEqual((await stage.plan(stage.a1))['subnets'], [
      {
        cidr: '10.20.0.0/16',
        management: 'dhcp',
        dynamic: '10.20.1.0-10.20.1.255',
        router: '10.20.0.254',
        domain: 'lab.example',
      },
    ]);
    assert.equal(((await stage.ask(200, 'GET', `${group}interfaces/?op=list`)) as Json[]).length, 2);
    await stage.ask(400, 'POST', `${group}interfaces/?op=new`, { ...far, subnet_mask: '255.0.255.0' });
    await stage.ask(400, 'PUT', `${group}interfaces/eth0/`, { ip: '192.168.127.101' });
    await stage.ask(204, 'DELETE', `${group}interfaces/subnet-3/`);
    assert.deepEqual(await stage.plan(stage.a1), {});
    await stage.ask(404, 'GET', `1.0/nodegroups/${randomUUID()}/`);
    await stage.ask(200, 'GET', '1.0/networks/rack-a1-eth0/');
  });

  test(`${title}: keys can be named, listed and made worthless, and say nothing of their secret afterwards`, async () => {
    await using stage = await stageOf();
    const made = (await stage.ask(200, 'POST', '2.0/account/?op=create_authorisation_token')) as Record<string, string>;
    const { token_key: token = '', consumer_key: consumer = '', token_secret: secret = '' } = made;
    const whole = `${consumer}:${token}:${secret}`;
    assert.equal(
      await stage.ask(200, 'POST', '2.0/account/?op=update_token_name', { token: whole, name: 'of a robot' }),
      'Accepted',
    );
    const list = await stage.ask(200, 'GET', '2.0/account/?op=list_authorisation_tokens');
    assert.deepEqual((list as object[])[1], { name: 'of a robot', token: `${consumer}:${token}` });
    await stage.ask(204, 'POST', '2.0/account/?op=delete_authorisation_token', { token_key: token });
    await stage.ask(404, 'POST', '2.0/account/?op=delete_authorisation_token', { token_key: token });
    const rows = await stage.region.database.query('SELECT * FROM audit');
    assert.ok(!JSON.stringify(rows).includes(secret) && !stage.region.log.join('').includes(secret));
    const other = { consumer, token, secret };
    assert.equal((await stage.region.operate(other, 'GET', '2.0/users/?op=whoami')).status, 401);
  });
}
