import { describe, expect, it } from 'vitest';
import { estimateOnset, type MinuteBucket } from './onset.ts';

const START_MS = Date.UTC(2026, 0, 1);
const minute = (index: number) => new Date(START_MS + index * 60_000);

/** One verdict a minute: 120 minutes of which five in six are right, then 40 of which every other one is. */
const minutes: MinuteBucket[] = Array.from({ length: 160 }, (_, index) => {
  const isRight = index < 120 ? index % 6 !== 0 : index % 2 === 0;
  return { minute: minute(index), n: 1, sum: isRight ? 1 : 0 };
});

describe('estimateOnset with the changes of the ledger', () => {
  it('begins-at-a-change-that-explains-it-as-well-as-the-best-split', () => {
    const plain = estimateOnset(minutes);
    const change = new Date((plain?.at.getTime() ?? 0) + 150_000);
    const onset = estimateOnset(minutes, [change]);
    expect(onset?.at).toEqual(change);
    expect(onset?.gain).toBeLessThan(plain?.gain ?? 0);
    expect((plain?.gain ?? 0) - (onset?.gain ?? 0)).toBeLessThanOrEqual(1.92);
  });

  it('does-not-blame-a-change-far-from-the-drop', () => {
    expect(estimateOnset(minutes, [minute(10)])).toEqual(estimateOnset(minutes));
  });

  it('finds-no-onset-where-nothing-fell-whatever-changed', () => {
    const sound = minutes.slice(0, 110);
    expect(estimateOnset(sound, [minute(30)])).toBeNull();
  });
});
