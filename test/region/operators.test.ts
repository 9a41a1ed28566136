import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { testOperatorsHttp } from './operators-http-suite.ts';
import { testOperators } from './operators-suite.ts';

testOperators('embedded', () => openEmbeddedDatabase('memory://'));
testOperatorsHttp('embedded', () => openEmbeddedDatabase('memory://'));
