import { redact } from '../../redaction.ts';
import { escapeLine, escapeText, truncate } from '../mrkdwn.ts';

/** What people or models wrote, on one line: redacted, escaped, at most `max` long. */
export function outsideLine(text: string, max: number): string {
  return truncate(escapeLine(redact(text)), max);
}

/** What people or models wrote, with its line breaks: redacted, escaped, at most `max` long. */
export function outsideText(text: string, max: number): string {
  return truncate(escapeText(redact(text)).trim(), max);
}

/** What the bot measured or read (names, versions, numbers), on one line: redaction would garble it. */
export function factLine(text: string, max: number): string {
  return truncate(escapeLine(text), max);
}

const PLACE = / \((https:\/\/[^\s()<>|]+)\)/;

/** The same, with the first address in brackets as a link that a thumb can hit. */
export function linkedFact(text: string, max: number): string {
  return factLine(text, max).replace(PLACE, ' (<$1|open>)');
}
