import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { parseType } from '../../src/wire/dns/record-type.ts';
import { formatZone } from '../../src/zones/format-zone.ts';
import { readMasterFile } from '../../src/zones/read-master-file.ts';
import { RDATA } from '../fixtures/rdata.ts';
import { readLatin1, ZONE_FILES, ZONES } from '../zones/zone-fixtures.ts';

const skip = spawnSync('named-checkzone', ['-v']).error ? 'needs named-checkzone (Debian: bind9-utils)' : false;
const skipKnot = spawnSync('kzonecheck', ['-V']).error ? 'needs kzonecheck (Debian: knot-dnssecutils)' : false;

/** Where we are of another mind than BIND, and why. */
const UNLIKE_BIND: ReadonlyMap<string, string> = new Map([
  ['bad-out-of-zone.zone', 'BIND leaves the record out with a warning; a dot too many, and a machine has no name'],
  ['bad-ttl-too-high.zone', 'BIND takes it for 0, which nobody who wrote such a number can mean'],
  ['bad-quote-in-a-word.zone', 'BIND reads two texts, other servers one'],
  ['good-include-nested.zone', 'BIND looks for included files where it was started, we (and Knot) beside the file'],
]);

const directory = mkdtempSync(join(tmpdir(), 'rackboot-zones-'));
after(() => rmSync(directory, { recursive: true }));

describe('named-checkzone and we', { skip }, () => {
  for (const file of ZONE_FILES) {
    const why = UNLIKE_BIND.get(file);
    test(`${why === undefined ? 'agree' : 'disagree'} on ${file}${why === undefined ? '' : `: ${why}`}`, () => {
      const { faults } = readMasterFile('lab.example', join(ZONES, file), readLatin1);
      const args = ['-i', 'local', 'lab.example', file];
      const { status, stdout } = spawnSync('named-checkzone', args, { cwd: ZONES, encoding: 'utf8' });
      const [isGood, isGoodForBind] = [faults.length === 0, status === 0];
      assert.equal(isGood, file.startsWith('good-'), faults.map(({ line, text }) => `${line}: ${text}`).join('\n'));
      assert.equal(isGoodForBind, why === undefined ? isGood : !isGood, stdout);
    });
  }
});

/** What is in a zone, as BIND writes it, sorted; lines of an SOA are one each anyway. */
function compile(file: string, cwd: string): string[] {
  const out = join(directory, 'compiled');
  const lenient = ['-k', 'ignore', '-i', 'none', '-n', 'ignore', '-m', 'ignore'];
  const args = [...lenient, '-s', 'full', '-o', out, 'lab.example', file];
  const { status, stdout } = spawnSync('named-compilezone', args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  return readFileSync(out, 'latin1')
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' '))
    .toSorted();
}

describe('a zone that we write', { skip }, () => {
  const good = ZONE_FILES.filter((file) => file.startsWith('good-'));
  for (const file of good) {
    const dump = join(directory, file);
    /** What is between the two is the lowest TTL, where several were written. */
    const isSame = !UNLIKE_BIND.has(file) && file !== 'good-other-ttl-in-a-set.zone';
    test(`has the same records for BIND as ${file}`, { skip: !isSame && 'BIND reads the file another way' }, () => {
      const { records = [] } = readMasterFile('lab.example', join(ZONES, file), readLatin1);
      writeFileSync(dump, `${[...formatZone(records)].join('\n')}\n`, 'latin1');
      // Owners are kept in lower case
      assert.deepEqual(compile(dump, directory).map(lower), compile(file, ZONES).map(lower));
    });

    test(`is the same to us as ${file}`, () => {
      const { records = [] } = readMasterFile('lab.example', join(ZONES, file), readLatin1);
      const text = [...formatZone(records)].join('\n');
      const again = readMasterFile('lab.example', '/dump', () => text);
      assert.deepEqual(again.faults, []);
      assert.deepEqual(again.records, records);
    });
  }

  test('is one for Knot too', { skip: skipKnot }, () => {
    const { records = [] } = readMasterFile('lab.example', join(ZONES, 'good-all-types.zone'), readLatin1);
    // What it holds against signatures that sign nothing is not about how they are written
    const unsigned = records.filter(({ type }) => ![43, 46, 47, 48, 50, 51, 59, 60].includes(type));
    const dump = join(directory, 'lab.example.zone');
    writeFileSync(dump, `${[...formatZone(unsigned)].join('\n')}\n`, 'latin1');
    const { status, stdout, stderr } = spawnSync('kzonecheck', ['-o', 'lab.example', dump], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
});

function lower(line: string): string {
  return line.toLowerCase();
}

/** A zone of one record, in lines as BIND writes them. */
function compileRecord(type: string, text: string): string[] {
  const file = join(directory, 'one');
  const top = '$TTL 60\n@ SOA ns1 h 1 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.9\n$ORIGIN example.\n';
  writeFileSync(file, `${top}x.lab ${type} ${text}\n`, 'latin1');
  return compile(file, directory);
}

describe('BIND and we read alike', { skip }, () => {
  for (const [type, text, hex, formatted = text] of RDATA.filter(([name]) => name !== 'SOA')) {
    test(`${type} ${text}`, () => {
      const known = compileRecord(type, text);
      assert.deepEqual(compileRecord(`TYPE${parseType(type)}`, `\\# ${hex.length / 2} ${hex}`), known);
      assert.deepEqual(compileRecord(type, formatted), known);
    });
  }
});
