import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JudgeConfig } from '../../config/content.ts';
import { budgetDay, spend } from '../../db/budget-store.ts';
import type { Tx } from '../../db/database.ts';
import { failingJobs } from '../../db/failing-jobs.ts';
import { enqueue, type Job, type NewJob } from '../../db/jobs.ts';
import { readOrSet, writeSetting } from '../../db/setting-store.ts';
import { noteTroubles, type Trouble } from '../../db/trouble-store.ts';
import { redact } from '../../redaction.ts';
import { saveEvaluations, waitForCallWriters } from '../../sources/call-store.ts';
import { CANARY_USER } from '../../sources/canary/canary-endpoint.ts';
import { isJudgeName, judgeOf, rubricDigest } from '../../sources/judge/judge.ts';
import {
  type CallToScore,
  callToScore,
  newestCallId,
  type ScorableCall,
  scorerOf,
  unscoredCalls,
} from '../../sources/judge/judge-sample-store.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { reportTroubles } from './report-troubles.ts';

export const JUDGE_CALL = 'judge-call';

type Judging = Pick<Flow, 'db' | 'clock' | 'config' | 'log'>;

const payload = z.object({ service: z.string(), callId: z.number(), rubric: z.string() });

/** A score that comes later than this belongs to no window that is still looked at. */
const LATEST_MS = 60 * 60_000;
const DAY_MS = 24 * 3_600_000;
const FAILING = { attempts: 3, withinMs: 10 * 60_000 };

/** Each tick: samples the calls that have arrived and enqueues one job for each; says when a judge keeps failing. */
export async function judgeCalls(flow: Judging): Promise<void> {
  const troubles: Trouble[] = [];
  for (const [service, { judge }] of Object.entries(flow.config.services)) {
    if (judge === undefined) continue;
    await sampleCalls(flow, service, judge);
    const failing = await failingJobs(flow.db, { lane: laneOf(flow, service), ...FAILING });
    if (failing.n === 0) continue;
    const problem = `the judge of ${service} gives no scores: ${failing.lastError ?? 'no reason known'}`;
    troubles.push({ key: `judge:${service}`, problem });
  }
  if (troubles.length === 0) return;
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await reportTroubles(flow, tx, { fresh: await noteTroubles(tx, troubles, now), over: [], now });
  });
}

const laneOf = (flow: Pick<Flow, 'config'>, service: string) => `judge:${flow.config.environment}/${service}`;
/** Of the judge's calls a day; whoever asks the judge spends it. */
export const judgeBudgetKey = laneOf;

async function sampleCalls(flow: Judging, service: string, judge: JudgeConfig): Promise<void> {
  const now = flow.clock.now();
  const { environment } = flow.config;
  const cursorKey = `judge-cursor:${environment}/${service}`;
  // Ids below the newest visible one may still be on their way; those writers are waited for on their own.
  const upToId = await flow.db.transaction().execute(async (tx) => {
    await waitForCallWriters(tx);
    return newestCallId(tx);
  });
  await readOrSet(flow.db, cursorKey, upToId);
  await flow.db.transaction().execute(async (tx) => {
    const afterId = await lockCursor(tx, cursorKey);
    if (afterId >= upToId) return;
    const notBefore = new Date(now.getTime() - LATEST_MS);
    const about = { service, environment, afterId, upToId, notBefore, exceptUser: CANARY_USER };
    const sampled = (await unscoredCalls(tx, about)).filter((call) => isSampled(call, judge.sample_share));
    const lane = laneOf(flow, service);
    const affordable = await affordableOf(tx, sampled, { judge, key: judgeBudgetKey(flow, service), now });
    await enqueue(
      tx,
      affordable.map((call) => jobFor(call, { service, judge, lane, now })),
    );
    await writeSetting(tx, cursorKey, upToId);
  });
}

/** Policy: calls that arrived before the judge was configured are not scored. */
async function lockCursor(tx: Tx, key: string): Promise<number> {
  const row = await tx
    .selectFrom('setting')
    .select('value')
    .where('key', '=', key)
    .forUpdate()
    .executeTakeFirst();
  return Number(row?.value ?? 0);
}

/** Policy: chosen by a digest of the call's own ids, so that any replica, at any time, chooses the same. */
export function isSampled({ traceId, spanId }: Omit<ScorableCall, 'id'>, share: number): boolean {
  const digest = createHash('sha256').update(`${traceId}/${spanId}`, 'utf8').digest();
  return digest.readUIntBE(0, 6) / 2 ** 48 < share;
}

/**
 * Policy: the day's budget is spent evenly: at any time no more than its share of the day that has passed, and an hour
 * ahead. What cannot be afforded is not scored later either.
 */
async function affordableOf(
  tx: Tx,
  sampled: readonly ScorableCall[],
  { judge, key, now }: { judge: JudgeConfig; key: string; now: Date },
): Promise<ScorableCall[]> {
  const passed = (now.getTime() % DAY_MS) / DAY_MS;
  const limit = Math.min(
    judge.calls_per_day,
    Math.max(1, Math.floor(judge.calls_per_day * (passed + 1 / 24))),
  );
  const affordable: ScorableCall[] = [];
  for (const call of sampled) {
    if (!(await spend(tx, { key, day: budgetDay(now), amount: 1, limit }))) break;
    affordable.push(call);
  }
  return affordable;
}

function jobFor(
  call: ScorableCall,
  { service, judge, lane, now }: { service: string; judge: JudgeConfig; lane: string; now: Date },
): NewJob {
  const rubric = rubricDigest(judge);
  return {
    kind: JUDGE_CALL,
    payload: { service, callId: call.id, rubric },
    runAt: now,
    lane,
    dedupeKey: `judge-call:${call.id}/${rubric}`,
  };
}

/**
 * Scores one call. Policy: a score of the application's own stands; a call that has waited for an hour is let go; a
 * judge that is away is asked again later, and one that answers without a score three times is given up and counted.
 */
export async function judgeCall(flow: Judging, job: Job): Promise<void> {
  const { service, callId, rubric } = payload.parse(job.payload);
  const now = flow.clock.now();
  const config = serviceConfig(flow, service)?.judge;
  if (config === undefined || rubricDigest(config) !== rubric) return;
  const call = await callToScore(flow.db, callId);
  if (call === undefined || call.output === null || now.getTime() - call.at.getTime() > LATEST_MS) return;
  if (isTaken(await scorerOf(flow.db, callId))) return;
  // The first request was paid for when the call was sampled.
  if (job.attempts > 1 && !(await payAgain(flow, { service, config, now }))) return;
  const judge = judgeOf(config, service);
  const input = call.input === null ? null : redact(call.input);
  const judgement = await judge.score({ input, output: redact(call.output) });
  if (judgement.kind === 'wrong') throw new Error(`${judge.evaluator} gave no score: ${judgement.problem}`);
  await store(flow, call, { ...judgement, evaluator: judge.evaluator });
}

/** Scored by somebody else than this kind of judge; null is somebody without a name. */
function isTaken(scorer: string | null | undefined): boolean {
  return scorer !== undefined && !isJudgeName(scorer);
}

function payAgain(
  flow: Judging,
  { service, config, now }: { service: string; config: JudgeConfig; now: Date },
): Promise<boolean> {
  const key = judgeBudgetKey(flow, service);
  return spend(flow.db, { key, day: budgetDay(now), amount: 1, limit: config.calls_per_day });
}

/** Dated just before the end of the call, so that any score of the application's own is later and replaces it. */
async function store(
  flow: Judging,
  call: CallToScore,
  { score, reason, evaluator }: { score: number; reason: string | null; evaluator: string },
): Promise<void> {
  const { traceId, spanId, service, environment } = call;
  const at = new Date(call.at.getTime() - 1);
  await flow.db.transaction().execute(async (tx) => {
    if (isTaken(await scorerOf(tx, call.id))) return;
    await saveEvaluations(tx, [
      {
        ...{ traceId, spanId, service, environment, at, evaluator },
        ...{ name: 'quality', value: score, label: null, explanation: reason },
      },
    ]);
  });
}
