import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import { CertificateWatch } from '../../src/rack/certificate-watch.ts';

function files(t: TestContext): { directory: string; port: number; certificate: string; key: string } {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-certificate-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [certificate = '', key = ''] = ['cert.pem', 'key.pem'].map((name) => join(directory, name));
  writeFileSync(certificate, 'one');
  writeFileSync(key, 'one');
  return { directory, port: 1, certificate, key };
}

/** What the next looks tell. */
function looks(watch: CertificateWatch, settings: Parameters<CertificateWatch['settle']>[0], count = 3): boolean[] {
  return Array.from({ length: count }, () => watch.hasChanged(settings));
}

describe('the certificate and its key', () => {
  test('have not changed while nothing happens, nor where there are none', (t) => {
    const settings = files(t);
    const watch = new CertificateWatch();
    watch.settle(settings);
    assert.deepEqual(looks(watch, settings), [false, false, false]);
    watch.settle(undefined);
    assert.deepEqual(looks(watch, undefined), [false, false, false]);
  });

  for (const [how, change] of [
    ['written', ({ key }) => writeFileSync(key, 'two')],
    [
      'replaced',
      ({ directory, key }) => (writeFileSync(join(directory, 'new'), 'one'), renameSync(join(directory, 'new'), key)),
    ],
    ['removed', ({ key }) => rmSync(key)],
  ] as readonly (readonly [string, (settings: ReturnType<typeof files>) => void])[]) {
    test(`have changed once one was ${how}, from the second look on, until that is settled`, (t) => {
      const settings = files(t);
      const watch = new CertificateWatch();
      watch.settle(settings);
      change(settings);
      assert.deepEqual(looks(watch, settings), [false, true, true]);
      watch.settle(settings);
      assert.deepEqual(looks(watch, settings), [false, false, false]);
    });
  }

  test('have changed when a link on the way to them leads elsewhere', (t) => {
    const { directory } = files(t);
    for (const name of ['a', 'b']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, 'pem'), name);
    }
    symlinkSync('a', join(directory, 'current'));
    const pem = join(directory, 'current', 'pem');
    const settings = { port: 1, certificate: pem, key: pem };
    const watch = new CertificateWatch();
    watch.settle(settings);
    symlinkSync('b', join(directory, 'next'));
    renameSync(join(directory, 'next'), join(directory, 'current'));
    assert.deepEqual(looks(watch, settings), [false, true, true]);
  });
});
