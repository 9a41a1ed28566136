import { plainText } from '../plain-text.ts';

/** What stands before the path when a client talks to us as to a proxy (RFC 9112 §3.2.2). */
const ORIGIN = /^https?:\/\/[^/?#]*/i;

export function isAbsoluteForm(target: string): boolean {
  return ORIGIN.test(target);
}

/** The decoded path of a request target, without the query; undefined when its percent-encoding makes no UTF-8. */
export function requestPath(target: string): string | undefined {
  const path = target.replace(ORIGIN, '').split(/[?#]/, 1)[0] ?? '';
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

const SHOWN = 200;

/** A path fit for an event: bounded, and of nothing that steers. */
export function printablePath(path: string): string {
  const clean = plainText(path.slice(0, SHOWN));
  return path.length > SHOWN ? `${clean}…` : clean;
}
