/** A power of two; 128 KiB in all. */
const PLACES = 32_768;

/** Which questions left the cache lately: hashes in a table where a later one takes the place of an earlier. */
export class GhostNames {
  readonly #marks = new Int32Array(PLACES);

  /** `hash`: of the name. */
  remember(hash: number, slot: number): void {
    const mark = markOf(hash, slot);
    this.#marks[mark & (PLACES - 1)] = mark;
  }

  /** Whether it was remembered; it is no more. */
  recall(hash: number, slot: number): boolean {
    const mark = markOf(hash, slot);
    const place = mark & (PLACES - 1);
    if (this.#marks[place] !== mark) return false;
    this.#marks[place] = 0;
    return true;
  }
}

/** Never 0, which marks an empty place. Two that are alike only have one of them kept a little longer. */
function markOf(hash: number, slot: number): number {
  return Math.imul(hash ^ slot, 0x9e3779b1) || 1;
}
