import { z } from 'zod';
import type { Fetch } from './metrics-query.ts';

export const SCORES_PATH = '/api/public/v3/scores';
/** Langfuse gives no longer pages. */
const PAGE = 100;
/** So many scores are enough for a sequential test, and few enough for Langfuse's limits. */
export const MOST_PAGES = 10;

const page = z.object({
  data: z.array(z.object({ value: z.union([z.number(), z.boolean()]), timestamp: z.string() })),
  meta: z.object({ cursor: z.string().nullish() }),
});

export interface ScorePage {
  scores: { value: number; atMs: number }[];
  cursor: string | null;
}

/** The parameters of one page of single scores. They cannot be chosen by trace, so only a whole project has them. */
export function scoresParameters(
  { environment, window }: Fetch,
  { score, cursor }: { score: string; cursor: string | null },
): Record<string, string> {
  return {
    name: score,
    environment,
    dataType: 'NUMERIC,BOOLEAN',
    fromTimestamp: window.from.toISOString(),
    toTimestamp: window.to.toISOString(),
    limit: String(PAGE),
    ...(cursor === null ? {} : { cursor }),
  };
}

/** Throws ZodError for what is not a page of scores. */
export function scorePageFrom(body: unknown): ScorePage {
  const { data, meta } = page.parse(body);
  const scores = data.map(({ value, timestamp }) => ({ value: Number(value), atMs: Date.parse(timestamp) }));
  return { scores, cursor: meta.cursor ?? null };
}

/** Oldest first. Policy: pages that were cut short count only when they hold the newest scores, without a gap. */
export function outcomesOf(pages: readonly ScorePage[]): number[] {
  const scores = pages.flatMap((each) => each.scores);
  const isCut = (pages.at(-1)?.cursor ?? null) !== null;
  const isNewestFirst = scores.every(
    (score, index) => index === 0 || score.atMs <= (scores[index - 1]?.atMs ?? 0),
  );
  if (isCut && !isNewestFirst) return [];
  return scores.toSorted((a, b) => a.atMs - b.atMs).map(({ value }) => value);
}
