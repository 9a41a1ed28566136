import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { cookieSecrets } from '../../src/dns/cookie-secrets.ts';
import { ServerCookies } from '../../src/dns/server-cookies.ts';
import { parseHex } from '../fixtures/hex.ts';
import { ip4 } from './plan-of.ts';

const CLIENT = '2464c4abcf10c957';
const DAY = 86_400;

/** Cookies by a clock that is set by hand, and the secrets of the day it begins with and of those that follow. */
function cookiesAt(seconds: number, ...secrets: string[]) {
  const clock = { seconds, now: () => clock.seconds * 1000, monotonic: () => clock.seconds * 1000 };
  const first = Math.floor(seconds / DAY);
  const cookies = new ServerCookies(clock, (day) => parseHex(secrets[day - first] ?? assert.fail('another secret')));
  return {
    clock,
    write: (cookie: string, address: string): string => {
      const bytes = parseHex(cookie);
      const into = Buffer.alloc(24);
      const state = cookies.check(bytes, 0, bytes.length, ip4(address));
      cookies.write(bytes, 0, state, ip4(address), into, 0);
      return into.toString('hex');
    },
    check: (cookie: string, address: string): string => {
      const bytes = parseHex(cookie);
      return cookies.check(bytes, 0, bytes.length, ip4(address));
    },
  };
}

describe('the examples of RFC 9018', () => {
  const SECRET = 'e5e973e5a6b2a43f48e7dc849e37bfcf';

  test('A.1: a new cookie', () => {
    const { write } = cookiesAt(1_559_731_985, SECRET);
    assert.equal(write(CLIENT, '198.51.100.100'), `${CLIENT}010000005cf79f111f8130c3eee29480`);
  });

  test('A.2: the same client later, with the cookie it had: it is good, and renewed', () => {
    const { write, check } = cookiesAt(1_559_734_385, SECRET);
    const old = `${CLIENT}010000005cf79f111f8130c3eee29480`;
    assert.equal(check(old, '198.51.100.100'), 'good');
    assert.equal(write(old, '198.51.100.100'), `${CLIENT}010000005cf7a871d4a564a1442aca77`);
  });
});

describe('a cookie', () => {
  const SECRETS = ['00*16', '11*16', '22*16', '33*16'];

  test('is good for its client, at its address, for an hour, and kept for half of it', () => {
    const { clock, write, check } = cookiesAt(1_000_000, ...SECRETS);
    const cookie = write(CLIENT, '192.0.2.1');
    assert.equal(check(cookie, '192.0.2.1'), 'good');
    assert.equal(check(cookie, '192.0.2.2'), 'bad');
    assert.equal(check(`00${cookie.slice(2)}`, '192.0.2.1'), 'bad');
    clock.seconds += 1799;
    assert.equal(write(cookie, '192.0.2.1'), cookie);
    clock.seconds += 1;
    assert.notEqual(write(cookie, '192.0.2.1'), cookie);
    clock.seconds += 1800;
    assert.equal(check(cookie, '192.0.2.1'), 'good');
    clock.seconds += 1;
    assert.equal(check(cookie, '192.0.2.1'), 'bad');
  });

  test('of the future is good within five minutes, as clocks of servers that share a secret differ', () => {
    const { clock, write, check } = cookiesAt(1_000_000, ...SECRETS);
    const cookie = write(CLIENT, '192.0.2.1');
    clock.seconds -= 300;
    assert.equal(check(cookie, '192.0.2.1'), 'good');
    clock.seconds -= 1;
    assert.equal(check(cookie, '192.0.2.1'), 'bad');
  });

  test('of another kind is not ours, whatever its length', () => {
    const { check } = cookiesAt(1_000_000, ...SECRETS);
    assert.equal(check(CLIENT, '192.0.2.1'), 'client');
    for (const server of ['00*8', '01*32', '02 00*15']) assert.equal(check(`${CLIENT} ${server}`, '192.0.2.1'), 'bad');
  });

  test('stays good when the secret is a new one, which it is each day', () => {
    const { clock, write, check } = cookiesAt(20 * DAY - 10, ...SECRETS);
    const cookie = write(CLIENT, '192.0.2.1');
    clock.seconds += 20;
    const next = write('01*8', '192.0.2.1');
    assert.deepEqual([check(cookie, '192.0.2.1'), check(next, '192.0.2.1')], ['good', 'good']);
    // And again, in whatever order
    assert.deepEqual([check(cookie, '192.0.2.1'), check(next, '192.0.2.1')], ['good', 'good']);
    clock.seconds += DAY;
    const last = write('01*8', '192.0.2.1');
    assert.deepEqual([check(next, '192.0.2.1'), check(last, '192.0.2.1')], ['bad', 'good']);
  });

  test('of a time beyond our day is good for another thread, whose clock is ahead of it', () => {
    const [early, late] = [cookiesAt(20 * DAY - 1, ...SECRETS), cookiesAt(20 * DAY - 1, ...SECRETS)];
    late.clock.seconds += 2;
    assert.equal(early.check(late.write(CLIENT, '192.0.2.1'), '192.0.2.1'), 'good');
    assert.equal(late.check(early.write(CLIENT, '192.0.2.1'), '192.0.2.1'), 'good');
  });

  test('is made with a secret of the day: the same of the same key, and of another none that is known', () => {
    const [ours, same, other] = [1, 1, 2].map((octet) => cookieSecrets(new Uint8Array(32).fill(octet)));
    assert.deepEqual(ours?.(20_000), same?.(20_000));
    const all = [ours?.(20_000), ours?.(20_001), other?.(20_000)].map((secret) =>
      Buffer.from(secret ?? []).toString('hex'),
    );
    assert.deepEqual([new Set(all).size, all[0]?.length], [3, 32]);
  });
});
