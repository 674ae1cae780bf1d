import { median } from 'simple-statistics';
import type { CanaryPrompt } from '../config/content.ts';
import { wordsOf } from '../sources/content/words.ts';

export interface CanaryVerdict {
  deviates: boolean;
  /** For people: how it deviates, or why nothing can be said. Null: as always. */
  detail: string | null;
}

export interface ComparedWith {
  canary: Pick<CanaryPrompt, 'compare' | 'expect'>;
  /** Outputs of its usual runs, see `usualRuns`. */
  history: readonly string[];
  /** The service's format check; null where it has none. */
  isWellFormed: ((output: string) => boolean) | null;
}

/** An earlier run that was answered. */
export interface EarlierRun {
  id: number;
  at: Date;
  deviates: boolean;
}

export const NEEDED_RUNS = 5;
/** So many of the newest usual runs are the history. */
const HISTORY_RUNS = 50;
/** The share of the history that must agree to the letter, to be compared to the letter. */
const STABLE_SHARE = 0.9;
const SIMILARITY_MARGIN = 0.1;
const LENGTH_RANGE = { least: 0.5, most: 2 };
const SETTLED_MS = 24 * 3_600_000;

/**
 * Policy: what a canary is compared with are its last 50 runs that did not deviate. When it deviated in every run for
 * a day, that has been seen by then and is how it answers now: what came before no longer counts.
 */
export function usualRuns(runs: readonly EarlierRun[]): EarlierRun[] {
  const usual = runs.reduce<{ kept: EarlierRun[]; streak: EarlierRun[] }>(
    ({ kept, streak }, run) => {
      if (!run.deviates) return { kept: [...(isSettled(streak) ? streak : kept), run], streak: [] };
      return { kept, streak: [...streak, run] };
    },
    { kept: [], streak: [] },
  );
  return (isSettled(usual.streak) ? usual.streak : usual.kept).slice(-HISTORY_RUNS);
}

function isSettled(streak: readonly EarlierRun[]): boolean {
  const [first, last] = [streak[0], streak.at(-1)];
  if (first === undefined || last === undefined || streak.length < NEEDED_RUNS) return false;
  return last.at.getTime() - first.at.getTime() >= SETTLED_MS;
}

/**
 * Policy: `format` and `contains` ask the output alone; `same` and `similar` compare it with at least 5 usual runs and
 * say nothing before.
 */
export function compareCanary(output: string, compared: ComparedWith): CanaryVerdict {
  const { canary, history, isWellFormed } = compared;
  if (canary.compare === 'format') return formatVerdict(output, isWellFormed);
  if (canary.compare === 'contains') return containsVerdict(output, canary.expect);
  if (history.length < NEEDED_RUNS) {
    return calm(`${history.length} of the ${NEEDED_RUNS} earlier runs that a comparison needs`);
  }
  return canary.compare === 'same' ? sameVerdict(output, history) : similarVerdict(output, history);
}

function formatVerdict(output: string, isWellFormed: ComparedWith['isWellFormed']): CanaryVerdict {
  if (isWellFormed === null) return calm('the service has no format to compare with; configure one');
  return isWellFormed(output) ? calm() : deviating('not in the format of the service');
}

function containsVerdict(output: string, expect: string | undefined): CanaryVerdict {
  if (expect === undefined) return calm('nothing is expected of it; configure "expect"');
  return output.includes(expect) ? calm() : deviating(`does not contain "${expect}"`);
}

/**
 * Policy: `same` deviates when the output is not, to the letter, the one that at least 90 % of the history share. A
 * history that varies more is too unstable for that and is compared by similarity, which is said.
 */
function sameVerdict(output: string, history: readonly string[]): CanaryVerdict {
  const counts = [...Map.groupBy(history, (one) => one).entries()].map(([text, all]) => ({
    text,
    n: all.length,
  }));
  const usual = counts.reduce((a, b) => (b.n > a.n ? b : a));
  const share = `${usual.n} of ${history.length} earlier runs`;
  if (usual.n >= STABLE_SHARE * history.length) {
    return output === usual.text ? calm() : deviating(`not the output of ${share}`);
  }
  const similar = similarVerdict(output, history);
  const unstable = `too unstable to be the same (${share} agree), compared by similarity`;
  return { ...similar, detail: similar.detail === null ? unstable : `${similar.detail}; ${unstable}` };
}

/**
 * Policy: `similar` deviates when the output is less like the history than any output of the history is like the
 * others, by more than 0.1 of cosine similarity over word counts; or when its length is outside half to twice the
 * median and outside all that the history has had.
 */
function similarVerdict(output: string, history: readonly string[]): CanaryVerdict {
  const lengths = history.map((one) => one.length);
  const middle = median(lengths);
  const least = Math.min(LENGTH_RANGE.least * middle, ...lengths);
  const most = Math.max(LENGTH_RANGE.most * middle, ...lengths);
  if (output.length < least || output.length > most) {
    return deviating(`${output.length} characters long, usually ${Math.round(middle)}`);
  }
  const vectors = history.map(countsOf);
  const spread = vectors.map((one, i) => likeness(one, vectors.toSpliced(i, 1)));
  const lowest = Math.min(...spread);
  const found = likeness(countsOf(output), vectors);
  if (found >= lowest - SIMILARITY_MARGIN) return calm();
  const among = `at least ${lowest.toFixed(2)} among themselves`;
  return deviating(`similarity ${found.toFixed(2)} to its last ${history.length} outputs, ${among}`);
}

type Counts = ReadonlyMap<string, number>;

function countsOf(text: string): Counts {
  return new Map([...Map.groupBy(wordsOf(text), (word) => word)].map(([word, all]) => [word, all.length]));
}

/** Mean cosine similarity to the others, 0..1. */
function likeness(counts: Counts, others: readonly Counts[]): number {
  return others.reduce((sum, other) => sum + cosine(counts, other), 0) / others.length;
}

/** Two texts without words are alike; one without words is like no other. */
function cosine(a: Counts, b: Counts): number {
  if (a.size === 0 || b.size === 0) return a.size === b.size ? 1 : 0;
  const product = [...a].reduce((sum, [word, n]) => sum + n * (b.get(word) ?? 0), 0);
  return product / (norm(a) * norm(b));
}

const norm = (counts: Counts) => Math.hypot(...counts.values());

const calm = (detail: string | null = null): CanaryVerdict => ({ deviates: false, detail });
const deviating = (detail: string): CanaryVerdict => ({ deviates: true, detail });
