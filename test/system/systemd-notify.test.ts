import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { checked, loadLibc } from '../../src/system/libc.ts';
import { connectServiceManager } from '../../src/system/systemd-notify.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
const libc = loadLibc();
const directory = mkdtempSync(join(tmpdir(), 'rackboot-notify-'));
after(() => rmSync(directory, { recursive: true }));

/** The other end: what systemd does with its socket. `name` as in sun_path, a leading zero byte for the abstract namespace. */
function listen(name: string): { read(): string; close(): void } {
  const fd = checked('socket', libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0));
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
  checked('bind', libc.bind(fd, address, address.length));
  const into = Buffer.alloc(1024);
  return {
    read: () => into.toString('utf8', 0, Math.max(0, libc.read(fd, into, into.length))),
    close: () => libc.close(fd),
  };
}

const path = join(directory, 'notify');
const abstract = `rackboot-test-notify-${process.pid}`;
const PLACES: readonly (readonly [title: string, bound: string, variable: string])[] = [
  ['a path', path, path],
  ['a name in the abstract namespace', `\0${abstract}`, `@${abstract}`],
];

for (const [title, bound, variable] of PLACES) {
  test(`the manager at ${title} hears each state as one message`, (t) => {
    const systemd = listen(bound);
    t.after(() => systemd.close());
    const manager = connectServiceManager(libc, variable);
    manager.notify('READY=1');
    manager.notify('RELOADING=1\nMONOTONIC_USEC=17');
    manager.notify('STATUS=läuft');
    assert.equal(systemd.read(), 'READY=1');
    assert.equal(systemd.read(), 'RELOADING=1\nMONOTONIC_USEC=17');
    assert.equal(systemd.read(), 'STATUS=läuft');
    assert.equal(systemd.read(), '');
  });
}

for (const variable of [undefined, '']) {
  test(`without a manager (NOTIFY_SOCKET ${variable === undefined ? 'absent' : 'empty'}) nothing happens`, () => {
    connectServiceManager(libc, variable).notify('READY=1');
  });
}

test('a manager that is gone, or at an impossible path, does no harm', () => {
  connectServiceManager(libc, join(directory, 'nobody')).notify('READY=1');
  connectServiceManager(libc, `/${'x'.repeat(300)}`).notify('READY=1');
});
