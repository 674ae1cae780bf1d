import { z } from 'zod';
import type { CanariesConfig, CanaryPrompt } from '../../config/content.ts';
import { budgetDay, spend } from '../../db/budget-store.ts';
import { enqueue, type Job, type NewJob } from '../../db/jobs.ts';
import { noteTroubles, type Trouble } from '../../db/trouble-store.ts';
import { type CanaryVerdict, compareCanary, usualRuns } from '../../detection/canary.ts';
import { ExternalError } from '../../errors.ts';
import { redact } from '../../redaction.ts';
import { canaryEndpoint } from '../../sources/canary/canary-endpoint.ts';
import { canaryIntervalMs, failureOf, RUNS_IN_SIGHT } from '../../sources/canary-source.ts';
import {
  answeredRuns,
  type CanaryKey,
  lastRuns,
  outputsOf,
  saveCanaryRun,
} from '../../sources/canary-store.ts';
import { formatCheck } from '../../sources/content/output-format.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { reportTroubles } from './report-troubles.ts';

export const RUN_CANARY = 'run-canary';

type Sending = Pick<Flow, 'db' | 'clock' | 'config' | 'log'>;

const payload = z.object({ service: z.string(), canary: z.string(), dueAt: z.coerce.date() });

const REMEMBERED_MS = 7 * 24 * 3_600_000;
const LONGEST_OUTPUT_CHARS = 20_000;
const LONGEST_ERROR_CHARS = 300;

/** Each tick: one job a prompt and interval. Its key keeps replicas, and later ticks of the interval, from a second. */
export async function runCanaries(flow: Sending): Promise<void> {
  const now = flow.clock.now();
  const { environment, services } = flow.config;
  const jobs = Object.entries(services).flatMap(([service, { canaries }]): NewJob[] => {
    if (canaries === undefined) return [];
    const intervalMs = canaryIntervalMs(canaries);
    const slot = Math.floor(now.getTime() / intervalMs);
    const dueAt = new Date(slot * intervalMs).toISOString();
    return canaries.prompts.map(({ name }) => ({
      kind: RUN_CANARY,
      payload: { service, canary: name, dueAt },
      runAt: now,
      lane: `canary:${environment}/${service}`,
      dedupeKey: `canary:${environment}/${service}/${name}/${slot}`,
    }));
  });
  await enqueue(flow.db, jobs);
  await reportFailing(flow, now);
}

/** Policy: a canary whose endpoint failed twice in a row sees nothing, and that is said. */
async function reportFailing(flow: Sending, now: Date): Promise<void> {
  const { environment, services } = flow.config;
  const troubles: Trouble[] = [];
  for (const [service, { canaries }] of Object.entries(services)) {
    if (canaries === undefined) continue;
    const from = new Date(now.getTime() - RUNS_IN_SIGHT * canaryIntervalMs(canaries));
    const runs = Map.groupBy(
      await lastRuns(flow.db, { service, environment, from, to: now }),
      ({ canary }) => canary,
    );
    const failing = canaries.prompts.flatMap(({ name }) => failureOf(runs.get(name) ?? []) ?? []);
    if (failing[0] === undefined) continue;
    const problem = `${failing.length} of ${canaries.prompts.length} canaries of ${service} fail: ${failing[0]}`;
    troubles.push({ key: `canaries:${service}`, problem });
  }
  if (troubles.length === 0) return;
  await flow.db.transaction().execute(async (tx) => {
    await reportTroubles(flow, tx, { fresh: await noteTroubles(tx, troubles, now), over: [], now });
  });
}

/**
 * Sends one prompt and stores what became of it. Policy: a run that was cut short, or whose interval is over, is
 * missing and not repeated; beyond the day's budget nothing is sent; an endpoint that fails is a run with an error.
 */
export async function runCanary(flow: Sending, job: Job): Promise<void> {
  const { service, canary, dueAt } = payload.parse(job.payload);
  const now = flow.clock.now();
  const { environment } = flow.config;
  const config = serviceConfig(flow, service)?.canaries;
  const prompt = config?.prompts.find(({ name }) => name === canary);
  if (config === undefined || prompt === undefined) return;
  if (job.attempts > 1 || now.getTime() >= dueAt.getTime() + canaryIntervalMs(config)) {
    flow.log.warn({ service, canary, dueAt, attempts: job.attempts }, 'a canary run is missing');
    return;
  }
  const budget = { key: `canary:${environment}/${service}`, day: budgetDay(now), amount: 1 };
  if (!(await spend(flow.db, { ...budget, limit: config.calls_per_day }))) {
    flow.log.warn({ service, canary }, 'the budget of the canaries is spent for today');
    return;
  }
  await sendAndStore(flow, { config, prompt, key: { service, environment, canary }, at: now });
}

interface Run {
  config: CanariesConfig;
  prompt: CanaryPrompt;
  key: CanaryKey;
  at: Date;
}

async function sendAndStore(flow: Sending, { config, prompt, key, at }: Run): Promise<void> {
  const startedAt = performance.now();
  const answer = await answerOf(config, prompt, key);
  const latencyMs = performance.now() - startedAt;
  if (answer.kind === 'error') {
    const error = redact(answer.error).slice(0, LONGEST_ERROR_CHARS);
    await saveCanaryRun(flow.db, {
      ...{ ...key, at, latencyMs, error },
      ...{ output: null, deviates: false, detail: null },
    });
    return;
  }
  const output = answer.output.slice(0, LONGEST_OUTPUT_CHARS);
  const verdict = await verdictOf(flow, { output, prompt, key, at });
  await saveCanaryRun(flow.db, { ...key, at, output, error: null, latencyMs, ...verdict });
}

type CanaryAnswer = { kind: 'output'; output: string } | { kind: 'error'; error: string };

async function answerOf(config: CanariesConfig, prompt: CanaryPrompt, key: CanaryKey): Promise<CanaryAnswer> {
  try {
    return { kind: 'output', output: await canaryEndpoint(config, key.service).ask(prompt) };
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return { kind: 'error', error: thrown.message };
  }
}

async function verdictOf(
  flow: Sending,
  { output, prompt, key, at }: Omit<Run, 'config'> & { output: string },
): Promise<CanaryVerdict> {
  const format = serviceConfig(flow, key.service)?.format;
  const from = new Date(at.getTime() - REMEMBERED_MS);
  const earlier = usualRuns(await answeredRuns(flow.db, { ...key, from, to: at }));
  const history = await outputsOf(
    flow.db,
    earlier.map(({ id }) => id),
  );
  const isWellFormed = format === undefined ? null : formatCheck(format);
  return compareCanary(output, { canary: prompt, history, isWellFormed });
}
