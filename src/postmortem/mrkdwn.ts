import type { BlockContent, InlineCode, Link, Paragraph, PhrasingContent } from 'mdast';

/** Display names by Slack id: users (U…, W…), channels (C…) and user groups (S…). */
export type Names = ReadonlyMap<string, string>;

type Mark = '*' | '_' | '~';
interface Open {
  readonly mark: Mark | undefined;
  readonly nodes: PhrasingContent[];
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>' };
const markNode = { '*': 'strong', _: 'emphasis', '~': 'delete' } as const;

// Control characters and direction overrides can make a text read other than it is, so they go.
const unreadable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g;

// Most texts hold neither one of them nor a line end but \n.
const suspect = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** Outside text as well-formed Unicode with `\n` line ends and without characters that hide or reorder. */
export function readable(text: string): string {
  if (!suspect.test(text)) return text.toWellFormed();
  const lines = text.replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replace(unreadable, '');
  return lines.toWellFormed();
}

/** Decodes Slack's three entities, once. */
export function decodeEntities(text: string): string {
  return text.includes('&') ? text.replace(/&(?:amp|lt|gt);/g, (entity) => entities[entity] ?? entity) : text;
}

/**
 * Slack mrkdwn as paragraphs, quotes and code blocks. Whatever the text holds, it yields only these, with
 * text, marks, inline code, line breaks and http(s) or mailto links inside: no HTML, no headings, no live
 * mentions.
 */
export function mrkdwnToFlow(text: string, names: Names): BlockContent[] {
  const clean = readable(text);
  if (isOneLine(clean)) return oneLine(clean.trim(), names);
  const blocks: BlockContent[] = [];
  for (const [index, part] of splitFences(clean).entries()) {
    if (index % 2 === 1) blocks.push({ type: 'code', value: decodeEntities(part).replace(/^\n|\n$/g, '') });
    else blocks.push(...linesToBlocks(part.split('\n'), names));
  }
  return blocks;
}

function isOneLine(text: string): boolean {
  return !/\n|```|^(?:&gt;|>)/.test(text) && text.trim() !== '';
}

function oneLine(line: string, names: Names): Paragraph[] {
  const children = inline(line, names);
  return children.length > 0 ? [{ type: 'paragraph', children }] : [];
}

/** The same on one line, for table cells and headings: blocks run on and code blocks become inline code. */
export function mrkdwnToPhrasing(text: string, names: Names): PhrasingContent[] {
  const nodes: PhrasingContent[] = [];
  for (const [index, part] of splitFences(readable(text)).entries()) {
    const line = part.replace(/\s+/g, ' ');
    if (index % 2 === 1) nodes.push(...inlineCode(line.trim()));
    else nodes.push(...inline(line.replace(/^ ?(?:&gt;|>){1,3} ?/, ''), names));
  }
  return nodes;
}

/** Text and fenced code in turn, beginning with text; a fence that is never closed is text. */
function splitFences(text: string): string[] {
  const parts = text.split('```');
  if (parts.length % 2 === 0) {
    const rest = parts.pop() ?? '';
    parts.push(`${parts.pop() ?? ''}\`\`\`${rest}`);
  }
  return parts;
}

function linesToBlocks(lines: readonly string[], names: Names): BlockContent[] {
  const blocks: BlockContent[] = [];
  let kept: string[] = [];
  let quoting = false;
  const flush = () => {
    const paragraph = toParagraph(kept, names);
    if (paragraph) blocks.push(quoting ? { type: 'blockquote', children: [paragraph] } : paragraph);
    kept = [];
  };
  let restIsQuote = false;
  for (const line of lines) {
    const quote = /^(?:&gt;|>)((?:&gt;|>){2})? ?/.exec(line);
    const quoted = restIsQuote || quote !== null;
    if (quoted !== quoting || line.trim() === '') flush();
    if (line.trim() === '' && !restIsQuote) quoting = false;
    else {
      quoting = quoted;
      kept.push(restIsQuote || !quote ? line : line.slice(quote[0].length));
    }
    restIsQuote ||= quote?.[1] !== undefined;
  }
  flush();
  return blocks;
}

function toParagraph(lines: readonly string[], names: Names): Paragraph | undefined {
  const children: PhrasingContent[] = [];
  for (const line of lines) {
    if (line.trim() === '') continue;
    if (children.length > 0) children.push({ type: 'break' });
    children.push(...inline(line.trim(), names));
  }
  return children.length > 0 ? { type: 'paragraph', children } : undefined;
}

const lexeme = /`([^`\n]+)`|<([^<>\n]+)>|([*_~])/g;

/** One line of mrkdwn. Each mark is open at most once, so the stack is three deep and this is linear. */
function inline(line: string, names: Names): PhrasingContent[] {
  if (!/[`<*_~]/.test(line)) return line === '' ? [] : [{ type: 'text', value: decodeEntities(line) }];
  const stack: Open[] = [{ mark: undefined, nodes: [] }];
  let from = 0;
  for (const match of line.matchAll(lexeme)) {
    const at = match.index;
    addText(top(stack).nodes, decodeEntities(line.slice(from, at)));
    from = at + match[0].length;
    if (match[1] !== undefined) top(stack).nodes.push(...inlineCode(decodeEntities(match[1])));
    else if (match[2] !== undefined) addReference(top(stack).nodes, match[2], names);
    else readMark(stack, match[0] as Mark, { before: line[at - 1] ?? ' ', after: line[from] ?? ' ' });
  }
  addText(top(stack).nodes, decodeEntities(line.slice(from)));
  while (stack.length > 1) abandonTop(stack);
  return top(stack).nodes;
}

function top(stack: readonly Open[]): Open {
  const open = stack.at(-1);
  if (!open) throw new Error('the mark stack always holds the line itself');
  return open;
}

function addText(nodes: PhrasingContent[], value: string): void {
  if (value === '') return;
  const last = nodes.at(-1);
  if (last?.type === 'text') last.value += value;
  else nodes.push({ type: 'text', value });
}

// A backtick-only or blank code span has no Markdown form, so it is nothing.
function inlineCode(value: string): InlineCode[] {
  return value.trim() === '' ? [] : [{ type: 'inlineCode', value }];
}

// A mark opens after a space or punctuation and before a non-space; it closes the other way round. Doubled
// marks mean nothing in Slack and stay text.
function readMark(stack: Open[], mark: Mark, beside: { before: string; after: string }): void {
  const { before, after } = beside;
  if (before === mark || after === mark) return addText(top(stack).nodes, mark);
  const depth = stack.findLastIndex((open) => open.mark === mark);
  const canClose = depth > 0 && !/\s/.test(before) && !/[\p{L}\p{N}]/u.test(after);
  if (canClose && (stack[depth]?.nodes.length ?? 0) + stack.length - 1 - depth > 0) {
    while (stack.length - 1 > depth) abandonTop(stack);
    const children = stack.pop()?.nodes ?? [];
    top(stack).nodes.push({ type: markNode[mark], children });
  } else if (depth < 0 && !/[\p{L}\p{N}]/u.test(before) && !/\s/.test(after)) {
    stack.push({ mark, nodes: [] });
  } else {
    addText(top(stack).nodes, mark);
  }
}

/** A mark that nothing closed was an ordinary character: its text joins the level above. */
function abandonTop(stack: Open[]): void {
  const open = stack.pop();
  if (!open) return;
  const { nodes } = top(stack);
  addText(nodes, open.mark ?? '');
  for (const node of open.nodes) {
    if (node.type === 'text') addText(nodes, node.value);
    else nodes.push(node);
  }
}

// A reference in angle brackets is a mention, which becomes plain text, or an address.
function addReference(nodes: PhrasingContent[], inner: string, names: Names): void {
  const bar = inner.indexOf('|');
  const target = decodeEntities(bar < 0 ? inner : inner.slice(0, bar));
  const label = bar < 0 ? undefined : decodeEntities(inner.slice(bar + 1)).trim() || undefined;
  if (/^[@#!]/.test(target)) return addText(nodes, mentionText(target, label, names));
  const link = toLink(target, label);
  if (link) nodes.push(link);
  else addText(nodes, label ?? target);
}

function mentionText(target: string, label: string | undefined, names: Names): string {
  const sign = target[0] ?? '';
  const id = target.slice(1);
  if (sign !== '!') return sign + plainName(names.get(id) ?? label ?? id);
  if (id.startsWith('date^')) return label ?? id;
  const group = id.startsWith('subteam^') ? id.slice('subteam^'.length) : id;
  return `@${plainName(names.get(group) ?? label ?? group)}`;
}

function plainName(name: string): string {
  return readable(name)
    .replace(/\s+/g, ' ')
    .replace(/^[@# ]+/, '');
}

/** A link node when `url` is a whole http, https or mailto address; undefined when it must stay text. */
export function toLink(url: string, label?: string): Link | undefined {
  const clean = readable(url);
  if (!/^(?:https?:\/\/|mailto:)[^\s<>[\]]+$/i.test(clean) || !URL.canParse(clean)) return undefined;
  const value =
    readable(label ?? clean)
      .replace(/\s+/g, ' ')
      .trim() || clean;
  return { type: 'link', url: clean, children: [{ type: 'text', value }] };
}
