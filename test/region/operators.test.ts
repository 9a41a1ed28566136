import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { testOperators } from './operators-suite.ts';

testOperators('embedded', () => openEmbeddedDatabase('memory://'));
