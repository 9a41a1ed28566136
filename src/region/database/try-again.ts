import { setTimeout as sleep } from 'node:timers/promises';

import { isCollision } from './database.ts';

const MOST_TRIES = 8;
const FIRST_WAIT = 5;

/** Does `work` again while others are in its way. */
export async function tryAgain<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isCollision(error) || tries === MOST_TRIES) throw error;
      await sleep(Math.random() * FIRST_WAIT * 2 ** tries);
    }
  }
}
