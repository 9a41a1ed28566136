import type { Cidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';

/** The value of a DHCP option as the file means it; bytes are made of it by whoever sends it. */
export type OptionValue =
  | { readonly kind: 'ip4'; readonly value: Ip4 }
  | { readonly kind: 'ip4-list'; readonly value: readonly Ip4[] }
  | { readonly kind: 'u8' | 'u16' | 'u32'; readonly value: number }
  /** Seconds, in four bytes. */
  | { readonly kind: 'duration'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Printable ASCII. */
  | { readonly kind: 'text'; readonly value: string }
  /** RFC 3397; lower case, without dots at the end. */
  | { readonly kind: 'domain-list'; readonly value: readonly string[] }
  /** RFC 3442. */
  | { readonly kind: 'routes'; readonly value: readonly OptionRoute[] }
  /** Options of a vendor inside option 43 (RFC 2132 §8.4). */
  | { readonly kind: 'suboptions'; readonly value: readonly OptionSetting[] }
  /** Pairs of lower-case digits. */
  | { readonly kind: 'hex'; readonly value: string };

export type OptionKind = OptionValue['kind'];

interface OptionRoute {
  readonly to: Cidr;
  /** 0.0.0.0: on the link itself. */
  readonly via: Ip4;
}

/** One option as it is to be sent. */
export interface OptionSetting {
  /** 1 to 254. */
  readonly code: number;
  readonly value: OptionValue;
}

/** The most bytes that the value takes on the wire. */
export function sizeOfValue({ kind, value }: OptionValue): number {
  switch (kind) {
    case 'boolean':
    case 'u8':
      return 1;
    case 'u16':
      return 2;
    case 'ip4':
    case 'u32':
    case 'duration':
      return 4;
    case 'ip4-list':
      return 4 * value.length;
    case 'text':
      return value.length;
    case 'domain-list':
      return value.reduce((sum, name) => sum + name.length + 2, 0);
    case 'routes':
      return value.reduce((sum, { to }) => sum + 5 + Math.ceil(to.prefix / 8), 0);
    case 'suboptions':
      return value.reduce((sum, option) => sum + 2 + sizeOfValue(option.value), 1);
    case 'hex':
      return value.length / 2;
  }
}
