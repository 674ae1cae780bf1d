import type { RuleSettings } from '../config/rules.ts';
import type { Interval } from '../sources/call.ts';
import type { Question } from '../sources/metric-source.ts';
import type { Ask, Rule } from './rule.ts';

const MINUTE_MS = 60_000;
export const BASELINE_MS = 7 * 24 * 60 * MINUTE_MS;

/** One rule as it is set for one service in one environment. */
export interface WatchedRule {
  service: string;
  environment: string;
  rule: Rule;
  settings: RuleSettings;
}

/**
 * What the rule has to know now, by the names that it gave. A baseline is the 7 days before the window without the
 * times of incidents.
 */
export function questionsOf(
  watched: WatchedRule,
  { now, troubled }: { now: Date; troubled: readonly Interval[] },
): [name: string, question: Question][] {
  const { service, environment, rule, settings } = watched;
  return Object.entries(rule.asks(settings)).map(([name, ask]) => [
    name,
    {
      service,
      environment,
      rule: rule.id,
      measure: ask.measure,
      ...spanOf(ask, now, troubled),
      ...wants(ask),
    },
  ]);
}

function spanOf(
  { over }: Ask,
  now: Date,
  troubled: readonly Interval[],
): Pick<Question, 'from' | 'to' | 'newest' | 'excluding' | 'isBaseline'> {
  const before = (ms: number) => new Date(now.getTime() - ms);
  if (over.kind === 'window') return { from: before(over.minutes * MINUTE_MS), to: now, isBaseline: false };
  if (over.kind === 'newest') {
    const lookBackMs = over.minutes === undefined ? BASELINE_MS : over.minutes * MINUTE_MS;
    return { from: before(lookBackMs), to: now, newest: over.calls, isBaseline: false };
  }
  const to = before(over.windowMinutes * MINUTE_MS);
  return { from: before(BASELINE_MS), to, excluding: troubled, isBaseline: true };
}

function wants({ wantsOutcomes }: Ask): Pick<Question, 'wantsOutcomes'> {
  return wantsOutcomes === true ? { wantsOutcomes } : {};
}
