import { checked, type Libc } from './libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;

/** Tells the service manager how we are (sd_notify(3)). */
export interface ServiceManager {
  notify(state: string): void;
}

/**
 * The manager behind `$NOTIFY_SOCKET`, or one that hears nothing where that is not set. A path that begins with
 * `@` is in the abstract namespace (unix(7)).
 */
export function connectServiceManager(libc: Libc, path: string | undefined): ServiceManager {
  if (path === undefined || path === '') return { notify: () => undefined };
  const fd = checked('socket', libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0));
  const name = Buffer.from(path);
  if (path.startsWith('@')) name[0] = 0;
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
  return {
    notify(state) {
      const bytes = Buffer.from(state);
      libc.sendto(fd, bytes, bytes.length, 0, address, address.length);
    },
  };
}
