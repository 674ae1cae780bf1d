import { ExternalError } from '../../errors.ts';
import type { Moment } from './planned.ts';
import { batchOf } from './promql.ts';
import { CONNECTIONS, type Point, type PrometheusWire, type Refusal, type Span } from './wire.ts';

/** Expressions in one request: with more of them the server takes longer, as it works on one request with one core. */
const BATCH = 50;
/** A week of hours of so many expressions: answers stay around a megabyte. */
const RANGE_BATCH = 20;
const QUARANTINE_MS = 10 * 60_000;
/** Slow may be the server, and only for now. */
const SLOW_QUARANTINE_MS = 60_000;

export interface Asking extends Span {
  expression: string;
}

export type Found = { points: readonly Point[] } | { problem: string };

/** One place for all that is known about the expressions of one source. */
export interface Asker {
  /**
   * One answer each, in order, in as few requests as possible; a wrong expression spoils only itself, and the same
   * one over the same span is asked once. Throws ExternalError when nothing was answered in all of this moment; a part that is lost is a problem of its questions.
   */
  ask(asked: readonly Asking[], at: Moment): Promise<Found[]>;
}

export function asker(
  wire: PrometheusWire,
  { batchSize = BATCH }: { batchSize?: number | undefined } = {},
): Asker {
  const memory: Memory = { quarantine: new Map(), suspects: new Set() };

  const askChunk = async (chunk: readonly Asking[], at: Moment): Promise<Outcome> => {
    const [first] = chunk;
    if (first === undefined) return { settled: [], lost: [] };
    try {
      const promql = batchOf(chunk.map(({ expression }) => expression));
      const settled = settle(memory, chunk, { answer: await wire.query(promql, first, at.signal), at });
      if (settled !== null) return { settled, lost: [] };
    } catch (thrown) {
      if (!(thrown instanceof ExternalError)) throw thrown;
      return { settled: [], lost: chunk.map((asking) => [asking, thrown]) };
    }
    const middle = Math.ceil(chunk.length / 2);
    const halves = [chunk.slice(0, middle), chunk.slice(middle)];
    return merged(await Promise.all(halves.map((half) => askChunk(half, at))));
  };

  return {
    async ask(asked, at) {
      for (const [key, { untilMs }] of memory.quarantine) {
        if (untilMs <= at.now.getTime()) memory.quarantine.delete(key);
      }
      const places = distinctOf(asked);
      const found = new Map<Asking, Found>();
      const open = [...places.values()].filter((asking) => {
        const kept = memory.quarantine.size === 0 ? undefined : memory.quarantine.get(kindKey(asking));
        if (kept !== undefined) found.set(asking, { problem: kept.problem });
        return kept === undefined;
      });
      const chunks = chunksOf(open, { batchSize, suspects: memory.suspects });
      const { settled, lost } = merged(await inTurns(chunks, (chunk) => askChunk(chunk, at)));
      at.answered += settled.length;
      const [first] = lost;
      if (first !== undefined && at.answered === 0) throw first[1];
      for (const [asking, answer] of settled) found.set(asking, answer);
      for (const [asking, error] of lost) found.set(asking, { problem: error.message });
      return asked.map((asking) => {
        const answer = found.get(places.get(keyOf(asking)) ?? asking);
        if (answer === undefined) throw new Error(`nothing answered ${asking.expression}`);
        return answer;
      });
    },
  };
}

/** By expression and span, the first that asks for it. */
function distinctOf(asked: readonly Asking[]): Map<string, Asking> {
  const places = new Map<string, Asking>();
  for (const asking of asked) {
    const key = keyOf(asking);
    if (!places.has(key)) places.set(key, asking);
  }
  return places;
}

const keyOf = ({ expression, startS, endS }: Asking) => `${startS}|${endS}|${expression}`;

interface Memory {
  quarantine: Map<string, { untilMs: number; problem: string }>;
  /** Were in a batch that was too slow: they are asked alone next time, which finds the culprit. */
  suspects: Set<string>;
}

/** Null when the batch is to be asked again in halves. */
function settle(
  { quarantine, suspects }: Memory,
  chunk: readonly Asking[],
  { answer, at }: { answer: Point[] | Refusal; at: Moment },
): [Asking, Found][] | null {
  if (Array.isArray(answer)) {
    for (const { expression } of chunk) suspects.delete(expression);
    const points = Map.groupBy(answer, (point) => point.place);
    return chunk.map((asking, place) => [asking, { points: points.get(place) ?? [] }]);
  }
  const [only, ...more] = chunk;
  if (only === undefined) return [];
  const problem = answer.refusal;
  if (more.length === 0) {
    suspects.delete(only.expression);
    const untilMs = at.now.getTime() + (answer.isSlow ? SLOW_QUARANTINE_MS : QUARANTINE_MS);
    quarantine.set(kindKey(only), { untilMs, problem });
    return [[only, { problem }]];
  }
  if (!answer.isSlow) return null;
  for (const { expression } of chunk) suspects.add(expression);
  return chunk.map((asking) => [asking, { problem: `in a batch that was too slow: ${problem}` }]);
}

interface Outcome {
  settled: [Asking, Found][];
  lost: [Asking, ExternalError][];
}

/** As many at once as there are connections: what waits for one would only take memory. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return results;
}

function merged(outcomes: readonly Outcome[]): Outcome {
  return { settled: outcomes.flatMap((one) => one.settled), lost: outcomes.flatMap((one) => one.lost) };
}

const isRange = ({ startS, endS }: Span) => startS !== endS;

/** An expression can be right at one time and too heavy over a week; when it is asked does not matter. */
const kindKey = (asking: Asking) => `${isRange(asking) ? 'range' : 'instant'} ${asking.expression}`;

/** Only what is asked over the same span can share a request. */
function chunksOf(
  asked: readonly Asking[],
  { batchSize, suspects }: { batchSize: number; suspects: ReadonlySet<string> },
): Asking[][] {
  const alone = asked.filter(({ expression }) => suspects.has(expression)).map((asking) => [asking]);
  const together = asked.filter(({ expression }) => !suspects.has(expression));
  const spans = [...Map.groupBy(together, ({ startS, endS }) => `${startS}|${endS}`).values()];
  return [
    ...spans.flatMap((same) => {
      const size = same.some(isRange) ? Math.min(batchSize, RANGE_BATCH) : batchSize;
      return Array.from({ length: Math.ceil(same.length / size) }, (_, i) =>
        same.slice(i * size, (i + 1) * size),
      );
    }),
    ...alone,
  ];
}
