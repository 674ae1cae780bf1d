import type { SafetyConfig } from '../../config/content.ts';
import { InputError } from '../../errors.ts';
import { type PhraseSpan, phraseFinder } from './phrases.ts';
import { negations, shippedPolicyWords } from './policy-words.ts';
import { wordSpans, wordsOf } from './words.ts';

/** How often each kind of forbidden phrase stands in a text, and the text without them. */
export interface PhraseFindings {
  counts: ReadonlyMap<string, number>;
  redacted(): string;
}

export type PhraseCheck = (text: string) => PhraseFindings;

const NEGATED_WITHIN_WORDS = 4;

/**
 * Policy: a phrase counts as whole words, in any case and any Unicode form of its letters; a shipped one not after a
 * negation, a configured one always. Throws InputError for a phrase that has no words.
 */
export function policyCheck(
  { policy_words: configured }: Pick<SafetyConfig, 'policy_words'>,
  path = 'services.NAME.safety.policy_words',
): PhraseCheck {
  const shipped = Object.entries(shippedPolicyWords).map(([kind, phrases]) => ({
    kind,
    find: phraseFinder(phrases),
    isCounted: (words: readonly string[], { from }: PhraseSpan) =>
      !words.slice(Math.max(0, from - NEGATED_WITHIN_WORDS), from).some((word) => negations.has(word)),
  }));
  const own = { kind: 'configured', find: finderOf(configured, path), isCounted: () => true };
  return (text) => findIn(text, [...shipped, own]);
}

/** Every phrase of one kind, such as the output classes that are blocked at the moment. */
export function phraseCheck(kind: string, phrases: readonly string[], path: string): PhraseCheck {
  const list = [{ kind, find: finderOf(phrases, path), isCounted: () => true }];
  return (text) => findIn(text, list);
}

function finderOf(phrases: readonly string[], path: string): ReturnType<typeof phraseFinder> {
  const empty = phrases.filter((phrase) => wordsOf(plain(phrase)).length === 0);
  if (empty.length > 0) {
    throw new InputError(empty.map((phrase) => `${path}: ${JSON.stringify(phrase)} has no word to look for`));
  }
  return phraseFinder(phrases.map(plain));
}

interface List {
  kind: string;
  find: ReturnType<typeof phraseFinder>;
  isCounted(words: readonly string[], span: PhraseSpan): boolean;
}

function findIn(text: string, lists: readonly List[]): PhraseFindings {
  const normal = plain(text);
  const words = wordsOf(normal);
  const counts = new Map<string, number>();
  const spans: PhraseSpan[] = [];
  for (const { kind, find, isCounted } of lists) {
    const counted = find(words).filter((span) => isCounted(words, span));
    if (counted.length > 0) counts.set(kind, counted.length);
    spans.push(...counted);
  }
  return { counts, redacted: () => (spans.length === 0 ? text : without(normal, spans)) };
}

/** Compatibility forms and invisible characters hide no word. */
function plain(text: string): string {
  return text.normalize('NFKC').replace(/\p{Cf}/gu, '');
}

function without(text: string, spans: readonly PhraseSpan[]): string {
  const at = wordSpans(text);
  let rest = 0;
  let kept = '';
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const start = at[from]?.start ?? text.length;
    const end = at[to - 1]?.end ?? text.length;
    if (start >= rest) kept += `${text.slice(rest, start)}[removed]`;
    rest = Math.max(rest, end);
  }
  return kept + text.slice(rest);
}
