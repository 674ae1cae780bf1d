import { describe, expect, test } from 'vitest';
import type { MilestoneName } from './record.ts';
import {
  describeRuleRecord,
  type ReportedIncident,
  responseTimes,
  responseTimesBy,
} from './response-times.ts';

const START = Date.UTC(2026, 4, 1);
const incident = (
  id: number,
  minutes: Partial<Record<MilestoneName, number>>,
  about: Partial<ReportedIncident> = {},
): ReportedIncident => ({
  id,
  service: 'support-bot',
  category: 'quality',
  severity: 'sev1',
  private: false,
  declaredAt: new Date(START),
  milestones: Object.entries(minutes).map(([name, minute]) => ({
    name: name as MilestoneName,
    at: new Date(START + minute * 60_000),
  })),
  ...about,
});

describe('response times', () => {
  test('median-and-interpolated-ninetieth-percentile-count-only-what-is-known', () => {
    const contained = [2, 4, 6, 8, 100].map((minute, id) => incident(id, { declared: 0, contained: minute }));
    const { incidents, stages } = responseTimes([...contained, incident(9, { declared: 0 })]);
    expect(incidents).toBe(6);
    const contain = stages.find(({ label }) => label === 'Time to contain');
    expect(contain).toEqual({ label: 'Time to contain', n: 5, medianMs: 6 * 60_000, p90Ms: 63.2 * 60_000 });
    expect(stages.find(({ label }) => label === 'Time to resolve')).toMatchObject({ n: 0, medianMs: null });
  });

  test('none-at-all-is-no-number', () => {
    expect(responseTimes([]).stages.every(({ n, medianMs, p90Ms }) => n === 0 && medianMs === p90Ms)).toBe(
      true,
    );
  });

  test('groups-begin-with-the-largest-and-name-incidents-without-a-service', () => {
    const all = [
      incident(1, { declared: 0 }, { service: null }),
      incident(2, { declared: 0, contained: 3 }),
      incident(3, { declared: 0, contained: 5 }),
    ];
    const groups = responseTimesBy(all, 'service');
    expect(groups.map(({ group, times }) => [group, times.incidents])).toEqual([
      ['support-bot', 2],
      ['no service named', 1],
    ]);
  });

  test.each([
    [{ rule: 'quality.score', opened: 4, declined: 0 }, 'quality.score: 4 opened, no false alarm'],
    [{ rule: 'cost.spike', opened: 4, declined: 1 }, 'cost.spike: 4 opened, 1 of them a false alarm'],
    [{ rule: 'cost.spike', opened: 4, declined: 3 }, 'cost.spike: 4 opened, 3 of them false alarms'],
  ])('%j-reads-%s', (record, sentence) => {
    expect(describeRuleRecord(record)).toBe(sentence);
  });
});
