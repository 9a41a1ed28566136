import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Database } from '../../src/region/database/database.ts';
import { obeyDesk } from '../../src/region/region-desk.ts';
import { RegionRig, STATUS } from './region-rig.ts';

const SOURCE = '1.0/boot-sources/';

/** What operators are promised, on any database. `open` gives an empty one. */
export function testOperators(title: string, open: () => Promise<Database>): void {
  const rig = async (): Promise<RegionRig> => RegionRig.create(await open());

  test(`${title}: who has no key is told nothing but what this is`, async () => {
    await using region = await rig();
    const { status, body } = await region.ask('GET', '/MAAS/api/2.0/version/');
    assert.deepEqual([status, (body as { subversion: string }).subversion], [200, 'rackboot']);
    assert.equal((await region.ask('GET', '/MAAS/api/2.0/describe/')).status, 200);
    assert.equal((await region.ask('GET', '/MAAS/api/2.0/boot-sources/')).status, 401);
    const key = await region.key();
    assert.equal((await region.operate({ ...key, secret: 'x' }, 'GET', SOURCE)).status, 401);
    assert.equal((await region.operate({ ...key, consumer: 'x' }, 'GET', SOURCE)).status, 401);
    assert.deepEqual((await region.operate(key, 'GET', '2.0/users/?op=whoami')).body, {
      username: 'root',
      email: 'a@b.example',
      is_superuser: true,
    });
    assert.equal((await region.operate(key, 'GET', '1.0/nodegroups/?op=list')).status, 200);
  });

  test(`${title}: who is no administrator reads, and changes nothing but keys of his own`, async () => {
    await using region = await rig();
    const key = await region.key('guest', false);
    assert.equal((await region.operate(key, 'GET', SOURCE)).status, 200);
    assert.equal((await region.operate(key, 'POST', SOURCE, { url: 'http://x.example/' })).status, 403);
    const made = await region.operate(key, 'POST', '2.0/account/?op=create_authorisation_token', { name: 'other' });
    const { token_key: token } = made.body as { token_key: string };
    const list = await region.operate(key, 'GET', '2.0/account/?op=list_authorisation_tokens');
    assert.equal((list.body as unknown[]).length, 2);
    assert.equal(
      (await region.operate(key, 'POST', '2.0/account/?op=delete_authorisation_token', { token_key: token })).status,
      204,
    );
  });

  test(`${title}: the first boot source, its selection, and another, as the document of 2015 shows them`, async () => {
    await using region = await rig();
    const key = await region.key();
    await obeyDesk(region.database, { kind: 'init', source: true });
    assert.deepEqual((await region.operate(key, 'GET', SOURCE)).body, [
      {
        url: 'http://images.maas.io/ephemeral-v3/stable/',
        keyring_data: '',
        resource_uri: '/MAAS/api/1.0/boot-sources/1/',
        keyring_filename: '/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg',
        id: 1,
      },
    ]);
    const rack = await region.enrol('rack-a1');
    const wish = { os: 'ubuntu', release: 'precise', arches: 'amd64', subarches: '*', labels: '*' };
    const made = await region.operate(key, 'POST', `${SOURCE}1/selections/`, wish);
    assert.equal(made.status, 201);
    assert.deepEqual(made.body, {
      labels: ['*'],
      arches: ['amd64'],
      subarches: ['*'],
      release: 'precise',
      os: 'ubuntu',
      id: 2,
      resource_uri: '/MAAS/api/1.0/boot-sources/1/selections/2/',
    });
    assert.equal(
      (await region.operate(key, 'POST', `${SOURCE}1/selections/`, wish)).status,
      400,
      'it is there already',
    );
    assert.equal((await region.operate(key, 'POST', '1.0/boot-resources/?op=import')).status, 200);
    const plan = (await region.say(rack, 'GET', '/racks/v1/plan')).body as {
      config: { images: { sources: { selections: { release: string }[] }[] } };
      orders: object;
    };
    const [source] = plan.config.images.sources;
    assert.deepEqual(
      source?.selections.map(({ release }) => release),
      ['noble', 'precise'],
    );
    assert.deepEqual(plan.orders, { import: 1 });
  });

  test(`${title}: a network of a rack gets its ranges, as the document of 2015 shows it`, async () => {
    await using region = await rig();
    const key = await region.key();
    const rack = await region.enrol('maas');
    await region.say(rack, 'POST', '/racks/v1/status', STATUS);
    assert.deepEqual((await region.operate(key, 'GET', '1.0/networks/')).body, [
      {
        dns_servers: null,
        name: 'maas-eth0',
        default_gateway: null,
        ip: '192.168.127.0',
        netmask: '255.255.255.0',
        vlan_tag: null,
        resource_uri: '/MAAS/api/1.0/networks/maas-eth0/',
        description: 'Auto created when creating interface eth0 on cluster maas',
      },
    ]);
    assert.deepEqual((await region.operate(key, 'GET', '1.0/nodegroups/?op=list')).body, [
      { cluster_name: 'maas', status: 1, name: 'maas', uuid: rack.rack },
    ]);
    const path = `1.0/nodegroups/${rack.rack}/interfaces/eth0/`;
    const wish = {
      ip_range_low: '192.168.127.121',
      ip_range_high: '192.168.127.140',
      static_ip_range_low: '192.168.127.221',
      static_ip_range_high: '192.168.127.240',
      management: '2',
      subnet_mask: '255.255.255.0',
      router_ip: '192.168.127.254',
      broadcast_ip: '192.168.127.255',
    };
    const shown = {
      ip_range_high: '192.168.127.140',
      ip_range_low: '192.168.127.121',
      broadcast_ip: '192.168.127.255',
      static_ip_range_low: '192.168.127.221',
      name: 'eth0',
      ip: '192.168.127.100',
      subnet_mask: '255.255.255.0',
      management: 2,
      static_ip_range_high: '192.168.127.240',
      interface: 'eth0',
    };
    assert.deepEqual((await region.operate(key, 'PUT', path, wish)).body, shown);
    const { config } = (await region.say(rack, 'GET', '/racks/v1/plan')).body as { config: object };
    assert.deepEqual(config, {
      subnets: [
        {
          cidr: '192.168.127.0/24',
          interface: 'eth0',
          management: 'dhcp+dns',
          dynamic: '192.168.127.121-192.168.127.140',
          static: '192.168.127.221-192.168.127.240',
          router: '192.168.127.254',
          broadcast: '192.168.127.255',
          domain: 'maas',
        },
      ],
    });
    const refused = await region.operate(key, 'PUT', path, { ip_range_high: '192.168.127.254' });
    assert.equal(refused.status, 409);
    assert.match(
      JSON.stringify(refused.body),
      /rack maas would refuse this: region plan 3: subnets\[0\]\.dynamic: expected /,
    );
    assert.deepEqual((await region.operate(key, 'GET', path)).body, shown);
    const [deed] = await region.database.query(
      "SELECT who, did, what FROM audit WHERE what LIKE 'subnet %' ORDER BY id DESC LIMIT 1",
    );
    assert.deepEqual(deed, { who: 'root', did: 'update', what: 'subnet 1' });
  });

  test(`${title}: subnets, ranges and reserved addresses of 2.0 become what a rack serves`, async () => {
    await using region = await rig();
    const key = await region.key();
    const rack = await region.enrol('rack-a1');
    await region.say(rack, 'POST', '/racks/v1/status', STATUS);
    const update = { management: 'dhcp', gateway_ip: '192.168.127.254', dns_servers: '192.168.127.1 192.168.127.2' };
    assert.equal((await region.operate(key, 'PUT', '2.0/subnets/1/', update)).status, 200);
    const range = { type: 'dynamic', start_ip: '192.168.127.10', end_ip: '192.168.127.20' };
    assert.equal((await region.operate(key, 'POST', '2.0/ipranges/', range)).status, 201);
    assert.equal((await region.operate(key, 'POST', '2.0/ipranges/', range)).status, 400, 'it has one');
    const reserved = { type: 'reserved', start_ip: '192.168.127.30', end_ip: '192.168.127.40' };
    assert.equal((await region.operate(key, 'POST', '2.0/ipranges/', reserved)).status, 201);
    assert.equal((await region.operate(key, 'PUT', '2.0/ipranges/1/', { end_ip: '192.168.127.33' })).status, 400);
    const host = { ip: '192.168.127.50', mac_address: '52-54-00-00-00-07', comment: 'node7' };
    assert.equal((await region.operate(key, 'POST', '2.0/reservedips/', host)).status, 201);
    const { config } = (await region.say(rack, 'GET', '/racks/v1/plan')).body as { config: object };
    assert.deepEqual(config, {
      subnets: [
        {
          cidr: '192.168.127.0/24',
          interface: 'eth0',
          management: 'dhcp',
          dynamic: '192.168.127.10-192.168.127.20',
          router: '192.168.127.254',
          dns: ['192.168.127.1', '192.168.127.2'],
          domain: 'maas',
        },
      ],
      hosts: [{ name: 'node7', mac: '52:54:00:00:00:07', address: '192.168.127.50' }],
    });
    const overlap = { cidr: '192.168.0.0/16', rack: 'rack-a1', management: 'dhcp' };
    const refused = await region.operate(key, 'POST', '2.0/subnets/', overlap);
    assert.equal(refused.status, 409);
    assert.match(JSON.stringify(refused.body), /expected a network apart from 192\.168\.127\.0\/24/);
    assert.equal((await region.operate(key, 'DELETE', '2.0/ipranges/1/')).status, 204);
    assert.equal((await region.operate(key, 'GET', '2.0/ipranges/1/')).status, 404);
  });

  test(`${title}: two subnets at one interface share its link, by the name that the rack's file has for it`, async () => {
    await using region = await rig();
    const key = await region.key();
    const rack = await region.enrol('rack-a1');
    const second = { name: 'eth0', address: '10.1.0.1', prefix: 24 };
    const status = { ...STATUS, interfaces: [...STATUS.interfaces, second] };
    await region.say(rack, 'POST', '/racks/v1/status', status);
    const sharedOf = async (): Promise<unknown> => {
      const { body } = await region.say(rack, 'GET', '/racks/v1/plan');
      const { subnets = [] } = (body as { config: { subnets?: { cidr: string; shared?: string }[] } }).config;
      return subnets.map(({ cidr, shared }) => [cidr, shared]);
    };
    const first = await region.operate(key, 'PUT', '2.0/subnets/1/', { management: 'dhcp' });
    assert.equal(first.status, 200);
    assert.deepEqual(await sharedOf(), [['192.168.127.0/24', undefined]]);
    const wish = { cidr: '10.1.0.0/24', rack: 'rack-a1', interface: 'eth0', management: 'dhcp' };
    const made = await region.operate(key, 'POST', '2.0/subnets/', wish);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(await sharedOf(), [
      ['192.168.127.0/24', 'fabric-1'],
      ['10.1.0.0/24', 'fabric-1'],
    ]);
    const inFile = { cidr: '10.2.0.0/24', interface: 'eth0', shared: 'wire', management: 'none' };
    const file = { hash: '0'.repeat(64), config: { subnets: [inFile] } };
    const told = await region.say(rack, 'POST', '/racks/v1/status', { ...status, file });
    assert.equal(told.status, 200);
    assert.deepEqual(await sharedOf(), [
      ['192.168.127.0/24', 'wire'],
      ['10.1.0.0/24', 'wire'],
    ]);
  });

  test(
    `${title}: every action that is described is there, and whatever it is given is answered`,
    { timeout: 120_000 },
    async () => {
      await using region = await rig();
      const key = await region.key();
      await region.say(await region.enrol('rack-a1'), 'POST', '/racks/v1/status', STATUS);
      const odd = [
        "'; DROP TABLE rack; --",
        '\0',
        '\uD800',
        '-1',
        '99999999999999999999',
        '',
        '*',
        'x'.repeat(3000),
        '\r\nX: y',
        '1e9',
        '{"a":1}',
        '0.0.0.0/0',
      ];
      for (const version of ['1.0', '2.0']) {
        const { body } = await region.ask('GET', `/MAAS/api/${version}/describe/`);
        const { handlers } = body as {
          handlers: { path: string; params: string[]; actions: { method: string; op: string | null; doc: string }[] }[];
        };
        for (const { path, params, actions } of handlers) {
          for (const { method, op, doc } of actions) {
            const names = Array.from(doc.matchAll(/^:param (\w+):/gm), ([, field = '']) => field);
            for (const [i, value] of odd.entries()) {
              let place = path.replace('/MAAS/api/', '');
              for (const name of params)
                place = place.replace(`{${name}}`, encodeURIComponent(i % 2 === 0 ? '1' : value.slice(0, 50) || 'x'));
              const form = Object.fromEntries(names.map((name, at) => [name, odd[(i + at) % odd.length] ?? '']));
              const { status } = await region.operate(key, method, `${place}${op === null ? '' : `?op=${op}`}`, form);
              assert.ok(
                status < 500,
                `${method} ${place} ${op ?? ''} ${JSON.stringify(form).slice(0, 300)}: ${status}`,
              );
              assert.notEqual(status, 405);
            }
          }
        }
      }
      assert.equal((await region.database.query('SELECT * FROM rack')).length < 2, true);
    },
  );
}
