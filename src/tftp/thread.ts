import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { TftpService } from './tftp-service.ts';
import { udpWire } from './udp-wire.ts';

runOnPollLoop((context) => new TftpService(context, udpWire(context)));
