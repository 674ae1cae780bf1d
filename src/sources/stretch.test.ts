import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS, isWithin, MINUTE_MS, piecesOf, type Stretch, union, without } from './stretch.ts';

const DAYS_MS = 3 * 24 * HOUR_MS;
const stretch = fc
  .tuple(fc.nat(DAYS_MS), fc.nat(DAYS_MS))
  .map(([a, b]): Stretch => ({ from: Math.min(a, b), to: Math.max(a, b) + 1 }));
const length = (stretches: readonly Stretch[]) => stretches.reduce((sum, { from, to }) => sum + to - from, 0);

describe('stretches of time', () => {
  test('the-pieces-are-the-time-once-and-nothing-else', () => {
    fc.assert(
      fc.property(stretch, fc.array(stretch, { maxLength: 4 }), (time, leftOut) => {
        const rest = without(time, leftOut);
        const pieces = piecesOf(rest);
        const all = [...pieces.hours, ...pieces.minutes, ...pieces.calls];
        expect(length(all)).toBe(length(rest));
        expect(length(union(all))).toBe(length(rest));
        expect(length(union([...all, ...rest]))).toBe(length(rest));
        const isWhole = (unit: number) => (one: Stretch) => one.from % unit === 0 && one.to % unit === 0;
        expect(pieces.hours.every(isWhole(HOUR_MS))).toBe(true);
        expect(pieces.minutes.every(isWhole(MINUTE_MS))).toBe(true);
      }),
    );
  });

  test('what-is-left-out-is-in-no-rest-and-everything-else-is', () => {
    fc.assert(
      fc.property(stretch, fc.array(stretch, { maxLength: 4 }), fc.nat(DAYS_MS), (time, leftOut, at) => {
        expect(isWithin(at, without(time, leftOut))).toBe(isWithin(at, [time]) && !isWithin(at, leftOut));
      }),
    );
  });

  test('a-window-of-minutes-uses-no-hours', () => {
    const { hours, minutes, calls } = piecesOf([{ from: HOUR_MS, to: 3 * HOUR_MS }]);
    expect({ hours, minutes, calls }).toEqual({
      hours: [],
      minutes: [{ from: HOUR_MS, to: 3 * HOUR_MS }],
      calls: [],
    });
  });
});
