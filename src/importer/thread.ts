import { runOnEventLoop } from '../service/run-on-event-loop.ts';
import { yieldToOthers } from '../system/yield-to-others.ts';
import { createImporterService } from './importer-service.ts';

yieldToOthers();
runOnEventLoop(createImporterService);
