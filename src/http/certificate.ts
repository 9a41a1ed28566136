import type { Server } from 'node:https';

import type { TlsSettings } from '../plan/plan.ts';
import type { EventSink } from '../service/service.ts';
import { KeyPairError, readKeyPair, type KeyPair, type LoadedPair } from '../system/key-pair.ts';

/** The certificate that is served by HTTPS. Its files are read anew with every Plan; a pair that is no good changes nothing. */
export class Certificate {
  readonly #events: EventSink;
  #loaded: LoadedPair | undefined;
  #fault: string | undefined;
  /** Servers that have the pair as it is now. */
  #dressed = new WeakSet<Server>();

  constructor(events: EventSink) {
    this.#events = events;
  }

  get pair(): KeyPair | undefined {
    return this.#loaded?.pair;
  }

  load(settings: TlsSettings | undefined): void {
    if (settings === undefined) {
      this.#loaded = undefined;
      this.#fault = undefined;
      return;
    }
    try {
      this.#take(readKeyPair(settings.certificate, settings.key));
    } catch (error) {
      this.#complain(error instanceof KeyPairError ? error.message : 'the files make no TLS server');
    }
  }

  /** Gives `server` the pair of now; its connections keep theirs. */
  dress(server: Server): void {
    if (this.#loaded === undefined || this.#dressed.has(server)) return;
    server.setSecureContext(this.#loaded.pair);
    this.#dressed.add(server);
  }

  #take(loaded: LoadedPair): void {
    const isNews = loaded.digest !== this.#loaded?.digest;
    if (!isNews && this.#fault === undefined) return;
    this.#fault = undefined;
    this.#loaded = loaded;
    if (isNews) this.#dressed = new WeakSet();
    const { subject, notAfter } = loaded;
    this.#events.emit({ kind: 'http.certificate-loaded', subject, expires: Math.floor(notAfter / 1000) });
  }

  #complain(reason: string): void {
    if (reason === this.#fault) return;
    this.#fault = reason;
    this.#events.emit({ kind: 'http.certificate-failed', reason, kept: this.#loaded !== undefined });
  }
}
