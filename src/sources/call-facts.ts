/** What one call counts for. Null: not known. */
export interface CallFacts {
  at: Date;
  /** False while only an evaluation of the call has arrived: its scores count, the call does not. */
  isSpan: boolean;
  failed: boolean;
  latencyMs: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  outputChars: number | null;
  inputChars: number | null;
  costUsd: number | null;
  userId: string | null;
  endpoint: string | null;
  quality: number | null;
  /** Who gave `quality`. */
  judge: string | null;
  similarity: number | null;
  formatOk: boolean | null;
  refused: boolean | null;
  hedged: boolean | null;
  contradicts: boolean | null;
  unsupported: boolean | null;
  /** Counts of the output's words in 64 hashed buckets. */
  words: readonly number[] | null;
}

/** Input and output together; where only one is known, that one. */
export function tokensOf(call: Pick<CallFacts, 'inputTokens' | 'outputTokens'>): number | null {
  if (call.inputTokens === null && call.outputTokens === null) return null;
  return (call.inputTokens ?? 0) + (call.outputTokens ?? 0);
}

/** Policy: an output that hedges, contradicts its source or claims what the source does not support may be made up. */
export function isHallucinating(
  call: Pick<CallFacts, 'hedged' | 'contradicts' | 'unsupported'>,
): boolean | null {
  const signals = [call.hedged, call.contradicts, call.unsupported].filter((signal) => signal !== null);
  return signals.length === 0 ? null : signals.includes(true);
}
