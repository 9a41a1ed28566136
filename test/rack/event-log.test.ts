import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pino } from 'pino';

import { logEvent } from '../../src/rack/event-log.ts';
import type { EventBody } from '../../src/timeline/event.ts';

const LEVELS: readonly (readonly [level: string, body: EventBody])[] = [
  ['error', { kind: 'service.failed', service: 'dns', reason: 'broken', retryMilliseconds: 100 }],
  ['error', { kind: 'plan.refused', faults: ['a'] }],
  ['error', { kind: 'dhcp.store-failed', reason: 'disk full' }],
  ['warn', { kind: 'dhcp.nak', reason: 'it is taken' }],
  ['warn', { kind: 'tftp.refused', file: 'x', reason: 'no such file' }],
  ['info', { kind: 'dhcp.release' }],
  ['info', { kind: 'rack.ready', milliseconds: 1 }],
];

for (const [level, body] of LEVELS) {
  test(`${body.kind} is logged as ${level}, with its fields and its sentence`, () => {
    const lines: string[] = [];
    const options = { base: null, timestamp: false, formatters: { level: (label: string) => ({ level: label }) } };
    const log = pino(options, { write: (line: string) => lines.push(line) });
    logEvent(log, { ...body, at: 5, source: 'rack', mac: '52:54:00:00:00:01' });
    const [line, ...more] = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    const { msg, ...fields } = line ?? {};
    assert.deepEqual(fields, { level, ...body, source: 'rack', mac: '52:54:00:00:00:01' });
    assert.equal(typeof msg, 'string');
    assert.deepEqual(more, []);
  });
}
