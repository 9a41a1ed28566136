import type { Loop } from '../system/loop.ts';

/** The loop of what lives on Node's own: it has timers, and Node watches descriptors. */
export const timersOnly: Loop = {
  watch() {
    throw new Error('descriptors are watched by Node on this thread');
  },
  after(milliseconds, fire) {
    const timer = setTimeout(fire, milliseconds);
    return { cancel: () => clearTimeout(timer) };
  },
};
