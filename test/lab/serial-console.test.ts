import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { readSerial } from '../../src/lab/serial-console.ts';

describe('readSerial', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'rackboot-serial-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('gives the lines from power-on to whoever comes late, and then each new one until the end', async () => {
    const wire = new PassThrough();
    const serial = readSerial(wire, join(directory, 'a.log'));
    wire.write('SeaBIOS\r\niPXE\r\n');
    const seen: string[] = [];
    for await (const line of serial.lines()) {
      seen.push(line);
      if (line === 'iPXE') wire.end('Linux');
    }
    assert.deepEqual(seen, ['SeaBIOS', 'iPXE', 'Linux']);
  });

  it('takes the cursor movements of the firmware out of the lines, and keeps them in the file', async () => {
    const wire = new PassThrough();
    const serial = readSerial(wire, join(directory, 'b.log'));
    wire.end('\u001B[2J\u001B[01;01H>>Start PXE over IPv4.  \r\n\r\n');
    for await (const line of serial.lines()) assert.ok(!line.includes('\u001B'));
    assert.deepEqual(serial.tail(5), ['>>Start PXE over IPv4.']);
    assert.ok((await readFile(serial.file, 'utf8')).startsWith('\u001B[2J'));
  });

  it('finds what was said so far', async () => {
    const wire = new PassThrough();
    const serial = readSerial(wire, join(directory, 'd.log'));
    wire.end('firmware: UEFI\nLinux\nfirmware: none\n');
    for await (const _ of serial.lines());
    assert.deepEqual(serial.said(/^firmware:/), ['firmware: UEFI', 'firmware: none']);
  });

  it('gives the last lines that say something', async () => {
    const wire = new PassThrough();
    const serial = readSerial(wire, join(directory, 'c.log'));
    wire.end('one\n\ntwo\n\nthree\n\n');
    for await (const _ of serial.lines());
    assert.deepEqual(serial.tail(2), ['two', 'three']);
  });
});
