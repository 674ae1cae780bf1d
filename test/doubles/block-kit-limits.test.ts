import { describe, expect, test } from 'vitest';
import { blockKitProblems, viewProblems } from '../../src/slack/block-kit-limits.ts';

const plain = (length: number) => ({ type: 'plain_text', text: 'x'.repeat(length) });
const mrkdwn = (length: number) => ({ type: 'mrkdwn', text: 'x'.repeat(length) });
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const button = (extra: object = {}) => ({ type: 'button', text: plain(1), ...extra });
const actions = (...elements: object[]) => ({ type: 'actions', elements });
const option = (index: number | string, extra: object = {}) => ({
  text: plain(1),
  value: String(index),
  ...extra,
});
const select = (extra: object) => actions({ type: 'static_select', ...extra });
const input = (element: object, extra: object = {}) => ({
  type: 'input',
  label: plain(1),
  element,
  ...extra,
});
const confirm = (extra: object = {}) => ({
  title: plain(1),
  text: plain(1),
  confirm: plain(1),
  deny: plain(1),
  ...extra,
});
const modal = (extra: object = {}) => ({
  type: 'modal',
  title: plain(1),
  blocks: [{ type: 'divider' }],
  ...extra,
});

// Slack's own numbers: docs.slack.dev/reference/block-kit and python-slack-sdk's constants.
const BLOCK_LIMITS: [what: string, most: number, block: (n: number) => object][] = [
  ['section text', 3000, (n) => ({ type: 'section', text: mrkdwn(n) })],
  ['section fields', 10, (n) => ({ type: 'section', fields: many(n, () => mrkdwn(1)) })],
  ['section field', 2000, (n) => ({ type: 'section', fields: [mrkdwn(n)] })],
  ['header', 150, (n) => ({ type: 'header', text: plain(n) })],
  ['block_id', 255, (n) => ({ type: 'divider', block_id: 'x'.repeat(n) })],
  ['action_id', 255, (n) => actions(button({ action_id: 'x'.repeat(n) }))],
  ['actions elements', 25, (n) => actions(...many(n, (i) => button({ action_id: `a${i}` })))],
  ['context elements', 10, (n) => ({ type: 'context', elements: many(n, () => mrkdwn(1)) })],
  ['button text', 75, (n) => actions(button({ text: plain(n) }))],
  ['button value', 2000, (n) => actions(button({ value: 'x'.repeat(n) }))],
  ['button url', 3000, (n) => actions(button({ url: 'x'.repeat(n) }))],
  ['confirm title', 100, (n) => actions(button({ confirm: confirm({ title: plain(n) }) }))],
  ['confirm text', 300, (n) => actions(button({ confirm: confirm({ text: mrkdwn(n) }) }))],
  ['confirm deny', 30, (n) => actions(button({ confirm: confirm({ deny: plain(n) }) }))],
  ['select options', 100, (n) => select({ options: many(n, option) })],
  [
    'option groups',
    100,
    (n) => select({ option_groups: many(n, (i) => ({ label: plain(1), options: [option(i)] })) }),
  ],
  ['option text', 75, (n) => select({ options: [option(0, { text: plain(n) })] })],
  ['option value', 150, (n) => select({ options: [option('x'.repeat(n))] })],
  ['option description', 75, (n) => select({ options: [option(0, { description: plain(n) })] })],
  ['placeholder', 150, (n) => select({ options: [option(0)], placeholder: plain(n) })],
  ['overflow options', 5, (n) => actions({ type: 'overflow', options: many(n, option) })],
  ['checkboxes', 10, (n) => actions({ type: 'checkboxes', options: many(n, option) })],
  ['radio buttons', 10, (n) => actions({ type: 'radio_buttons', options: many(n, option) })],
  ['image alt_text', 2000, (n) => ({ type: 'image', image_url: 'https://x', alt_text: 'x'.repeat(n) })],
  ['image url', 3000, (n) => ({ type: 'image', image_url: 'x'.repeat(n), alt_text: 'x' })],
  ['input label', 2000, (n) => input({ type: 'plain_text_input' }, { label: plain(n) })],
  ['input hint', 2000, (n) => input({ type: 'plain_text_input' }, { hint: plain(n) })],
  ['input max_length', 3000, (n) => input({ type: 'plain_text_input', max_length: n })],
  ['markdown', 12_000, (n) => ({ type: 'markdown', text: 'x'.repeat(n) })],
  ['table rows', 100, (n) => ({ type: 'table', rows: many(n, () => [{ type: 'raw_text', text: 'x' }]) })],
  ['table cells', 20, (n) => ({ type: 'table', rows: [many(n, () => ({ type: 'raw_text', text: 'x' }))] })],
  [
    'video title',
    200,
    (n) => ({ type: 'video', title: plain(n), alt_text: 'x', thumbnail_url: 'x', video_url: 'x' }),
  ],
];

describe('each limit accepts its last value and refuses the next', () => {
  test.each(BLOCK_LIMITS)('%s: %i', (_what, most, block) => {
    expect(blockKitProblems([block(most)], 'message')).toEqual([]);
    expect(blockKitProblems([block(most + 1)], 'message')).not.toEqual([]);
  });

  test.each([
    ['message', 50],
    ['modal', 100],
    ['home', 100],
  ] as const)('%s: %i blocks', (surface, most) => {
    const dividers = (count: number) => many(count, () => ({ type: 'divider' }));
    expect(blockKitProblems(dividers(most), surface)).toEqual([]);
    expect(blockKitProblems(dividers(most + 1), surface)[0]).toContain('[json-pointer:/blocks]');
  });

  test.each([
    ['title', 24, (n: number) => ({ title: plain(n) })],
    ['submit', 24, (n: number) => ({ submit: plain(n) })],
    ['close', 24, (n: number) => ({ close: plain(n) })],
    ['private_metadata', 3000, (n: number) => ({ private_metadata: 'x'.repeat(n) })],
    ['callback_id', 255, (n: number) => ({ callback_id: 'x'.repeat(n) })],
    ['external_id', 255, (n: number) => ({ external_id: 'x'.repeat(n) })],
  ] as const)('modal %s: %i', (_what, most, part) => {
    expect(viewProblems(modal(part(most)))).toEqual([]);
    expect(viewProblems(modal(part(most + 1)))).not.toEqual([]);
  });
});

describe('what is refused whatever its size', () => {
  test.each<[string, unknown]>([
    ['empty text', { type: 'section', text: mrkdwn(0) }],
    ['a section with neither text nor fields', { type: 'section' }],
    ['an unknown block', { type: 'sections', text: mrkdwn(1) }],
    ['a block named like an object method', { type: 'toString' }],
    ['a block without type', { text: mrkdwn(1) }],
    ['a header in mrkdwn', { type: 'header', text: mrkdwn(1) }],
    ['a button in mrkdwn', actions(button({ text: mrkdwn(1) }))],
    ['a button of another style', actions(button({ style: 'warning' }))],
    ['no elements', actions()],
    ['a text input among actions', actions({ type: 'plain_text_input' })],
    ['a multi select among actions', actions({ type: 'multi_users_select' })],
    ['the same action_id twice', actions(button({ action_id: 'a' }), button({ action_id: 'a' }))],
    ['an image without alt_text', { type: 'image', image_url: 'https://x' }],
    ['a preset option that is not offered', select({ options: [option(1)], initial_option: option(2) })],
    ['a confirm without deny', actions(button({ confirm: confirm({ deny: undefined }) }))],
    ['a button inside context', { type: 'context', elements: [button()] }],
    ['a string', 'section'],
  ])('%s', (_what, block) => {
    expect(blockKitProblems([block], 'message')).not.toEqual([]);
  });

  test('the same block_id twice', () => {
    const twice = [
      { type: 'divider', block_id: 'a' },
      { type: 'divider', block_id: 'a' },
    ];
    expect(blockKitProblems(twice, 'message')[0]).toContain('block_id');
  });

  test('markdown blocks that are too long together, and markdown or tables in a modal', () => {
    const half = { type: 'markdown', text: 'x'.repeat(6_001) };
    expect(blockKitProblems([half], 'message')).toEqual([]);
    expect(blockKitProblems([half, half], 'message')).not.toEqual([]);
    expect(blockKitProblems([half], 'modal')).not.toEqual([]);
    expect(blockKitProblems([{ type: 'table', rows: [[{}]] }], 'modal')).not.toEqual([]);
  });

  test('blocks that are no list, named with their place', () => {
    expect(blockKitProblems('[]', 'message')).toEqual([
      '[ERROR] must be a valid array [json-pointer:/blocks]',
    ]);
    expect(blockKitProblems([{ type: 'divider' }, { type: 'header', text: plain(0) }], 'message')).toEqual([
      '[ERROR] must be more than 0 characters [json-pointer:/blocks/1/text/text]',
    ]);
  });

  test('a modal without title, with inputs but no submit, or of an unknown type', () => {
    const asking = { blocks: [input({ type: 'plain_text_input' })] };
    expect(viewProblems({ type: 'modal', blocks: [] })).not.toEqual([]);
    expect(viewProblems(modal(asking))[0]).toContain('submit');
    expect(viewProblems(modal({ ...asking, submit: plain(1) }))).toEqual([]);
    expect(viewProblems({ type: 'home', blocks: [{ type: 'divider' }] })).toEqual([]);
    expect(viewProblems({ type: 'dialog', blocks: [] })).not.toEqual([]);
    expect(viewProblems(undefined)).not.toEqual([]);
  });
});
