import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * Asks these questions at a terminal, one after the other, and shows nothing of what is typed. What comes in one piece, as it is pasted,
 * answers them all. Rejects when it is left without an answer.
 */
export async function askSecrets(
  questions: readonly string[],
  input: NodeJS.ReadableStream,
  tell: (text: string) => void,
): Promise<string[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // A terminal to it, so that the real one does not echo
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const answers: string[] = [];
  tell(questions[0] ?? '');
  try {
    return await new Promise<string[]>((resolve, reject) => {
      const leave = (): void => reject(new Error('nothing was typed'));
      lines.on('line', (line) => {
        if (answers.length === questions.length) return;
        answers.push(line);
        if (answers.length === questions.length) resolve(answers);
        else tell(`\n${questions[answers.length] ?? ''}`);
      });
      lines.once('SIGINT', leave);
      lines.once('close', leave);
    });
  } finally {
    tell('\n');
    lines.close();
  }
}
