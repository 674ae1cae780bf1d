import type { Names } from './mrkdwn.ts';
import { mapTexts, withPlainMentions } from './people-in-record.ts';
import type { PostmortemRecord, RoomMessage } from './record.ts';

/** Who holds a role in the incident; nobody, one person, or several. */
export interface RoleHolders {
  readonly role: string;
  readonly people: readonly string[];
}

/**
 * One stand-in for each person. Policy: the first role that a person holds names them, with a number where several hold
 * it; all others are responders, in the order in which the record meets them.
 */
export function standIns(
  roles: readonly RoleHolders[],
  inRecord: readonly string[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const present = new Set(inRecord);
  for (const { role, people } of roles) {
    const fresh = [...new Set(people)].filter((id) => present.has(id) && !found.has(id));
    fresh.forEach((id, index) => {
      found.set(id, fresh.length === 1 ? role : `${role} ${index + 1}`);
    });
  }
  const others = inRecord.filter((id) => !found.has(id));
  others.forEach((id, index) => {
    found.set(id, `responder ${index + 1}`);
  });
  return found;
}

/**
 * The record without anybody's name: in mentions, and where a name stands in a text or in the name of a file. Policy: a
 * name that is a plain lower-case word is a word like any other, unless an @ stands before it.
 */
export function blameless(
  record: PostmortemRecord,
  { roles, names }: { roles: ReadonlyMap<string, string>; names: Names },
): PostmortemRecord {
  const byName = new Map<string, string>();
  for (const [id, name] of names) {
    const role = roles.get(id);
    if (role !== undefined && name !== id && name.trim().length >= 2) byName.set(name.trim(), role);
  }
  const { dataPoints, messages, ...rest } = withPlainMentions(record, roles);
  const hide = hider(byName);
  return {
    ...mapTexts(rest, hide),
    dataPoints,
    messages: messages.map((message) => withoutAuthors(mapTexts(message, hide))),
  };
}

/** Slack puts the id of whoever shared a file into its address. */
function withoutAuthors(message: RoomMessage): RoomMessage {
  if (message.files.length === 0) return message;
  return { ...message, files: message.files.map(({ permalink: _, ...file }) => file) };
}

function hider(byName: ReadonlyMap<string, string>): (text: string) => string {
  if (byName.size === 0) return (text) => text;
  const longestFirst = [...byName.keys()].sort((a, b) => b.length - a.length);
  const patterns = longestFirst.map((name) => {
    const escaped = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    const isWord = /^[a-z0-9._-]+$/.test(name);
    return `${isWord ? '(?<=@)' : '(?<![\\p{L}\\p{N}_])'}${escaped}`;
  });
  const pattern = new RegExp(`(?:${patterns.join('|')})(?![\\p{L}\\p{N}_])`, 'gu');
  return (text) => text.replace(pattern, (name) => byName.get(name) ?? name);
}
