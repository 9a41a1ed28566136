import type { BootWishes } from '../boot/boot-offer.ts';
import type { ClassMatch, Host, Loaders, Plan } from '../plan/plan.ts';
import type { QuirkSwitches } from '../plan/quirk-table.ts';
import type { DhcpPacket } from '../wire/dhcp/packet.ts';
import { isOfClass } from './client-class.ts';
import type { Client } from './client.ts';

/** What the file says of quirks and loaders for one client: a host goes before a class, of two classes the one further down. */
export class QuirkSwitchboard {
  readonly #classes: readonly {
    readonly match: ClassMatch;
    readonly quirks?: QuirkSwitches;
    readonly loaders?: Loaders;
  }[];
  /** The file switches nothing and names no loaders: no client need be looked at. */
  readonly isEmpty: boolean;

  constructor({ classes = [], hosts }: Pick<Plan, 'classes' | 'hosts'>) {
    this.#classes = classes.filter(({ quirks, loaders }) => quirks !== undefined || loaders !== undefined);
    this.isEmpty = this.#classes.length === 0 && hosts.every(({ quirks, loaders }) => !quirks && !loaders);
  }

  of(client: Client, packet: DhcpPacket, host: Host | undefined): QuirkSwitches | undefined {
    return this.bootWishes(client, packet, host).switches;
  }

  bootWishes(client: Client, packet: DhcpPacket, host: Host | undefined): BootWishes {
    const classes = this.#classes.filter(({ match }) => isOfClass(match, client, packet));
    if (classes.length === 0) return { switches: host?.quirks, loaders: host?.loaders };
    return {
      switches: Object.assign({}, ...classes.map(({ quirks }) => quirks), host?.quirks),
      loaders: Object.assign({}, ...classes.map(({ loaders }) => loaders), host?.loaders),
    };
  }
}
