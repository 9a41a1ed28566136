import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../system/clock.ts';
import { EventOutbox } from './event-outbox.ts';
import type { FromService, ThreadData, ToService } from './letters.ts';
import type { RegionWish } from './region-letters.ts';
import { openLetter } from './service-desk.ts';
import type { ImageSink, Service, ServiceContext } from './service.ts';
import { serviceOf } from './thread-name.ts';
import { timersOnly } from './timers-only.ts';

/** The main function of a service thread that lives on Node's own event loop. */
export function runOnEventLoop(create: (context: ServiceContext) => Service): void {
  const port = parentPort;
  if (!port) throw new Error('a service runs as a thread of the rack');
  const { name } = workerData as ThreadData;
  const post = (letter: FromService): void => port.postMessage(letter);
  const outbox = new EventOutbox({
    source: serviceOf(name),
    clock: systemClock,
    post,
    after: (ms, fire) => setTimeout(fire, ms),
  });
  const images: ImageSink = {
    changed: () => post({ type: 'images' }),
    progress: (progress) => post({ type: 'progress', ...(progress && { progress }) }),
  };
  const region = { wish: (wish: RegionWish) => post({ type: 'region', wish }) };
  const service = create({ loop: timersOnly, clock: systemClock, events: outbox, signs: outbox, images, region });
  const desk = { service, outbox, post, stop: () => port.close() };
  port.on('message', (letter: ToService) => openLetter(desk, letter));
}
