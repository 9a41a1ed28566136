import { fromColumns } from './lease-columns.ts';
import type { FromService, ImageOrder, ToService, ZoneAnswer } from './letters.ts';
import type { EventOutbox } from './event-outbox.ts';
import type { Service } from './service.ts';
import type { Tap } from './tap.ts';
import type { WatchAnswer } from './watch-letters.ts';

export interface ServiceDesk {
  readonly service: Service;
  readonly outbox: EventOutbox;
  /** Of a service whose sockets are its own. */
  readonly tap?: Tap;
  readonly post: (letter: FromService) => void;
  /** Ends the thread's loop. */
  readonly stop: () => void;
}

/** Opens one letter from the rack. */
export function openLetter(desk: ServiceDesk, letter: ToService): void {
  switch (letter.type) {
    case 'plan':
      desk.service.apply(letter.plan, letter.sockets);
      // So that whoever serves has told all it knows: the leases it read, say
      desk.outbox.flush();
      desk.post({ type: 'ready' });
      break;
    case 'leases':
      desk.service.learn?.(fromColumns(letter.bound), letter.ended);
      break;
    case 'boots':
      desk.service.learnBoots?.(letter.news);
      break;
    case 'zones':
      desk.service.learnZones?.(letter.zones, letter.gone);
      break;
    case 'order': {
      const answer = desk.service.obey?.(letter.order) ?? { done: [], refused: [], fault: 'it has no leases' };
      desk.post({ type: 'answer', id: letter.id, answer });
      break;
    }
    case 'image-order':
      void manage(desk, letter.id, letter.order);
      break;
    case 'zone-order': {
      const answer = (found: ZoneAnswer): void => desk.post({ type: 'zone-answer', id: letter.id, answer: found });
      if (desk.service.showZones) desk.service.showZones(letter.order, answer);
      else answer({ zones: [], fault: 'it has no zones' });
      break;
    }
    case 'note':
      desk.service.hear?.(letter.note, letter.from);
      break;
    case 'tap':
      desk.tap?.aim(letter.aim);
      break;
    case 'sightings':
      desk.service.learnSightings?.(letter.sightings);
      break;
    case 'watch-order': {
      const answer = (found: WatchAnswer): void => desk.post({ type: 'watch-answer', id: letter.id, answer: found });
      if (desk.service.showNeighbours) desk.service.showNeighbours(letter.order, answer);
      else answer({ neighbours: [], conflicts: [], servers: [], fault: 'it watches no wire' });
      break;
    }
    case 'region':
      desk.service.hearRegion?.(letter.news);
      break;
    case 'ping':
      desk.post({ type: 'pong', id: letter.id, counters: { ...desk.service.counters(), ...desk.outbox.counters() } });
      break;
    case 'fail':
      throw new Error(letter.reason);
    case 'stop':
      desk.service.close();
      desk.outbox.flush();
      desk.stop();
      break;
  }
}

async function manage({ service, post }: ServiceDesk, id: number, order: ImageOrder): Promise<void> {
  const answer = (await service.manage?.(order)) ?? { isDone: false, lines: ['it has no images'] };
  post({ type: 'image-answer', id, answer });
}
