import type { EventSink } from '../../service/service.ts';
import { keyText, nameKey, type NameKey } from '../../wire/dns/name.ts';
import { readTsigSecret, type TsigKeyFile } from './read-tsig-secret.ts';
import type { TsigSecret } from './tsig-secret.ts';
import type { KeyFinder } from './verify-tsig.ts';
import { messageOf } from '../../system/message-of.ts';

/** The secrets of a Plan's keys, read when the Plan is applied. One that can't be had refuses what is signed by it. */
export class TsigKeys implements KeyFinder {
  readonly #events: EventSink;
  readonly #read: (key: TsigKeyFile) => TsigSecret;
  #secrets = new Map<NameKey, TsigSecret>();
  #told = '';

  constructor(events: EventSink, read: (key: TsigKeyFile) => TsigSecret = readTsigSecret) {
    this.#events = events;
    this.#read = read;
  }

  apply(keys: readonly TsigKeyFile[]): void {
    this.#secrets = new Map();
    const faults: string[] = [];
    for (const key of keys) {
      try {
        this.#secrets.set(nameKey(key.name), this.#read(key));
      } catch (error) {
        const reason = messageOf(error);
        faults.push(`${keyText(nameKey(key.name))} in ${key.secretFile}: ${reason}`);
      }
    }
    this.#tell(faults);
  }

  find(name: NameKey): TsigSecret | undefined {
    return this.#secrets.get(name);
  }

  #tell(faults: readonly string[]): void {
    const text = faults.join('\n');
    if (text === this.#told) return;
    this.#told = text;
    this.#events.emit(faults.length > 0 ? { kind: 'dns.keys-failed', faults } : { kind: 'dns.keys-work' });
  }
}
