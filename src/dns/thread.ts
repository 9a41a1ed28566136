import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { DnsService } from './dns-service.ts';

runOnPollLoop((context) => new DnsService(context, (handle) => context.sockets.adopt(handle.fd)));
