import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, faultLines, planOf, SUBNET } from './rack-a1.ts';

const withClasses = (...classes: readonly string[]) =>
  `${SUBNET}classes:\n${classes.map((line) => `  - { ${line} }\n`).join('')}`;

test('a class says whom it matches, by one value or several', () => {
  const plan = planOf(
    withClasses(
      'name: Phones, match: { vendor-class: yealink, user-class: [a, b], arch: 7, mac-prefix: 00-15-AB }',
      'name: port, match: { circuit-id: [port-7, { hex: "00:0A" }], remote-id: { text: "00:0a" }, arch: [7, 9], mac-prefix: ["525400", 52] }'.replace(
        ', 52]',
        ', "52"]',
      ),
    ),
  );
  assert.deepEqual(plan.classes, [
    {
      name: 'phones',
      match: { vendorClasses: ['yealink'], userClasses: ['a', 'b'], archs: [7], macPrefixes: ['0015ab'] },
      options: { settings: [], always: [] },
    },
    {
      name: 'port',
      match: {
        circuitIds: ['706f72742d37', '000a'],
        remoteIds: ['30303a3061'],
        archs: [7, 9],
        macPrefixes: ['525400', '52'],
      },
      options: { settings: [], always: [] },
    },
  ]);
});

test('a class with a fault is out of service, and the others are not', () => {
  const good = 'name: good, match: { arch: 7 }, options: { wpad: x }';
  const faulty: readonly (readonly [string, string])[] = [
    [
      'name: a, match: {}',
      '7:23: classes[1].match: expected at least one of vendor-class, user-class, arch, mac-prefix, circuit-id, remote-id, found a mapping',
    ],
    [
      'name: good, match: { arch: 9 }',
      '7:13: classes[1].name: expected a name of its own, found good, taken on line 6',
    ],
    [
      'name: a',
      '7:5: classes[1].match: expected a mapping with vendor-class, user-class, arch, mac-prefix, circuit-id, remote-id, found nothing',
    ],
    [
      'name: a, match: { arch: 65536 }',
      '7:31: classes[1].match.arch: expected a processor architecture from 0 to 65535 (option 93), like 7 for x64 UEFI, found 65536',
    ],
    [
      'name: a, match: { mac-prefix: 525400 }',
      '7:37: classes[1].match.mac-prefix: expected the first bytes of MAC addresses like 52:54:00, at most six, found the number 525400 (text like this needs quotes)',
    ],
    [
      'name: a, match: { mac-prefix: 52:54:0 }',
      '7:37: classes[1].match.mac-prefix: expected the first bytes of MAC addresses like 52:54:00, at most six, found 52:54:0',
    ],
    [
      'name: a, match: { arch: 7, vendor: x }',
      '7:34: classes[1].match.vendor: expected one of vendor-class, user-class, arch, mac-prefix, circuit-id, remote-id, found vendor',
    ],
    [
      'name: a, match: { circuit-id: { hex: 0 } }',
      '7:44: classes[1].match.circuit-id.hex: expected bytes as pairs of hex digits like "0a1bff" or "0a:1b:ff", found the number 0 (text like this needs quotes)',
    ],
    [
      'name: a, match: { user-class: [] }',
      '7:37: classes[1].match.user-class: expected at least one user class, found an empty list',
    ],
    [
      'name: a, match: { arch: 7 }, options: { lease-time: 1h }',
      '7:47: classes[1].options.lease-time: expected another option (it is `lease` of the subnet), found lease-time',
    ],
  ];
  for (const [words, line] of faulty) {
    const text = withClasses(good, words);
    assert.deepEqual(faultLines(text), [line]);
    assert.deepEqual(
      compile(text).plan?.classes?.map(({ name }) => name),
      ['good'],
    );
  }
});
