import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';
import { SQUATTER, Squatter } from './squatter.ts';

const SQUATTED = '192.168.127.104';
/** A small range, and no look at the wire before an offer: what is known of it must do. */
const CONFIG = `${SIMPLE.replace('100-192.168.127.199', '100-192.168.127.109').replace('lease: 1h', 'lease: 1h\n    conflict-check: off')}
watch: { dhcp-probe: off }
`;

test(
  'an address that a stranger uses is not given once in a thousand times, and he is named until he is gone',
  { skip: await reasonToSkip() },
  async () => {
    await using rig = await RackRig.create('used', CONFIG);
    await using squatter = await Squatter.settle(rig, SQUATTED);
    await using other = await Squatter.settle(rig, '192.168.127.1', '02:00:00:00:5a:01');
    await rig.start();
    assert.ok(squatter.space !== other.space);
    const scan = await rig.rackboot('neighbours', 'scan');
    assert.match(scan.stdout, new RegExp(`^${SQUATTED} +${SQUATTER} +rack0`, 'm'), scan.output);

    const client = await rig.client(execPath, join(import.meta.dirname, 'dora-client.ts'), '1000', '4', '', 'release');
    const given = client.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[1]);
    assert.equal(given.length, 1000, client.output);
    assert.deepEqual(
      given.filter((address) => address === SQUATTED),
      [],
    );
    assert.ok(new Set(given).size > 1);

    await rig.until('the conflicts', async () => (await rig.status()).notices.length === 2);
    const { notices } = await rig.status();
    assert.match(
      notices.join('\n'),
      new RegExp(`watch: ${SQUATTER} ${SQUATTED} uses an address of a range that nobody lent it`),
    );
    assert.match(notices.join('\n'), /watch: 02:00:00:00:5a:01 192\.168\.127\.1 claims an address of this rack/);
    const shown = await rig.rackboot('neighbours');
    assert.equal(shown.code, 1);
    assert.match(
      shown.stdout,
      new RegExp(`^CONFLICT ${SQUATTED} ${SQUATTER} on rack0 uses an address of a range`, 'm'),
    );
  },
);
