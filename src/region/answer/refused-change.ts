/** A change that a rack would refuse, and so does the region. */
export class RefusedChange extends Error {
  override readonly name = 'RefusedChange';
  /** In the rack's own words. */
  readonly faults: readonly string[];

  /** `who`: "rack rack-a1" */
  constructor(who: string, faults: readonly string[]) {
    super(`${who} would refuse this: ${faults.join('; ')}`);
    this.faults = faults;
  }
}
