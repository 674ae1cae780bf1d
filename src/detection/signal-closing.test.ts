import { expect, test } from 'vitest';
import type { Reading } from '../sources/metric-source.ts';
import type { RuleVerdict } from './rule.ts';
import { outageLatency } from './rules/outage-latency.ts';
import { nextSignal, type Signal } from './signal.ts';

const START_MS = Date.UTC(2026, 0, 1);
const now = (minute: number) => new Date(START_MS + minute * 60_000);

test('an-episode-ends-by-a-few-clean-samples-which-could-never-have-opened-it', () => {
  const settings = outageLatency.defaults;
  const baseline: Reading = { n: 5_000, value: 1_000, sd: null, lower: 950, upper: 1_050 };
  const verdictOf = (n: number, value: number) =>
    outageLatency.judge({ window: { n, value, sd: null, lower: value, upper: value }, baseline }, settings);
  let signal: Signal | null = null;
  const poll = (minute: number, verdict: RuleVerdict) => {
    const next = nextSignal(signal, verdict, { settings, now: now(minute) });
    signal = next;
    return next;
  };
  for (let minute = 0; minute < 3; minute += 1) poll(minute, verdictOf(200, 4_000));
  expect(signal).toMatchObject({ state: 'firing' });
  expect(poll(4, verdictOf(5, 1_000)).state).toBe('firing');
  expect(poll(5, verdictOf(40, 4_000)).state).toBe('firing');
  expect(poll(6, verdictOf(40, 1_000)).state).toBe('recovering');
  expect(poll(16, verdictOf(40, 1_000))).toMatchObject({ state: 'insufficient', cleared: true });
});
