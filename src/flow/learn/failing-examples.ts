import type { Db } from '../../db/database.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import { callTexts, tracesOf } from '../../sources/call-sample-store.ts';

interface FrozenSample {
  callId: number;
  quality: number | null;
  formatOk: boolean | null;
}

/** A frozen failing call; the texts are raw. */
export interface FailingExample {
  callId: number;
  /** By which it is found where it was recorded; null once the call is gone. */
  traceId: string | null;
  input: string;
  output: string;
  score: number | null;
  formatOk: boolean | null;
}

/** The frozen failing calls, in the order in which the room numbers them: different failures, not one three times. */
export async function failingExamples(db: Db, incidentId: number, limit: number): Promise<FailingExample[]> {
  const { samples } = await evidenceOf(db, incidentId);
  const failing = (samples?.data['failing'] ?? []) as FrozenSample[];
  const ids = failing.map((sample) => sample.callId);
  const texts = await callTexts(db, ids);
  const traces = await tracesOf(db, ids);
  const seen = new Set<string>();
  const examples: FailingExample[] = [];
  for (const { callId, quality, formatOk } of failing) {
    const text = texts.get(callId);
    if (text?.output == null || seen.has(text.output) || examples.length === limit) continue;
    seen.add(text.output);
    const { input, output } = text;
    const traceId = traces.get(callId) ?? null;
    examples.push({ callId, traceId, input: input ?? '', output, score: quality, formatOk });
  }
  return examples;
}
