import { readable } from '../postmortem/mrkdwn.ts';

const JOINER = '\u2060';
const ENTITY = /&(?:amp|lt|gt);/y;
const TOKEN = /<[^<>\n]{1,200}>/y;

/**
 * Outside text can never ping, link or format beyond itself: `&`, `<` and `>` become entities, an invisible
 * joiner breaks `@channel`, `@name` and code fences, and characters that hide or reorder text are dropped.
 */
export function escapeText(text: string): string {
  return readable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=(?:channel|here|everyone|group)\b)/gi, `@${JOINER}`)
    .replace(/(?<![\p{L}\p{N}._%+-])@(?=[\p{L}\p{N}])/gu, `@${JOINER}`)
    .replace(/`{3,}/g, (fence) => [...fence].join(JOINER));
}

/** Escaped text on one line, so that it cannot pose as a line of ours. */
export function escapeLine(text: string): string {
  return escapeText(text).replace(/\s+/g, ' ').trim();
}

/** Outside text as a preformatted block of at most `max` characters, fences included. */
export function quoteBlock(text: string, max: number): string {
  const inside = truncate(escapeText(text).trim(), max - 8);
  return `\`\`\`\n${inside === '' ? '(empty)' : inside}\n\`\`\``;
}

/** Pings a user (U…, W…) or a user group (S…); anything else is shown as escaped text. */
export function mention(userOrGroupId: string): string {
  if (/^S[A-Z0-9]{1,20}$/.test(userOrGroupId)) return `<!subteam^${userOrGroupId}>`;
  return person(userOrGroupId);
}

/** A user by id, a name (from PagerDuty, or the bot's own) as escaped text; never a group. */
export function person(userIdOrName: string): string {
  return /^[UW][A-Z0-9]{1,20}$/.test(userIdOrName) ? `<@${userIdOrName}>` : escapeLine(userIdOrName);
}

/** Cuts escaped text to `max` UTF-16 units, `…` included; never inside an entity, a token or a character. */
export function truncate(text: string, max: number): string {
  if (text.length <= max) return text;
  if (max < 1) return '';
  let end = max - 1;
  for (const [opening, pattern] of [
    ['&', ENTITY],
    ['<', TOKEN],
  ] as const) {
    const start = text.lastIndexOf(opening, end - 1);
    if (end > 0 && start >= 0 && tokenEnd(text, pattern, start) > end) end = start;
  }
  if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end -= 1;
  return `${text.slice(0, end).trimEnd()}…`;
}

function tokenEnd(text: string, pattern: RegExp, start: number): number {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** A moment in the reader's own time zone; clients that cannot show it fall back to ISO 8601 in UTC. */
export function slackDate(date: Date): string {
  const unix = Math.floor(date.getTime() / 1000);
  return `<!date^${unix}^{date_short_pretty} {time}|${date.toISOString()}>`;
}
