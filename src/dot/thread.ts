import { runOnEventLoop } from '../service/run-on-event-loop.ts';
import { DotService } from './dot-service.ts';

runOnEventLoop((context) => new DotService(context));
