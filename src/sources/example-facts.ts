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
