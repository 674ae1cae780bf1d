import type { BlockContent, ListItem, Paragraph, PhrasingContent } from 'mdast';
import { machineLine } from './machine-line.ts';
import type { Names } from './mrkdwn.ts';
import { fileNames, filePictures } from './pictures.ts';
import {
  clockTime,
  linked,
  list,
  listItem,
  outside,
  paragraph,
  strongTime,
  words,
  written,
} from './prose.ts';
import type { PostmortemRecord, RoomMessage, TimelineEvent } from './record.ts';

/** Either an event or a thread. */
interface Entry {
  readonly atMs: number;
  readonly event?: TimelineEvent;
  readonly thread?: Thread;
}

interface Thread {
  readonly rootTs: string;
  readonly root: RoomMessage | undefined;
  readonly replies: readonly RoomMessage[];
}

/**
 * Machine events and room messages by time, replies under their root, each made when it is asked for. One pass, one
 * sort. Every time is UTC. `names` are redacted and of one line.
 */
export function* timelineItems(
  { events, messages }: Pick<PostmortemRecord, 'events' | 'messages'>,
  names: Names,
): Generator<ListItem> {
  const entries: Entry[] = events.map((event) => ({ atMs: event.at.getTime(), event }));
  for (const thread of threads(messages)) entries.push({ atMs: startOf(thread), thread });
  entries.sort((a, b) => byTime(a.atMs, b.atMs));
  for (const { event, thread } of entries) {
    if (event !== undefined) yield listItem([machineEntry(event, names)]);
    if (thread !== undefined) yield listItem(threadEntry(thread, names));
  }
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

function startOf({ root, rootTs }: Thread): number {
  return root === undefined ? slackMs(rootTs) : saidMs(root);
}

const noReplies: readonly RoomMessage[] = [];

function* threads(messages: readonly RoomMessage[]): Generator<Thread> {
  const replies = new Map<string, RoomMessage[]>();
  for (const message of messages) {
    const { ts, threadTs = ts } = message;
    if (threadTs === ts) continue;
    const known = replies.get(threadTs);
    if (known === undefined) replies.set(threadTs, [message]);
    else known.push(message);
  }
  for (const root of messages) {
    const { ts, threadTs = ts } = root;
    if (threadTs !== ts) continue;
    yield { rootTs: ts, root, replies: replies.get(ts) ?? noReplies };
    replies.delete(ts);
  }
  for (const [rootTs, its] of replies) yield { rootTs, root: undefined, replies: its };
}

function machineEntry(event: TimelineEvent, names: Names): Paragraph {
  return paragraph(words`${strongTime(event.at)} ${machineLine(event, names)}`);
}

function threadEntry({ root, rootTs, replies }: Thread, names: Names): BlockContent[] {
  const top = root ? messageBlocks(root, names) : [notRecorded(rootTs)];
  if (replies.length === 0) return top;
  const inOrder = replies.toSorted((a, b) => byTime(saidMs(a), saidMs(b)));
  return [...top, list(inOrder.map((reply) => messageBlocks(reply, names)))];
}

function notRecorded(rootTs: string): Paragraph {
  return paragraph(words`${strongTime(new Date(slackMs(rootTs)))} A message that was not recorded.`);
}

function messageBlocks(message: RoomMessage, names: Names): BlockContent[] {
  const said = (children: readonly PhrasingContent[]) => lead(message, names, children);
  if (message.deletedAt) return [said([{ type: 'text', value: '(message deleted)' }])];
  const blocks = written(message.text, names);
  const [first] = blocks;
  const files = message.files.length === 0 ? [] : fileNames(message.files);
  if (first === undefined) blocks.push(said(files.length > 0 ? files : words`(no text)`));
  else if (first.type === 'paragraph') blocks[0] = said(first.children);
  else blocks.unshift(said([]));
  if (files.length === 0) return blocks;
  if (first !== undefined) blocks.push(paragraph(files));
  blocks.push(...filePictures(message.files));
  return blocks;
}

// An edited message shows its final text and says that it was edited; a deleted one shows no text at all.
function lead(message: RoomMessage, names: Names, said: readonly PhrasingContent[]): Paragraph {
  const at = new Date(saidMs(message));
  const link = message.permalink ? linked(clockTime(at), message.permalink) : undefined;
  const time: PhrasingContent = link ? { type: 'strong', children: [link] } : strongTime(at);
  const edited = message.editedTs && !message.deletedAt ? ' (edited)' : '';
  const who = names.get(message.userId) ?? outside(message.userId).value;
  const opening = ` ${who}${edited}:`;
  const [first, ...rest] = said;
  if (first === undefined) return paragraph([time, { type: 'text', value: opening }]);
  if (first.type !== 'text') return paragraph([time, { type: 'text', value: `${opening} ` }, ...said]);
  return paragraph([time, { type: 'text', value: `${opening} ${first.value}` }, ...rest]);
}
