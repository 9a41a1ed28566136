import { runOnEventLoop } from '../service/run-on-event-loop.ts';
import { createHttpService } from './http-service.ts';

runOnEventLoop(createHttpService);
