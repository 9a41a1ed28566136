/** A change that a rack would refuse, and so does the region. */
export class RefusedChange extends Error {
  override readonly name = 'RefusedChange';
  /** In the rack's own words. */
  readonly faults: readonly string[];

  constructor(rack: string, faults: readonly string[]) {
    super(`rack ${rack} would refuse this: ${faults.join('; ')}`);
    this.faults = faults;
  }
}
