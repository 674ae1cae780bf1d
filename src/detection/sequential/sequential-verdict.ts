import type { Reading } from '../../sources/metric-source.ts';
import type { Known } from '../compare/readings.ts';
import { knownOf } from '../compare/readings.ts';
import { NOTHING_SEEN, type Seen, unjudged } from '../judgement.ts';
import type { Ask, Readings, RuleId, RuleVerdict } from '../rule.ts';
import { runCusum } from './cusum.ts';
import type { Design } from './limit.ts';

export type Names = 'window' | 'baseline';

/** What a chart looks back on, and where the baseline ends that it is made for. */
const NEWEST = 2_000;
const BASELINE_ENDS_MINUTES = 60;

interface Limits {
  min_samples: number;
  min_baseline: number;
}

export function sequentialAsks(measure: 'format' | 'score'): Readonly<Record<Names, Ask>> {
  return {
    window: { measure, over: { kind: 'newest', calls: NEWEST }, wantsOutcomes: true },
    baseline: { measure, over: { kind: 'baseline', windowMinutes: BASELINE_ENDS_MINUTES } },
  };
}

/**
 * Policy: an early warning fires while its chart is above its limit and is clear when it is below half of it. Firing,
 * the value is the mean of the outcomes since the chart last left 0, where the change most likely began; else it is
 * that of all. The threshold is the mean at which the chart neither rises nor falls. No bounds: a mean that was
 * chosen because it is bad has none.
 */
export function sequentialVerdict(of: {
  rule: RuleId;
  readings: Readings<Names>;
  limits: Limits;
  design: (baseline: Known) => Design | null;
}): RuleVerdict {
  const { rule, readings, limits } = of;
  const outcomes = readings.window?.outcomes;
  const baseline = knownOf(readings.baseline);
  const seen: Seen = {
    ...NOTHING_SEEN,
    value: meanOf(outcomes ?? []),
    n: outcomes?.length ?? 0,
    baseline: baseline?.value ?? null,
    baselineN: baseline?.n ?? 0,
  };
  const without = (state: 'no-data' | 'insufficient', detail: string | null = null): RuleVerdict => ({
    rule,
    warning: true,
    ...unjudged(state, { ...seen, detail }),
  });
  if (outcomes === undefined) return without('no-data', noOutcomes(readings.window));
  if (outcomes.length === 0) return without('no-data');
  const wrong = outcomes.find((outcome) => !(outcome >= 0 && outcome <= 1));
  if (wrong !== undefined) throw new RangeError(`an outcome of ${rule} is ${wrong}, not between 0 and 1`);
  if (baseline === null || baseline.n < limits.min_baseline || outcomes.length < limits.min_samples) {
    return without('insufficient');
  }
  const design = of.design(baseline);
  if (design === null)
    return without('insufficient', 'the baseline is too small for the promised false-alarm rate');
  return { rule, warning: true, ...charted(outcomes, design, seen) };
}

function charted(
  outcomes: readonly number[],
  design: Design,
  seen: Seen,
): Omit<RuleVerdict, 'rule' | 'warning'> {
  const { statistic, isAlarm, startedAt } = runCusum(outcomes, design);
  const changed = outcomes.slice(startedAt ?? 0);
  return {
    ...seen,
    ...(isAlarm ? { value: meanOf(changed), n: changed.length } : {}),
    threshold: design.reference,
    state: isAlarm ? 'firing' : 'ok',
    pastBound: false,
    unmistakable: false,
    isClear: statistic <= design.limit / 2,
  };
}

function meanOf(outcomes: readonly number[]): number | null {
  return outcomes.length === 0 ? null : outcomes.reduce((sum, one) => sum + one, 0) / outcomes.length;
}

function noOutcomes(window: Reading | null): string | null {
  return knownOf(window) === null ? null : 'the source tells no single outcomes';
}
