import type { Link, ListItem, PhrasingContent, Text } from 'mdast';

// A long room is a list of thousands of short items. The library weighs some forty patterns and every neighbour for
// each text; here are the shapes that rooms are made of, written as the library writes them. Whatever is not
// plainly one of these shapes is left to the library, and a test compares the two on hostile text.

/** Writes one item as a list of its own: `- …`, without a line end. */
export type WriteItem = (item: ListItem) => string;

/** The items of an unordered list, each as the library would write it. */
export function writeItems(items: readonly ListItem[], byLibrary: WriteItem, indent = ''): string {
  return items
    .map((item) => quickItem(item, byLibrary, indent) ?? indented(byLibrary(item), indent))
    .join('\n');
}

function indented(text: string, indent: string): string {
  return indent === '' ? text : text.replace(/^(?=.)/gm, indent);
}

function quickItem(item: ListItem, byLibrary: WriteItem, indent: string): string | undefined {
  const inner = `${indent}  `;
  const apart = item.spread ? '\n\n' : '\n';
  let written = '';
  for (const child of item.children) {
    if (child.type === 'list') {
      if (written === '' || child.ordered || child.spread) return undefined;
      written += apart + writeItems(child.children, byLibrary, inner);
      continue;
    }
    const block = quickBlock(child);
    if (block === undefined || (written === '' && child.type !== 'paragraph')) return undefined;
    const lines = block.includes('\n') ? block.replace(/\n(?=[^\n])/g, `\n${inner}`) : block;
    written += written === '' ? `${indent}- ${lines}` : apart + inner + lines;
  }
  return written === '' ? undefined : written;
}

function quickBlock(block: ListItem['children'][number]): string | undefined {
  if (block.type === 'paragraph') return quickLine(block.children);
  if (block.type === 'code') return /`|^$/.test(block.value) ? undefined : `\`\`\`\n${block.value}\n\`\`\``;
  if (block.type !== 'blockquote' || block.children.length > 1) return undefined;
  const [only] = block.children;
  const line = only?.type === 'paragraph' ? quickLine(only.children) : undefined;
  return line === undefined ? undefined : `> ${line.replaceAll('\n', '\n> ')}`;
}

function quickLine(nodes: readonly PhrasingContent[]): string | undefined {
  let line = '';
  let text = '';
  for (let at = 0; at < nodes.length; at += 1) {
    const node = nodes[at] as PhrasingContent;
    const next = nodes[at + 1];
    if (node.type === 'text') {
      text += node.value;
      if (next?.type === 'text') continue;
    }
    const quick =
      node.type === 'text'
        ? quickText(text, { opens: line === '' || line.endsWith('\n'), next })
        : quickSpan(node, { before: line, after: next });
    if (quick === undefined) return undefined;
    line += quick;
    text = '';
  }
  return /\s$/.test(line) ? undefined : line;
}

// What would need a look at its neighbours, or at how an address or a break is read.
const involved =
  /[\u0000-\u001f\\]|!\[|\]\(|[Ww]\.[\w.-]|[ps]:\/|[\w+.-]@[\w.-]|<[!?/]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/;
const marks = /[*`~[]|&(?=[#A-Za-z])|<(?=[A-Za-z])/g;
const special = /[\u0000-\u001f!*`~[\]&<@_\\]|[Ww]\.|[ps]:\//;

function quickText(
  text: string,
  { opens, next }: { opens: boolean; next: PhrasingContent | undefined },
): string | undefined {
  const isPlain = !special.test(text);
  if (!isPlain && involved.test(text)) return undefined;
  if (opens && !/^(?:[A-Za-z("'\u00a1-\uffff]|\d+(?![\d.)]))/.test(text)) return undefined;
  if (next !== undefined && !/[A-Za-z0-9 ,;(]$/.test(text)) return undefined;
  return isPlain ? text : text.replace(marks, '\\$&');
}

function quickSpan(
  node: PhrasingContent,
  { before, after }: { before: string; after: PhrasingContent | undefined },
): string | undefined {
  switch (node.type) {
    case 'break':
      return before === '' || /\s$/.test(before) ? undefined : '\\\n';
    case 'inlineCode':
      return /[`\s]/.test(node.value.replaceAll(/(?<=\S) (?=\S)/g, '')) || !isApart(after)
        ? undefined
        : `\`${node.value}\``;
    case 'link':
      return isApart(after) ? quickLink(node) : undefined;
    case 'strong':
      return marked('**', node.children, { before, after });
    case 'emphasis':
      return marked('_', node.children, { before, after });
    case 'delete':
      return marked('~~', node.children, { before, after });
    default:
      return undefined;
  }
}

function isApart(after: PhrasingContent | undefined): boolean {
  return (
    after === undefined || after.type === 'break' || (after.type === 'text' && /^[ .,;:?)]/.test(after.value))
  );
}

const plain = /^[A-Za-z0-9](?:[A-Za-z0-9 ,;:%'/-]*[A-Za-z0-9])?$/;

// Between spaces, around letters and digits, a mark means what it says.
function marked(
  mark: string,
  children: readonly PhrasingContent[],
  { before, after }: { before: string; after: PhrasingContent | undefined },
): string | undefined {
  if (!(before === '' || before.endsWith(' ')) || !isApart(after)) return undefined;
  const [only, ...more] = children;
  if (only === undefined || more.length > 0) return undefined;
  const inside = only.type === 'link' ? quickLink(only) : plainText(only);
  return inside === undefined ? undefined : `${mark}${inside}${mark}`;
}

function plainText(node: PhrasingContent): string | undefined {
  return node.type === 'text' && plain.test(node.value) && !/[ps]:\//.test(node.value)
    ? node.value
    : undefined;
}

const plainUrl = /^https?:\/\/[A-Za-z0-9/.:?=%#~,;+@_&-]*$/;

function quickLink({ url, title, children: [label, ...more] }: Link): string | undefined {
  if (title || more.length > 0 || label?.type !== 'text' || !plainUrl.test(url)) return undefined;
  if (!isPlainLabel(label) || label.value === url) return undefined;
  return `[${label.value}](${url.replace(/&(?=[#A-Za-z])/g, '\\&')})`;
}

function isPlainLabel({ value }: Text): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9 ,;.:%'/-]*[A-Za-z0-9])?$/.test(value);
}
