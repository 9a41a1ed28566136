import type { Ip4 } from '../addr/ip4.ts';
import type { BootState } from '../boot/boot-states.ts';
import type { BootKey } from './boot-sign.ts';
import type { Coverage } from './coverage.ts';

/** What is remembered of one machine and one boot entry. Times are Unix milliseconds. */
export interface BootRow extends BootKey {
  /** The host it is known to be by another sign than its MAC. */
  readonly host?: string;
  /** When it was last given the script of this entry, and where; 0: never, it was only armed. */
  readonly askedAt: number;
  readonly address?: Ip4;
  /** What it was sent since, by path on disk. */
  readonly files: Readonly<Record<string, Coverage>>;
  /** The boot since `askedAt` is among `boots`. */
  readonly isCounted: boolean;
  /** Boots of late, oldest first. */
  readonly boots: readonly number[];
  /** When it last asked for any script while held. */
  readonly heardAt: number;
  readonly state: BootState;
}

export function freshRow({ mac, entry, host }: Pick<BootRow, 'mac' | 'entry' | 'host'>): BootRow {
  return {
    mac,
    entry,
    ...(host !== undefined && { host }),
    askedAt: 0,
    files: {},
    isCounted: false,
    boots: [],
    heardAt: 0,
    state: { kind: 'armed' },
  };
}
