import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

import type { RegionProcess } from '../interop/region-process.ts';
import { oauthOf } from '../region/region-rig.ts';

/** An operator who speaks MAAS's API to a region, over one connection by TLS. */
export class OperatorSession {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #authorization: string;

  static async open(region: RegionProcess, ca: string): Promise<OperatorSession> {
    await region.order({ kind: 'createadmin', name: 'root', email: 'root@region.example', password: 'secret' });
    const [key = ''] = (await region.order({ kind: 'apikey', name: 'root' })) as string[];
    const [consumer = '', token = '', secret = ''] = key.split(':');
    return new OperatorSession(region.url, oauthOf({ consumer, token, secret }), ca);
  }

  private constructor(url: string, authorization: string, ca: string) {
    this.#url = url;
    this.#authorization = authorization;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
  }

  /** Throws unless it is done. */
  async ask(method: 'PUT' | 'POST', path: string, form: Readonly<Record<string, string>>): Promise<void> {
    const outgoing = request(`${this.#url}/MAAS/api/${path}`, {
      method,
      agent: this.#agent,
      headers: { authorization: this.#authorization, 'content-type': 'application/x-www-form-urlencoded' },
    });
    outgoing.end(new URLSearchParams(form).toString());
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const text = (await response.setEncoding('utf8').toArray()).join('');
    if ((response.statusCode ?? 500) >= 300) throw new Error(`${path}: ${response.statusCode} ${text}`);
  }
}
