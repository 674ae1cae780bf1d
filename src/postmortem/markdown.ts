import { gfmToMarkdown } from 'mdast-util-gfm';
import { defaultHandlers, type Handle, type Options } from 'mdast-util-to-markdown';

/** How our documents are written: GitHub-flavoured, with narrow tables for diffs and terminals. */
export const markdownStyle: Options = {
  bullet: '-',
  emphasis: '_',
  listItemIndent: 'one',
  rule: '-',
  extensions: [gfmToMarkdown({ tablePipeAlign: false })],
};

const inert = /^[A-Za-z\u00a1-\ud7ff ][A-Za-z0-9\u00a1-\ud7ff ,;'"%?=.()/:-]*(?<!:)$/;
const active = /[Ww]\.|:\//;

// Escaping tries some forty patterns on each text. Most sentences of a room hold no character that any of
// them could touch; writing those as they are halves the time of a long document.
export const quickText: Handle = (node: { value: string }, ...place) => {
  const [, , info] = place;
  const { value } = node;
  const leads = value.startsWith(' ') && !/^[^\r\n]$/.test(info.before);
  const trails = value.endsWith(' ') && !/^[^\r\n]$/.test(info.after);
  if (!leads && !trails && inert.test(value) && !active.test(value)) return value;
  return defaultHandlers.text(node as never, ...place);
};
