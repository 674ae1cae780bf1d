import { listenOnLoopback, sendJson } from '../../src/demo/loopback-server.ts';
import type { MetricsQuery } from '../../src/sources/langfuse/metrics-query.ts';
import { langfuseVersions, metricsQueryValidator } from './langfuse-contract.ts';

export interface FakeGeneration {
  at: Date;
  traceName: string;
  environment: string;
  tags?: string[];
  level: 'DEFAULT' | 'ERROR';
  latency: number;
  totalTokens: number;
  totalCost: number;
}

export interface FakeScore {
  at: Date;
  traceName: string;
  environment: string;
  tags?: string[];
  name: string;
  value: number;
}

type Item = (FakeGeneration | FakeScore) & Record<string, unknown>;

/** A Langfuse project that answers v2 metrics from what it holds, in the newest contract's language. */
export async function startLangfuse(held: { generations: FakeGeneration[]; scores: FakeScore[] }) {
  const validate = metricsQueryValidator(langfuseVersions().at(-1) ?? '');
  const asked: MetricsQuery[] = [];
  const pages: URLSearchParams[] = [];
  const refusals: { status: number; body?: unknown; headers?: Record<string, string> }[] = [];
  const fake = { asked, pages, refusals, withoutScores: false };
  const server = await listenOnLoopback(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://langfuse');
    if (url.pathname === '/api/public/v3/scores' && !fake.withoutScores) {
      pages.push(url.searchParams);
      return sendJson(response, { status: 200, body: scoresPage(held.scores, url.searchParams) });
    }
    if (url.pathname !== '/api/public/v2/metrics') return sendJson(response, { status: 404 });
    const basic = Buffer.from('pk-lf-1:sk-lf-2').toString('base64');
    if (request.headers.authorization !== `Basic ${basic}`) {
      return sendJson(response, { status: 401, body: { message: 'Invalid credentials' } });
    }
    const query: MetricsQuery = JSON.parse(url.searchParams.get('query') ?? '{}');
    asked.push(query);
    const refusal = refusals.shift();
    if (refusal !== undefined) return sendJson(response, { body: { message: 'refused' }, ...refusal });
    if (!validate(query)) {
      return sendJson(response, { status: 400, body: { message: JSON.stringify(validate.errors) } });
    }
    const items = (query.view === 'observations' ? held.generations : held.scores) as Item[];
    const matching = items.filter(
      (item) => isWithin(item, query) && query.filters.every((one) => passes(item, one)),
    );
    sendJson(response, { status: 200, body: { data: rowsOf(matching, query) } });
  });
  return Object.assign(fake, server);
}

/** Newest first; the cursor is where the next page begins. */
function scoresPage(scores: readonly FakeScore[], asked: URLSearchParams) {
  const matching = scores
    .filter(({ name, environment }) => name === asked.get('name') && environment === asked.get('environment'))
    .filter(
      ({ at }) =>
        at >= new Date(asked.get('fromTimestamp') ?? '') && at < new Date(asked.get('toTimestamp') ?? ''),
    )
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const start = Number(asked.get('cursor') ?? 0);
  const limit = Number(asked.get('limit'));
  const data = matching.slice(start, start + limit).map(({ at, name, value, environment }, index) => {
    const id = `score-${start + index}`;
    return { id, name, value, dataType: 'NUMERIC', source: 'EVAL', timestamp: at.toISOString(), environment };
  });
  const isLast = start + limit >= matching.length;
  return { data, meta: { limit, ...(isLast ? {} : { cursor: String(start + limit) }) } };
}

function isWithin({ at }: Item, { fromTimestamp, toTimestamp }: MetricsQuery): boolean {
  return at >= new Date(fromTimestamp) && at <= new Date(toTimestamp);
}

function passes(item: Item, filter: MetricsQuery['filters'][number]): boolean {
  if (filter.operator === '=') return item[filter.column] === filter.value;
  const values =
    filter.column === 'type' ? ['GENERATION'] : ((item[filter.column] as string[] | undefined) ?? []);
  return filter.value.some((value) => values.includes(value));
}

function rowsOf(items: readonly Item[], query: MetricsQuery): Record<string, unknown>[] {
  const groups = new Map<string, { row: Record<string, unknown>; items: Item[] }>();
  if (query.dimensions.length === 0 && query.timeDimension === null) groups.set('[]', { row: {}, items: [] });
  for (const item of items) {
    const row = Object.fromEntries(query.dimensions.map(({ field }) => [field, item[field]]));
    if (query.timeDimension !== null)
      row['time_dimension'] = bucketOf(item.at, query.timeDimension.granularity);
    const key = JSON.stringify(Object.values(row));
    const group = groups.get(key) ?? { row, items: [] };
    group.items.push(item);
    groups.set(key, group);
  }
  const rows = [...groups.values()].map((group) => {
    const metrics = query.metrics.map(({ measure, aggregation }) => {
      const values = group.items.map((item) => Number(item[measure]));
      return [`${aggregation}_${measure}`, aggregate(values, aggregation)];
    });
    return { ...group.row, ...Object.fromEntries(metrics) };
  });
  return rows.slice(0, query.config.row_limit);
}

/** As ClickHouse writes times without a zone. */
function bucketOf(at: Date, granularity: 'minute' | 'hour'): string {
  const text = at.toISOString().replace('T', ' ');
  return granularity === 'minute' ? `${text.slice(0, 16)}:00` : `${text.slice(0, 13)}:00:00`;
}

/** Counts and sums arrive as texts, as ClickHouse writes 64-bit numbers and decimals. */
function aggregate(values: readonly number[], aggregation: string): unknown {
  const sum = values.reduce((total, value) => total + value, 0);
  if (aggregation === 'count') return String(values.length);
  if (aggregation === 'sum') return String(sum);
  if (values.length === 0) return null;
  if (aggregation === 'avg') return sum / values.length;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))];
}
