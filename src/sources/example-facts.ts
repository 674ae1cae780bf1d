import fc from 'fast-check';
import type { CallFacts } from './call-facts.ts';

// Calls as statistics see them, for the tests beside this file.

export function facts(atMs: number, changes: Partial<CallFacts> = {}): CallFacts {
  return {
    at: new Date(atMs),
    isSpan: true,
    failed: false,
    latencyMs: 250,
    inputTokens: 10,
    outputTokens: 5,
    outputChars: 40,
    inputChars: 20,
    costUsd: 0.01,
    userId: 'ann',
    endpoint: '/a',
    quality: null,
    judge: null,
    similarity: null,
    formatOk: null,
    refused: false,
    hedged: false,
    contradicts: null,
    unsupported: null,
    words: null,
    ...changes,
  };
}

/** Any call within so many minutes from `startMs` on. */
export function someFacts(startMs: number, minutes: number): fc.Arbitrary<CallFacts> {
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
  return fc
    .record({
      isSpan: fc.boolean(),
      failed: fc.boolean(),
      latencyMs: maybe(fc.integer({ min: 1, max: 9_000 })),
      inputTokens: maybe(fc.nat(5_000)),
      outputTokens: maybe(fc.nat(500)),
      outputChars: maybe(fc.nat(2_000)),
      costUsd: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
      userId: maybe(fc.constantFrom('ann', 'bob', 'cid')),
      endpoint: maybe(fc.constantFrom('/a', '/b')),
      quality: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
      judge: maybe(fc.constantFrom('strict', 'mild')),
      formatOk: maybe(fc.boolean()),
      refused: maybe(fc.boolean()),
      hedged: maybe(fc.boolean()),
      words: maybe(fc.array(fc.nat(9), { minLength: 64, maxLength: 64 })),
      offsetMs: fc.nat(minutes * 60_000 - 1),
    })
    .map(({ offsetMs, ...changes }) => facts(startMs + offsetMs, changes));
}
