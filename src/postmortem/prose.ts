import type {
  BlockContent,
  Code,
  Heading,
  Link,
  List,
  ListItem,
  Paragraph,
  PhrasingContent,
  Strong,
  Table,
  TableCell,
  Text,
} from 'mdast';
import { amount } from '../detection/amount.ts';
import { ruleOf } from '../detection/rules.ts';
import { AUTOMATION } from '../mitigation/plan.ts';
import { redact } from '../redaction.ts';
import { mrkdwnToFlow, type Names, readable, toLink } from './mrkdwn.ts';

type Part = string | number | PhrasingContent | readonly PhrasingContent[];

/**
 * Our own words around outside values. Every string put in is redacted and flattened to one line here, the
 * only way a string of the record becomes a sentence. Numbers are written as figures.
 */
export function words(own: TemplateStringsArray, ...values: readonly Part[]): PhrasingContent[] {
  const nodes: PhrasingContent[] = [];
  for (const [index, text] of own.entries()) {
    push(nodes, { type: 'text', value: text });
    const value = values[index];
    if (typeof value === 'string') push(nodes, outside(value));
    else if (typeof value === 'number') push(nodes, { type: 'text', value: figure(value) });
    else if (value !== undefined) for (const node of [value].flat() as PhrasingContent[]) push(nodes, node);
  }
  return nodes;
}

function push(nodes: PhrasingContent[], node: PhrasingContent): void {
  const last = nodes.at(-1);
  if (node.type !== 'text') nodes.push(node);
  else if (last?.type === 'text') last.value += node.value;
  else if (node.value !== '') nodes.push({ ...node });
}

/** Outside text as one redacted line. */
export function outside(text: string): Text {
  return { type: 'text', value: oneLine(redact(readable(text))) };
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Outside text without the full stops at its end, for a sentence that goes on. */
export function clause(text: string): string {
  return text.trim().replace(/[.\s]{1,20}$/, '');
}

/** The first letter of a plain word made large; ids and names stay as they are. */
export function sentenceCase(text: string): string {
  return text.replace(/^[a-z]+(?=[\s,.;:]|$)/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
}

/** A link with redacted label, or the label alone when the address is not one we link to. */
export function linked(label: string, url: string | undefined): Link | Text {
  const text = outside(label);
  const link = url === undefined ? undefined : toLink(redact(url), text.value);
  return link ?? text;
}

export function strong(value: string): Strong {
  return { type: 'strong', children: [outside(value)] };
}

/** A time of ours, which holds nothing to redact. */
export function strongTime(at: Date): Strong {
  return { type: 'strong', children: [{ type: 'text', value: clockTime(at) }] };
}

export function code(value: string): PhrasingContent {
  const text = outside(value);
  return text.value === '' ? text : { type: 'inlineCode', value: text.value };
}

/** A person, by display name where one is known, else by id. */
export function person(id: string, names: Names): string {
  if (id === AUTOMATION) return 'the bot';
  return `@${(names.get(id) ?? id).replace(/^@+/, '')}`;
}

const lists = new Intl.ListFormat('en-GB');

/** `a`, `a and b`, `a, b and c`. */
export function inList(parts: readonly string[]): string {
  return lists.format(parts);
}

export function people(ids: readonly string[], names: Names): string {
  return inList(ids.map((id) => person(id, names)));
}

/** mrkdwn that people wrote, as redacted blocks. */
export function written(text: string, names: Names): BlockContent[] {
  return mrkdwnToFlow(redact(text), names);
}

export function heading(depth: 1 | 2 | 3, children: PhrasingContent[]): Heading {
  return { type: 'heading', depth, children };
}

export function paragraph(children: PhrasingContent[]): Paragraph {
  return { type: 'paragraph', children };
}

/** A list. An item of more than a paragraph and a nested list gets blank lines to keep its parts apart. */
export function list(items: readonly BlockContent[][], ordered = false): List {
  return { type: 'list', ordered, spread: false, children: items.map(listItem) };
}

export function listItem(children: BlockContent[]): ListItem {
  const simple = children.slice(1).every((child) => child.type === 'list');
  return { type: 'listItem', spread: !simple, children };
}

export function bullets(lines: readonly PhrasingContent[][]): List {
  return list(lines.map((line) => [paragraph(line)]));
}

export function table(head: readonly string[], rows: readonly PhrasingContent[][][]): Table {
  const cell = (children: PhrasingContent[]): TableCell => ({ type: 'tableCell', children });
  const top = head.map((value) => cell([{ type: 'text', value }]));
  return {
    type: 'table',
    children: [
      { type: 'tableRow', children: top },
      ...rows.map((row) => ({ type: 'tableRow' as const, children: row.map(cell) })),
    ],
  };
}

/** Our own sentence that says that there is nothing here. */
export function none(sentence: string): Paragraph {
  return paragraph([{ type: 'text', value: sentence }]);
}

/** A number of a rule, in the unit of what it watches where the rule is known. */
export function measure(value: number, rule: string | undefined): string {
  const unit = rule === undefined ? undefined : ruleOf(rule)?.unit;
  return unit === undefined ? figure(value) : amount(value, unit);
}

/** `1 user`, `37 users`. */
export function count(n: number, one: string): string {
  return `${figure(n)} ${one}${n === 1 ? '' : 's'}`;
}

/** A recorded text as a redacted code block of at most `maxChars` characters, which says when it was cut. */
export function quoted(text: string, maxChars: number): BlockContent[] {
  const whole = redact(readable(text));
  if (whole.trim() === '') return [paragraph(words`It was empty.`)];
  const block: Code = { type: 'code', value: whole.slice(0, maxChars).toWellFormed() };
  if (whole.length <= maxChars) return [block];
  return [block, paragraph(words`Shortened: this shows ${maxChars} of ${whole.length} characters.`)];
}

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** A number for people: whole ones and large ones without decimals, others with four significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  return Number.isInteger(value) || Math.abs(value) >= 1_000 ? whole.format(value) : fine.format(value);
}

/** `2026-11-22 03:20:54`, in UTC; `time unknown` when it is not a date. */
export function clockTime(at: Date): string {
  if (Number.isNaN(at.getTime())) return 'time unknown';
  const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

export function utc(at: Date): string {
  return `${clockTime(at)} UTC`;
}
