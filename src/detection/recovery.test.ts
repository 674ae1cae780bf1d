import { describe, expect, test } from 'vitest';
import type { Reading } from '../sources/metric-source.ts';
import { recoveryOf, recoverySettings } from './recovery.ts';
import type { Readings, Rule } from './rule.ts';
import { rules } from './rules.ts';

const MINUTE_MS = 60_000;
const ruleNamed = (id: Rule['id']): Rule => {
  const found = rules.find((rule) => rule.id === id);
  if (found === undefined) throw new Error(`there is no rule ${id}`);
  return found;
};
const recovered = (
  id: Rule['id'],
  readings: Readings<string>,
  seen: { minutes?: number; calls?: number } = {},
) => {
  const rule = ruleNamed(id);
  const sinceMs = (seen.minutes ?? 5) * MINUTE_MS;
  const verdict = rule.judge(readings, recoverySettings(rule.defaults, sinceMs));
  return recoveryOf(verdict, { rule, settings: rule.defaults, sinceMs, calls: seen.calls ?? 0 });
};
const share = (bad: number, n: number): Reading => ({ n, value: n === 0 ? null : bad / n, sd: null });

describe('recovery by the rule that tripped', () => {
  const score = (n: number, mean: number | null) =>
    recovered('quality.score', {
      window: { n, value: mean, sd: 0.2 },
      baseline: { n: 5_000, value: 0.8, sd: 0.2 },
    });

  test('a-score-needs-100-and-must-be-past-the-closing-threshold', () => {
    expect(score(0, null)).toMatchObject({ state: 'proving', n: 0, needed: 100, value: null });
    expect(score(37, 0.9)).toMatchObject({ state: 'proving', n: 37, needed: 100, value: 0.9 });
    expect(score(100, 0.7201).state).toBe('recovered');
    expect(score(100, 0.7).state).toBe('proving');
    expect(score(100, 0.67).state).toBe('failing');
  });

  test('format-asks-for-200-and-in-doubt-for-its-own-1000', () => {
    const format = (n: number, passed: number) => recovered('quality.format', { window: share(passed, n) });
    expect(format(0, 0).state).toBe('proving');
    expect(format(199, 199)).toMatchObject({ state: 'proving', needed: 200 });
    expect(format(200, 194)).toMatchObject({ state: 'recovered', value: 0.97 });
    expect(format(200, 191).state).toBe('proving');
    expect(format(200, 189)).toMatchObject({ state: 'proving', needed: 1_000 });
    expect(format(200, 160).state).toBe('failing');
    expect(format(1_000, 949).state).toBe('failing');
  });

  test('errors-need-20-calls', () => {
    const errors = (failed: number, n: number) =>
      recovered('outage.errors', { window: share(failed, n) }, { minutes: 1 });
    expect(errors(0, 19).state).toBe('proving');
    expect(errors(0, 20).state).toBe('recovered');
    expect(errors(2, 50).state).toBe('proving');
    expect(errors(5, 50).state).toBe('failing');
  });

  test('money-is-judged-when-the-rule-has-seen-its-own-window', () => {
    const spend = (usdPerHour: number, minutes: number) => {
      const reading: Reading = { n: 40, value: usdPerHour, sd: null };
      return recovered(
        'cost.spend',
        { fast: reading, slow: reading, offender: null, before: null },
        { minutes },
      );
    };
    expect(spend(10, 14).state).toBe('proving');
    expect(spend(10, 15).state).toBe('recovered');
    expect(spend(60, 15).state).toBe('failing');
  });

  test('one-event-fails-and-100-calls-without-one-recover', () => {
    const leaks = (n: number, calls: number) =>
      recovered('safety.pii', { window: { n, value: n, sd: null } }, { calls });
    expect(leaks(0, 99)).toMatchObject({ state: 'proving', n: 99, needed: 100 });
    expect(leaks(0, 100).state).toBe('recovered');
    expect(leaks(1, 10).state).toBe('failing');
  });
});
