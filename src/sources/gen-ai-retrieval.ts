import type { Retrieval } from './call.ts';
import { type Attributes, FieldProblem, shown } from './otlp-value.ts';

const NAME = 'llm_incident.retrieval.score';

/**
 * The relevance scores of the chunks that were retrieved for a call: a list, or the one score that is known of them. Null
 * without any. Throws FieldProblem for what is no number.
 */
export function retrievalOf(attributes: Attributes, path: string): Retrieval | null {
  const given = attributes.get(NAME);
  if (given === undefined || given === null) return null;
  const scores: unknown[] = Array.isArray(given) ? given : [given];
  const numbers = scores.filter((score) => typeof score === 'number' && Number.isFinite(score)) as number[];
  if (numbers.length !== scores.length)
    throw new FieldProblem(
      `${path}.attributes["${NAME}"]`,
      `must be a number or a list of numbers, got ${shown(given)}`,
    );
  if (numbers.length === 0) return null;
  const sum = numbers.reduce((total, score) => total + score, 0);
  return {
    chunks: numbers.length,
    least: numbers.reduce((least, score) => Math.min(least, score)),
    mean: sum / numbers.length,
    best: numbers.reduce((best, score) => Math.max(best, score)),
  };
}
