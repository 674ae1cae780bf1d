import { decodeEntities, type Names } from './mrkdwn.ts';
import type { PostmortemRecord } from './record.ts';

const MENTION = /<@([UW][A-Z0-9]{4,})(?:\|[^<>]*)?>/g;
const PERSON = /^[UW][A-Z0-9]{4,}$/;
const REFERENCE = /<([@#])([UWC][A-Z0-9]{4,})(?:\|([^<>]*))?>|<!subteam\^(S[A-Z0-9]{4,})(?:\|([^<>]*))?>/g;

/**
 * Slack ids of everyone who did something in the record or is mentioned in it, in the order of the record. The frozen
 * calls are left out: who is named there is a user of the service.
 */
export function peopleIn({ dataPoints: _, ...record }: PostmortemRecord): string[] {
  const found = new Set<string>();
  eachText(record, (text, key) => {
    if (key !== 'text' && PERSON.test(text)) found.add(text);
    else if (text.includes('<@')) for (const [, id = ''] of text.matchAll(MENTION)) found.add(id);
  });
  return [...found];
}

function eachText(value: unknown, visit: (text: string, key: string) => void, key = ''): void {
  if (typeof value === 'string') return visit(value, key);
  if (Array.isArray(value)) for (const one of value) eachText(one, visit, key);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) eachText(inner, visit, name);
}

/** The record with the mentions in its plain sentences resolved; messages and answers are mrkdwn, which is read later. */
export function withPlainMentions(record: PostmortemRecord, names: Names): PostmortemRecord {
  const plain = (text: string) =>
    text.replace(REFERENCE, (...found) => {
      const [, sign = '@', id = '', label = '', group = '', handle = ''] = found as (string | undefined)[];
      const name = names.get(id || group) ?? (label || handle || id || group);
      return `${sign}${name.replace(/^[@#]+/, '')}`;
    });
  const { incident, mitigations, decisionPath, actionItems, evalCases } = record;
  return {
    ...record,
    ...mapTexts({ incident, mitigations, decisionPath, evalCases }, plain),
    actionItems: actionItems.map((item) => ({ ...item, text: decodeEntities(plain(item.text)) })),
  };
}

/** The same value with every text in it changed; `key` is the name under which the text stands. */
export function mapTexts<T>(value: T, change: (text: string, key: string) => string, key = ''): T {
  if (typeof value === 'string') return change(value, key) as T;
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, change, key)) as T;
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, mapTexts(inner, change, name)]);
  return Object.fromEntries(entries) as T;
}
