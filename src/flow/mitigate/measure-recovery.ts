import { amount } from '../../detection/amount.ts';
import { type Recovery, recoveryOf, recoverySettings } from '../../detection/recovery.ts';
import type { Rule, RuleVerdict } from '../../detection/rule.ts';
import { ruleOf } from '../../detection/rules.ts';
import { settingsIn } from '../../detection/settings.ts';
import { BASELINE_MS, type WatchedRule } from '../../detection/watched-rule.ts';
import type { Incident } from '../../incident/incident.ts';
import { milestonesOf, troubledTimes } from '../../incident/incident-store.ts';
import type { Plan } from '../../mitigation/plan.ts';
import type { MetricProof } from '../../mitigation/proof.ts';
import { scoreSummary } from '../../sources/call-statistics-store.ts';
import type { MetricSource, Question } from '../../sources/metric-source.ts';
import type { Flow } from '../flow.ts';
import { signalFacts } from '../learn/data-points.ts';
import { type Evaluating, evaluateRules } from '../watch/evaluate-rules.ts';
import { amountAgain } from '../watch/verdict-text.ts';

export interface Measured {
  before: number | null;
  after: number | null;
  lower: number | null;
  upper: number | null;
  n: number;
}

export interface Recovering {
  plan: Plan;
  incident: Incident;
  /** From when on only what the plan wants was served. */
  since: Date;
  now: Date;
  /** Calls since then. */
  calls: number;
}

/**
 * The metric that tripped, by its own rule, over what came since the mitigation. No metric where no rule tripped, where
 * its source has no such measure, and where there is no baseline to recover to.
 */
export async function measureRecovery(
  flow: Pick<Flow, 'db' | 'config' | 'metricSourceFor'>,
  about: Recovering,
): Promise<{ metric: MetricProof | null; measured: Measured }> {
  const nothing = { before: null, after: null, lower: null, upper: null, n: about.calls };
  const watched = watchedRule(flow, about.plan);
  if (watched === null) return { metric: null, measured: nothing };
  const sinceMs = Math.max(0, about.now.getTime() - about.since.getTime());
  const verdict = await verdictSince(flow, watched, { ...about, sinceMs });
  const { settings, rule } = watched;
  if (verdict === null || lacksBaseline(verdict, settings.min_baseline)) {
    return { metric: null, measured: nothing };
  }
  const recovery = recoveryOf(verdict, { rule, settings, sinceMs, calls: about.calls });
  const before = await valueBefore(flow, about.incident, rule.id);
  const { n, value: after, lower, upper } = recovery;
  return {
    metric: {
      state: recovery.state,
      n,
      needed: recovery.needed,
      counted: COUNTED[rule.id] ?? 'calls',
      line: lineOf(rule, recovery, { before, baseline: verdict.baseline }),
    },
    measured: { before, after, lower, upper, n },
  };
}

const COUNTED: Partial<Record<Rule['id'], string>> = {
  'quality.score': 'scored calls',
  'quality.format': 'calls with a verdict',
};

function watchedRule(flow: Pick<Flow, 'config'>, plan: Plan): WatchedRule | null {
  const rule = plan.rule === null ? undefined : ruleOf(plan.rule);
  if (rule === undefined) return null;
  const { service, environment } = plan;
  const settings = settingsIn(flow.config, rule, plan);
  return { service, environment, rule, settings };
}

function lacksBaseline({ state, baselineN }: RuleVerdict, needed: number): boolean {
  return needed > 0 && state === 'insufficient' && baselineN < needed;
}

/** What the rule says of the time since; null when its source has no such measure. */
async function verdictSince(
  flow: Pick<Flow, 'db' | 'metricSourceFor'>,
  watched: WatchedRule,
  { plan, since, sinceMs, now }: Pick<Recovering, 'plan' | 'since' | 'now'> & { sinceMs: number },
): Promise<RuleVerdict | null> {
  const troubled = await troubledTimes(flow.db, {
    ...plan,
    since: new Date(now.getTime() - BASELINE_MS),
    now,
  });
  const baselineTo = new Date(now.getTime() - watched.settings.window_minutes * 60_000);
  const around: Evaluating = {
    now,
    troubledTimes: () => troubled,
    sourceFor: readingFrom(flow, { since, baselineTo }),
  };
  const settings = recoverySettings(watched.settings, sinceMs);
  const { evaluated } = await evaluateRules([{ ...watched, settings }], around);
  return evaluated[0]?.verdict ?? null;
}

/** The sources of the rule, asked for nothing from before `since`; the baseline is the one that the rule always has. */
function readingFrom(
  flow: Pick<Flow, 'metricSourceFor'>,
  { since, baselineTo }: { since: Date; baselineTo: Date },
): Evaluating['sourceFor'] {
  const wrapped = new Map<MetricSource, MetricSource>();
  const narrowed = (question: Question): Question =>
    question.isBaseline
      ? { ...question, to: baselineTo }
      : { ...question, from: question.from < since ? since : question.from };
  return (question) => {
    const source = flow.metricSourceFor(question);
    const known = wrapped.get(source);
    if (known !== undefined) return known;
    const made: MetricSource = {
      name: source.name,
      read: (questions, now) => source.read(questions.map(narrowed), now),
    };
    wrapped.set(source, made);
    return made;
  };
}

/** What it was: the mean score between the estimated start and the containment, else what the rule fired on. */
async function valueBefore(
  flow: Pick<Flow, 'db'>,
  incident: Incident,
  rule: Rule['id'],
): Promise<number | null> {
  if (rule === 'quality.score') return scoreDuring(flow, incident);
  const fired = await signalFacts(flow.db, incident);
  return fired?.rule === rule ? fired.value : null;
}

async function scoreDuring(flow: Pick<Flow, 'db'>, incident: Incident): Promise<number | null> {
  const { started, contained, declared } = await milestonesOf(flow.db, incident.id);
  const from = started ?? declared;
  if (from === undefined || contained === undefined || incident.service === null) return null;
  const about = { service: incident.service, environment: incident.environment };
  return (await scoreSummary(flow.db, { ...about, from, to: contained, excluding: [] })).mean;
}

/** "Quality score 0.51 → 0.84, baseline 0.85 (n = 100, 90 % interval 0.78–0.90)." */
function lineOf(
  { metric, unit }: Rule,
  { value, lower, upper, n }: Recovery,
  known: { before: number | null; baseline: number | null },
): string {
  const was = known.before === null ? '' : `${amount(known.before, unit)} → `;
  const said = known.before === null ? amount : amountAgain;
  const is = value === null ? 'unknown' : said(value, unit);
  const baseline = known.baseline === null ? '' : `, baseline ${amountAgain(known.baseline, unit)}`;
  const isSampled = unit !== 'events' && lower !== null && upper !== null && lower < upper;
  const interval = isSampled ? `, 90 % interval ${amountAgain(lower, unit)}–${amountAgain(upper, unit)}` : '';
  return `${metric} ${was}${is}${baseline} (n = ${n}${interval}).`;
}
