import { runOnEventLoop } from '../service/run-on-event-loop.ts';
import { createImporterService } from './importer-service.ts';

runOnEventLoop(createImporterService);
