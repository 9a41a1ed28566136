/**
 * Leases as columns: how they cross from thread to thread. Copying one array of numbers costs less than copying as many
 * objects by far, and a busy rack tells its leases to four threads.
 */
export interface LeaseColumns {
  readonly addresses: Uint32Array;
  readonly macs: Float64Array;
  /** '' for a lease without a name. */
  readonly names: readonly string[];
  /** Unix seconds; NaN for a lease without an end. */
  readonly expires: Float64Array;
  /** 1 where `host` is set, 2 where `elsewhere` is. */
  readonly flags: Uint8Array;
}
