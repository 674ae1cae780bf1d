import type { Token } from './claim-tokens.ts';

/** A number in a text, what it counts, and the words around it. */
export interface Quantity {
  value: number;
  /** Digits after the point, to which it may have been rounded; 3.1 million has -5. */
  decimals: number;
  /** What it counts: `%`, a currency, `year`, or the words that follow it, in the singular. */
  keys: readonly string[];
  /** Stems of the content words nearest to it within its sentence; worked out when asked for. */
  around(): ReadonlySet<string>;
}

const NEAREST_TOKENS = 14;
const STEM_CHARS = 5;
const LARGEST_DIGITS = 18;

const currencies: Readonly<Record<string, string>> = {
  ...{ $: 'usd', usd: 'usd', dollar: 'usd', dollars: 'usd', '£': 'gbp', gbp: 'gbp', pounds: 'gbp' },
  ...{ '€': 'eur', eur: 'eur', euro: 'eur', euros: 'eur', '¥': 'jpy', jpy: 'jpy', yen: 'jpy' },
};
const units: Readonly<Record<string, string>> = {
  ...{ h: 'hour', hr: 'hour', hrs: 'hour', min: 'minute', mins: 'minute', sec: 'second', secs: 'second' },
  ...{
    percent: '%',
    pct: '%',
    kilometers: 'km',
    kilometres: 'km',
    kilograms: 'kg',
    meters: 'm',
    metres: 'm',
  },
};
const scales: Readonly<Record<string, number>> = {
  ...{ thousand: 1e3, k: 1e3, million: 1e6, mn: 1e6, billion: 1e9, bn: 1e9, trillion: 1e12 },
};
const named: Readonly<Record<string, number>> = {
  ...{ two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, eleven: 11 },
  ...{ twelve: 12, fifteen: 15, twenty: 20, thirty: 30, forty: 40, fifty: 50, sixty: 60, ninety: 90 },
};
const ordinals = new Set(['st', 'nd', 'rd', 'th']);
const beforeYears = new Set(
  (
    'in since from until by of year january february march april may june july august september october november ' +
    'december'
  ).split(' '),
);
const stopWords = new Set(
  (
    'a an and are as at be been but by can could did do does for from had has have he her his i if in into is it its ' +
    'more most no not of on or our she should so than that the their then there these they this to up was we were ' +
    'what when where which while who will with would you your about after all also before between each every first ' +
    'only other over per some such through under within only both least'
  ).split(' '),
);

/** Numbers of the text that mean a quantity: no list marker, no citation, no part of a name such as GPT-4. */
export function quantitiesIn(text: string, tokens: readonly Token[]): Quantity[] {
  const quantities: Quantity[] = [];
  for (const [at, token] of tokens.entries()) {
    const value = readNumber(token);
    if (value === null || isLabel(text, token)) continue;
    quantities.push(...quantityAt(tokens, at, value));
  }
  return quantities;
}

function readNumber({ kind, text }: Token): { value: number; decimals: number }[] | null {
  if (kind === 'word') {
    const value = named[text.toLowerCase()];
    return value === undefined ? null : [{ value, decimals: 0 }];
  }
  return kind === 'number' && text.length <= LARGEST_DIGITS ? readings(text) : null;
}

/** One comma or point before three digits may mark thousands or decimals: both are read. */
function readings(text: string): { value: number; decimals: number }[] | null {
  if (/^\d+$/.test(text)) return [{ value: Number(text), decimals: 0 }];
  const marks = text.replace(/\d/g, '');
  const parts = text.split(/[.,]/);
  const last = parts.at(-1) ?? '';
  const whole = { value: Number(parts.join('')), decimals: 0 };
  const broken = { value: Number(`${parts.slice(0, -1).join('')}.${last}`), decimals: last.length };
  const hasGroups = parts.slice(1, -1).every((part) => part.length === 3);
  if (marks.length === 1) return last.length === 3 ? [whole, broken] : [broken];
  if (!hasGroups) return null;
  if (new Set(marks).size === 1) return last.length === 3 ? [whole] : null;
  return [broken];
}

function isLabel(text: string, { kind, start, end }: Token): boolean {
  if (kind === 'word') return false;
  const before = text.slice(Math.max(0, start - 2), start);
  const isPartOfName = /[\p{L}_]-?$|[#[]$/u.test(before);
  const isListMarker =
    /(?:^|\n)\s*$/.test(text.slice(Math.max(0, start - 4), start)) && /^[.):]/.test(text.slice(end, end + 1));
  return isPartOfName || isListMarker;
}

function quantityAt(
  tokens: readonly Token[],
  at: number,
  values: readonly { value: number; decimals: number }[],
): Quantity[] {
  const token = tokens[at];
  if (token === undefined) return [];
  const sentence = (index: number) => tokens[index]?.sentence === token.sentence;
  const text = (index: number) => (sentence(index) ? (tokens[index]?.text.toLowerCase() ?? '') : '');
  const scale = Object.hasOwn(scales, text(at + 1)) ? (scales[text(at + 1)] ?? 1) : 1;
  const next = scale === 1 ? at + 1 : at + 2;
  const isYear =
    token.kind === 'number' && /^(?:1\d|20)\d\d$/.test(token.text) && beforeYears.has(text(at - 1));
  const keys = isYear ? ['year'] : keysOf(text(at - 1), [text(next), text(next + 1)]);
  const around = () => aroundOf(tokens, at, new Set(keys));
  return values.map(({ value, decimals }) => ({
    value: value * scale,
    decimals: decimals - Math.round(Math.log10(scale)),
    keys,
    around,
  }));
}

function keysOf(before: string, following: readonly string[]): string[] {
  const currency = currencies[before] ?? currencies[following[0] ?? ''];
  if (currency !== undefined) return [currency];
  const keys: string[] = [];
  for (const word of following) {
    if (word === '' || ordinals.has(word) || stopWords.has(word)) break;
    if (word === '%') return ['%'];
    if (!/^\p{L}/u.test(word)) break;
    keys.push(units[word] ?? singular(word));
  }
  return keys;
}

function singular(word: string): string {
  return word.length > 3 && word.endsWith('s') ? word.slice(0, -1) : word;
}

function aroundOf(tokens: readonly Token[], at: number, keys: ReadonlySet<string>): Set<string> {
  const stems = new Set<string>();
  const own = tokens[at]?.sentence;
  for (const token of tokens.slice(Math.max(0, at - NEAREST_TOKENS), at + NEAREST_TOKENS)) {
    if (token.kind !== 'word' || token.sentence !== own) continue;
    const word = token.text.toLowerCase();
    const isContent = word.length > 3 && !stopWords.has(word) && !Object.hasOwn(named, word);
    if (isContent && !keys.has(units[word] ?? singular(word))) stems.add(word.slice(0, STEM_CHARS));
  }
  return stems;
}
