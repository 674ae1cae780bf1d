import { z } from 'zod';
import type { Step } from './plan.ts';
import { findingsOf, type LiveTraffic, metricFor } from './proof-table.ts';
import type { Finding } from './served-proof.ts';

/** How the metric that tripped stands over the calls that were served since. */
export interface MetricProof {
  state: 'proving' | 'recovered' | 'failing';
  n: number;
  needed: number;
  /** What is counted: "scored calls". */
  counted: string;
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

export interface ProofQuestion extends LiveTraffic {
  steps: readonly Step[];
  proveBy: Date;
  /** Taking something back is proven by what is served; the metric has a say only where there is one. */
  isUndo: boolean;
  /** Null when no metric tripped, so that only what is served can be shown. */
  metric: MetricProof | null;
}

export interface ProofJudgement {
  verdict: Verdict;
  lines: string[];
  next: string | null;
  servedAt: Date | null;
  /** The metric that tripped has recovered, and not because the feature is off. */
  isMitigated: boolean;
}

/**
 * Proven: live traffic shows every setting as wanted and, where it has a say, the metric that tripped has recovered by
 * its own rule. Not contained: live traffic shows the opposite, or the metric still fails. Unproven: neither was seen
 * by the deadline.
 */
export function judgeProof(question: ProofQuestion): ProofJudgement {
  const { steps, now, proveBy, metric } = question;
  const findings = findingsOf(steps, question);
  const isLate = now >= proveBy;
  const shown = findings.map(({ line }) => line);
  const common = { next: null, servedAt: firstOf(findings), isMitigated: false };
  if (findings.some(({ state }) => state === 'contradicted')) {
    return { ...common, verdict: 'not-contained', lines: shown };
  }
  const waiting = findings.filter(({ state }) => state === 'waiting');
  if (waiting.length > 0) {
    const isRefuted = waiting.some(({ whenLate }) => whenLate === 'not-contained');
    const verdict = isLate ? (isRefuted ? 'not-contained' : 'unproven') : 'proving';
    return { ...common, verdict, lines: shown };
  }
  const say = metricFor(steps);
  const isShownEnough = say === 'if-any' || question.isUndo;
  if (say === 'apart' || (isShownEnough && metric === null)) {
    return { ...common, verdict: 'proven', lines: shown };
  }
  if (metric === null) {
    const line = 'No metric tripped in this incident, so its effect on quality is not measured.';
    return { ...common, verdict: isLate ? 'unproven' : 'proving', lines: [...shown, line] };
  }
  return { ...common, ...judgeMetric(question, metric, [...shown, metric.line]) };
}

function judgeMetric(
  question: ProofQuestion,
  metric: MetricProof,
  lines: string[],
): Pick<ProofJudgement, 'verdict' | 'lines' | 'isMitigated'> {
  if (metric.state === 'recovered') return { verdict: 'proven', lines, isMitigated: true };
  if (metric.state === 'failing') return { verdict: 'not-contained', lines, isMitigated: false };
  const progress =
    metric.n >= metric.needed
      ? `Proving: better, and not yet past where its rule closes (n = ${metric.n}).`
      : `Proving: ${metric.n}/${metric.needed} ${metric.counted}${estimate(question, metric)}.`;
  const isLate = question.now >= question.proveBy;
  return { verdict: isLate ? 'unproven' : 'proving', lines: [...lines, progress], isMitigated: false };
}

function estimate({ appliedAt, now }: ProofQuestion, { n, needed }: MetricProof): string {
  if (n === 0) return '';
  const perMs = n / Math.max(1, now.getTime() - appliedAt.getTime());
  const minutes = Math.ceil((needed - n) / perMs / 60_000);
  return minutes > 0 ? `, about ${minutes} min more at this traffic` : '';
}

/** The wanted state serves when the last of its settings does. */
function firstOf(findings: readonly Finding[]): Date | null {
  const dates = findings.flatMap(({ at }) => (at === null ? [] : [at.getTime()]));
  return dates.length === 0 ? null : new Date(Math.max(...dates));
}
