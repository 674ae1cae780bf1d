import { z } from 'zod';
import type { LangfuseConfig } from '../../config/sources.ts';
import { ExternalError } from '../../errors.ts';
import { askSource, notUnderstood, refusedBy, type SourceAnswer } from '../source-request.ts';
import { type Fetched, fetchedFrom, meanFrom } from './metrics-answer.ts';
import { type Fetch, type MetricsQuery, meanQueryOf, queryOf, WHOLE_PROJECT } from './metrics-query.ts';
import {
  MOST_PAGES,
  outcomesOf,
  SCORES_PATH,
  type ScorePage,
  scorePageFrom,
  scoresParameters,
} from './score-outcomes.ts';

const METRICS_PATH = '/api/public/v2/metrics';

/** Where to ask, and within how long. */
export interface Asking {
  name: string;
  config: LangfuseConfig;
  timeoutMs: number;
}

/** Runs the queries of the fetches, one after the other; throws ExternalError where Langfuse cannot answer. */
export async function fetchAll(
  asking: Asking,
  fetches: readonly Fetch[],
  selectorOf: (service: string) => string | undefined,
): Promise<Fetched[]> {
  const deadlineMs = Date.now() + asking.timeoutMs;
  const timed = (): Asking => ({ ...asking, timeoutMs: Math.max(1, deadlineMs - Date.now()) });
  const fetched: Fetched[] = [];
  for (const fetch of fetches) {
    const { kind } = fetch;
    const selector = selectorOf(fetch.service);
    if (kind === 'outcomes') fetched.push(await fetchOutcomes(timed, fetch, selector));
    else {
      const query = queryOf({ ...fetch, kind }, { selector, score: asking.config.score });
      fetched.push(await fetchOne(timed, fetch, query));
    }
  }
  return fetched;
}

async function fetchOne(timed: () => Asking, fetch: Fetch, query: MetricsQuery): Promise<Fetched> {
  const asked = (wanted: MetricsQuery) => ({
    path: METRICS_PATH,
    parameters: { query: JSON.stringify(wanted) },
  });
  const found = await ask(timed(), asked(query), (body) => fetchedFrom(body, fetch));
  if (found !== 'too-many') return found;
  const mean = (body: unknown): Fetched => ({ kind: 'reading', reading: meanFrom(body) });
  return ask(timed(), asked(meanQueryOf(query)), mean);
}

/** Policy: single scores are an extra; a Langfuse that has no v3 scores has none of them. */
async function fetchOutcomes(
  timed: () => Asking,
  fetch: Fetch,
  selector: string | undefined,
): Promise<Fetched> {
  const pages: ScorePage[] = [];
  let cursor: string | null = null;
  do {
    if (selector !== WHOLE_PROJECT) break;
    const asking = timed();
    const parameters = scoresParameters(fetch, { score: asking.config.score, cursor });
    const found = await pageOf(asking, parameters);
    if (found === null) break;
    if ('kind' in found) return found;
    pages.push(found);
    cursor = found.cursor;
  } while (cursor !== null && pages.length < MOST_PAGES);
  return { kind: 'outcomes', outcomes: outcomesOf(pages) };
}

async function pageOf(asking: Asking, parameters: Record<string, string>) {
  try {
    return await ask(asking, { path: SCORES_PATH, parameters }, scorePageFrom);
  } catch (thrown) {
    if (thrown instanceof ExternalError && thrown.code === '404') return null;
    throw thrown;
  }
}

/** A query that Langfuse calls wrong is a problem of that query; any other refusal is Langfuse's. */
async function ask<Found>(
  { name, config, timeoutMs }: Asking,
  { path, parameters }: { path: string; parameters: Record<string, string> },
  read: (body: unknown) => Found,
): Promise<Found | (Fetched & { kind: 'problem' })> {
  const url = new URL(config.url);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
  const basic = Buffer.from(`${config.public_key}:${config.secret_key}`).toString('base64');
  const headers = { authorization: `Basic ${basic}`, accept: 'application/json' };
  const answer = await askSource({ source: name, url, headers, timeoutMs });
  if (answer.status === 400) return { kind: 'problem', problem: `${name}: ${messageIn(answer)}` };
  if (answer.status === 404) throw tooOld(name, path);
  if (answer.status !== 200) throw refusedBy(name, answer);
  try {
    return read(JSON.parse(answer.text));
  } catch (thrown) {
    throw notUnderstood(name, thrown);
  }
}

function tooOld(name: string, path: string): ExternalError {
  return new ExternalError(`${name} has no ${path}: check the url; self-hosted, it needs a later Langfuse`, {
    service: name,
    code: '404',
    retryable: false,
  });
}

const refusal = z.object({ message: z.string() });

function messageIn({ text }: SourceAnswer): string {
  try {
    return refusal.parse(JSON.parse(text)).message;
  } catch {
    return text.slice(0, 300);
  }
}
