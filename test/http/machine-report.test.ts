import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { parseReport } from '../../src/http/machine-report.ts';

const REPORT = {
  stage: 'up',
  name: 'node1',
  cores: 2,
  memoryBytes: 1_073_741_824,
  disks: [{ name: 'vda', bytes: 8_589_934_592 }],
  nics: [{ name: 'eth0', mac: '52:54:00:12:34:56' }],
};

function parse(value: unknown): ReturnType<typeof parseReport> {
  return parseReport(Buffer.from(JSON.stringify(value)));
}

describe('a report', () => {
  it('is taken whole', () => {
    assert.deepEqual(parse(REPORT), { report: REPORT });
  });

  it('needs no more than a stage', () => {
    assert.deepEqual(parse({ stage: 'initrd' }), { report: { stage: 'initrd' } });
  });

  it('loses what nobody asked for, and has its MACs spelled our way', () => {
    const nics = [{ name: 'eth0', mac: '5254.0012.ABCD', speed: 10 }];
    assert.deepEqual(parse({ stage: 'up', nics, extra: { deep: [] } }), {
      report: { stage: 'up', nics: [{ name: 'eth0', mac: '52:54:00:12:ab:cd' }] },
    });
  });

  const FAULTS: readonly (readonly [string, unknown, string])[] = [
    ['no object', [], 'the report: expected an object'],
    ['null', null, 'the report: expected an object'],
    ['no stage', {}, 'stage: expected a text'],
    ['an empty stage', { stage: '' }, 'stage: expected a text'],
    ['a long stage', { stage: 'x'.repeat(129) }, 'stage: expected at most 128 characters'],
    ['a line break', { stage: 'a\nb' }, 'stage: expected no control characters'],
    ['an escape sequence', { stage: 'a', name: '\u001b[2J' }, 'name: expected no control characters'],
    ['half a core', { stage: 'a', cores: 0.5 }, 'cores: expected a whole number from 0 to 65536'],
    ['a negative core', { stage: 'a', cores: -1 }, 'cores: expected a whole number from 0 to 65536'],
    ['too many cores', { stage: 'a', cores: 65_537 }, 'cores: expected a whole number from 0 to 65536'],
    [
      'memory in text',
      { stage: 'a', memoryBytes: '1G' },
      'memoryBytes: expected a whole number from 0 to 9007199254740991',
    ],
    ['null for absent', { stage: 'a', disks: null }, 'disks: expected a list of at most 256'],
    [
      'too many disks',
      { stage: 'a', disks: Array.from({ length: 257 }, () => ({ name: 'a', bytes: 1 })) },
      'disks: expected a list of at most 256',
    ],
    ['a disk that is none', { stage: 'a', disks: [{ name: 'a', bytes: 1 }, 7] }, 'disks[1]: expected an object'],
    ['a nameless disk', { stage: 'a', disks: [{ bytes: 1 }] }, 'disks[0].name: expected a text'],
    [
      'a disk without size',
      { stage: 'a', disks: [{ name: 'a' }] },
      'disks[0].bytes: expected a whole number from 0 to 9007199254740991',
    ],
    [
      'a bad MAC',
      { stage: 'a', nics: [{ name: 'a', mac: 'x' }] },
      'nics[0].mac: expected a MAC address like 52:54:00:12:34:56',
    ],
  ];
  for (const [title, value, fault] of FAULTS) {
    it(`with ${title} is refused, and told why`, () => {
      assert.deepEqual(parse(value), { fault });
    });
  }

  it('that is no JSON in UTF-8 is refused', () => {
    for (const body of [Buffer.from('{'), Buffer.alloc(0), Buffer.from([0x22, 0xff, 0x22])]) {
      assert.deepEqual(parseReport(body), { fault: 'the report is not JSON in UTF-8' });
    }
  });

  it('never throws, whatever the bytes', () => {
    const values = fc.record(
      { stage: fc.anything(), disks: fc.anything(), nics: fc.array(fc.anything()) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
          values.map(jsonBytes),
        ),
        (body) => {
          parseReport(body);
        },
      ),
      { seed: 20261122, numRuns: 2000 },
    );
  });
});

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)));
}
