import { expect, test } from 'vitest';
import { markLabels, timeAxis, valuesShown, wrapped } from './chart-text.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 12, minute));
const points = [{ at: at(0) }, { at: at(60) }];

test('moments-side-by-side-share-a-label-and-neighbours-stand-on-different-lines', () => {
  const labels = markLabels(
    [
      { at: at(21), label: 'it began' },
      { at: at(20), label: 'model changed' },
      { at: at(50), label: 'alert' },
      { at: at(50), label: 'alert' },
    ],
    points,
  );
  expect(labels).toEqual([
    { at: at(20), text: 'model changed, it began', line: 0, isLeft: false },
    { at: at(50), text: 'alert', line: 1, isLeft: false },
  ]);
});

test('a-label-that-would-leave-the-picture-ends-at-its-moment', () => {
  const sides = [1, 29, 31, 59].map(
    (minute) => markLabels([{ at: at(minute), label: 'model changed' }], points)[0]?.isLeft,
  );
  expect(sides).toEqual([false, false, false, true]);
});

test('many-moments-use-few-lines-again-and-again', () => {
  const marks = Array.from({ length: 12 }, (_, index) => ({ at: at(index * 5), label: `no ${index}` }));
  expect(Math.max(...markLabels(marks, points).map(({ line }) => line))).toBe(3);
});

test('the-axis-says-hours-within-a-day-and-dates-over-a-week', () => {
  expect(timeAxis(points, 340)).toMatchObject({ title: 'UTC, 22 Nov', format: '%H:%M' });
  expect(timeAxis([{ at: at(0) }, { at: at(24 * 60) }], 340)).toMatchObject({ format: '%-d %b %H:%M' });
  const week = timeAxis([{ at: at(0) }, { at: at(14 * 24 * 60) }], 340);
  expect(week).toMatchObject({ title: 'UTC', format: '%-d %b', tickCount: { interval: 'day', step: 3 } });
  expect(timeAxis([], 340)).toMatchObject({ title: 'UTC, 1 Jan' });
});

test('all-lines-are-within-the-field-with-room-for-their-names', () => {
  const point = (value: number, threshold: number | null) => ({ value, threshold, baseline: null });
  const [low, high] = valuesShown([point(0.5, 0.7), point(0.9, null)]);
  expect(low).toBeCloseTo(0.468);
  expect(high).toBeCloseTo(0.932);
  expect(valuesShown([point(0, 10)])[0]).toBe(0);
  expect(valuesShown([point(-2, null), point(2, null)])[0]).toBeLessThan(-2);
  expect(valuesShown([point(5, null)])).toEqual([4.6, 5.4]);
  expect(valuesShown([point(0, null)])).toEqual([0, 1]);
  expect(valuesShown([])).toEqual([0, 1]);
});

test('a-title-is-broken-between-words-and-a-long-word-is-kept', () => {
  expect(wrapped('INC-1 Quality score of support-answers', 20)).toEqual([
    'INC-1 Quality score',
    'of support-answers',
  ]);
  expect(wrapped('a-service-with-a-very-long-name', 5)).toEqual(['a-service-with-a-very-long-name']);
});
