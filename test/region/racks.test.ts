import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { testRacks } from './racks-suite.ts';

testRacks('embedded', () => openEmbeddedDatabase('memory://'));
