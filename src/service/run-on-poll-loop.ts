import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';

import { systemClock } from '../system/clock.ts';
import { loadLibc, type Libc } from '../system/libc.ts';
import { PollLoop } from '../system/poll-loop.ts';
import { UdpSockets } from '../system/udp-socket.ts';
import { Wake } from '../system/wake.ts';
import { EventOutbox } from './event-outbox.ts';
import type { FromService, ThreadData, ToService } from './letters.ts';
import { openLetter } from './service-desk.ts';
import type { NoteSink, Service, ServiceContext } from './service.ts';
import { Tap } from './tap.ts';
import { serviceOf } from './thread-name.ts';

/** What a service on a blocking thread is built from. */
export interface PollContext extends ServiceContext {
  readonly loop: PollLoop;
  readonly libc: Libc;
  readonly sockets: UdpSockets;
  readonly events: EventOutbox;
  readonly notes: NoteSink;
  readonly cookieKey: Uint8Array;
  readonly tap: Tap;
}

/**
 * The main function of a service thread that blocks in system calls: returns when the rack says stop, throws what
 * the service throws. The rack posts a letter, then rings the eventfd.
 */
export function runOnPollLoop(create: (context: PollContext) => Service): void {
  const port = parentPort;
  if (!port) throw new Error('a service runs as a thread of the rack');
  const { name, wakeFd, cookieKey } = workerData as ThreadData;
  const libc = loadLibc();
  const loop = new PollLoop(libc, systemClock);
  const post = (letter: FromService): void => port.postMessage(letter);
  const after = (ms: number, fire: () => void): void => void loop.after(ms, fire);
  const outbox = new EventOutbox({ source: serviceOf(name), clock: systemClock, post, after });
  const tap = new Tap({
    clock: systemClock,
    post: (records) => post({ type: 'captured', records }),
    after,
  });
  const service = create({
    libc,
    loop,
    clock: systemClock,
    events: outbox,
    signs: outbox,
    notes: { tell: (note, to) => post({ type: 'note', note, ...(to !== undefined && { to }) }) },
    cookieKey,
    sightings: { tell: (sightings) => post({ type: 'sightings', sightings }) },
    sockets: new UdpSockets(libc),
    tap,
  });
  const desk = { service, outbox, tap, post, stop: () => loop.stop() };
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
