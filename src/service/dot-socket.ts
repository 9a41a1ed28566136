import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';

import { formatIp4 } from '../addr/ip4.ts';
import type { Upstream } from '../plan/plan.ts';

/** Where the `dot` service takes what is to go to an upstream by TLS. Short, as the path of a socket has 107 characters. */
export function dotSocketPath(control: string, { address, port, tls }: Upstream): string {
  const digest = createHash('sha256')
    .update(`${formatIp4(address)} ${port} ${tls}`)
    .digest('hex');
  return join(dirname(control), `dot-${digest.slice(0, 12)}.sock`);
}
