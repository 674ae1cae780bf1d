import { compareClaims } from './claims.ts';
import { isHedged } from './hedging.ts';
import { isRefusal } from './refusal.ts';
import { carriesSource } from './source-text.ts';
import { wordCounts, wordsOf } from './words.ts';

export interface CallTexts {
  input: string | null;
  output: string | null;
}

/** What the texts of one call show by themselves, without a model. Null: there was nothing to look at. */
export interface CallFeatures {
  inputChars: number | null;
  refused: boolean | null;
  hedged: boolean | null;
  /** Null as well when the input carries no source to compare with. */
  contradicts: boolean | null;
  unsupported: boolean | null;
  /** Counts of the output's lower-case words in 64 hashed buckets. */
  words: number[] | null;
}

/** Longer texts are looked at up to here, so that one call never holds up the others. */
const LOOKED_AT_CHARS = 100_000;

/** Pure, and linear in the length of the texts whatever they hold. */
export function inspectCall({ input, output }: CallTexts): CallFeatures {
  const inputChars = input?.length ?? null;
  if (output === null) {
    return { inputChars, refused: null, hedged: null, contradicts: null, unsupported: null, words: null };
  }
  const text = output.slice(0, LOOKED_AT_CHARS);
  const source = input?.slice(0, LOOKED_AT_CHARS) ?? '';
  const words = wordsOf(text);
  const claims = carriesSource(source) ? compareClaims(text, source) : null;
  return {
    inputChars,
    refused: isRefusal(text),
    hedged: isHedged(words),
    contradicts: claims?.contradicts ?? null,
    unsupported: claims?.unsupported ?? null,
    words: wordCounts(words),
  };
}
