import type { Measure, Question } from '../../src/sources/metric-source.ts';
import type { FakeGeneration, FakeScore } from './langfuse-fake.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 5, 10);
export const minutesAfter = (count: number) => new Date(NOW + count * MINUTE);

const OWN = { traceName: 'bot', environment: 'production', tags: ['eu'] };

export function generation(minute: number, change: Partial<FakeGeneration> = {}): FakeGeneration {
  const numbers = { latency: 900, totalTokens: 120, totalCost: 0.002 };
  return { ...OWN, at: minutesAfter(minute), level: 'DEFAULT', ...numbers, ...change };
}

export function score(minute: number, value: number, change: Partial<FakeScore> = {}): FakeScore {
  return { ...OWN, at: minutesAfter(minute), name: 'quality', value, ...change };
}

/** The last `minutes` before minute `at`. */
export function question(
  measure: Measure,
  minutes: number,
  change: Partial<Question> & { at?: number } = {},
): Question {
  const { at = 0, ...rest } = change;
  const named = { service: 'bot', environment: 'production', rule: 'quality.score', measure };
  return { ...named, from: minutesAfter(at - minutes), to: minutesAfter(at), isBaseline: false, ...rest };
}
