import { meanBelow } from '../compare/means.ts';
import { knownOf } from '../compare/readings.ts';
import { binShares, populationStability, quantileEdges } from '../drift.ts';
import { type Judgement, judged, NOTHING_SEEN, unjudged, verdictOf } from '../judgement.ts';
import type { Readings, Rule } from '../rule.ts';
import { baselineOf, ESCALATES, lastMinutes, newestCalls, shipped } from '../shipped.ts';

type Names =
  | 'window'
  | 'baseline'
  | 'input'
  | 'inputBaseline'
  | 'words'
  | 'wordsBaseline'
  | 'similarity'
  | 'similarityBaseline'
  | 'canaries';
type Settings = Rule['defaults'];

const BINS = 10;
/** Older outputs say nothing about a drift now. */
const LATEST_MINUTES = 360;
/** The divergence of words is at most 1, and small where the index of lengths is large already. */
const WORDS_PART = 0.4;
/** What comes once in 1,000 comparisons without a shift. */
const CHANCE = 0.001;
/** A share of the baseline, as for scores. */
const SIMILARITY = { threshold: 0.15, clear_threshold: 0.1, min_samples: 100 };
/** Of all canaries; less than one of four deviating is as good as none. */
const CANARIES = { threshold: 0.5, clear_threshold: 0.25, min_samples: 1, min_baseline: 0 };

/**
 * Policy: fires when semantic similarity fell more than 15 % below its baseline; where nobody measures that, when the
 * newest 500 outputs of 6 hours differ from the baseline's in length (PSI) by more than 0.5, or in words (a lexical
 * stand-in, Jensen–Shannon) by more than 0.2, and more than chance does once in 1,000; or when at least half of the canaries deviate twice in a row.
 * A shift is not yet harm: it is never past its bound. When the inputs changed as well, it says so.
 */
export const qualityDrift: Rule<Names> = {
  id: 'quality.drift',
  warning: false,
  metric: 'Output drift',
  title: 'Answers drifted',
  policy:
    'semantic similarity fell 15 % below its baseline; else the lengths of the newest outputs are further than the threshold, or their words than 0.4 of it, and than chance, from the baseline; or half of the canaries deviate twice in a row',
  unit: 'index',
  neutral: 0,
  defaults: shipped({
    threshold: 0.5,
    clear_threshold: 0.35,
    window_minutes: 60,
    window_calls: 500,
    min_samples: 400,
    min_baseline: 200,
    quiet_minutes: 30,
    ...ESCALATES.quality,
  }),
  asks: ({ window_calls: calls, window_minutes: minutes }) => ({
    window: newestCalls('length', calls, LATEST_MINUTES),
    baseline: baselineOf('length', minutes),
    input: newestCalls('input-length', calls, LATEST_MINUTES),
    inputBaseline: baselineOf('input-length', minutes),
    words: newestCalls('words', calls, LATEST_MINUTES),
    wordsBaseline: baselineOf('words', minutes),
    similarity: lastMinutes('similarity', minutes),
    similarityBaseline: baselineOf('similarity', minutes),
    canaries: lastMinutes('canaries', minutes),
  }),
  judge: (readings, settings) => {
    const worst = worstOf(dimensionsOf(readings, settings));
    const isMixed = worst.state === 'firing' && lengthsOf(inputs(readings), settings).state === 'firing';
    const detail = isMixed ? `${worst.detail}; the inputs changed in length too` : worst.detail;
    return verdictOf('quality.drift', { ...worst, detail });
  },
};

const inputs = ({ input, inputBaseline }: Readings<Names>) => ({ window: input, baseline: inputBaseline });

function dimensionsOf(readings: Readings<Names>, settings: Settings): Judgement[] {
  const similarity = similarityOf(readings, settings);
  const isMeasured = similarity.state === 'ok' || similarity.state === 'firing';
  const standIns = isMeasured ? [] : [wordsOf(readings, settings), lengthsOf(readings, settings)];
  return [similarity, ...standIns, canariesOf(readings)];
}

/** What fires wins, then what was judged at all, then what had too little; clear is only what is clear in all. */
function worstOf(dimensions: readonly Judgement[]): Judgement {
  const order = ['firing', 'ok', 'insufficient', 'no-data'] as const;
  const worst = order.flatMap((state) => dimensions.filter((one) => one.state === state))[0];
  if (worst === undefined) return unjudged('no-data', NOTHING_SEEN);
  const known = dimensions.filter((one) => one.state === 'ok' || one.state === 'firing');
  return {
    ...worst,
    pastBound: false,
    unmistakable: false,
    isClear: known.length > 0 && known.every((one) => one.isClear),
  };
}

function similarityOf({ similarity, similarityBaseline }: Readings<Names>, settings: Settings): Judgement {
  const limits = { ...SIMILARITY, min_baseline: settings.min_baseline };
  const judgement = meanBelow({ window: similarity, baseline: similarityBaseline }, limits);
  return { ...judgement, detail: 'semantic similarity' };
}

function wordsOf({ words, wordsBaseline }: Readings<Names>, settings: Settings): Judgement {
  const [expected, actual] = [wordsBaseline?.words, words?.words];
  const sizes = { n: words?.n ?? 0, m: wordsBaseline?.n ?? 0 };
  if (expected === undefined || actual === undefined) return lacking(sizes, settings, 'words of the outputs');
  const detail = 'lexical stand-in for semantic similarity';
  const limits = {
    ...settings,
    threshold: WORDS_PART * settings.threshold,
    clear_threshold: WORDS_PART * settings.clear_threshold,
  };
  return shiftOf('jensenShannon', { expected, actual, ...sizes, detail }, limits);
}

function lengthsOf({ window, baseline }: Readings<'window' | 'baseline'>, settings: Settings): Judgement {
  const [after, before] = [window?.distribution, baseline?.distribution];
  const sizes = { n: window?.n ?? 0, m: baseline?.n ?? 0 };
  const detail = 'lengths of the outputs';
  if (after === undefined || before === undefined) return lacking(sizes, settings, detail);
  const edges = quantileEdges(before, BINS);
  const [expected, actual] = [binShares(before, edges), binShares(after, edges)];
  return shiftOf('psi', { expected, actual, ...sizes, detail }, settings);
}

interface Shifted {
  expected: readonly number[];
  actual: readonly number[];
  n: number;
  m: number;
  detail: string;
}

function shiftOf(
  index: 'psi' | 'jensenShannon',
  { detail, ...counts }: Shifted,
  settings: Settings,
): Judgement {
  if (counts.n < settings.min_samples || counts.m < settings.min_baseline) {
    return lacking(counts, settings, detail);
  }
  const stability = populationStability(counts);
  const value = stability[index];
  // The index has a null quantile of its own; the divergence is judged by the G-test.
  const isChance = index === 'psi' ? value <= stability.threshold : stability.pValue > CHANCE;
  const limit = index === 'psi' ? Math.max(settings.threshold, stability.threshold) : settings.threshold;
  return judged(
    { ...seenOf(counts, detail), value, threshold: limit },
    { isPast: (threshold) => value > threshold && !isChance },
    settings,
  );
}

function lacking(sizes: { n: number; m: number }, settings: Settings, detail: string): Judgement {
  const seen = { ...seenOf(sizes, detail), threshold: settings.threshold };
  return unjudged(sizes.n === 0 ? 'no-data' : 'insufficient', seen);
}

const seenOf = ({ n, m }: { n: number; m: number }, detail: string) => ({
  ...NOTHING_SEEN,
  n,
  baselineN: m,
  detail,
});

function canariesOf({ canaries }: Readings<Names>): Judgement {
  const known = knownOf(canaries);
  const seen = {
    ...NOTHING_SEEN,
    n: canaries?.n ?? 0,
    threshold: CANARIES.threshold,
    detail: known?.about === undefined ? 'canaries' : `canaries: ${known.about}`,
  };
  if (known === null) return unjudged('no-data', seen);
  if (known.n < CANARIES.min_samples) return unjudged('insufficient', { ...seen, value: known.value });
  const isPast = (limit: number) => known.value >= limit;
  return judged({ ...seen, value: known.value }, { isPast }, CANARIES);
}
