/** A text as words, numbers and the marks that matter between them. */
export interface Token {
  kind: 'word' | 'number' | 'mark';
  text: string;
  start: number;
  end: number;
  /** Counts up at every end of a sentence or line. */
  sentence: number;
}

const TOKEN = /(\d[\d.,]{0,40})|(\p{L}[\p{L}\p{M}\p{N}'’]*)|([$€£¥%!?\n.;:"“”„])/gu;

/** One pass; no match is ever looked at twice. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let sentence = 0;
  const push = (kind: Token['kind'], part: string, start: number) => {
    tokens.push({ kind, text: part, start, end: start + part.length, sentence });
    if (kind === 'mark' && /[.!?\n]/.test(part)) sentence += 1;
  };
  for (const match of text.matchAll(TOKEN)) {
    const [whole, number, word] = match;
    if (number === undefined) {
      push(word === undefined ? 'mark' : 'word', whole, match.index);
      continue;
    }
    const bare = number.replace(/[.,]+$/, '');
    push('number', bare, match.index);
    if (number.slice(bare.length).includes('.')) push('mark', '.', match.index + bare.length);
  }
  return tokens;
}
