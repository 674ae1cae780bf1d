import { wordsOf } from './words.ts';

/** A tree of words: every path from the root to an `ends` is a phrase. */
interface Node {
  next: Map<string, Node>;
  ends: boolean;
}

/** Where a phrase stands: from word `from` to before word `to`. */
export interface PhraseSpan {
  from: number;
  to: number;
}

/** Finds phrases as whole words, whatever their case and whatever stands between the words. */
export type PhraseFinder = (words: readonly string[]) => PhraseSpan[];

/**
 * The longest phrase at each place, none overlapping another. Takes time in proportion to the words, times the words
 * of the longest phrase.
 */
export function phraseFinder(phrases: readonly string[]): PhraseFinder {
  const root: Node = { next: new Map(), ends: false };
  for (const phrase of phrases) addPhrase(root, wordsOf(phrase));
  return (words) => {
    const spans: PhraseSpan[] = [];
    for (let from = 0; from < words.length; ) {
      const to = longestAt(root, words, from);
      if (to > from) spans.push({ from, to });
      from = Math.max(to, from + 1);
    }
    return spans;
  };
}

function addPhrase(root: Node, words: readonly string[]): void {
  let node = root;
  for (const word of words) {
    const next = node.next.get(word) ?? { next: new Map(), ends: false };
    node.next.set(word, next);
    node = next;
  }
  if (node !== root) node.ends = true;
}

function longestAt(root: Node, words: readonly string[], from: number): number {
  let longest = from;
  let node: Node | undefined = root;
  for (let at = from; at < words.length && node !== undefined; at += 1) {
    node = node.next.get(words[at] ?? '');
    if (node?.ends) longest = at + 1;
  }
  return longest;
}
