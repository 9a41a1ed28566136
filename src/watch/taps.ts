import type { SocketHandle } from '../service/letters.ts';
import type { FrameLink } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';

export interface TapsDependencies {
  readonly loop: Loop;
  readonly openTap: (handle: SocketHandle) => FrameLink;
  /** Lets the thread sleep so long before it looks at its sockets again. */
  readonly rest: (milliseconds: number) => void;
}

/** A tap, and what is said of it. */
export interface Tap {
  readonly device: string;
  readonly kind: 'arp-tap' | 'dhcp-tap';
  readonly link: FrameLink;
}

interface Open extends Tap {
  readonly fd: number;
  readonly watch: { close(): void };
}

/**
 * A whole batch, and then a pause, is some 20,000 frames of ARP a second: a busy rack of a thousand machines has a tenth of it, and
 * in a flood the kernel drops the rest for less than it costs to look at it.
 */
const FLOOD_REST_MILLISECONDS = 10;

/** The taps that the rack gives to the service: they come, stay and go with the Plan. */
export class Taps {
  readonly #dependencies: TapsDependencies;
  readonly #hear: (tap: Tap, frame: Uint8Array, tag: number) => void;
  readonly #heard: () => void;
  #open = new Map<string, Open>();
  #dropped = 0;

  /** `hear` is called with each frame, `heard` after those of one look. */
  constructor(
    dependencies: TapsDependencies,
    hear: (tap: Tap, frame: Uint8Array, tag: number) => void,
    heard: () => void,
  ) {
    this.#dependencies = dependencies;
    this.#hear = hear;
    this.#heard = heard;
  }

  apply(handles: readonly SocketHandle[]): void {
    const next = new Map<string, Open>();
    for (const handle of handles) {
      const { transport, interface: device, fd } = handle;
      if ((transport !== 'arp-tap' && transport !== 'dhcp-tap') || device === undefined) continue;
      const key = `${transport} ${device}`;
      const present = this.#open.get(key);
      next.set(key, present?.fd === fd ? present : this.#openOne(handle, transport, device));
    }
    for (const [key, open] of this.#open) if (next.get(key) !== open) this.#closeOne(open);
    this.#open = next;
  }

  /** The tap by which something is sent. */
  of(device: string, kind: Tap['kind']): FrameLink | undefined {
    return this.#open.get(`${kind} ${device}`)?.link;
  }

  *links(): Generator<FrameLink> {
    for (const { link } of this.#open.values()) yield link;
  }

  /** Frames that the kernel had no room for, so far. */
  get dropped(): number {
    for (const { link } of this.#open.values()) this.#dropped += link.takeDropped();
    return this.#dropped;
  }

  /** Sends what is queued; returns how many the kernel would not take. */
  flush(): number {
    let lost = 0;
    for (const { link } of this.#open.values()) lost += link.flush();
    return lost;
  }

  close(): void {
    for (const open of this.#open.values()) this.#closeOne(open);
    this.#open.clear();
  }

  #openOne(handle: SocketHandle, kind: Tap['kind'], device: string): Open {
    const { loop, openTap } = this.#dependencies;
    const tap = { device, kind, link: openTap(handle) };
    const watch = loop.watch(handle.fd, () => this.#receive(tap));
    return { ...tap, fd: handle.fd, watch };
  }

  #receive(tap: Tap): void {
    const count = tap.link.receive((frame, tag) => this.#hear(tap, frame, tag));
    this.#heard();
    if (count === tap.link.batch) this.#dependencies.rest(FLOOD_REST_MILLISECONDS);
  }

  #closeOne({ watch, link }: Open): void {
    this.#dropped += link.takeDropped();
    watch.close();
    link.close();
  }
}
