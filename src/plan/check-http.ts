import type { ConfigDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { HttpSettings } from './plan.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The boot plane. A certificate that is no good takes nothing out of service: the service goes on with the one it has,
 * or refuses what comes by HTTPS, and machines boot by HTTP.
 */
export function checkHttp(
  book: FaultBook,
  { http }: ConfigDraft,
  { keyPairFault }: Pick<Surroundings, 'keyPairFault'>,
): HttpSettings | undefined {
  const { port, pace, tls } = http;
  if (port === undefined) return undefined;
  if (tls?.port === port) {
    book.report(['http', 'tls', 'port'], 'a port other than http.port', { found: String(port) });
  }
  const fault = tls && keyPairFault?.(tls.certificate, tls.key);
  if (fault !== undefined) {
    const expected = 'a certificate and its key, which this rack can read';
    book.report(['http', 'tls'], expected, { found: fault, scope: 'entry' });
  }
  return { port, ...(pace !== undefined && { pace }), ...(tls && { tls }) };
}
