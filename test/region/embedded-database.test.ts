import { openEmbeddedDatabase } from '../../src/region/database/embedded-database.ts';
import { testDatabase } from './database-suite.ts';

testDatabase('embedded', () => openEmbeddedDatabase('memory://'));
