import type { Answer, MetricSource, Question } from './metric-source.ts';

const FRESH_MS = 10 * 60_000;

/**
 * The same source, asked for a baseline once in ten minutes instead of at every look. Policy: a baseline moves slowly,
 * so one whose window ends up to ten minutes from the asked one is good enough, unless what it leaves out changed.
 */
export function withBaselineCache(
  source: MetricSource,
  { freshMs = FRESH_MS }: { freshMs?: number } = {},
): MetricSource {
  const kept = new Map<string, { toMs: number; atMs: number; answer: Answer }>();

  const keptFor = (question: Question): Answer | undefined => {
    const found = question.isBaseline ? kept.get(keyOf(question)) : undefined;
    if (found === undefined || Math.abs(question.to.getTime() - found.toMs) >= freshMs) return undefined;
    return found.answer;
  };

  return {
    name: source.name,
    async read(questions, now) {
      const answers = questions.map(keptFor);
      const missing = questions.filter((_, index) => answers[index] === undefined);
      if (missing.length === 0) return answers as Answer[];
      const fresh = await source.read(missing, now);
      missing.forEach((question, index) => {
        const answer = fresh[index];
        if (question.isBaseline && answer?.kind === 'reading') {
          kept.set(keyOf(question), { toMs: question.to.getTime(), atMs: now.getTime(), answer });
        }
      });
      for (const [key, { atMs }] of kept) if (atMs < now.getTime() - 2 * freshMs) kept.delete(key);
      let next = 0;
      return answers.map((answer) => answer ?? (fresh[next++] as Answer));
    },
  };
}

function keyOf({ from, to, ...question }: Question): string {
  return JSON.stringify([question, to.getTime() - from.getTime()]);
}
