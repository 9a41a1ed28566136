import type { DhcpOption } from '../wire/dhcp/dhcp-options.ts';

/** The options of the file for one client, and which of them go out unasked. */
export interface OptionSet {
  readonly options: ReadonlyMap<number, DhcpOption>;
  readonly always: ReadonlySet<number>;
}
