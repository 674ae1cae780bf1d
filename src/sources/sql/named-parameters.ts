import { InputError } from '../../errors.ts';
import { PARAMETER_NAMES, type QueryParameters } from '../own-query.ts';

/** A query text with `$1`, `$2`, … in place of its named parameters, and whose values these are. */
export interface BindableQuery {
  text: string;
  names: (keyof QueryParameters)[];
}

const TYPES = {
  service: 'text',
  environment: 'text',
  from: 'timestamptz',
  to: 'timestamptz',
  newest: 'int',
} as const;

/** What is not looked into: literals, quoted names, comments, dollar quotes, casts, and numbers after a colon. */
const OPAQUE = [/\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'/y, /'(?:[^']|'')*'/y, /"(?:[^"]|"")*"/y, /--[^\n]*/y, /::/y];
const DOLLAR_QUOTE = /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const PARAMETER = /:([A-Za-z_]\w*)/y;
const WORD = /[\w$\u0080-\uffff]+/y;

/**
 * Finds `:service`, `:environment`, `:from`, `:to` and `:newest` outside literals, comments and casts, as Postgres
 * reads them. Throws InputError for any other `:name`.
 */
export function bindable(query: string): BindableQuery {
  const names: (keyof QueryParameters)[] = [];
  let text = '';
  for (let at = 0; at < query.length; ) {
    const end = endOfOpaque(query, at);
    if (end > at) {
      text += query.slice(at, end);
      at = end;
      continue;
    }
    const name = matched(PARAMETER, query, at)?.[1];
    if (name === undefined) {
      text += query[at];
      at += 1;
      continue;
    }
    text += placeholder(name, names);
    at += name.length + 1;
  }
  return { text, names };
}

function placeholder(name: string, names: (keyof QueryParameters)[]): string {
  const known = PARAMETER_NAMES.find((candidate) => candidate === name);
  if (known === undefined) {
    const all = PARAMETER_NAMES.map((candidate) => `:${candidate}`).join(', ');
    throw new InputError([`:${name} is not a parameter; there are ${all}`]);
  }
  if (!names.includes(known)) names.push(known);
  return `$${names.indexOf(known) + 1}::${TYPES[known]}`;
}

/** Where the piece that starts at `at` ends, when it is one that cannot hold parameters; else `at`. */
function endOfOpaque(query: string, at: number): number {
  if (query.startsWith('/*', at)) return endOfComment(query, at);
  const quote = matched(DOLLAR_QUOTE, query, at)?.[0];
  if (quote !== undefined) {
    const closing = query.indexOf(quote, at + quote.length);
    return closing < 0 ? query.length : closing + quote.length;
  }
  for (const pattern of OPAQUE) {
    const found = matched(pattern, query, at);
    if (found !== null) return at + found[0].length;
  }
  return at + (matched(WORD, query, at)?.[0].length ?? 0);
}

/** Postgres' block comments nest. */
function endOfComment(query: string, start: number): number {
  let depth = 0;
  for (let at = start; at < query.length; at += 1) {
    const two = query.slice(at, at + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/') depth -= 1;
    else continue;
    at += 1;
    if (depth === 0) return at + 1;
  }
  return query.length;
}

function matched(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
