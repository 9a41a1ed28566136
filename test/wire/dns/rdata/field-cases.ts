import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Field } from '../../../../src/wire/dns/rdata/field.ts';
import { RdataReader } from '../../../../src/wire/dns/rdata/rdata-reader.ts';
import { TextError } from '../../../../src/wire/dns/rdata/text-error.ts';
import { WireError } from '../../../../src/wire/wire-error.ts';
import { parseHex } from '../../../fixtures/hex.ts';
import { bytesOf, wordsOf } from './words-of.ts';

/** What a kind of field must do: text and wire form of what it is, and texts and octets that it is not. */
export interface FieldCases {
  readonly good: readonly (readonly [text: string, hex: string, formatted?: string])[];
  /** "expected …, found …" */
  readonly badTexts: readonly (readonly [text: string, message: string])[];
  readonly badWire: readonly string[];
}

export function testField(title: string, field: Field, { good, badTexts, badWire }: FieldCases): void {
  describe(title, () => {
    for (const [text, hex, formatted = text] of good) {
      test(`${text} is ${hex === '' ? 'no octets' : hex}`, () => {
        const wire = field.parse(wordsOf(text));
        assert.equal(bytesOf(wire).toString('hex'), hex.replaceAll(' ', ''));
        assert.equal(field.read(new RdataReader(bytesOf(wire))), wire);
        assert.equal(field.format(new RdataReader(bytesOf(wire))), formatted);
      });
    }
    for (const [text, message] of badTexts) {
      test(`${text === '' ? 'nothing' : text} is refused`, () => {
        assert.throws(
          () => field.parse(wordsOf(text)),
          (error) => error instanceof TextError && error.message === message,
        );
      });
    }
    for (const hex of badWire) {
      test(`the octets ${hex === '' ? 'of nothing' : hex} are refused`, () => {
        assert.throws(() => field.read(new RdataReader(parseHex(hex))), WireError);
        assert.throws(() => field.format(new RdataReader(parseHex(hex))), WireError);
      });
    }
  });
}
