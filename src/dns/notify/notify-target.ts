import type { Ip4 } from '../../addr/ip4.ts';

/** Who is told of a zone's changes, and from which address of ours. */
export interface NotifyDestination {
  readonly address: Ip4;
  readonly port: number;
  readonly source: Ip4;
  /** The name of the key that what is sent is signed by. */
  readonly key?: string;
}
