import { phraseFinder } from './phrases.ts';

/** The speaker doubts itself: one of these is enough. */
const doubts = [
  ...["i'm not sure", 'i am not sure', "i'm not certain", 'i am not certain', "i'm unsure", 'i am unsure'],
  ...["i'm not entirely sure", "i'm not completely sure", "i'm not familiar with", 'i am not familiar with'],
  ...['to the best of my knowledge', 'as far as i know', 'as far as i am aware', "as far as i'm aware"],
  ...['i may be wrong', 'i might be wrong', 'i could be wrong', 'i may be mistaken', 'i might be mistaken'],
  ...['i cannot verify', "i can't verify", 'i cannot confirm', "i can't confirm", 'i have no way of knowing'],
  ...["i don't have access to", 'i do not have access to', "i don't have enough information"],
  ...['i do not have enough information', "i don't have information", 'i do not have information'],
  ...["i don't know", 'i do not know', "i don't recall", 'if i recall correctly', 'if i remember correctly'],
  ...['my knowledge cutoff', 'my knowledge cut off', 'my last update', 'my training data', 'as an ai'],
  ...['please verify', 'please double check', 'there is no reliable information', 'it is unclear'],
  ...['ich bin mir nicht sicher', 'soweit ich weiß', 'je ne suis pas sûr', 'à ma connaissance'],
  ...['no estoy seguro', 'hasta donde sé', 'non sono sicuro', 'não tenho certeza', 'ik weet het niet zeker'],
];

/** Words that soften a claim: common in any prose, telling only when there are many of them. */
const softeners = [
  ...['might', 'maybe', 'perhaps', 'possibly', 'probably', 'presumably', 'supposedly', 'reportedly'],
  ...['allegedly', 'seemingly', 'apparently', 'conceivably', 'arguably', 'roughly speaking'],
  ...['i think', 'i believe', 'i guess', 'i suppose', 'i assume', 'it seems', 'seems to', 'seem to'],
  ...['it appears', 'appears to', 'appear to', 'could be', 'may be', 'may have', 'could have', 'likely'],
  ...['it is possible', "it's possible", 'it is likely', "it's likely", 'not clear', 'uncertain', 'unclear'],
  ...['in some cases', 'to some extent', 'generally speaking', 'more or less', 'sort of', 'kind of'],
  ...['vielleicht', 'möglicherweise', 'vermutlich', 'wahrscheinlich', 'peut-être', 'probablement'],
  ...['quizás', 'tal vez', 'posiblemente', 'probablemente', 'forse', 'probabilmente', 'talvez', 'misschien'],
];

const SOFTENERS_AT_LEAST = 2;
const WORDS_PER_SOFTENER = 40;

const findDoubts = phraseFinder(doubts);
const findSofteners = phraseFinder(softeners);

/** Policy: an answer hedges when its speaker doubts itself, or when one word in forty or more softens a claim. */
export function isHedged(words: readonly string[]): boolean {
  if (findDoubts(words).length > 0) return true;
  const softened = findSofteners(words).length;
  return softened >= SOFTENERS_AT_LEAST && softened * WORDS_PER_SOFTENER >= words.length;
}
