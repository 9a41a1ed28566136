import type { ImportProgress } from '../images/progress.ts';

type Follower = (progress: ImportProgress | undefined) => void;

/** How far the import is that runs, and who wants to know. */
export class ImageDesk {
  readonly #followers = new Set<Follower>();
  #progress: ImportProgress | undefined;

  /** Undefined while none runs. */
  get progress(): ImportProgress | undefined {
    return this.#progress;
  }

  learn(progress: ImportProgress | undefined): void {
    this.#progress = progress;
    for (const follow of this.#followers) follow(progress);
  }

  /** Until the returned function is called. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}
