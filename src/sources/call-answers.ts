import { BaselineStats } from './baseline-stats.ts';
import type { CallFacts } from './call-facts.ts';
import type { CallRecords } from './call-records.ts';
import type { ServiceName } from './call-statistics-store.ts';
import { type CallStats, mergeStats, type StatsKey, statsOf } from './call-stats.ts';
import type { Answer, Question, Reading } from './metric-source.ts';
import { isFromCalls, keysFor, outcomesOf, readingOf } from './stats-reading.ts';
import { isWithin, type Pieces, piecesOf, type Stretch, stretchOf, union, without } from './stretch.ts';

/** A window that wants single outcomes gets so many of the newest ones. */
const MOST_OUTCOMES = 5_000;

type Found = [Question, Reading];

/**
 * Answers questions about calls. Windows are exact: whole minutes as they were counted, and at their ends single
 * calls; only their quantiles come from digests, which are exact for up to 100 different values a minute. The newest
 * calls are single calls. Baselines may be ten minutes old.
 */
export function callAnswers(
  records: CallRecords,
): (questions: readonly Question[], now: Date) => Promise<Answer[]> {
  const baselines = new BaselineStats(records);
  return async (questions, now) => {
    const readings = new Map<Question, Reading>();
    for (const [service, its] of byService(questions)) {
      const fromCalls = its.filter((question) => isFromCalls(question.measure));
      const [newest, others] = split(fromCalls, (question) => question.newest !== undefined);
      const [asBaseline, windows] = split(others, (question) => question.isBaseline);
      const found = [
        ...(await windowReadings(records, service, windows)),
        ...(await newestReadings(records, service, newest)),
        ...(await baselineReadings(baselines, service, { questions: asBaseline, now })),
        ...(await safetyReadings(
          records,
          its.filter(({ measure }) => measure === 'safety'),
        )),
      ];
      for (const [question, reading] of found) readings.set(question, reading);
    }
    return questions.map((question): Answer => {
      const reading = readings.get(question);
      return reading === undefined ? { kind: 'unsupported' } : { kind: 'reading', reading };
    });
  };
}

async function windowReadings(
  records: CallRecords,
  service: ServiceName,
  questions: readonly Question[],
): Promise<Found[]> {
  const windows = [...Map.groupBy(questions, timeKey).values()].map((its) => ({
    its,
    pieces: piecesOf(stretchesOf(its[0] as Question)),
  }));
  const everywhere = (of: (pieces: Pieces) => Stretch[]) =>
    union(windows.flatMap(({ pieces }) => of(pieces)));
  const stretches = { hours: everywhere((p) => p.hours), minutes: everywhere((p) => p.minutes) };
  const hours = await records.rollups({ ...service, span: 'hour', stretches: stretches.hours });
  const minutes = await records.rollups({ ...service, span: 'minute', stretches: stretches.minutes });
  const withWords = questions.some(({ measure }) => measure === 'words');
  const calls = await records.facts({ ...service, stretches: everywhere((p) => p.calls), withWords });
  const found: Found[] = [];
  for (const { its, pieces } of windows) {
    const keys = keysFor(its.map(({ measure }) => measure));
    const stats = mergeStats(
      [
        ...hours.filter(({ start }) => isWithin(start, pieces.hours)).map((rollup) => rollup.stats),
        ...minutes.filter(({ start }) => isWithin(start, pieces.minutes)).map((rollup) => rollup.stats),
        ...pieces.calls.map((piece) => statsOf(callsWithin(calls, piece), keys)),
      ],
      keys,
    );
    for (const question of its) found.push([question, await windowReading(records, question, stats)]);
  }
  return found;
}

async function windowReading(records: CallRecords, question: Question, stats: CallStats): Promise<Reading> {
  const reading = readingOf(stats, question);
  if (question.wantsOutcomes !== true) return reading;
  return { ...reading, ...outcomes(await newestOf(records, question, MOST_OUTCOMES), question) };
}

async function newestReadings(
  records: CallRecords,
  service: ServiceName,
  questions: readonly Question[],
): Promise<Found[]> {
  const found: Found[] = [];
  const alike = Map.groupBy(questions, (question) =>
    JSON.stringify([timeKey(question), question.measure, question.newest]),
  );
  for (const its of alike.values()) {
    const question = its[0] as Question;
    const calls = await newestOf(records, { ...question, ...service }, question.newest ?? 0);
    const keys: StatsKey[] = keysFor([question.measure]);
    const reading = readingOf(statsOf(calls, keys), question);
    for (const one of its) {
      found.push([one, one.wantsOutcomes === true ? { ...reading, ...outcomes(calls, one) } : reading]);
    }
  }
  return found;
}

/** From the newest stretch backwards, until there are enough. */
async function newestOf(records: CallRecords, question: Question, limit: number): Promise<CallFacts[]> {
  const { service, environment, measure } = question;
  let calls: CallFacts[] = [];
  for (const stretch of stretchesOf(question).toReversed()) {
    if (calls.length >= limit) break;
    const wanted = { service, environment, ...stretch, measure, limit: limit - calls.length };
    calls = [...(await records.newest(wanted)), ...calls];
  }
  return calls;
}

async function baselineReadings(
  baselines: BaselineStats,
  service: ServiceName,
  { questions, now }: { questions: readonly Question[]; now: Date },
): Promise<Found[]> {
  const alike = [...Map.groupBy(questions, timeKey).values()];
  const stats = await baselines.of(
    service,
    alike.map((its) => its[0] as Question),
    now,
  );
  return alike.flatMap((its, i) =>
    its.map((question): Found => [question, readingOf(stats[i] as CallStats, question)]),
  );
}

async function safetyReadings(records: CallRecords, questions: readonly Question[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const question of questions) {
    const { n, kinds } = await records.safety(question);
    const about = kinds.length === 0 ? {} : { about: kinds.join(', ') };
    found.push([question, { n, value: n, sd: null, ...about }]);
  }
  return found;
}

function outcomes(calls: readonly CallFacts[], { measure }: Question): Pick<Reading, 'outcomes'> {
  const single = outcomesOf(calls, measure);
  return single === null ? {} : { outcomes: single };
}

function stretchesOf(question: Pick<Question, 'from' | 'to' | 'excluding'>): Stretch[] {
  return without(stretchOf(question), (question.excluding ?? []).map(stretchOf));
}

function callsWithin(calls: readonly CallFacts[], piece: Stretch): CallFacts[] {
  return calls.filter(({ at }) => isWithin(at.getTime(), [piece]));
}

function byService(questions: readonly Question[]): [ServiceName, Question[]][] {
  const groups = Map.groupBy(questions, ({ service, environment }) => JSON.stringify([service, environment]));
  return [...groups.values()].map((its) => {
    const { service, environment } = its[0] as Question;
    return [{ service, environment }, its];
  });
}

const timeKey = ({ from, to, excluding }: Question) =>
  JSON.stringify([from.getTime(), to.getTime(), (excluding ?? []).map(stretchOf)]);

function split<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
