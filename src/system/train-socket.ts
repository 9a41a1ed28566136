import type { Outbound, TrainSocket } from './datagram.ts';
import { ThreadSocket } from './thread-socket.ts';
import type { TrainQueue } from './train-queue.ts';

/** A TrainSocket of a thread. */
export class UdpTrainSocket extends ThreadSocket<TrainQueue> implements TrainSocket {
  get buffer(): Uint8Array {
    return this.queue.buffer;
  }

  room(size: number): number {
    return this.queue.room(this.fd, size);
  }

  send(length: number, segment: number, to: Outbound): void {
    this.queue.send(length, segment, to);
  }
}
