import { designBernoulli, designMean, nextStatistic } from '../../src/detection/sequential/cusum.ts';
import type { Design } from '../../src/detection/sequential/limit.ts';
import { type Measurement, quantile } from '../measurement.ts';
import { answerOf } from './answers.ts';
import { asPublished, atMost } from './bounded.ts';
import { type Chance, chanceFrom } from './chance.ts';
import { recorded } from './recorded.ts';

const FILE = 'llmdrift-prime.jsonl';
const SEED = 20_230_613;
/** Services, each with a baseline of its own. */
const SERVICES = 200;
const BASELINE_CALLS = 1_000;
const QUIET_CALLS = 100_000;
const SWAPS_PER_SERVICE = 20;
/** Calls without a change before each swap. */
const LEAD_CALLS = 1_000;
const MOST_DELAY = 5_000;

/** 1 or 0 for each call. */
type Outcomes = readonly number[];
type Chart = (before: number, outcome: number) => number;

interface Watched {
  name: 'format' | 'accuracy';
  before: Outcomes;
  after: Outcomes;
  published: { before: number; after: number };
  design(passed: number, n: number): Design | null;
  /** At most so many false alarms in so many calls, and so many calls to the first warning. */
  arl0: number;
  limitCalls: number;
  /** Newest calls and the share below which the fixed rule fires. */
  fixed: { calls: number; below(baseline: number): number; name: string };
}

interface Stream {
  baseline: { passed: number; n: number };
  quiet: Uint8Array;
  swaps: { lead: Uint8Array; after: Uint8Array }[];
}

/**
 * GPT-4 of March 2023 replaced by that of June, on 1,000 recorded answers each (Chen, Zaharia and Zou, 2023): calls from
 * the swap to the first warning at a measured false-alarm rate. Each of the services knows a baseline of 1,000 calls alone;
 * its baseline, its calls without a swap and those around one are separate draws, with replacement, so how calls
 * depended on each other in the recording is not in it.
 */
export function modelSwap(): Measurement[] {
  const text = recorded(FILE);
  if (text === null) return [];
  const answers = text.trim().split('\n').map(answerOf);
  const of = (model: string, is: 'hasFormat' | 'isRight') =>
    answers.filter((answer) => answer.model === model).map((answer) => Number(answer[is]));
  const format: Watched = {
    name: 'format',
    before: of('gpt-4-0314', 'hasFormat'),
    after: of('gpt-4-0613', 'hasFormat'),
    published: { before: 0.996, after: 0.947 },
    design: (passed, n) => designBernoulli({ passed, n, arl0: 100_000, failing: 0.05 }),
    arl0: 100_000,
    limitCalls: 120,
    fixed: { calls: 1_000, below: () => 0.95, name: '< 95 % over 1,000' },
  };
  const accuracy: Watched = {
    name: 'accuracy',
    before: of('gpt-4-0314', 'isRight'),
    after: of('gpt-4-0613', 'isRight'),
    published: { before: 0.84, after: 0.502 },
    design: (passed, n) =>
      designMean({
        scores: [
          [0, n - passed],
          [1, passed],
        ],
        arl0: 30_000,
        fall: 0.15,
      }),
    arl0: 30_000,
    limitCalls: 80,
    fixed: {
      calls: 300,
      below: (baseline) => 0.85 * baseline,
      name: '−15 % over 30 min at 10 judged calls/min',
    },
  };
  return [format, accuracy].flatMap(measured);
}

function measured(watched: Watched): Measurement[] {
  const { name, before, after, published, limitCalls, arl0, fixed } = watched;
  const streams = streamsOf(watched, chanceFrom(SEED));
  const ours = watch(streams, ({ passed, n }) => {
    const design = watched.design(passed, n);
    if (design === null) throw new Error(`no chart for ${passed} of ${n}`);
    return {
      chart: (statistic, outcome) => nextStatistic(statistic, outcome, design),
      limit: design.limit,
    };
  });
  const knowing = knowingChart(watched, { streams, falseAlarms: ours.falseAlarms });
  const fixedDelays = streams.flatMap(({ baseline, swaps }) =>
    swaps.map((swap) => windowDelay(swap, fixed.calls, fixed.below(baseline.passed / baseline.n))),
  );
  const calls = `${name}: calls from the swap`;
  return [
    asPublished({
      name: `${name} before the swap`,
      floor: published.before,
      value: meanOf(before),
      unit: 'share',
      tolerance: 0.001,
    }),
    asPublished({
      name: `${name} after the swap`,
      floor: published.after,
      value: meanOf(after),
      unit: 'share',
      tolerance: 0.001,
    }),
    atMost({
      name: `${name}: false alarms beside the promise`,
      floor: 1,
      value: (ours.falseAlarms / ours.quietCalls) * arl0,
      unit: `in ${arl0} calls`,
      limit: 1,
    }),
    atMost({
      name: `${calls} to a warning, median, beside the fixed rule (${fixed.name})`,
      floor: quantile(fixedDelays, 0.5),
      value: quantile(ours.delays, 0.5),
      unit: 'calls',
      limit: limitCalls,
    }),
    atMost({
      name: `${calls} to a warning, 95 %, beside the fixed rule`,
      floor: quantile(fixedDelays, 0.95),
      value: quantile(ours.delays, 0.95),
      unit: 'calls',
      limit: quantile(fixedDelays, 0.95),
    }),
    atMost({
      name: `${calls} to a warning, mean, beside a CUSUM that knows both shares`,
      floor: meanOf(knowing.delays),
      value: meanOf(ours.delays),
      unit: 'calls',
      limit: 1.5 * meanOf(knowing.delays),
    }),
  ];
}

function streamsOf({ before, after }: Watched, chance: Chance): Stream[] {
  const draw = (from: Outcomes, n: number) => Uint8Array.from({ length: n }, () => chance.pick(from));
  return Array.from({ length: SERVICES }, () => ({
    baseline: { passed: draw(before, BASELINE_CALLS).reduce((sum, one) => sum + one, 0), n: BASELINE_CALLS },
    quiet: draw(before, QUIET_CALLS),
    swaps: Array.from({ length: SWAPS_PER_SERVICE }, () => ({
      lead: draw(before, LEAD_CALLS),
      after: draw(after, MOST_DELAY),
    })),
  }));
}

interface Watching {
  falseAlarms: number;
  quietCalls: number;
  delays: number[];
}

/** A chart starts again after each false alarm; one that is up when the swap comes starts again there. */
function watch(
  streams: readonly Stream[],
  chartFor: (baseline: Stream['baseline']) => { chart: Chart; limit: number },
): Watching {
  const result: Watching = { falseAlarms: 0, quietCalls: 0, delays: [] };
  for (const { baseline, quiet, swaps } of streams) {
    const { chart, limit } = chartFor(baseline);
    let statistic = 0;
    for (const outcome of quiet) {
      statistic = chart(statistic, outcome);
      if (statistic <= limit) continue;
      result.falseAlarms += 1;
      statistic = 0;
    }
    result.quietCalls += quiet.length;
    for (const { lead, after } of swaps) {
      statistic = 0;
      for (const outcome of lead) {
        statistic = chart(statistic, outcome);
        if (statistic > limit) statistic = 0;
      }
      const at = after.findIndex((outcome) => {
        statistic = chart(statistic, outcome);
        return statistic > limit;
      });
      result.delays.push(at === -1 ? after.length : at + 1);
    }
  }
  return result;
}

/** Log-likelihood weights from the true shares; the lowest limit with no more false alarms than ours on the same calls. */
function knowingChart(
  { before, after }: Watched,
  { streams, falseAlarms }: { streams: readonly Stream[]; falseAlarms: number },
): Watching {
  const [p0, p1] = [meanOf(before), meanOf(after)];
  const [bad, good] = [Math.log((1 - p1) / (1 - p0)), Math.log(p1 / p0)];
  const chart: Chart = (statistic, outcome) => Math.max(0, statistic + (outcome === 1 ? good : bad));
  let [low, high] = [0, 30];
  const quietOnly = streams.map((stream) => ({ ...stream, swaps: [] }));
  for (let i = 0; i < 10; i += 1) {
    const limit = (low + high) / 2;
    if (watch(quietOnly, () => ({ chart, limit })).falseAlarms <= falseAlarms) high = limit;
    else low = limit;
  }
  return watch(streams, () => ({ chart, limit: high }));
}

/** Calls until the newest `calls` have a lower share than that. */
function windowDelay(
  { lead, after }: { lead: Uint8Array; after: Uint8Array },
  calls: number,
  below: number,
): number {
  const all = [...lead.subarray(lead.length - calls), ...after];
  let passed = all.slice(0, calls).reduce((sum, one) => sum + one, 0);
  for (let i = calls; i < all.length; i += 1) {
    passed += (all[i] ?? 0) - (all[i - calls] ?? 0);
    if (passed < below * calls) return i - calls + 1;
  }
  return after.length;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
