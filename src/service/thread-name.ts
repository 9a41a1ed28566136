import type { ServiceName, ThreadName } from '../timeline/event.ts';

/** The threads of the DNS service beside the first, which is called as the service. */
export function answerThreads(threads: number): ThreadName[] {
  return Array.from({ length: threads - 1 }, (_, i): ThreadName => `dns-${i + 2}`);
}

export function isAnswerThread(name: ThreadName): boolean {
  return serviceOf(name) !== name;
}

/** The number of a thread in its service, from 1. */
export function threadNumber(name: ThreadName): number {
  return isAnswerThread(name) ? Number(name.slice('dns-'.length)) : 1;
}

export function serviceOf(name: ThreadName): ServiceName {
  return isNumbered(name) ? 'dns' : name;
}

function isNumbered(name: ThreadName): name is `dns-${number}` {
  return name.startsWith('dns-');
}
