import { setTimeout as pause } from 'node:timers/promises';
import { ExternalError } from '../errors.ts';
import type { Candidate } from './candidate.ts';

/** A recorded call that is sent again. */
export interface ReplayCall {
  readonly id: number;
  readonly input: string;
  /** Empty where the service names no prompt. */
  readonly promptName: string;
  /** Sampling parameters that it was made with. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /** What it is expected to cost; null where that is not known. */
  readonly expectedUsd: number | null;
}

/** What came back. The verdicts are the service's own checks of it, null where it has none. */
export interface ReplayAnswer {
  readonly output: string;
  /** 0..1. */
  readonly score: number | null;
  readonly formatOk: boolean | null;
  readonly costUsd: number | null;
}

/** Where calls are replayed; nothing that is sent there has a side effect. */
export interface ReplayEndpoint {
  /** Why this candidate cannot be asked about calls of that prompt; null when it can. */
  refuses(promptName: string, candidate: Candidate): string | null;
  /** Throws ExternalError when it gave no answer. */
  replay(
    call: ReplayCall,
    asked: { candidate: Candidate; signal: AbortSignal; timeoutMs: number },
  ): Promise<ReplayAnswer>;
}

/** What may be spent; both say what the database says, so that replicas and restarts share it. */
export interface ReplayBudget {
  /** Takes one request and its expected cost before it is sent; false: it may not be sent. */
  take(expectedUsd: number | null): Promise<boolean>;
  /** Notes what it cost beyond what was expected. */
  settle(costUsd: number, expectedUsd: number | null): Promise<void>;
}

export type Replayed =
  | { kind: 'answered'; call: ReplayCall; answer: ReplayAnswer }
  | { kind: 'failed' | 'timed-out'; call: ReplayCall; problem: string };

/** Why the rest was not sent: no time, no budget, or nobody there. */
export type EndedEarly = 'time' | 'budget' | 'no-answers';

export interface ReplayRun {
  calls: readonly ReplayCall[];
  candidate: Candidate;
  budget: ReplayBudget;
  /** Ends the run: what is on its way then counts as not sent. */
  signal: AbortSignal;
  /** Requests at a time. */
  concurrency?: number;
  /** Longest that one request may take. */
  timeoutMs?: number;
  /** Told about each as it comes, before the next one of the same turn is sent; what it throws ends the run. */
  onReplayed?: (replayed: Replayed) => Promise<void>;
}

const LONGEST_REPLAY_MS = 30_000;
const SHORTEST_PAUSE_MS = 500;
/** After so many failures and no answer, nobody is there. */
const NOBODY_AFTER = 5;

/**
 * Sends every call to the candidate, several at a time, within the budget and until the signal. A request that is turned
 * away as too many (429) is sent once more. `endedEarly` says why the rest was not sent; null when all were.
 */
export async function replayThrough(
  endpoint: ReplayEndpoint,
  run: ReplayRun,
): Promise<{ replayed: Replayed[]; endedEarly: EndedEarly | null }> {
  const { calls, signal, concurrency = 8 } = run;
  const queue = [...calls];
  const all: Replayed[] = [];
  let endedEarly: EndedEarly | null = null;
  let isBroken = false;
  const turns = Array.from({ length: Math.min(concurrency, calls.length) }, async () => {
    for (let call = queue.shift(); call !== undefined; call = queue.shift()) {
      if (isBroken || endedEarly !== null) return;
      const replayed = signal.aborted ? 'time' : await replayOne(endpoint, run, call);
      if (typeof replayed === 'string') {
        endedEarly ??= replayed;
        return;
      }
      all.push(replayed);
      await run.onReplayed?.(replayed);
      const isNobody = all.length >= NOBODY_AFTER && all.every(({ kind }) => kind !== 'answered');
      if (isNobody && queue.length > 0) endedEarly ??= 'no-answers';
    }
  });
  const guarded = turns.map((turn) =>
    turn.catch((thrown) => {
      isBroken = true;
      throw thrown;
    }),
  );
  for (const settled of await Promise.allSettled(guarded)) {
    if (settled.status === 'rejected') throw settled.reason;
  }
  return { replayed: all, endedEarly };
}

async function replayOne(
  endpoint: ReplayEndpoint,
  run: ReplayRun,
  call: ReplayCall,
): Promise<Replayed | 'time' | 'budget'> {
  const { candidate, budget, signal, timeoutMs = LONGEST_REPLAY_MS } = run;
  for (let attempt = 1; ; attempt += 1) {
    if (!(await budget.take(call.expectedUsd))) return 'budget';
    try {
      const answer = await endpoint.replay(call, { candidate, signal, timeoutMs });
      if (answer.costUsd !== null) await budget.settle(answer.costUsd, call.expectedUsd);
      return { kind: 'answered', call, answer };
    } catch (thrown) {
      if (signal.aborted) return 'time';
      if (!(thrown instanceof ExternalError)) throw thrown;
      if (thrown.code === '429' && attempt === 1) {
        const waitMs = Math.max(thrown.retryAfterMs ?? 0, SHORTEST_PAUSE_MS);
        if (!(await waited(waitMs, signal))) return 'time';
        continue;
      }
      const kind = thrown.code === 'timeout' ? 'timed-out' : 'failed';
      return { kind, call, problem: problemIn(thrown, timeoutMs) };
    }
  }
}

async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

/** In our words alone: what an endpoint says of an error may repeat the text that it was sent. */
function problemIn({ code }: ExternalError, timeoutMs: number): string {
  if (code === 'timeout') return `it gave no answer within ${timeoutMs / 1000} s`;
  if (code !== undefined && /^\d{3}$/.test(code)) return `it answered ${code}`;
  if (code === 'not-understood') return 'it answered something else than expected';
  if (code === 'ADDRESS_REFUSED') return 'its address is not allowed';
  return 'it is unreachable';
}
