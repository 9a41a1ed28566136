import { formatIp4, UNSPECIFIED } from '../addr/ip4.ts';
import type { EventBody } from '../timeline/event.ts';
import type { Exchange } from './exchange.ts';
import { requestState, wantedAddress } from './request.ts';

/** What a DISCOVER is told as. */
export function discovered({ client, packet: { giaddr } }: Exchange): EventBody {
  const { arch, vendorClass, userClasses } = client.boot;
  return {
    kind: 'dhcp.discover',
    ...(arch === undefined ? {} : { arch }),
    ...(vendorClass === undefined ? {} : { vendorClass }),
    ...(userClasses[0] === undefined ? {} : { userClass: userClasses[0] }),
    ...(giaddr === UNSPECIFIED ? {} : { relay: formatIp4(giaddr) }),
  };
}

/** What a REQUEST is told as. */
export function requested(exchange: Exchange): EventBody {
  return { kind: 'dhcp.request', state: requestState(exchange), wanted: formatIp4(wantedAddress(exchange)) };
}
