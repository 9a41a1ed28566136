import { kill } from 'node:process';

/** Whether a process of that id exists, whoever owns it. */
export function isAlive(id: number): boolean {
  try {
    kill(id, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
