import { openEmptyDatabase } from './empty-database.ts';
import { testRacks } from './racks-suite.ts';

testRacks('embedded', openEmptyDatabase);
