import type { List, ListItem, Root, RootContent } from 'mdast';
import { toMarkdown as mdastToMarkdown } from 'mdast-util-to-markdown';
import { dataPoints } from './data-points.ts';
import { lessons } from './lessons.ts';
import { markdownStyle, quickText } from './markdown.ts';
import type { Names } from './mrkdwn.ts';
import { actions, cases, facts, impact, summary } from './overview.ts';
import { bullets, heading, none, outside, paragraph, words } from './prose.ts';
import { writeItems } from './quick-list.ts';
import type { PostmortemRecord } from './record.ts';
import { decisions, fiveQuestions, mitigations, rootCause } from './response.ts';
import { timelineItems } from './timeline.ts';
import { whatIsMissing } from './what-is-missing.ts';

export interface AssembleOptions {
  /** Display names by Slack id; an id without one is printed as it is. */
  readonly names?: Names;
  /** Samples printed with their texts; 10 unless told. */
  readonly maxSamples?: number;
  /** Characters printed of each recorded text; 4,000 unless told. */
  readonly maxTextChars?: number;
}

/** One stretch of the document; entries of the timeline are made when they are asked for. */
type Part =
  | { readonly kind: 'blocks'; readonly blocks: readonly RootContent[] }
  | { readonly kind: 'entries'; readonly entries: Iterable<ListItem> };

/**
 * The post-mortem document: the same headings in the same order whatever the record holds, every outside text
 * redacted, nothing in it live. Linear in the record, apart from one sort by time.
 */
export function assemble(record: PostmortemRecord, options: AssembleOptions = {}): Root {
  const children: RootContent[] = [];
  for (const part of partsOf(record, options)) {
    if (part.kind === 'blocks') children.push(...part.blocks);
    else children.push({ type: 'list', ordered: false, spread: false, children: [...part.entries] });
  }
  return { type: 'root', children };
}

/**
 * The same document as Markdown, in pieces of a few milliseconds each, so that whoever writes it may let others work in
 * between. Joined they are `toMarkdown(assemble(record))`.
 */
export function* markdownPieces(record: PostmortemRecord, options: AssembleOptions = {}): Generator<string> {
  let apart = '';
  for (const part of partsOf(record, options)) {
    if (part.kind === 'blocks') {
      yield apart + toMarkdown({ type: 'root', children: [...part.blocks] });
    } else {
      let join = apart;
      for (const items of inGroups(part.entries, ENTRIES_AT_ONCE)) {
        yield `${join}${writeItems(items, itemByLibrary)}\n`;
        join = '';
      }
    }
    apart = '\n';
  }
}

const ENTRIES_AT_ONCE = 50;

function* partsOf(record: PostmortemRecord, options: AssembleOptions): Generator<Part> {
  const names = new Map([...(options.names ?? [])].map(([id, name]) => [id, outside(name).value]));
  const limits = { maxSamples: options.maxSamples ?? 10, maxTextChars: options.maxTextChars ?? 4_000 };
  const { incident, events, messages } = record;
  const blocks = (...all: RootContent[]): Part => ({ kind: 'blocks', blocks: all });
  const section = (title: string, content: readonly RootContent[]) =>
    blocks(heading(2, words`${title}`), ...content);
  yield blocks(
    heading(1, words`Post-mortem of ${incident.id}: ${incident.title.trim() || 'untitled'}`),
    ...facts(record, names),
  );
  yield section('Summary', summary(record, names));
  yield section('Impact', impact(record, names));
  yield section('The five questions', fiveQuestions(record, names));
  if (events.length + messages.length === 0) {
    yield section('Timeline', [none('Nothing was recorded: no event and no message of the room.')]);
  } else {
    const zone = words`All times are in UTC. Replies stand under the message they answer.`;
    yield section('Timeline', [paragraph(zone)]);
    yield { kind: 'entries', entries: timelineItems(record, names) };
  }
  yield section('Decision path', decisions(record, names));
  yield section('Mitigations', [...mitigations(record, names), ...rootCause(record, names)]);
  yield section('The five data points', dataPoints(record, limits));
  yield section('What went well, what went badly, where we were lucky', lessons(record, names));
  yield section('Action items', actions(record, names));
  yield section('Eval cases', cases(record, names));
  yield section('What is still missing', missing(record));
}

function missing(record: PostmortemRecord): RootContent[] {
  const sentences = whatIsMissing(record);
  if (sentences.length > 0) return [bullets(sentences.map((sentence) => words`${sentence}`))];
  return [paragraph(words`Nothing. Every question, data point, action item and eval case is here.`)];
}

function itemByLibrary(item: ListItem): string {
  const alone: List = { type: 'list', ordered: false, spread: false, children: [item] };
  return toMarkdown({ type: 'root', children: [alone] }).replace(/\n$/, '');
}

function* inGroups<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** The document as GitHub-flavoured Markdown. */
export function toMarkdown(root: Root): string {
  return mdastToMarkdown(root, { ...markdownStyle, handlers: { text: quickText } });
}
