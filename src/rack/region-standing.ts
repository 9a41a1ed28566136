/** What a rack says of its region: what is in force of it, and the newest answer where that is not. */
export interface RegionStanding {
  /** Absent: nothing of it is in force. */
  readonly version?: number;
  readonly conflicts: readonly string[];
  readonly refused?: { readonly version: number; readonly faults: readonly string[] };
}
