import { expect, test } from 'vitest';
import { declareModal } from './declare-modal.ts';
import { everyMessage } from './example-messages.ts';
import { keepLeaseModal } from './lease.ts';
import { render } from './render.ts';

/** Numbers from Slack's own reference, by where a text or a list stands; never taken from the code. */
const MAX_TEXT: Record<string, number> = {
  'section.text': 3000,
  'context.elements': 3000,
  'button.text': 75,
  'confirm.title': 100,
  'confirm.text': 300,
  'confirm.confirm': 30,
  'confirm.deny': 30,
  'input.label': 2000,
  'input.hint': 2000,
  'option.text': 75,
  'option.label': 75,
  'element.placeholder': 150,
  'modal.title': 24,
  'modal.submit': 24,
  'modal.close': 24,
};
const MAX_STRING: Record<string, number> = {
  action_id: 255,
  block_id: 255,
  value: 2000,
  private_metadata: 3000,
  callback_id: 255,
  initial_value: 150,
};

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Every text and list below `node` that Slack would refuse. */
function tooLong(node: Node, kind: string, problems: string[] = []): string[] {
  for (const [key, child] of Object.entries(node)) {
    if (typeof child === 'string' && child.length > (MAX_STRING[key] ?? Infinity))
      problems.push(`${kind}.${key}`);
    for (const each of Array.isArray(child) ? child : [child]) {
      if (isNode(each)) checkNode(each, { kind, key, problems });
    }
  }
  const elements = Array.isArray(node['elements']) ? node['elements'] : [];
  if (elements.length > (kind === 'context' ? 10 : 25)) problems.push(`${kind}.elements: ${elements.length}`);
  if (Array.isArray(node['options']) && node['options'].length > 100) problems.push(`${kind}.options`);
  const ids = elements.map((each: Node) => each['action_id']).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) problems.push(`${kind}: action_id twice`);
  return problems;
}

function checkNode(node: Node, at: { kind: string; key: string; problems: string[] }): void {
  if (node['type'] === 'mrkdwn' || node['type'] === 'plain_text') {
    const place = at.key === 'placeholder' ? 'element.placeholder' : `${at.kind}.${at.key}`;
    const max = MAX_TEXT[place];
    const length = String(node['text']).length;
    if (max === undefined) at.problems.push(`${place}: no limit known to this test`);
    else if (length < 1 || length > max) at.problems.push(`${place}: ${length}`);
    return;
  }
  const kind = at.key === 'confirm' ? 'confirm' : /option/.test(at.key) ? 'option' : String(node['type']);
  tooLong(node, kind, at.problems);
}

const long = (unit: string) => unit.repeat(Math.ceil(5000 / unit.length));
const HOSTILE: [string, string][] = [
  ['markup', long('<!channel> & <@U012ABC> @here ``` \n*x*')],
  ['ampersands', long('&')],
  ['emoji', long('😀')],
  ['lone surrogates', long('\ud83d')],
  ['nothing', ''],
  ['blanks', long(' \n')],
];

test.each(HOSTILE)('no view leaves the limits of Slack with %s', (_, text) => {
  for (const message of everyMessage(text)) {
    const { text: fallback, blocks } = render(message);
    expect(tooLong({ blocks }, 'message'), message.kind).toEqual([]);
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(fallback.length).toBeGreaterThan(0);
    expect(fallback.length).toBeLessThanOrEqual(4000);
  }
});

// A fence that opens must close, or it would swallow our own lines.
test.each(HOSTILE)('no view lets %s ping, link or break a fence', (_, text) => {
  for (const message of everyMessage(text)) {
    const { text: fallback, blocks } = render(message);
    for (const said of [fallback, ...mrkdwnOf(blocks)]) {
      const ours = /<@U\d+>|<!date\^\d+\^[^<>]*>|&(amp|lt|gt);/g;
      expect(said.replace(ours, ''), message.kind).not.toMatch(/[<>&]|@(channel|here|everyone)/);
      expect((said.match(/```/g) ?? []).length % 2).toBe(0);
      expect(said.isWellFormed()).toBe(true);
    }
  }
});

function mrkdwnOf(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(mrkdwnOf);
  if (!isNode(node)) return [];
  if (node['type'] === 'mrkdwn') return [String(node['text'])];
  return Object.values(node).flatMap(mrkdwnOf);
}

test.each(HOSTILE)('the forms stay within the limits with %s', (_, text) => {
  const forms = [
    keepLeaseModal({ mitigationId: 7, channelId: 'C012' }),
    declareModal({ services: [], title: text, channelId: 'C012' }),
    declareModal({ services: Array.from({ length: 99 }, (_none, i) => `service-${i}`) }),
    declareModal({ services: Array.from({ length: 400 }, (_none, i) => `service-${i}`) }),
    declareModal({ services: [text || 'x'], symptoms: [{ id: 'errors', symptom: text || 'x' }] }),
  ];
  for (const form of forms) expect(tooLong(form as unknown as Node, 'modal')).toEqual([]);
});
