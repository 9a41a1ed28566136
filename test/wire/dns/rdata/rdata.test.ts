import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { nameKey } from '../../../../src/wire/dns/name.ts';
import {
  checkRdata,
  comparableRdata,
  formatRdata,
  parseRdata,
  targetOf,
} from '../../../../src/wire/dns/rdata/rdata.ts';
import { RDATA_TABLE } from '../../../../src/wire/dns/rdata/rdata-table.ts';
import { TextError } from '../../../../src/wire/dns/rdata/text-error.ts';
import { parseType, TYPE, typeName } from '../../../../src/wire/dns/record-type.ts';
import { WireError } from '../../../../src/wire/wire-error.ts';
import { parseHex } from '../../../fixtures/hex.ts';
import { RDATA } from '../../../fixtures/rdata.ts';
import { fuzz } from '../../fuzz.ts';
import { bytesOf, wordsOf } from './words-of.ts';

function typeOf(name: string): number {
  const type = parseType(name);
  assert.ok(type !== undefined);
  return type;
}

function wireOf(name: string, text: string): string {
  return parseRdata(typeOf(name), wordsOf(text));
}

describe('record data', () => {
  for (const [name, text, hex, formatted = text] of RDATA) {
    const type = typeOf(name);
    test(`${name} ${text} goes to the wire and back`, () => {
      const wire = wireOf(name, text);
      assert.equal(bytesOf(wire).toString('hex'), hex);
      const bytes = bytesOf(wire);
      assert.equal(checkRdata(type, bytes, 0, bytes.length), wire);
      assert.equal(formatRdata(type, wire), formatted);
      assert.equal(wireOf(name, formatRdata(type, wire)), wire);
    });

    test(`${name} ${text} may be written in its generic form`, () => {
      assert.equal(bytesOf(wireOf(name, `\\# ${hex.length / 2} ${hex}`)).toString('hex'), hex);
    });
  }

  test('every type with a layout is among them', () => {
    const shown = new Set(RDATA.map(([name]) => typeOf(name)));
    assert.deepEqual([...RDATA_TABLE.keys()].filter((type) => !shown.has(type)).map(typeName), []);
  });
});

describe('what is no record data', () => {
  const bad: readonly (readonly [type: string, text: string, message: string])[] = [
    ['A', '', 'expected an IPv4 address like 192.0.2.1, found the end of the record'],
    ['A', '192.0.2.1 192.0.2.2', 'expected the end of the record, found 192.0.2.2'],
    ['MX', '10', 'expected the target, a domain name, found the end of the record'],
    ['SOA', 'a b 1 1x 1 1 1', 'expected the refresh time, seconds or a time like 1h30m, found 1x'],
    ['TYPE65280', '10', 'expected data like \\# 4 0a000001, as TYPE65280 is not known, found other text'],
    ['TYPE65280', '\\# 4 0a0000', 'expected 4 octets of data, found 3'],
    ['TYPE65280', '\\# 65536 00', 'expected the length of the data, found 65536'],
    ['A', '\\# 3 0a0000', 'expected right A data, found record data are cut off'],
    ['MX', '\\# 4 000ac000', 'expected right MX data, found a compressed name'],
    ['DS', '1 13 2 0102', 'expected right DS data, found a digest of 2 octets, of type 2 it has 32'],
    ['ZONEMD', '1 1 200 0102', 'expected right ZONEMD data, found a digest of less than 12 octets'],
  ];
  for (const [name, text, message] of bad) {
    test(`${name} ${text} is refused`, () => assert.throws(() => wireOf(name, text), { name: 'TextError', message }));
  }

  const badWire: readonly (readonly [type: number, hex: string])[] = [
    [TYPE.A, ''],
    [TYPE.A, 'c00002'],
    [TYPE.A, 'c000020100'],
    [TYPE.NS, ''],
    [TYPE.NS, '0361'],
    [TYPE.NS, '016100 00'],
    [TYPE.TXT, ''],
    [TYPE.TXT, '0261'],
    [TYPE.CAA, '00 00'],
    [TYPE.CAA, '00 02 692d 78'],
    [TYPE.URI, '0001 0001'],
    [TYPE.DS, '0001 0d 02 0102'],
    [TYPE.DNSKEY, '0100 03 08'],
    [TYPE.NSEC3, '01 00 0000 00 00'],
    [TYPE.EUI48, '0000'],
  ];
  for (const [type, hex] of badWire) {
    test(`${typeName(type)} of ${hex === '' ? 'no octets' : hex} is refused`, () => {
      const bytes = parseHex(hex);
      assert.throws(() => checkRdata(type, bytes, 0, bytes.length), WireError);
    });
  }
});

describe('names in a message', () => {
  //                     0    a 0    offset 3: MX 10 b.<0>
  const message = parseHex('016100 000a 0162 c000');

  test('come out whole', () => {
    assert.equal(checkRdata(TYPE.MX, message, 3, message.length), '\0\x0a\x01b\x01a\0');
  });

  test('may not reach over the end of the data', () => {
    assert.throws(() => checkRdata(TYPE.MX, message, 3, message.length - 1), WireError);
  });

  test('are not compressed in types that came later', () => {
    const svcb = parseHex('016100 0001 c000');
    assert.throws(() => checkRdata(TYPE.SVCB, svcb, 3, svcb.length), WireError);
  });
});

test('the name whose addresses are wanted next is found, in lower case', () => {
  const targets = [
    ['MX', '10 Mail'],
    ['NS', 'Mail'],
    ['SRV', '1 2 3 Mail'],
    ['HTTPS', '1 Mail port=1'],
  ].map(([name = '', text = '']) => targetOf(typeOf(name), wireOf(name, text)));
  assert.deepEqual(
    targets,
    Array.from(targets, () => nameKey('mail.example')),
  );
  assert.equal(targetOf(TYPE.SOA, wireOf('SOA', 'a b 1 1 1 1 1')), undefined);
  assert.equal(targetOf(TYPE.TXT, wireOf('TXT', 'a')), undefined);
});

function isSame(name: string, a: string, b: string): boolean {
  return comparableRdata(typeOf(name), wireOf(name, a)) === comparableRdata(typeOf(name), wireOf(name, b));
}

test('data that differ in the case of names only compare as the same, and no others do', () => {
  assert.ok(isSame('NS', 'NS1', 'ns1'));
  assert.ok(isSame('MX', '65 Mail', '65 mail'));
  assert.ok(!isSame('MX', '65 mail', '97 mail'), '65 and 97 are the letters A and a');
  assert.ok(!isSame('TXT', 'A', 'a'));
});

test('octets that are no data of their type come out in generic form', () => {
  assert.equal(formatRdata(TYPE.A, '\x01'), '\\# 1 01');
  assert.equal(formatRdata(65_280, ''), '\\# 0');
});

test('any octets are data or a WireError, and what is taken is read again from its own text', () => {
  const types = [...RDATA_TABLE.keys(), 65_280];
  const seeds = RDATA.map(([name, , hex]) =>
    Buffer.concat([Buffer.of(types.indexOf(typeOf(name)) & 255), parseHex(hex)]),
  );
  const rounds = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 200_000);
  const { accepted } = fuzz({
    seeds,
    rounds,
    run(bytes) {
      const type = types[(bytes[0] ?? 0) % types.length] ?? 0;
      const wire = checkRdata(type, bytes, 1, Math.max(bytes.length, 1));
      const text = formatRdata(type, wire);
      assert.equal(parseRdata(type, wordsOf(text)), wire, `${typeName(type)} ${text}`);
    },
  });
  assert.ok(accepted > rounds / 20, `${accepted} accepted: the mutations are too wild`);
});

test('any text is data or a TextError', () => {
  const types = [...RDATA_TABLE.keys(), 65_280];
  const seeds = RDATA.map(([name, text]) =>
    Buffer.from(`${String.fromCharCode(types.indexOf(typeOf(name)) & 127)}${text}`, 'latin1'),
  );
  fuzz({
    seeds,
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 200_000),
    run(bytes) {
      const type = types[(bytes[0] ?? 0) % types.length] ?? 0;
      try {
        const entry = wordsOf(Buffer.from(bytes).toString('latin1', 1));
        const wire = bytesOf(parseRdata(type, entry));
        assert.equal(checkRdata(type, wire, 0, wire.length), wire.toString('latin1'));
      } catch (error) {
        if (!(error instanceof TextError)) throw error;
        throw new WireError(error.message);
      }
    },
  });
});
