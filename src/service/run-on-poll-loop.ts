import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

import { systemClock } from '../system/clock.ts';
import { loadLibc, type Libc } from '../system/libc.ts';
import { PollLoop } from '../system/poll-loop.ts';
import { UdpSockets } from '../system/udp-socket.ts';
import { Wake } from '../system/wake.ts';
import { EventOutbox } from './event-outbox.ts';
import type { FromService, ThreadData, ToService } from './letters.ts';
import { openLetter } from './service-desk.ts';
import type { Service, ServiceContext } from './service.ts';

/** What a service on a blocking thread is built from. */
export interface PollContext extends ServiceContext {
  readonly loop: PollLoop;
  readonly libc: Libc;
  readonly sockets: UdpSockets;
  readonly events: EventOutbox;
}

/**
 * The main function of a service thread that blocks in system calls: returns when the rack says stop, throws what
 * the service throws. The rack posts a letter, then rings the eventfd.
 */
export function runOnPollLoop(create: (context: PollContext) => Service): void {
  const port = parentPort;
  if (!port) throw new Error('a service runs as a thread of the rack');
  const { name, wakeFd } = workerData as ThreadData;
  const libc = loadLibc();
  const loop = new PollLoop(libc, systemClock);
  const post = (letter: FromService): void => port.postMessage(letter);
  const outbox = new EventOutbox({ source: name, clock: systemClock, post, after: (ms, fire) => loop.after(ms, fire) });
  const service = create({
    libc,
    loop,
    clock: systemClock,
    events: outbox,
    signs: outbox,
    sightings: { tell: (sightings) => post({ type: 'sightings', sightings }) },
    sockets: new UdpSockets(libc),
  });
  const desk = { service, outbox, post, stop: () => loop.stop() };
  const wake = new Wake(libc, wakeFd);
  loop.watch(wakeFd, () => {
    wake.silence();
    for (let mail = receiveMessageOnPort(port); mail; mail = receiveMessageOnPort(port)) {
      openLetter(desk, mail.message as ToService);
    }
  });
  try {
    loop.run();
  } catch (error) {
    leaveQuietly(service, outbox);
    throw error;
  } finally {
    loop.close();
  }
}

/**
 * A thread that dies says what it had still to say, and gives back what it opened itself: descriptors belong to the
 * process, which lives on.
 */
function leaveQuietly(service: Service, outbox: EventOutbox): void {
  outbox.flush();
  try {
    service.close();
  } catch {
    // The error that ended the thread is the one to tell
  }
}
