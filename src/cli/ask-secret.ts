import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Asks at a terminal, and shows nothing of what is typed. Rejects when it is left without an answer. */
export async function askSecret(
  question: string,
  input: NodeJS.ReadableStream,
  tell: (text: string) => void,
): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // A terminal to it, so that the real one does not echo
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  tell(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      const leave = (): void => reject(new Error('nothing was typed'));
      lines.once('line', resolve);
      lines.once('SIGINT', leave);
      lines.once('close', leave);
    });
  } finally {
    tell('\n');
    lines.close();
  }
}
