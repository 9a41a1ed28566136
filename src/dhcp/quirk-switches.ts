import type { ClassMatch, Host, Plan } from '../plan/plan.ts';
import type { QuirkSwitches } from '../plan/quirk-table.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { isOfClass } from './client-class.ts';
import type { Client } from './client.ts';

/** What the file says of quirks for one client: a host goes before a class, of two classes the one further down. */
export class QuirkSwitchboard {
  readonly #classes: readonly { readonly match: ClassMatch; readonly quirks: QuirkSwitches }[];
  /** The file switches nothing: no client need be looked at. */
  readonly isEmpty: boolean;

  constructor({ classes = [], hosts }: Pick<Plan, 'classes' | 'hosts'>) {
    this.#classes = classes.flatMap(({ match, quirks }) => (quirks ? [{ match, quirks }] : []));
    this.isEmpty = this.#classes.length === 0 && hosts.every(({ quirks }) => quirks === undefined);
  }

  of(client: Client, packet: DhcpPacket, host: Host | undefined): QuirkSwitches | undefined {
    const classes = this.#classes.filter(({ match }) => isOfClass(match, client, packet));
    if (classes.length === 0) return host?.quirks;
    return Object.assign({}, ...classes.map(({ quirks }) => quirks), host?.quirks);
  }
}
