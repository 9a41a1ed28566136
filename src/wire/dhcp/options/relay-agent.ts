import { readIp4, type Ip4 } from '../../../addr/ip4.ts';

/** What a relay says of where a client is. Views of the option's value. */
export interface RelayAgentInfo {
  /** The whole value: the reply carries it back as it came (RFC 3046 §2.2). */
  readonly raw: Uint8Array;
  readonly circuitId?: Uint8Array;
  readonly remoteId?: Uint8Array;
  /** The subnet the client is on, where giaddr does not say (RFC 3527). */
  readonly linkSelection?: Ip4;
  /** The address the client shall take for its server (RFC 5107). */
  readonly serverIdOverride?: Ip4;
  /** The relay sends from a port of its own and hears replies there (RFC 8357). */
  readonly sourcePort: boolean;
}

const CIRCUIT_ID = 1;
const REMOTE_ID = 2;
const LINK_SELECTION = 5;
const SERVER_ID_OVERRIDE = 11;
const SOURCE_PORT = 19;

/**
 * Option 82. Undefined when a sub-option runs past the end; the value is then still to be echoed. A sub-option that comes
 * twice counts once, the first time; one with a wrong length counts as absent.
 */
export function decodeRelayAgent(value: Uint8Array | undefined): RelayAgentInfo | undefined {
  const found = value && subOptions(value);
  if (!found) return undefined;
  const circuitId = found.get(CIRCUIT_ID);
  const remoteId = found.get(REMOTE_ID);
  const linkSelection = address(found.get(LINK_SELECTION));
  const serverIdOverride = address(found.get(SERVER_ID_OVERRIDE));
  return {
    raw: value,
    sourcePort: found.get(SOURCE_PORT)?.length === 0,
    ...(circuitId && { circuitId }),
    ...(remoteId && { remoteId }),
    ...(linkSelection !== undefined && { linkSelection }),
    ...(serverIdOverride !== undefined && { serverIdOverride }),
  };
}

/** RFC 3046 §2.0: code, length, value, and neither Pad nor End. */
function subOptions(value: Uint8Array): Map<number, Uint8Array> | undefined {
  const found = new Map<number, Uint8Array>();
  let at = 0;
  while (at < value.length) {
    const code = value[at] ?? 0;
    const end = at + 2 + (value[at + 1] ?? 0);
    if (end > value.length) return undefined;
    if (!found.has(code)) found.set(code, value.subarray(at + 2, end));
    at = end;
  }
  return found;
}

function address(value: Uint8Array | undefined): Ip4 | undefined {
  return value?.length === 4 ? readIp4(value, 0) : undefined;
}
