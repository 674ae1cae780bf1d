import { wordsOf } from '../sources/content/words.ts';

/** A word that failing inputs hold far more often than sound ones. */
export interface Topic {
  word: string;
  failing: number;
  sound: number;
}

const LEAST_FAILING = 3;
const LEAST_SHARE = 0.15;
const TIMES_MORE = 3;
const SHORTEST_WORD = 4;
const MOST_TOPICS = 5;

/**
 * Policy: a topic is a word of four letters or more in at least 15 % of the failing inputs (and three), at least three
 * times as often as in sound ones, of which one more is assumed to hold it. The strongest five come first.
 */
export function topicsOf(failing: readonly string[], sound: readonly string[]): Topic[] {
  const inFailing = documentCounts(failing);
  const inSound = documentCounts(sound);
  return [...inFailing]
    .map(([word, n]) => ({ word, failing: n, sound: inSound.get(word) ?? 0 }))
    .map((topic) => ({ topic, lift: liftOf(topic, failing.length, sound.length) }))
    .filter(
      ({ topic, lift }) =>
        topic.failing >= Math.max(LEAST_FAILING, LEAST_SHARE * failing.length) && lift >= TIMES_MORE,
    )
    .sort(
      (a, b) =>
        b.topic.failing - a.topic.failing || b.lift - a.lift || (a.topic.word < b.topic.word ? -1 : 1),
    )
    .slice(0, MOST_TOPICS)
    .map(({ topic }) => topic);
}

const liftOf = ({ failing, sound }: Topic, nFailing: number, nSound: number) =>
  failing / nFailing / ((sound + 1) / (nSound + 1));

/** In how many texts each word is; numbers are nobody's topic. */
function documentCounts(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(wordsOf(text)))
      if (word.length >= SHORTEST_WORD && !/\d/.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}
