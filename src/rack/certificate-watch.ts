import { statSync } from 'node:fs';

import type { TlsSettings } from '../plan/plan.ts';

type Files = Pick<TlsSettings, 'certificate' | 'key'>;

/**
 * Tells when the certificate or its key became another file. They are looked at by what is behind their names, every
 * now and then: who renews certificates swaps links, and a watch on a name or its directory would not see all of that.
 */
export class CertificateWatch {
  #served = '';
  #seen = '';

  /** The files as they are now are, or are about to be, those in service. */
  settle(settings: Files | undefined): void {
    this.#served = describe(settings);
    this.#seen = this.#served;
  }

  /** True once they have changed and rest: the two are not written in one step. */
  hasChanged(settings: Files | undefined): boolean {
    const now = describe(settings);
    const rests = now === this.#seen;
    this.#seen = now;
    return rests && now !== this.#served;
  }
}

function describe(settings: Files | undefined): string {
  return settings === undefined ? '' : [settings.certificate, settings.key].map(signOf).join(', ');
}

function signOf(file: string): string {
  try {
    const { dev, ino, size, ctimeMs, mode } = statSync(file);
    return [dev, ino, size, ctimeMs, mode].join(' ');
  } catch {
    return 'unreadable';
  }
}
