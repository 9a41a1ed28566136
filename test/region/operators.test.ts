import { openEmptyDatabase } from './empty-database.ts';
import { testOperatorsFuzz } from './operators-fuzz-suite.ts';
import { testOperatorsHttp } from './operators-http-suite.ts';
import { testOperatorsShapes } from './operators-shapes-suite.ts';
import { testOperators } from './operators-suite.ts';

testOperators('embedded', openEmptyDatabase);
testOperatorsHttp('embedded', openEmptyDatabase);
testOperatorsShapes('embedded', openEmptyDatabase);
testOperatorsFuzz('embedded', openEmptyDatabase);
