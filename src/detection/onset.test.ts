import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateOnset, type MinuteBucket } from './onset.ts';

const START = Date.UTC(2026, 0, 1);
const minuteAt = (index: number) => new Date(START + index * 60_000);

/** `shares[i]` of the verdicts of minute i pass, drawn one by one. */
function passes(shares: number[], perMinute: number, random: () => number): MinuteBucket[] {
  return shares.map((share, index) => {
    const drawn = Array.from({ length: perMinute }, () => Number(random() < share));
    return { minute: minuteAt(index), n: perMinute, sum: drawn.reduce((a, b) => a + b, 0) };
  });
}

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test('the-minute-of-a-silent-model-change-is-found', () => {
  // LLMDrift, GPT-4 March to June 2023: .840 → .502 right answers.
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 30, max: 110 }), (seed, change) => {
      const shares = Array.from({ length: 120 }, (_, index) => (index < change ? 0.84 : 0.502));
      const onset = estimateOnset(passes(shares, 20, randomFrom(seed)));
      expect(Math.abs((onset?.at.getTime() ?? 0) - minuteAt(change).getTime())).toBeLessThanOrEqual(
        5 * 60_000,
      );
      expect(onset?.before).toBeGreaterThan(0.75);
      expect(onset?.after).toBeLessThan(0.65);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('without-a-drop-none-is-claimed-but-for-one-time-in-fifty', () => {
  const random = randomFrom(3);
  let claimed = 0;
  for (let i = 0; i < 500; i += 1) {
    if (estimateOnset(passes(new Array(240).fill(0.9), 10, random)) !== null) claimed += 1;
  }
  expect(claimed).toBeLessThan(15);
});

test('a-rise-is-no-onset', () => {
  const shares = Array.from({ length: 100 }, (_, index) => (index < 50 ? 0.5 : 0.9));
  expect(estimateOnset(passes(shares, 30, randomFrom(5)))).toBeNull();
});

test('constant-values-split-exactly-and-finitely', () => {
  const minutes = Array.from({ length: 40 }, (_, index) => {
    const n = 1 + (index % 3);
    return { minute: minuteAt(index), n, sum: n * (index < 25 ? 0.9 : 0.6) };
  });
  const onset = estimateOnset(minutes);
  expect(onset?.at).toEqual(minuteAt(25));
  expect(onset?.before).toBeCloseTo(0.9, 9);
  expect(onset?.after).toBeCloseTo(0.6, 9);
  expect(Number.isFinite(onset?.gain)).toBe(true);
});

test('too-little-to-tell-is-null', () => {
  expect(estimateOnset([])).toBeNull();
  const few = [1, 1, 1, 0].map((sum, index) => ({ minute: minuteAt(index), n: 4, sum: sum * 4 }));
  expect(estimateOnset(few)).toBeNull();
});
