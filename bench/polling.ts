import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Pool } from 'undici';
import { metricSource, type PrometheusConfig } from '../src/config/sources.ts';
import type { Db } from '../src/db/database.ts';
import { type NewEvaluation, recordEvaluations } from '../src/detection/evaluation-store.ts';
import type { Question } from '../src/sources/metric-source.ts';
import { type PrometheusSource, prometheusSource } from '../src/sources/prometheus/prometheus-source.ts';
import { counter, hasPrometheus, type Series, startPrometheus } from '../test/harness/prometheus.ts';
import { withDatabase } from './database.ts';
import { compareCosts, type Measurement, quantile } from './measurement.ts';

const SERVICES = 250;
const METRICS = ['errors', 'refusals', 'tokens', 'cost'].map((name) => `llm_${name}_total`);
const INSTANCES = 2;
const WINDOW_MS = 5 * 60_000;
const STEP_MS = 15_000;
/** As many requests at once as the source itself makes. */
const CONNECTIONS = 4;
const ROUNDS = 25;
const TICKS = 500;
const SETTLED = 100;

const from = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 3_600_000);
const to = new Date(from.getTime() + 3_600_000);
/** Ticks walk through the generated hour, so that no two in a row ask for the same time. */
const timeOf = (tick: number) => new Date(from.getTime() + WINDOW_MS + (tick % 200) * STEP_MS);

interface Rule {
  service: string;
  rule: string;
  query: string;
}

const rules: readonly Rule[] = Array.from({ length: SERVICES }, (_, i) => `service-${i}`).flatMap((service) =>
  METRICS.map((metric) => ({
    service,
    rule: metric,
    query: `sum(rate(${metric}{service_name="${service}"}[$window]))`,
  })),
);

/** One poll of 1,000 rules, stored: the bare loop, the source without batches, the source as it is, and its memory. */
export async function polling(): Promise<Measurement[]> {
  if (!hasPrometheus) {
    console.error('SKIPPED polling: no prometheus and promtool on PATH');
    return [];
  }
  const server = await startPrometheus({ series: generated() });
  const bare = new Pool(server.url, { connections: CONNECTIONS });
  const single = sourceOn(server.url, 1);
  const batched = sourceOn(server.url);
  try {
    return await withDatabase(async (db) => {
      const sides = {
        bare: (tick: number) => bareTick(bare, db, timeOf(tick)),
        single: (tick: number) => sourceTick(single, db, timeOf(tick)),
        batched: (tick: number) => sourceTick(batched, db, timeOf(tick)),
      };
      const costs = await alternately(sides, db);
      const memory = await memoryOver((tick) => sides.batched(tick), db);
      return [...comparisons(costs), ...memory];
    });
  } finally {
    await Promise.all([bare.destroy(), single.close(), batched.close()]);
    await server.stop();
  }
}

interface Cost {
  wallMs: number;
  cpuMs: number;
}

type Side = 'bare' | 'single' | 'batched';

function comparisons(costs: Record<Side, Cost>): Measurement[] {
  const row = (name: string, about: { side: Side; of: keyof Cost; target: number }) => {
    const { side, of, target } = about;
    return compareCosts({ name, floor: costs.bare[of], value: costs[side][of], unit: 'ms', target });
  };
  return [
    row('1,000 rules one by one, wall', { side: 'single', of: 'wallMs', target: 1.3 }),
    row('1,000 rules one by one, CPU', { side: 'single', of: 'cpuMs', target: 1.3 }),
    row('1,000 rules in batches, wall', { side: 'batched', of: 'wallMs', target: 0.9 }),
    row('1,000 rules in batches, CPU', { side: 'batched', of: 'cpuMs', target: 0.6 }),
  ];
}

function generated(): Series[] {
  return rules.flatMap(({ service, rule }, place) =>
    Array.from({ length: INSTANCES }, (_, instance) =>
      counter(
        rule,
        { service_name: service, instance: String(instance) },
        { from, to, stepMs: STEP_MS, perStep: 1 + (place % 50) },
      ),
    ),
  );
}

function sourceOn(url: string, batchSize?: number): PrometheusSource {
  const config = metricSource.parse({ type: 'prometheus', url, delay_seconds: 0, timeout_seconds: 60 });
  const services = Object.entries(Object.groupBy(rules, ({ service }) => service)).map(
    ([name, its = []]) => ({
      name,
      environment: 'production',
      queries: Object.fromEntries(its.map(({ rule, query }) => [rule, query])),
    }),
  );
  const deps = { name: 'bench', ...(batchSize === undefined ? {} : { batchSize }) };
  return prometheusSource(config as PrometheusConfig, services, deps);
}

/** The same queries as plainly as they can be asked, as many at once, each answer stored. */
async function bareTick(pool: Pool, db: Db, now: Date): Promise<void> {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'accept-encoding': 'identity',
  };
  const time = String(now.getTime() / 1000);
  const values = new Array<number | null>(rules.length).fill(null);
  const queue = rules.entries();
  const work = async () => {
    for (const [place, { query }] of queue) {
      const body = new URLSearchParams({ query: query.replace('$window', `${WINDOW_MS / 1000}s`), time });
      const answer = await pool.request({
        method: 'POST',
        path: '/api/v1/query',
        headers,
        body: body.toString(),
      });
      const { data } = (await answer.body.json()) as { data: { result: { value: [number, string] }[] } };
      values[place] = Number(data.result[0]?.value[1] ?? Number.NaN);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  await store(db, values, now);
}

async function sourceTick(source: PrometheusSource, db: Db, now: Date): Promise<void> {
  const questions = rules.map(
    ({ service, rule }): Question => ({
      service,
      rule,
      environment: 'production',
      measure: 'errors',
      from: new Date(now.getTime() - WINDOW_MS),
      to: now,
      needs: 1,
      isBaseline: false,
    }),
  );
  const answers = await source.read(questions, now);
  await store(
    db,
    answers.map((answer) => (answer.kind === 'reading' ? answer.reading.value : null)),
    now,
  );
}

async function store(db: Db, values: readonly (number | null)[], at: Date): Promise<void> {
  const missing = values.filter((value) => value === null || !(value > 0)).length;
  if (missing > 0) throw new Error(`${missing} of ${values.length} rules have no value`);
  const evaluations = rules.map(({ service }, place): NewEvaluation => {
    const value = values[place] ?? null;
    const verdict = {
      rule: 'outage.errors',
      state: 'ok',
      value,
      n: 1,
      baseline: null,
      baselineN: 0,
    } as const;
    const bounds = { lower: null, upper: null, threshold: null, pastBound: false };
    return {
      service,
      environment: 'production',
      at,
      source: 'bench',
      verdict: { ...verdict, ...bounds, warning: false, detail: null },
    };
  });
  await recordEvaluations(db, evaluations);
}

/** The better quarter of rounds in which the sides take turns: what else the machine does only ever adds. */
async function alternately(
  sides: Record<Side, (tick: number) => Promise<void>>,
  db: Db,
): Promise<Record<Side, Cost>> {
  const seen: Record<Side, Cost[]> = { bare: [], single: [], batched: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const side of turnsOf(round)) {
      const cost = await costOf(() => sides[side](round));
      // The first round warms everything up.
      if (round > 0) seen[side].push(cost);
    }
    await db.deleteFrom('evaluation').execute();
  }
  const least = (costs: Cost[], of: keyof Cost) =>
    quantile(
      costs.map((cost) => cost[of]),
      0.25,
    );
  const costOfSide = (side: Side): Cost => ({
    wallMs: least(seen[side], 'wallMs'),
    cpuMs: least(seen[side], 'cpuMs'),
  });
  return { bare: costOfSide('bare'), single: costOfSide('single'), batched: costOfSide('batched') };
}

/** Each side is first, second and last equally often. */
function turnsOf(round: number): Side[] {
  const order: Side[] = ['bare', 'single', 'batched'];
  return order.map((_, place) => order[(place + round) % order.length] ?? 'bare');
}

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

/** Heap and resident memory after many ticks, beside what they were after the first ones. */
async function memoryOver(tick: (tick: number) => Promise<void>, db: Db): Promise<Measurement[]> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const used = () => {
    collect();
    const { heapUsed, rss } = process.memoryUsage();
    return { heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 };
  };
  let early = used();
  for (let i = 1; i <= TICKS; i += 1) {
    await tick(i);
    // Old evaluations are pruned, as the bot does it.
    if (i % 25 === 0) await db.deleteFrom('evaluation').execute();
    if (i === SETTLED) early = used();
  }
  const late = used();
  const name = `after ${TICKS} polls of 1,000 rules, beside after ${SETTLED}`;
  return [
    compareCosts({ name: `heap ${name}`, floor: early.heap, value: late.heap, unit: 'MB', target: 1.1 }),
    compareCosts({ name: `memory ${name}`, floor: early.rss, value: late.rss, unit: 'MB', target: 1.15 }),
  ];
}
