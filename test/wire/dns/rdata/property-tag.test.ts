import { propertyTag } from '../../../../src/wire/dns/rdata/property-tag.ts';
import { testField } from './field-cases.ts';

testField('a tag', propertyTag, {
  good: [
    ['issue', '056973737565'],
    ['Iodef5', '06496f64656635'],
  ],
  badTexts: [
    ['is-sue', 'expected a tag of letters and digits like issue, found is-sue'],
    ['""', 'expected a tag of letters and digits like issue, found an empty text'],
  ],
  badWire: ['', '00', '02692d', '0261'],
});
