import { z } from 'zod';
import type { Step } from './plan.ts';

/** What was seen of one served variant since the mitigation was applied. */
export interface SeenVariant {
  promptName: string | null;
  promptVersion: string | null;
  requestModel: string | null;
  responseModel: string | null;
  n: number;
  firstAt: Date;
  lastAt: Date;
}

/** How the metric that tripped stands over the calls that the wanted state served. */
export interface MetricProof {
  state: 'proving' | 'recovered' | 'failing';
  n: number;
  needed: number;
  line: string;
}

export type Verdict = 'proving' | 'proven' | 'unproven' | 'not-contained';

const report = z.object({
  verdict: z.enum(['proving', 'proven', 'unproven', 'not-contained']),
  lines: z.array(z.string()),
  next: z.string().nullable(),
  n: z.number(),
  before: z.number().nullable(),
  after: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  servedAt: z.iso.datetime().nullable(),
  timeToEffectMs: z.number().nullable(),
});

/** What a receipt is made of; kept in the mitigation's row. */
export type ProofReport = z.infer<typeof report>;

export function readProof(value: unknown): ProofReport | null {
  return value === null || value === undefined ? null : report.parse(value);
}

/** A disabled feature is proven by silence: no call for this long. */
const SILENCE_MS = 5 * 60_000;
/** Clients that cache what they serve get this long before calls of the old state count against the mitigation. */
const CACHE_MS = 2 * 60_000;
const SERVED_CALLS = 3;

/** True when this variant is what the steps want served. */
export function isWanted(
  steps: readonly Step[],
  variant: Omit<SeenVariant, 'n' | 'firstAt' | 'lastAt'>,
): boolean {
  return steps.every((step) => {
    if (step.action === 'model') return isModel(step.to, variant);
    if (step.action !== 'prompt') return true;
    const isItsPrompt =
      step.promptName === null || variant.promptName === null || variant.promptName === step.promptName;
    return isItsPrompt && variant.promptVersion === step.to;
  });
}

/** The model that answered is the pinned one, or a dated snapshot of it when the alias was asked for by that name. */
function isModel(
  wanted: string | boolean,
  variant: Pick<SeenVariant, 'requestModel' | 'responseModel'>,
): boolean {
  if (typeof wanted !== 'string') return false;
  const { requestModel, responseModel } = variant;
  if (responseModel === null) return requestModel === wanted;
  return responseModel === wanted || (requestModel === wanted && responseModel.startsWith(`${wanted}-`));
}

export interface ProofQuestion {
  steps: readonly Step[];
  appliedAt: Date;
  proveBy: Date;
  now: Date;
  variants: readonly SeenVariant[];
  /** Null when no metric tripped, so that only the served state can be shown. */
  metric: MetricProof | null;
}

export interface ProofJudgement {
  verdict: Verdict;
  lines: string[];
  next: string | null;
  servedAt: Date | null;
}

/**
 * Proven: live calls are served by the wanted state and the metric that tripped has recovered by its own rule. Not
 * contained: the wanted state is served and the metric still fails, or calls go on as before. Unproven: neither was
 * seen by the deadline.
 */
export function judgeProof(question: ProofQuestion): ProofJudgement {
  if (question.steps.some((step) => step.action === 'disable')) return judgeSilence(question);
  const { steps, now, proveBy, metric } = question;
  const concerned = question.variants.filter((variant) => concerns(steps, variant));
  const wanted = concerned.filter((variant) => isWanted(steps, variant));
  const wantedN = sum(wanted);
  const others = concerned.filter((variant) => !isWanted(steps, variant));
  const servedAt = earliest(wanted);
  const isServed = servedAt !== null && wantedN >= SERVED_CALLS && !outlives(others, wanted);
  const isLate = now >= proveBy;
  if (!isServed) return judgeUnserved({ question, wantedN, othersN: sum(others), isLate, servedAt });
  const served = `Served by live calls since ${servedAt.toISOString().slice(11, 19)} UTC (n = ${wantedN}).`;
  if (metric === null) {
    const line = 'No metric tripped in this incident, so its effect on quality is not measured.';
    return { verdict: isLate ? 'unproven' : 'proving', lines: [served, line], next: null, servedAt };
  }
  const lines = [served, metric.line];
  if (metric.state === 'recovered') return { verdict: 'proven', lines, next: null, servedAt };
  if (metric.state === 'failing') return { verdict: 'not-contained', lines, next: null, servedAt };
  const progress = `Proving: ${metric.n}/${metric.needed} scored calls${estimate(question, metric)}.`;
  return { verdict: isLate ? 'unproven' : 'proving', lines: [...lines, progress], next: null, servedAt };
}

function judgeUnserved(seen: {
  question: ProofQuestion;
  wantedN: number;
  othersN: number;
  isLate: boolean;
  servedAt: Date | null;
}): ProofJudgement {
  const { othersN, wantedN, isLate, servedAt } = seen;
  const isSilent = wantedN + othersN === 0;
  const line = isSilent
    ? 'Waiting for live calls: none has come since it was applied.'
    : `The target says so, but live calls do not yet: ${wantedN} served as wanted, ${othersN} otherwise.`;
  if (!isLate) return { verdict: 'proving', lines: [line], next: null, servedAt };
  const verdict = othersN > 0 ? 'not-contained' : 'unproven';
  return { verdict, lines: [line], next: null, servedAt };
}

function judgeSilence({ variants, appliedAt, now }: ProofQuestion): ProofJudgement {
  const cacheUntil = new Date(appliedAt.getTime() + CACHE_MS);
  const late = variants.filter((variant) => variant.lastAt > cacheUntil);
  if (late.length > 0) {
    const line = `The target says that it is disabled, but ${sum(late)} calls came after two minutes.`;
    return { verdict: 'not-contained', lines: [line], next: null, servedAt: null };
  }
  const quietSince = latest(variants) ?? appliedAt;
  if (now.getTime() - quietSince.getTime() >= SILENCE_MS) {
    const line = 'No call reached the feature for five minutes.';
    return { verdict: 'proven', lines: [line], next: null, servedAt: quietSince };
  }
  return {
    verdict: 'proving',
    lines: ['Waiting for five minutes without a call.'],
    next: null,
    servedAt: null,
  };
}

/** Calls of another prompt of the service say nothing about a plan that changes one prompt. */
function concerns(steps: readonly Step[], variant: SeenVariant): boolean {
  const names = steps.filter((step) => step.action === 'prompt').map((step) => step.promptName);
  if (names.length < steps.length || names.includes(null) || variant.promptName === null) return true;
  return names.includes(variant.promptName);
}

/** Calls of the old state still come when every client has had time to notice the wanted one. */
function outlives(others: readonly SeenVariant[], wanted: readonly SeenVariant[]): boolean {
  const lastOther = latest(others);
  const firstWanted = earliest(wanted);
  if (lastOther === null || firstWanted === null) return false;
  return lastOther.getTime() - firstWanted.getTime() > CACHE_MS;
}

function estimate({ appliedAt, now }: ProofQuestion, metric: MetricProof): string {
  if (metric.n === 0) return '';
  const perMs = metric.n / Math.max(1, now.getTime() - appliedAt.getTime());
  const minutes = Math.ceil((metric.needed - metric.n) / perMs / 60_000);
  return minutes > 0 ? `, about ${minutes} min more at this traffic` : '';
}

const sum = (variants: readonly SeenVariant[]) => variants.reduce((total, variant) => total + variant.n, 0);

function earliest(variants: readonly SeenVariant[]): Date | null {
  return variants.reduce<Date | null>(
    (first, { firstAt }) => (first === null || firstAt < first ? firstAt : first),
    null,
  );
}

function latest(variants: readonly SeenVariant[]): Date | null {
  return variants.reduce<Date | null>(
    (last, { lastAt }) => (last === null || lastAt > last ? lastAt : last),
    null,
  );
}
