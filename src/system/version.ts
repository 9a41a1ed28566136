import { readFileSync } from 'node:fs';

/** Of this program, as its package says; the sources and what is compiled from them are equally deep in it. */
export function programVersion(): string {
  try {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version?: unknown;
    };
    return typeof version === 'string' ? version : 'unknown';
  } catch {
    return 'unknown';
  }
}
