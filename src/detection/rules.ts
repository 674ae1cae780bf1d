import type { RuleSettings } from '../config/rules.ts';
import type { Rule } from './rule.ts';
import { costRequest } from './rules/cost-request.ts';
import { costShare } from './rules/cost-share.ts';
import { costSpend } from './rules/cost-spend.ts';
import { costSpike } from './rules/cost-spike.ts';
import { costTokens } from './rules/cost-tokens.ts';
import { outageErrors } from './rules/outage-errors.ts';
import { outageHealth } from './rules/outage-health.ts';
import { outageLatency } from './rules/outage-latency.ts';
import { outageProvider } from './rules/outage-provider.ts';
import { qualityDrift } from './rules/quality-drift.ts';
import { qualityFormat } from './rules/quality-format.ts';
import { qualityHallucination } from './rules/quality-hallucination.ts';
import { qualityLength } from './rules/quality-length.ts';
import { qualityRefusal } from './rules/quality-refusal.ts';
import { qualityScore } from './rules/quality-score.ts';
import { safetyClassifier } from './rules/safety-classifier.ts';
import { safetyPii } from './rules/safety-pii.ts';
import { safetyPolicy } from './rules/safety-policy.ts';
import { safetyUserFlag } from './rules/safety-user-flag.ts';
import { warningRules } from './sequential/warning-rules.ts';

/** Every rule that can open an incident. */
export const rules: readonly Rule[] = [
  qualityScore,
  qualityFormat,
  qualityLength,
  qualityRefusal,
  qualityHallucination,
  qualityDrift,
  outageErrors,
  outageLatency,
  outageHealth,
  outageProvider,
  costTokens,
  costRequest,
  costSpike,
  costShare,
  costSpend,
  safetyPii,
  safetyPolicy,
  safetyClassifier,
  safetyUserFlag,
];

/** Those, and the early warnings that open nothing. */
export const allRules: readonly Rule[] = [...rules, ...warningRules];

/** The rule of this name; with `warning`, its early warning. */
export function ruleOf(id: string, warning = false): Rule | undefined {
  return allRules.find((rule) => rule.id === id && rule.warning === warning);
}

export interface RuleReference {
  id: Rule['id'];
  /** When it fires, after "fires when". */
  policy: string;
  /** What it looks at: "30 min", "newest 1,000". */
  windows: string[];
  settings: RuleSettings;
}

/** What the documentation says of every rule. */
export function ruleReference(): RuleReference[] {
  return rules.map(({ id, policy, defaults, asks }) => ({
    id,
    policy,
    windows: windowsOf(Object.values(asks(defaults))),
    settings: defaults,
  }));
}

function windowsOf(asks: readonly ReturnType<Rule['asks']>[string][]): string[] {
  const windows = asks.flatMap(({ over }) => {
    if (over.kind === 'window') return [`${over.minutes} min`];
    return over.kind === 'newest' ? [`newest ${count(over.calls)}`] : [];
  });
  return [...new Set(windows)];
}

const count = (n: number) => n.toLocaleString('en-US');
