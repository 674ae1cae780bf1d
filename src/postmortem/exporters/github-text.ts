import { redact } from '../../redaction.ts';
import { oneLine } from '../prose.ts';

const LONGEST_TITLE = 200;

/** Outside text as the title of an issue or a pull request, in which GitHub reads no mention. */
export function githubTitle(text: string): string {
  const line = oneLine(redact(text));
  return line.length <= LONGEST_TITLE ? line : `${line.slice(0, LONGEST_TITLE - 1).toWellFormed()}…`;
}

/**
 * Outside text in the body of an issue or a pull request: no HTML, no link and no picture, and no mention of a person
 * or an issue, which would call people who have nothing to do with it or close what is open.
 */
export function githubText(text: string): string {
  return redact(text)
    .replace(/\r\n?/g, '\n')
    .replace(/[\\`*_{}[\]<>|~!]/g, '\\$&')
    .replace(/^(\s*)([-+#=]|\d+[.)])/gm, '$1\\$2')
    .replace(/(?<=[@#]|\bGH-)(?=\w)/gi, '<!-- -->')
    .replace(/(?<=\bhttps?:)(?=\/\/)/gi, '<!-- -->')
    .replace(/(?<=\bwww)(?=\.)/gi, '<!-- -->');
}
