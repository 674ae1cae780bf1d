import { sampleStandardDeviation } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import { baselineOf, HOUR_MS, type HourRow, hoursOf, isKept } from './baseline.ts';
import { customQuery } from './custom-query.ts';
import { nextWindowMs } from './newest.ts';
import { batchOf, quoted, selectorOf } from './promql.ts';
import { ratio } from './recipe.ts';

const hour = (n: number) => new Date(n * HOUR_MS);
const rows = (values: readonly number[]): HourRow[] =>
  values.map((value, i) => ({ labels: {}, value, at: hour(i + 1) }));

describe('a baseline of hours', () => {
  const mean = ratio({
    selector: 'a="b"',
    part: [{ metric: 'sum' }],
    whole: [{ metric: 'count' }],
    absentPart: 'no-data',
    isMean: true,
  });
  const score = { rule: 'quality.score', measure: 'score' } as const;

  it('is the mean of all samples, not of the hours', () => {
    const found = { 'part.0': rows([80, 1]), 'whole.0': rows([100, 10]) };
    expect(baselineOf(mean, score, found)).toMatchObject({ n: 110, value: 81 / 110, coveredMs: 2 * HOUR_MS });
  });

  it('has the standard deviation of its samples when every hour is one sample', () => {
    const values = [0.2, 0.9, 0.4, 0.7, 0.75];
    const found = { 'part.0': rows(values), 'whole.0': rows(values.map(() => 1)) };
    expect(baselineOf(mean, score, found).sd).toBeCloseTo(sampleStandardDeviation(values), 12);
  });

  it('leaves out hours that touch an incident', () => {
    const found = { 'part.0': rows([8, 1, 8]), 'whole.0': rows([10, 10, 10]) };
    const excluding = [{ from: new Date(1.5 * HOUR_MS), to: new Date(1.6 * HOUR_MS) }];
    expect(baselineOf(mean, { ...score, excluding }, found)).toMatchObject({ n: 20, value: 0.8 });
    const all = [{ from: hour(0), to: hour(9) }];
    expect(baselineOf(mean, { ...score, excluding: all }, found)).toMatchObject({ n: 0, value: null });
  });

  it('does not touch an incident that ends as the hour begins, or begins as it ends', () => {
    expect(isKept(hour(2), [{ from: hour(0), to: hour(1) }])).toBe(true);
    expect(isKept(hour(2), [{ from: hour(2), to: hour(3) }])).toBe(true);
    expect(isKept(hour(2), [{ from: hour(1), to: new Date(HOUR_MS + 1) }])).toBe(false);
  });

  it('has only hours that lie in it whole', () => {
    expect(hoursOf({ from: hour(0.5), to: hour(3.5) })).toEqual({ first: hour(2), last: hour(3) });
    expect(hoursOf({ from: hour(0), to: hour(1) })).toEqual({ first: hour(1), last: hour(1) });
    expect(hoursOf({ from: hour(0.5), to: hour(1.4) })).toBeNull();
  });

  it('is the median of the hours by n for a quantile that a query of the team gives', () => {
    const p99 = customQuery('a ;; b', { measure: 'latency', needs: 1 });
    const found = { value: rows([100, 900, 200]), count: rows([10, 5, 30]) };
    const latency = { rule: 'outage.latency', measure: 'latency' } as const;
    expect(baselineOf(p99, latency, found)).toMatchObject({ n: 45, value: 200 });
  });

  it('does not make up an n for a query without a count', () => {
    const share = customQuery('a', { measure: 'errors', needs: 30 });
    const errors = { rule: 'outage.errors', measure: 'errors' } as const;
    expect(baselineOf(share, errors, { value: rows([0.1, 0.3]) })).toMatchObject({ n: 30, value: 0.2 });
  });
});

describe('the newest calls', () => {
  it.each([0.01, 0.5, 3, 40, 900])('are found within four questions at %d calls a minute', (perMinute) => {
    const longestMs = 7 * 24 * HOUR_MS;
    const most = perMinute * 7 * 24 * 60;
    let windowMs: number | null = HOUR_MS;
    let n = 0;
    for (let asked = 0; asked < 4 && windowMs !== null; asked += 1) {
      n = Math.round((windowMs / 60_000) * perMinute);
      windowMs = nextWindowMs({ windowMs, n, newest: 1_000, longestMs });
    }
    expect(n).toBeGreaterThanOrEqual(Math.min(1_000, Math.round(most)));
    if (perMinute < 100) expect(n).toBeLessThanOrEqual(1_250);
  });
});

describe('PromQL', () => {
  it('escapes what would end a string', () => {
    expect(quoted('a"b\\c\nd')).toBe('"a\\"b\\\\c\\nd"');
    expect(selectorOf({ name: 'x"} or up{' })).toBe('service_name="x\\"} or up{"');
  });

  it('takes matchers with or without braces', () => {
    expect(selectorOf({ name: 'x', selector: ' {job="y"} ' })).toBe('job="y"');
    expect(selectorOf({ name: 'x', selector: 'job="y"' })).toBe('job="y"');
    expect(selectorOf({ name: 'x', selector: '' })).toBe('service_name="x"');
  });

  it('tags every expression of a batch with its place', () => {
    const text = batchOf(['a', 'b', 'c']);
    for (const place of ['0', '1', '2']) expect(text).toContain(`"llm_incident_ask", "${place}"`);
    expect(text.match(/\bor\b/g)).toHaveLength(2);
  });
});
