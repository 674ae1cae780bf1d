const SHORTEST_SOURCE_CHARS = 80;
const ADDRESS = /https?:\/\/[^\s]{1,2000}/gi;

const nouns =
  'context|sources?|documents?|passage|article|excerpts?|references?|background|knowledge|facts|data|e-?mail|transcript' +
  '|policy|report|paragraph|search results?|text|input|story|review|contract|manual|notes|kontext|quellen?|dokumente?' +
  '|textes?|contexte|documentos?|contexto|fuentes?|contesto|fonti|bron(?:nen)?';

// Every repeat is bounded, and a match starts at its own line, tag or word.
const markers = [
  new RegExp(`^[#*> \\t-]{0,6}(?:${nouns})\\b[^:\\n]{0,30}:`, 'im'),
  new RegExp(`<(?:${nouns})\\b[^<>\\n]{0,80}>`, 'i'),
  new RegExp(
    `\\b(?:following|given|provided|attached|below|above|this|these) (?:[a-z]{1,12} ){0,2}?(?:${nouns})\\b`,
    'i',
  ),
  /"""|```|^-{3,}\s*$/m,
];

/**
 * Policy: an input carries a source when it names one (a label at the start of a line, a tag, "the following text",
 * a fence) and is long enough to hold it; an address alone is none. All of the input then counts as the source.
 */
export function carriesSource(input: string): boolean {
  if (input.length < SHORTEST_SOURCE_CHARS) return false;
  return (
    input.replace(ADDRESS, '').length >= SHORTEST_SOURCE_CHARS && markers.some((marker) => marker.test(input))
  );
}
