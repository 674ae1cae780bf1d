// Scripts that put no spaces between words are read character by character.
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)?/gu;

export const BUCKETS = 64;

/** Lower-case words of `text` in order; a curly apostrophe reads as a straight one. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().replaceAll('’', "'").match(WORD) ?? [];
}

/** How often words fall into each of 64 buckets, by FNV-1a of the word. */
export function wordCounts(words: readonly string[]): number[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const word of words) {
    let hash = 0x811c9dc5;
    for (let at = 0; at < word.length; at += 1) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
    const bucket = (hash ^ (hash >>> 16)) & (BUCKETS - 1);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

/** Where each of the words that `wordsOf` finds stands in `text`. */
export function wordSpans(text: string): { start: number; end: number }[] {
  return [...text.matchAll(WORD)].map(({ index, 0: word }) => ({ start: index, end: index + word.length }));
}
