import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ExternalError, messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { backoffMs } from '../retry.ts';
import type { Db } from './database.ts';
import { bury, claim, extend, finish, type Job, type JobKinds, putBack } from './jobs.ts';

export type JobHandler = (job: Job) => Promise<void>;

export interface JobRunner {
  start(): void;
  /** Looks for work now instead of at the next poll. */
  wake(): void;
  /** Takes no new job and waits for the running ones. */
  stop(): Promise<void>;
}

interface Options {
  db: Db;
  clock: Clock;
  log: Log;
  handlers: Record<string, JobHandler>;
  /** Told when a job is given up, so that people can be. */
  onBuried(job: Job, error: string): Promise<void>;
  /** All kinds, unless said otherwise. */
  kinds?: JobKinds;
  concurrency?: number;
  pollMs?: number;
  leaseMs?: number;
}

/** A service that stays away is retried for a day before the job is given up. */
const GIVE_UP_AFTER_MS = 24 * 60 * 60_000;
/** A bug does not get better by repetition. */
const MAX_ATTEMPTS_AFTER_BUG = 3;

/** Runs durable jobs at least once each; polling is the truth, `wake` only a hint. */
export function createJobRunner(options: Options): JobRunner {
  const { db, clock, log, kinds, concurrency = 4, pollMs = 250, leaseMs = 15_000 } = options;
  const owner = `${process.pid}-${randomUUID().slice(0, 8)}`;
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  let stopped = true;

  const look = async () => {
    do {
      again = false;
      while (!stopped && running.size < concurrency) {
        const limit = concurrency - running.size;
        const jobs = await claim(db, { owner, now: clock.now(), limit, leaseMs, kinds });
        if (jobs.length === 0) break;
        for (const job of jobs)
          keep(running, perform(options, job, { owner, leaseMs }), { log, afterwards: wake });
      }
    } while (again && !stopped);
  };

  const wake = () => {
    if (stopped) return;
    again = true;
    looking ??= look()
      .catch((thrown) => log.error({ error: messageOf(thrown) }, 'looking for jobs failed'))
      .finally(() => {
        looking = undefined;
      });
  };

  return {
    start() {
      stopped = false;
      timer = setInterval(wake, pollMs);
      wake();
    },
    wake,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await Promise.all(running);
    },
  };
}

/** Several runners as one. */
export function together(runners: readonly JobRunner[]): JobRunner {
  return {
    start: () => runners.forEach((runner) => runner.start()),
    wake: () => runners.forEach((runner) => runner.wake()),
    stop: async () => {
      await Promise.all(runners.map((runner) => runner.stop()));
    },
  };
}

/** Keeps running work in `running` until it has ended. */
function keep(
  running: Set<Promise<void>>,
  work: Promise<void>,
  { log, afterwards }: { log: Log; afterwards(): void },
): void {
  const kept = work
    .catch((thrown) =>
      log.error({ error: messageOf(thrown) }, 'job could not be settled; its lease will lapse'),
    )
    .finally(() => {
      running.delete(kept);
      afterwards();
    });
  running.add(kept);
}

interface Lease {
  owner: string;
  leaseMs: number;
}

/** Runs one claimed job to its end and settles it; its lease is lengthened while it runs. */
async function perform(options: Options, job: Job, { owner, leaseMs }: Lease): Promise<void> {
  const { db, handlers } = options;
  const beat = () => extend(db, { id: job.id, owner, leaseMs }).catch(() => false);
  const heartbeat = setInterval(() => void beat(), leaseMs / 3);
  try {
    const handler = handlers[job.kind];
    if (handler === undefined) throw new Error(`no handler for job kind ${job.kind}`);
    await handler(job);
    await finish(db, { id: job.id, owner });
  } catch (thrown) {
    await settleFailure(options, job, { owner, thrown });
  } finally {
    clearInterval(heartbeat);
  }
}

async function settleFailure(
  { db, log, onBuried }: Options,
  job: Job,
  { owner, thrown }: { owner: string; thrown: unknown },
): Promise<void> {
  const error = messageOf(thrown);
  const next = afterFailure(job, thrown);
  log.warn({ job: job.id, kind: job.kind, attempts: job.attempts, error, next: next.kind }, 'job failed');
  if (next.kind === 'again') {
    await putBack(db, { id: job.id, owner, delayMs: next.delayMs, error, counted: next.counted });
    return;
  }
  await bury(db, { id: job.id, owner, error });
  await onBuried(job, error);
}

type Next = { kind: 'again'; delayMs: number; counted: boolean } | { kind: 'give-up' };

/** A throttled call waits as long as it was told; a service that is away is tried again; a bug, three times. */
function afterFailure(job: Job, thrown: unknown): Next {
  const external = thrown instanceof ExternalError ? thrown : null;
  if (external?.retryAfterMs !== undefined)
    return { kind: 'again', delayMs: external.retryAfterMs, counted: false };
  if (external?.retryable === false) return { kind: 'give-up' };
  const tooLong = Date.now() - job.created_at.getTime() > GIVE_UP_AFTER_MS;
  const tooOften = external === null && job.attempts >= MAX_ATTEMPTS_AFTER_BUG;
  if (tooLong || tooOften) return { kind: 'give-up' };
  return { kind: 'again', delayMs: backoffMs(job.attempts), counted: true };
}
