import type { Db } from '../../db/database.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import { callTexts } from '../../sources/call-sample-store.ts';

interface FrozenSample {
  callId: number;
  quality: number | null;
  formatOk: boolean | null;
}

/** A frozen failing call; the texts are raw. */
export interface FailingExample {
  callId: number;
  input: string;
  output: string;
  score: number | null;
  formatOk: boolean | null;
}

/** The frozen failing calls, in the order in which the room numbers them: different failures, not one three times. */
export async function failingExamples(db: Db, incidentId: number, limit: number): Promise<FailingExample[]> {
  const { samples } = await evidenceOf(db, incidentId);
  const failing = (samples?.data['failing'] ?? []) as FrozenSample[];
  const texts = await callTexts(
    db,
    failing.map((sample) => sample.callId),
  );
  const seen = new Set<string>();
  const examples: FailingExample[] = [];
  for (const { callId, quality, formatOk } of failing) {
    const text = texts.get(callId);
    if (text?.output == null || seen.has(text.output) || examples.length === limit) continue;
    seen.add(text.output);
    examples.push({ callId, input: text.input ?? '', output: text.output, score: quality, formatOk });
  }
  return examples;
}
