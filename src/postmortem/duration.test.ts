import { describe, expect, it } from 'vitest';
import { durations, inWords } from './duration.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 2, 29, 0, minute));

describe('durations', () => {
  it.each([
    [0, '0 seconds'],
    [400, '0 seconds'],
    [45_000, '45 seconds'],
    [61_000, '1 minute 1 second'],
    [12 * 60_000, '12 minutes'],
    [65 * 60_000, '1 hour 5 minutes'],
    [3 * 86_400_000 + 3_600_000, '3 days 1 hour'],
    [-5, '0 seconds'],
  ])('says %d ms in words', (ms, words) => {
    expect(inWords(ms)).toBe(words);
  });

  it('counts detection from the start and the rest from detection', () => {
    const known = durations([
      { name: 'started', at: at(0) },
      { name: 'detected', at: at(10) },
      { name: 'declared', at: at(11) },
      { name: 'contained', at: at(18) },
    ]);
    expect(known).toEqual([
      { label: 'Time to detect', ms: 600_000 },
      { label: 'Time to acknowledge', ms: undefined },
      { label: 'Time to contain', ms: 480_000 },
      { label: 'Time to mitigate', ms: undefined },
      { label: 'Time to resolve', ms: undefined },
    ]);
  });

  it('counts from the declaration when nothing detected it, and never backwards', () => {
    const known = durations([
      { name: 'declared', at: at(11) },
      { name: 'contained', at: at(10) },
      { name: 'resolved', at: at(71) },
    ]);
    expect(known.map(({ ms }) => ms)).toEqual([undefined, undefined, undefined, undefined, 3_600_000]);
  });
});
