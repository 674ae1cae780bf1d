import { franc } from 'franc-min';
import { mean } from 'simple-statistics';
import { wholePercent } from '../detection/amount.ts';
import { wordCounts, wordsOf } from '../sources/content/words.ts';
import type { SampledInput } from '../sources/input-sample-store.ts';
import { type Compared, compareCategories, compareCounts, compareNumbers, holm } from './two-samples.ts';

/** One way in which requests may differ from before; `p` is adjusted for all that were asked at once. */
export interface Shift extends Compared {
  measure: string;
  before: string;
  after: string;
  /** Requests that could be compared, before and after. */
  nBefore: number;
  n: number;
  /** Null where nothing stands out: what is new, or grew most. */
  note: string | null;
}

const LANGUAGES_OF = 150;
const LANGUAGE_CHARS = 300;
/** Shorter texts are in no language that can be told. */
const LEAST_CHARS = 20;
const NEW_SHARE = 0.05;

/**
 * Compares the requests of an incident with those before it: their length, language, words, users and endpoints. Measures
 * with no data on a side are left out. With k measures asked, p-values are adjusted after Holm.
 */
export function inputShifts(before: readonly SampledInput[], after: readonly SampledInput[]): Shift[] {
  const found = [
    numberShift('input characters', [before, after], ({ chars }) => chars),
    numberShift('input tokens', [before, after], ({ tokens }) => tokens),
    categoryShift('language', [before.slice(0, LANGUAGES_OF), after.slice(0, LANGUAGES_OF)], languageOf),
    vocabularyShift(before, after),
    categoryShift('users not seen the day before', [before, after], ({ isKnownUser }) =>
      isKnownUser === null ? null : isKnownUser ? 'seen before' : 'new',
    ),
    categoryShift('endpoint', [before, after], ({ endpoint }) => endpoint),
  ].filter((one) => one !== null);
  const adjusted = holm(found.map(({ p }) => p));
  return found.map((one, index) => ({ ...one, p: adjusted[index] ?? one.p }));
}

type Sides = readonly [readonly SampledInput[], readonly SampledInput[]];

function numberShift(
  measure: string,
  sides: Sides,
  numberIn: (input: SampledInput) => number | null,
): Shift | null {
  const [before = [], after = []] = sides.map((side) => side.flatMap((input) => numberIn(input) ?? []));
  const compared = compareNumbers(before, after);
  if (compared === null) return null;
  const typical = (values: readonly number[]) => `${Math.round(mean([...values]))} on average`;
  const sizes = { nBefore: before.length, n: after.length };
  return { measure, ...compared, before: typical(before), after: typical(after), ...sizes, note: null };
}

function categoryShift(
  measure: string,
  sides: Sides,
  nameOf: (input: SampledInput) => string | null,
): Shift | null {
  const [before = [], after = []] = sides.map((side) => side.flatMap((input) => nameOf(input) ?? []));
  const compared = compareCategories(before, after);
  if (compared === null) return null;
  const shares = [sharesOf(before), sharesOf(after)] as const;
  const sizes = { nBefore: before.length, n: after.length };
  return {
    measure,
    ...compared,
    before: top(shares[0]),
    after: top(shares[1]),
    ...sizes,
    note: fresh(shares),
  };
}

function sharesOf(names: readonly string[]): Map<string, number> {
  const groups = Map.groupBy(names, (name) => name);
  const shares = [...groups].map(([name, all]): [string, number] => [name, all.length / names.length]);
  return new Map(shares.sort((a, b) => b[1] - a[1]));
}

function top(shares: ReadonlyMap<string, number>): string {
  return [...shares]
    .slice(0, 3)
    .map(([name, share]) => `${name} ${wholePercent(share)}`)
    .join(', ');
}

/** A source of traffic that was not there before. */
function fresh([before, after]: readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>]):
  | string
  | null {
  const names = [...after].filter(([name, share]) => share >= NEW_SHARE && !before.has(name));
  return names.length === 0
    ? null
    : `new: ${names.map(([name, share]) => `${name} (${wholePercent(share)})`).join(', ')}`;
}

function languageOf({ text }: SampledInput): string | null {
  if (text === null || text.length < LEAST_CHARS) return null;
  const code = franc(text.slice(0, LANGUAGE_CHARS));
  return code === 'und' ? null : code;
}

function vocabularyShift(before: readonly SampledInput[], after: readonly SampledInput[]): Shift | null {
  const countsOf = (side: readonly SampledInput[]) =>
    side.flatMap(({ text }) => (text === null ? [] : [wordCounts(wordsOf(text))]));
  const [first, second] = [countsOf(before), countsOf(after)];
  const compared = compareCounts(first, second);
  if (compared === null) return null;
  const words = (counts: readonly (readonly number[])[]) =>
    `${Math.round(mean(counts.map((each) => each.reduce((sum, n) => sum + n, 0))))} words on average`;
  const sizes = { nBefore: first.length, n: second.length };
  return {
    measure: 'vocabulary',
    ...compared,
    before: words(first),
    after: words(second),
    ...sizes,
    note: null,
  };
}
