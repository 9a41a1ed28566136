import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { testOperatorsFuzz } from './operators-fuzz-suite.ts';
import { testOperatorsHttp } from './operators-http-suite.ts';
import { testOperatorsShapes } from './operators-shapes-suite.ts';
import { testOperators } from './operators-suite.ts';

testOperators('embedded', () => openEmbeddedDatabase('memory://'));
testOperatorsHttp('embedded', () => openEmbeddedDatabase('memory://'));
testOperatorsShapes('embedded', () => openEmbeddedDatabase('memory://'));
testOperatorsFuzz('embedded', () => openEmbeddedDatabase('memory://'));
