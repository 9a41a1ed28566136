import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { RegionSettings } from '../../src/plan/plan.ts';
import { compilePlan } from '../../src/plan/compile-plan.ts';
import { faultLines, planOf, rackA1, SUBNET } from './rack-a1.ts';

const HEX = 'a1'.repeat(32);
const BASE64 = Buffer.from(HEX, 'hex').toString('base64');

function section(...lines: readonly string[]): string {
  return `rack: { name: rack-a1, state: /srv/rack }\nregion:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function settingsOf(...lines: readonly string[]): RegionSettings | undefined {
  return planOf(section(...lines), { fileExists: () => true }).region;
}

test('nobody is followed who is not named', () => {
  assert.equal('region' in planOf(SUBNET), false);
});

test('a rack that follows a region may have no subnet, and serves none', () => {
  for (const subnets of ['', 'subnets: []\n'])
    assert.deepEqual(planOf(`${section('url: https://region.example')}${subnets}`).subnets, []);
  assert.deepEqual(faultLines('rack: { name: rack-a1 }\n'), [
    '1:1: subnets: expected a list of subnets, found nothing',
  ]);
});

test('what is left open of a region has its usual value', () => {
  assert.deepEqual(settingsOf('url: https://region.example:5240'), {
    urls: ['https://region.example:5240'],
    credentials: '/srv/rack/region.key',
    outbox: { bytes: 256 * 2 ** 20, seconds: 14 * 86_400 },
  });
});

test('each key of a region counts', () => {
  const lines = [
    'url: [https://a.example, "http://192.0.2.1:5240/"]',
    'credentials: /etc/rackboot/region.key',
    'ca: /etc/rackboot/ca.pem',
    'outbox: { size: 1MiB, age: 365d }',
  ];
  assert.deepEqual(settingsOf(...lines), {
    urls: ['https://a.example', 'http://192.0.2.1:5240'],
    credentials: '/etc/rackboot/region.key',
    ca: '/etc/rackboot/ca.pem',
    outbox: { bytes: 2 ** 20, seconds: 365 * 86_400 },
  });
});

describe('a pin is one number, however it is written', () => {
  const forms = [HEX, HEX.toUpperCase(), BASE64, BASE64.replace(/=$/, ''), `[${HEX}]`, `[${BASE64}]`];
  for (const form of forms) {
    test(form, () => {
      assert.deepEqual(settingsOf('url: https://region.example', `pin: ${form}`)?.pins, [HEX]);
    });
  }
});

describe('a fault is told', () => {
  const url = 'a URL like https://region.example:5240, without name, password and path';
  const pin = 'a SHA-256, as 64 hexadecimal digits or in base64';
  const whole = 'a mapping with url, credentials, ca, pin, outbox';
  const table: readonly (readonly [lines: readonly string[], fault: string])[] = [
    [['credentials: /x'], `2:1: region.url: expected ${url}, found nothing`],
    [['url: region.example'], `3:8: region.url: expected ${url}, found region.example`],
    [['url: []'], '3:8: region.url: expected at least one URL, found an empty list'],
    [['url: [https://a, ftp://b]'], `3:20: region.url[1]: expected ${url}, found ftp://b`],
    [['url: https://me:secret@a'], `3:8: region.url: expected ${url}, found https://me:secret@a`],
    [['url: https://a/MAAS'], `3:8: region.url: expected ${url}, found https://a/MAAS`],
    [['url: https://a?b'], `3:8: region.url: expected ${url}, found https://a?b`],
    [['url: https://a', 'pin: abc'], `4:8: region.pin: expected ${pin}, found abc`],
    [['url: https://a', `pin: [${HEX}, ${HEX}00]`], `4:75: region.pin[1]: expected ${pin}, found ${HEX.slice(0, 59)}…`],
    [
      ['url: [https://a, http://b]', `pin: ${HEX}`],
      '4:3: region.pin: expected a URL with https for what is pinned, found http',
    ],
    [['url: https://a', 'ca: /gone.pem'], '4:7: region.ca: expected a readable file /gone.pem, found none'],
    [
      ['url: https://a', 'outbox: { size: 1KiB }'],
      '4:19: region.outbox.size: expected a size from 1MiB to 64GiB, written like 256MiB, found 1KiB',
    ],
    [
      ['url: https://a', 'outbox: { age: 1m }'],
      '4:18: region.outbox.age: expected a time from 1h to 365d, written like 12h, 14d or 90d, found 1m',
    ],
    [['url: https://a', 'key: x'], '4:3: region.key: expected one of url, credentials, ca, pin, outbox, found key'],
  ];
  for (const [lines, fault] of table) {
    test(lines.join(', '), () => {
      assert.deepEqual(
        faultLines(section(...lines), { fileExists: (path) => path !== '/gone.pem' && rackA1.fileExists(path) }),
        [fault],
      );
    });
  }

  test('region: nothing', () => {
    assert.deepEqual(faultLines(`${SUBNET}region:\n`), [`5:1: region: expected ${whole}, found nothing`]);
  });
});

test('a rack that starts while the certificates of its region are replaced serves all the same', () => {
  const text = `${section('url: https://region.example', 'ca: /etc/rackboot/ca.pem')}${SUBNET.replace(/^rack:.*$/m, '')}`;
  const { plan, faults } = compilePlan(text, 'rackboot.yaml', { ...rackA1, fileExists: () => false });
  assert.equal(plan?.region?.ca, '/etc/rackboot/ca.pem');
  assert.deepEqual(
    faults.filter(({ path }) => path === 'region.ca').map(({ scope, mayPass }) => [scope, mayPass]),
    [['entry', true]],
  );
});

test('images that the region has itself are fetched from whom one takes for the region, and no others', () => {
  const text = `${section('url: https://region.example:5240', `pin: ${HEX}`)}images:
  sources:
    - { url: "https://region.example:5240/MAAS/images-stream/", unsigned: true }
    - { url: "https://region.example/", unsigned: true }
`;
  const trusts = planOf(text, { fileExists: () => true }).images?.sources.map(({ trust }) => trust);
  assert.deepEqual(trusts, [{ pins: [HEX] }, undefined]);
});
