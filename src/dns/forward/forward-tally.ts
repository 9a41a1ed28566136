/** What the forwarder counts. Only ever rises. */
export interface ForwardCounts {
  /** Answered from the cache. */
  hits: number;
  /** Had to be asked for, by this client first. */
  misses: number;
  /** Were being asked for already. */
  joined: number;
  /** Asked again by a client that waits already. */
  repeated: number;
  /** Answered with what has ended, as nothing better was to be had in time. */
  stale: number;
  /** Asked for ahead of their end. */
  prefetched: number;
  /** Answered here, as no server elsewhere can know them. */
  local: number;
  /** No client of ours, or a question that is not passed on. */
  refused: number;
  /** Got no answer from any upstream. */
  failed: number;
  /** Answered with a failure that was kept. */
  failedAgain: number;
  /** Turned away: too many questions on their way in all, of one client, below one name. */
  overloadQuestions: number;
  overloadClient: number;
  overloadDomain: number;
  /** Asked by the very upstream that was asked. */
  loops: number;
}

export function noCounts(): ForwardCounts {
  return {
    hits: 0,
    misses: 0,
    joined: 0,
    repeated: 0,
    stale: 0,
    prefetched: 0,
    local: 0,
    refused: 0,
    failed: 0,
    failedAgain: 0,
    overloadQuestions: 0,
    overloadClient: 0,
    overloadDomain: 0,
    loops: 0,
  };
}
