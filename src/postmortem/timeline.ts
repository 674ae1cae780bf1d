import type { BlockContent, List, Paragraph, PhrasingContent } from 'mdast';
import type { Names } from './mrkdwn.ts';
import {
  clause,
  clockTime,
  linked,
  list,
  none,
  outside,
  paragraph,
  person,
  strong,
  words,
  written,
} from './prose.ts';
import type { RoomMessage, TimelineEvent } from './record.ts';

interface Entry {
  readonly atMs: number;
  readonly blocks: () => BlockContent[];
}

interface Thread {
  readonly rootTs: string;
  root?: RoomMessage;
  readonly replies: RoomMessage[];
}

/**
 * Machine events and room messages in one list by time, replies under their root. One pass, one sort.
 * Every time is UTC.
 */
export function timeline(
  events: readonly TimelineEvent[],
  messages: readonly RoomMessage[],
  names: Names,
): List | Paragraph {
  const entries: Entry[] = events.map((event) => ({
    atMs: event.at.getTime(),
    blocks: () => [machineEntry(event, names)],
  }));
  for (const thread of threads(messages)) {
    entries.push({ atMs: startOf(thread), blocks: () => threadEntry(thread, names) });
  }
  if (entries.length === 0) return none('The record holds no machine event and no message of the room.');
  entries.sort((a, b) => byTime(a.atMs, b.atMs));
  return list(entries.map((entry) => entry.blocks()));
}

/** What has no readable time comes last. */
function byTime(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}

/** A Slack ts (`1763800000.123456`, seconds) in milliseconds. */
function slackMs(ts: string): number {
  return /^\d{1,11}(?:\.\d{1,9})?$/.test(ts) ? Number(ts) * 1_000 : Number.NaN;
}

function saidMs(message: RoomMessage): number {
  return message.at?.getTime() ?? slackMs(message.ts);
}

function startOf({ root, rootTs }: { root?: RoomMessage | undefined; rootTs: string }): number {
  return root === undefined ? slackMs(rootTs) : saidMs(root);
}

function threads(messages: readonly RoomMessage[]): Thread[] {
  const byRoot = new Map<string, Thread>();
  for (const message of messages) {
    const rootTs = message.threadTs ?? message.ts;
    const thread = byRoot.get(rootTs) ?? { rootTs, replies: [] };
    byRoot.set(rootTs, thread);
    if (message.ts === rootTs) thread.root = message;
    else thread.replies.push(message);
  }
  return [...byRoot.values()];
}

function machineEntry(event: TimelineEvent, names: Names): Paragraph {
  const by = event.actor ? words` by ${person(event.actor, names)}` : [];
  const time = strong(clockTime(event.at));
  return paragraph(words`${time} Bot, ${event.kind}${by}: ${clause(event.text)}.`);
}

function threadEntry({ root, rootTs, replies }: Thread, names: Names): BlockContent[] {
  const time = strong(clockTime(new Date(startOf({ root, rootTs }))));
  const unknown = words`${time} A message that was not recorded.`;
  const top = root ? messageBlocks(root, names) : [paragraph(unknown)];
  if (replies.length === 0) return top;
  const inOrder = replies.toSorted((a, b) => byTime(saidMs(a), saidMs(b)));
  return [...top, list(inOrder.map((reply) => messageBlocks(reply, names)))];
}

function messageBlocks(message: RoomMessage, names: Names): BlockContent[] {
  const lead = messageLead(message, names);
  if (message.deletedAt) return [paragraph([...lead, { type: 'text', value: '(message deleted)' }])];
  const [first, ...rest] = written(message.text, names);
  const blocks: BlockContent[] = [];
  if (first?.type === 'paragraph') blocks.push(paragraph([...lead, ...first.children]), ...rest);
  else if (first) blocks.push(paragraph(lead), first, ...rest);
  const files = fileNames(message);
  if (!first) blocks.push(paragraph([...lead, ...(files.length > 0 ? files : words`(no text)`)]));
  else if (files.length > 0) blocks.push(paragraph(files));
  return blocks;
}

// An edited message shows its final text and says that it was edited; a deleted one shows no text at all.
function messageLead(message: RoomMessage, names: Names): PhrasingContent[] {
  const when = clockTime(new Date(saidMs(message)));
  const link = message.permalink ? linked(when, message.permalink) : undefined;
  const time: PhrasingContent = link ? { type: 'strong', children: [link] } : strong(when);
  const edited = message.editedTs && !message.deletedAt ? ' (edited)' : '';
  const who = outside(names.get(message.userId) ?? message.userId).value;
  return [time, { type: 'text', value: ` ${who}${edited}: ` }];
}

function fileNames({ files }: RoomMessage): PhrasingContent[] {
  const nodes: PhrasingContent[] = [];
  for (const file of files) {
    const separator = nodes.length === 0 ? (files.length === 1 ? 'File: ' : 'Files: ') : ', ';
    nodes.push({ type: 'text', value: separator }, linked(file.name || 'unnamed file', file.permalink));
  }
  return nodes;
}
