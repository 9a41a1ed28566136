/** What the log may have of an error. */
export interface FaultWords {
  readonly reason: string;
  /** SQLSTATE, or the system's. */
  readonly code?: string;
  readonly stack?: string;
}

/** PostgreSQL tells with an error the row that it is about: that may hold what is for no log, so it is left out. */
export function faultWords(error: unknown): FaultWords {
  if (!(error instanceof Error)) return { reason: String(error) };
  const { message, stack } = error;
  const code = codeOf(error);
  return { reason: message, ...(code !== '' && { code }), ...(stack !== undefined && { stack }) };
}

/** The database can't be reached, goes down, or has too much to do: what is asked now may be asked again. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // SQLSTATE classes: connections, resources, an operator's doing; and a question that took too long
  if (/^(?:08|53|57|25P03|ECONN|ENOENT|ENOSPC|EPIPE|ETIMEDOUT|EAI_AGAIN)/.test(codeOf(error))) return true;
  // Of the pool and the client of `pg`, which have no codes
  return /^(?:Connection terminated|timeout exceeded|timeout expired|Query read timeout|Client has encountered a connection error)/.test(
    error.message,
  );
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}
