import { describe, expect, test } from 'vitest';
import type { Reading } from '../sources/metric-source.ts';
import { categoryOf, type RuleId, severityOf } from './rule.ts';
import { qualityFormat } from './rules/quality-format.ts';
import { qualityScore } from './rules/quality-score.ts';
import { ruleOf, rules } from './rules.ts';

interface Scored {
  n: number;
  mean: number | null;
  sd: number | null;
}

const BASELINE: Scored = { n: 5_000, mean: 0.8, sd: 0.2 };
const NONE: Scored = { n: 0, mean: null, sd: null };
const scored = ({ n, mean, sd }: Scored): Reading => ({ n, value: mean, sd });
const judge = ({ window, baseline }: { window: Scored; baseline: Scored }) =>
  qualityScore.judge({ window: scored(window), baseline: scored(baseline) }, qualityScore.defaults);

describe('quality score', () => {
  const verdict = (mean: number, n = 400, baseline = BASELINE) =>
    judge({ window: { n, mean, sd: 0.2 }, baseline });

  test('15-percent-below-exactly-is-ok-and-below-that-fires', () => {
    expect(verdict(0.68)).toMatchObject({
      state: 'ok',
      threshold: 0.68,
      baseline: 0.8,
      baselineN: 5_000,
      n: 400,
      isClear: false,
    });
    expect(verdict(0.679)).toMatchObject({ state: 'firing', pastBound: false });
    expect(severityOf(verdict(0.679))).toBe('sev2');
    expect(verdict(0.7201)).toMatchObject({ state: 'ok', isClear: true });
  });

  test('a-bound-past-the-threshold-is-severity-1', () => {
    const far = verdict(0.6);
    expect(far).toMatchObject({ state: 'firing', pastBound: true, unmistakable: true, value: 0.6 });
    expect(far.upper).toBeLessThan(0.68);
    expect(severityOf(far)).toBe('sev1');
    expect(verdict(0.64)).toMatchObject({ pastBound: true, unmistakable: false });
  });

  test('an-uncertain-baseline-holds-the-bound-back', () => {
    const window = { n: 10_000, mean: 0.66, sd: 0.2 };
    expect(judge({ window, baseline: BASELINE }).pastBound).toBe(true);
    expect(judge({ window, baseline: { n: 200, mean: 0.8, sd: 0.4 } }).pastBound).toBe(false);
  });

  test('an-unknown-spread-is-taken-for-the-greatest', () => {
    const window = { n: 250, mean: 0.64, sd: null };
    expect(judge({ window: { ...window, sd: 0.2 }, baseline: BASELINE }).pastBound).toBe(true);
    expect(judge({ window, baseline: BASELINE })).toMatchObject({ state: 'firing', pastBound: false });
  });

  test('too-few-samples-are-insufficient-and-none-is-no-data', () => {
    expect(verdict(0.1, 99).state).toBe('insufficient');
    expect(verdict(0.1, 100).state).toBe('firing');
    expect(verdict(0.1, 400, { n: 199, mean: 0.8, sd: 0.2 }).state).toBe('insufficient');
    expect(verdict(0.1, 400, { n: 200, mean: 0.8, sd: 0.2 }).state).toBe('firing');
    expect(judge({ window: NONE, baseline: BASELINE })).toMatchObject({ state: 'no-data', value: null });
    expect(judge({ window: BASELINE, baseline: NONE })).toMatchObject({
      state: 'insufficient',
      threshold: null,
    });
  });

  test('another-judge-is-not-taken-for-worse-answers', () => {
    const by = (name: string, mean: number, n: number): Reading => ({
      n,
      value: mean,
      sd: 0.2,
      judges: { [name]: { n, mean, sd: 0.2, since: new Date(0) } },
    });
    const settings = qualityScore.defaults;
    const changed = qualityScore.judge(
      { window: by('new', 0.5, 400), baseline: by('old', 0.8, 5_000) },
      settings,
    );
    expect(changed).toMatchObject({ state: 'insufficient', value: 0.5, n: 400 });
    expect(changed.detail).toContain('the judge changed from old to new');
    const same = qualityScore.judge(
      { window: by('old', 0.5, 400), baseline: by('old', 0.8, 5_000) },
      settings,
    );
    expect(same).toMatchObject({ state: 'firing', pastBound: true, detail: null });
  });
});

describe('quality format', () => {
  const verdict = ({ n, passed }: { n: number; passed: number }) => {
    const window = { n, value: n === 0 ? null : passed / n, sd: null };
    return qualityFormat.judge({ window }, qualityFormat.defaults);
  };

  test('counts-as-the-playbook-says', () => {
    expect(verdict({ n: 1_000, passed: 950 })).toMatchObject({ state: 'ok', value: 0.95, isClear: false });
    // LLMDrift, GPT-4 of June 2023: .947 of 1,000 is below 95 %, and its bound is not.
    expect(verdict({ n: 1_000, passed: 947 })).toMatchObject({ state: 'firing', pastBound: false });
    expect(verdict({ n: 1_000, passed: 835 })).toMatchObject({ state: 'firing', pastBound: true });
    expect(verdict({ n: 1_000, passed: 965 })).toMatchObject({ state: 'ok', isClear: true });
    expect(verdict({ n: 999, passed: 0 }).state).toBe('insufficient');
    expect(verdict({ n: 0, passed: 0 })).toMatchObject({ state: 'no-data', value: null, upper: null });
  });
});

test('every-rule-says-no-data-where-its-source-has-none', () => {
  for (const rule of rules) {
    const readings = Object.fromEntries(Object.keys(rule.asks(rule.defaults)).map((name) => [name, null]));
    const verdict = rule.judge(readings, rule.defaults);
    expect(verdict).toMatchObject({ rule: rule.id, warning: false, state: 'no-data', value: null });
    expect(verdict).toMatchObject({
      pastBound: false,
      unmistakable: false,
      isClear: rule.id.startsWith('cost.'),
    });
  }
});

test('every-rule-is-found-by-its-name-and-closes-on-its-good-side', () => {
  expect(new Set(rules.map((rule) => rule.id)).size).toBe(rules.length);
  for (const rule of rules) {
    const { threshold, clear_threshold: clear, open_polls: polls, open_of_polls: ofPolls } = rule.defaults;
    expect(ruleOf(rule.id)).toBe(rule);
    expect(ruleOf(rule.id, true)?.warning ?? true).toBe(true);
    expect((threshold - clear) * Math.sign(threshold - rule.neutral)).toBeGreaterThanOrEqual(0);
    expect(polls).toBeLessThanOrEqual(ofPolls);
  }
  expect(ruleOf('quality.scor')).toBeUndefined();
  expect(rules.map((rule): RuleId => rule.id)).toContain('safety.user_flag');
});

test('safety-is-always-severity-1', () => {
  expect(severityOf({ rule: 'safety.pii', pastBound: false })).toBe('sev1');
  expect(categoryOf('cost.spend')).toBe('cost');
});
