import { expect, test } from 'vitest';
import { withBaselineCache } from './baseline-cache.ts';
import type { Answer, MetricSource, Question } from './metric-source.ts';

const START = Date.UTC(2026, 0, 5, 10);
const minute = (count: number) => new Date(START + count * 60_000);

function scene(answer: (question: Question) => Answer = ({ to }) => reading(to.getTime())) {
  const asked: Question[][] = [];
  const source: MetricSource = {
    name: 'shop',
    async read(questions) {
      asked.push([...questions]);
      return questions.map(answer);
    },
  };
  return { asked, cached: withBaselineCache(source) };
}

const reading = (value: number): Answer => ({ kind: 'reading', reading: { n: 1, value, sd: null } });

function question(change: Partial<Question> & { atMinute: number }): Question {
  const { atMinute, ...rest } = change;
  const named = {
    service: 'bot',
    environment: 'production',
    rule: 'quality.score',
    measure: 'score' as const,
  };
  return { ...named, from: minute(atMinute - 100), to: minute(atMinute), isBaseline: true, ...rest };
}

test('a-baseline-is-asked-once-in-ten-minutes-and-a-window-every-time', async () => {
  const { asked, cached } = scene();
  const both = (at: number) => [
    question({ atMinute: at, isBaseline: false }),
    question({ atMinute: at }),
    question({ atMinute: at, isBaseline: false, rule: 'quality.format' }),
  ];
  const values = async (at: number) =>
    (await cached.read(both(at), minute(at))).map((answer) =>
      answer.kind === 'reading' ? answer.reading.value : answer,
    );
  expect(await values(0)).toEqual([START, START, START]);
  const now = minute(9).getTime();
  expect(await values(9)).toEqual([now, START, now]);
  expect(await values(10)).toEqual([minute(10).getTime(), minute(10).getTime(), minute(10).getTime()]);
  expect(asked.map((questions) => questions.length)).toEqual([3, 2, 3]);
});

test('a-baseline-that-leaves-out-something-else-is-asked-anew', async () => {
  const { asked, cached } = scene();
  await cached.read([question({ atMinute: 0 })], minute(0));
  const excluding = [{ from: minute(-20), to: minute(-10) }];
  await cached.read([question({ atMinute: 1, excluding })], minute(1));
  expect(asked).toHaveLength(2);
});

test('a-problem-is-not-kept', async () => {
  const { asked, cached } = scene(() => ({ kind: 'problem', problem: 'no such table' }));
  await cached.read([question({ atMinute: 0 })], minute(0));
  await cached.read([question({ atMinute: 1 })], minute(1));
  expect(asked).toHaveLength(2);
});
