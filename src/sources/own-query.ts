import { z } from 'zod';
import type { ServiceConfig } from '../config/config-file.ts';
import type { Interval } from './call.ts';
import type { Answer, Question, Reading } from './metric-source.ts';
import { without } from './stretch.ts';

/** What a team wrote about each service for a source that it queries in its own language. */
export type QueriedServices = Readonly<Record<string, Pick<ServiceConfig, 'selector' | 'queries'>>>;

/** What a team's query may refer to by name; bound by the store, never written into the text. */
export interface QueryParameters extends Interval {
  /** `selector` of the service, else its name. */
  service: string;
  environment: string;
  /** Only the newest calls count; the largest 32-bit number where the rule does not limit them. */
  newest: number;
}

export const PARAMETER_NAMES = ['service', 'environment', 'from', 'to', 'newest'] as const;
const ALL_CALLS = 2 ** 31 - 1;

export type Rows = readonly Record<string, unknown>[];

/** Rows of one run of one query, or why this query cannot be answered. */
export type RunAnswer = { kind: 'rows'; rows: Rows } | { kind: 'problem'; problem: string };

/** What must be run to answer one question: one query, over each interval that is not left out. */
export interface QueryPlan {
  text: string;
  runs: QueryParameters[];
}

/** Null where the team wrote no query for the rule that asks. */
export function planOf(question: Question, services: QueriedServices): QueryPlan | null {
  const service = services[question.service];
  const text = service?.queries[question.rule];
  if (service === undefined || text === undefined) return null;
  const { environment, newest = ALL_CALLS } = question;
  const runs = intervalsWithout(question, question.excluding ?? []).map(({ from, to }) => ({
    service: service.selector ?? question.service,
    environment,
    from,
    to,
    newest,
  }));
  return { text, runs };
}

/** Runs one query of a team; throws ExternalError where the store cannot serve any query. */
export type RunQuery = (query: { text: string; parameters: QueryParameters }) => Promise<RunAnswer>;

/** Answers by the teams' own queries, at most `parallel` of them at a time. */
export async function readOwnQueries(
  questions: readonly Question[],
  { services, parallel, run }: { services: QueriedServices; parallel: number; run: RunQuery },
): Promise<Answer[]> {
  const answers: Answer[] = questions.map(() => ({ kind: 'unsupported' }));
  const entries = questions.entries();
  const work = async () => {
    for (const [index, question] of entries) {
      const plan = planOf(question, services);
      if (plan !== null) answers[index] = await answerBy(plan, question, run);
    }
  };
  const done = await Promise.allSettled(Array.from({ length: parallel }, work));
  const failed = done.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return answers;
}

async function answerBy({ text, runs }: QueryPlan, { rule }: Question, run: RunQuery): Promise<Answer> {
  const readings: Reading[] = [];
  for (const parameters of runs) {
    const ran = await run({ text, parameters });
    const answer = ran.kind === 'rows' ? answerOf(ran.rows, { rule }) : problemOf(rule, ran.problem);
    if (answer.kind !== 'reading') return answer;
    readings.push(answer.reading);
  }
  return { kind: 'reading', reading: mergedReading(readings) };
}

/** The rest of an interval, in order, without those that are left out. */
export function intervalsWithout(interval: Interval, excluding: readonly Interval[]): Interval[] {
  const inMs = ({ from, to }: Interval) => ({ from: from.getTime(), to: to.getTime() });
  const rest = without(inMs(interval), excluding.map(inMs));
  return rest.map(({ from, to }) => ({ from: new Date(from), to: new Date(to) }));
}

/** A number, also as the text in which stores write what JavaScript cannot hold; not finite or absent is null. */
const numeric = z
  .union([
    z.number(),
    z.nan(),
    z.bigint(),
    z.string().regex(/^\s*([-+]?(\d|\.\d)[\d.eE+-]*|[-+]?(nan|inf(inity)?))\s*$/i),
  ])
  .nullish()
  .transform((value) => {
    const number = value === null || value === undefined ? Number.NaN : Number(value);
    return Number.isFinite(number) ? number : null;
  });

const queryRow = z.object({
  value: numeric,
  n: numeric.refine((n) => n === null || n >= 0, 'must not be negative'),
  sd: numeric,
  lower: numeric,
  upper: numeric,
  max: numeric,
  about: z.string().nullish(),
});

/**
 * Policy: a team's query answers with one row that has `value` and `n`, and may have `sd`, `lower`, `upper`, `max` and
 * `about`; no row, no samples, or a value that is null or not finite is no data.
 */
export function answerOf(rows: Rows, { rule }: { rule: string }): Answer {
  const [row] = rows;
  if (row === undefined) return { kind: 'reading', reading: NOTHING };
  if (rows.length > 1) {
    return problemOf(
      rule,
      `it answered ${rows.length} rows; make it one row, with an aggregate or "limit 1"`,
    );
  }
  const missing = ['value', 'n'].filter((column) => !(column in row));
  if (missing.length > 0) {
    return problemOf(rule, `its answer has no column "${missing.join('" and no "')}"; name it with "as"`);
  }
  const parsed = queryRow.safeParse(row);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return problemOf(rule, `column "${issue?.path.join('.')}" is not a number: cast it (${issue?.message})`);
  }
  return { kind: 'reading', reading: readingOf(parsed.data) };
}

/** The answer to a query that cannot be run as it is written, naming the key to change. */
function problemOf(rule: string, problem: string): Answer & { kind: 'problem' } {
  return { kind: 'problem', problem: `queries["${rule}"]: ${problem}` };
}

export const NOTHING: Reading = { n: 0, value: null, sd: null };

function readingOf(row: z.infer<typeof queryRow>): Reading {
  if (row.value === null || row.n === null || row.n === 0) return NOTHING;
  return {
    n: row.n,
    value: row.value,
    sd: row.sd,
    ...(row.lower === null ? {} : { lower: row.lower }),
    ...(row.upper === null ? {} : { upper: row.upper }),
    ...(row.max === null ? {} : { max: row.max }),
    ...(row.about ? { about: row.about } : {}),
  };
}

/**
 * One reading of several intervals. Policy: the mean weighted by n, and the spread of all samples together, within and
 * between the parts, which is exact for means and shares; a quantile is the weighted mean of the parts' quantiles.
 */
export function mergedReading(readings: readonly Reading[]): Reading {
  const parts = readings.filter(
    (part): part is Reading & { value: number } => part.value !== null && part.n > 0,
  );
  const [first] = parts;
  if (first === undefined) return NOTHING;
  if (parts.length === 1) return first;
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const value = parts.reduce((sum, part) => sum + part.n * part.value, 0) / n;
  const knowsSpread = parts.every((part) => part.sd !== null || part.n <= 1);
  const squares = parts.reduce(
    (sum, part) => sum + Math.max(0, part.n - 1) * (part.sd ?? 0) ** 2 + part.n * (part.value - value) ** 2,
    0,
  );
  const largest = parts.flatMap((part) => part.max ?? []);
  return {
    n,
    value,
    sd: knowsSpread && n > 1 ? Math.sqrt(squares / (n - 1)) : null,
    ...(largest.length === parts.length ? { max: Math.max(...largest) } : {}),
  };
}
