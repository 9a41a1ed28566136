import { formatMac, parseMac } from '../addr/mac.ts';
import { PCAP_HEADER } from '../wire/pcap-record.ts';
import { openCaptureFile, writeCapture } from './capture-file.ts';
import { askDaemon, pipeFromDaemon } from './control-client.ts';

export interface CaptureOptions {
  readonly control: string;
  readonly mac?: string | undefined;
  /** A file, or - for standard output. */
  readonly out?: string | undefined;
  readonly seconds?: string | undefined;
  /** Ends it before its time. */
  readonly stop: AbortSignal;
  /** Standard output. */
  readonly write: (bytes: Uint8Array) => void;
}

const WRONG_USAGE = 2;
const STANDARD_SECONDS = '60';

/**
 * `rackboot capture`: what the daemon hears from one machine and says to it, as a pcap that Wireshark opens, until its time is
 * over or it is interrupted. Exit code 1 when nothing was heard.
 */
export async function capture(options: CaptureOptions, say: (line: string) => void): Promise<number> {
  const mac = options.mac === undefined ? undefined : parseMac(options.mac);
  const { seconds = STANDARD_SECONDS } = options;
  if (mac === undefined || !/^[1-9]\d{0,3}$/.test(seconds)) {
    say('capture: expected --mac 52:54:00:12:34:56, and --seconds from 1 to 3600');
    return WRONG_USAGE;
  }
  const { control, stop, out = `rackboot-${formatMac(mac, '')}.pcap` } = options;
  const path = `/capture?mac=${formatMac(mac)}&seconds=${seconds}`;
  // What the services have in hand by then is to be in it
  const end = (): void => void askDaemon(control, '/capture/stop', 'POST').catch(() => undefined);
  stop.addEventListener('abort', end, { once: true });
  const bytes = await copy(pipeFromDaemon(control, path, 'POST'), out, options.write);
  say(`${bytes > PCAP_HEADER ? `${bytes} bytes` : 'nothing was heard of it'}${out === '-' ? '' : ` in ${out}`}`);
  return bytes > PCAP_HEADER ? 0 : 1;
}

/** Opens the file once there is something to write: a daemon that refuses leaves what was there. */
async function copy(
  chunks: AsyncIterable<Uint8Array>,
  out: string,
  write: (bytes: Uint8Array) => void,
): Promise<number> {
  let file: Awaited<ReturnType<typeof openCaptureFile>> | undefined;
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (out === '-') write(chunk);
      else {
        file ??= await openCaptureFile(out);
        await writeCapture(file, out, chunk);
      }
    }
  } finally {
    await file?.close();
  }
  return bytes;
}
