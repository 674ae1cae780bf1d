import { type Token, tokensOf } from './claim-tokens.ts';
import { type Quantity, quantitiesIn } from './quantities.ts';
import { wordsOf } from './words.ts';

const QUANTITIES_AT_MOST = 200;
/** How many numbers of the source may be combined to explain one of the output. */
const COMBINED_AT_MOST = 24;
/** Small numbers count things that a source names without counting them. */
const SMALLEST_CLAIM = 13;
const CONVERSIONS = [7, 12, 24, 60, 100, 1_000, 3_600];
const NAME_WORDS_AT_MOST = 6;
const DECIMALS = 6;

export interface Claims {
  /** A number for which the source says another one, about the same thing. */
  contradicts: boolean;
  /** A number, name, quotation or address that the source does not hold. */
  unsupported: boolean;
}

/**
 * What an output claims beside what its source says. Linear: a text's quantities are capped, and each is compared with
 * a bounded number of others.
 */
export function compareClaims(output: string, source: string): Claims {
  const said = tokensOf(output);
  const known = tokensOf(source);
  const given = quantitiesIn(source, known);
  const isKnown = explainer(given);
  const claimed = quantitiesIn(output, said).slice(0, QUANTITIES_AT_MOST);
  const unexplained = claimed.filter((quantity) => !isKnown(quantity));
  const words = new Set(wordsOf(source));
  const contradicts = contradictionIn(unexplained, given);
  const strange = unexplained.some(({ value }) => value >= SMALLEST_CLAIM || !Number.isInteger(value));
  const unsupported =
    strange ||
    hasStrangeAddress(output, source) ||
    hasStrangeQuote(output, words) ||
    hasStrangeName(said, words);
  return { contradicts, unsupported };
}

/** Policy: a number is known when the source has it, rounds to it, or two of the source's numbers make it. */
function explainer(given: readonly Quantity[]): (quantity: Quantity) => boolean {
  const values = new Set(given.map(({ value }) => value));
  const byDecimals = new Map<number, Set<number>>();
  let derived: Set<number> | null = null;
  return ({ value, decimals }) => {
    if (values.has(value)) return true;
    const places = Math.min(DECIMALS, Math.round(decimals));
    const coarse = byDecimals.get(places) ?? new Set([...values].map((known) => rounded(known, places)));
    byDecimals.set(places, coarse);
    derived ??= derivedFrom([...values].slice(0, COMBINED_AT_MOST));
    return coarse.has(value) || derived.has(rounded(value, DECIMALS));
  };
}

function derivedFrom(values: readonly number[]): Set<number> {
  const derived = new Set<number>();
  for (const [at, a] of values.entries()) {
    for (const b of values.slice(at + 1)) {
      derived.add(rounded(a + b, DECIMALS)).add(rounded(Math.abs(a - b), DECIMALS));
    }
    for (const factor of CONVERSIONS) {
      derived.add(rounded(a * factor, DECIMALS)).add(rounded(a / factor, DECIMALS));
    }
  }
  return derived;
}

/** `places` after the point; negative ones are zeros before it. */
function rounded(value: number, places: number): number {
  const unit = 10 ** Math.abs(places);
  return places < 0 ? Math.round(value / unit) * unit : Math.round(value * unit) / unit;
}

/** Policy: same unit, a word of its surroundings in common, and a number that the source does not explain. */
function contradictionIn(unexplained: readonly Quantity[], given: readonly Quantity[]): boolean {
  const byKey = new Map<string, Quantity[]>();
  for (const quantity of given) {
    for (const key of quantity.keys) {
      const same = byKey.get(key) ?? [];
      if (same.length < COMBINED_AT_MOST) same.push(quantity);
      byKey.set(key, same);
    }
  }
  return unexplained.some((quantity) => {
    const others = quantity.keys.flatMap((key) => byKey.get(key) ?? []);
    if (others.length === 0) return false;
    const stems = [...quantity.around()];
    return others.some((other) => {
      const around = other.around();
      return stems.some((stem) => around.has(stem));
    });
  });
}

const ADDRESS = /https?:\/\/[^\s<>"')\]]{1,400}/gi;
const QUOTE = /[“„"]([^“”„"\n]{4,200})[”“"]/g;

function hasStrangeAddress(output: string, source: string): boolean {
  const bare = (text: string) =>
    (text.match(ADDRESS) ?? []).map((url) => url.replace(/[.,;:!?/]+$/, '').toLowerCase());
  const known = new Set(bare(source));
  return bare(output).some((url) => !known.has(url));
}

function hasStrangeQuote(output: string, known: ReadonlySet<string>): boolean {
  for (const [, quoted = ''] of output.matchAll(QUOTE)) {
    const words = wordsOf(quoted);
    if (words.length > 1 && words.some((word) => !known.has(word))) return true;
  }
  return false;
}

/** Policy: two or more capitalised words in a row, inside a sentence, whose last word the source does not hold. */
function hasStrangeName(tokens: readonly Token[], known: ReadonlySet<string>): boolean {
  let run: Token[] = [];
  for (const [at, token] of tokens.entries()) {
    const previous = tokens[at - 1];
    const isCapital = token.kind === 'word' && /^\p{Lu}/u.test(token.text);
    const isSameSentence = previous?.sentence === token.sentence && previous.kind !== 'mark';
    const follows = run.length > 0 && isSameSentence && token.start - previous.end === 1;
    if (isCapital && follows) run.push(token);
    else {
      if (isStrange(run, known)) return true;
      run = isCapital && isSameSentence ? [token] : [];
    }
  }
  return isStrange(run, known);
}

function isStrange(run: readonly Token[], known: ReadonlySet<string>): boolean {
  if (run.length < 2 || run.length > NAME_WORDS_AT_MOST) return false;
  const words = run.map(({ text }) => wordsOf(text).join(' ').replace(/'s$/, ''));
  const initials = words.map((word) => word[0] ?? '').join('');
  return !known.has(words.at(-1) ?? '') && !known.has(`${words.at(-1)}'s`) && !known.has(initials);
}
