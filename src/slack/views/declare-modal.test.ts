import type { InputBlock, StaticSelect } from '@slack/types';
import { expect, test } from 'vitest';
import { viewProblems } from '../block-kit-limits.ts';
import { readDeclaration, type ViewAnswer } from './declaration.ts';
import { declareModal, OTHER_SERVICE } from './declare-modal.ts';

const now = new Date('2026-11-22T03:00:00Z');
const seconds = now.getTime() / 1000;
const option = (value: string): ViewAnswer => ({ selected_option: { value } });
const filled: Record<string, ViewAnswer> = {
  title: { value: '  Wrong\n prices ' },
  category: option('quality'),
  severity: option('sev2'),
};
const read = (answers: Record<string, ViewAnswer>) => {
  const blocks = Object.entries(answers).map(([block, answer]) => [block, { value: answer }]);
  return readDeclaration(Object.fromEntries(blocks), now);
};
const manyServices = (n: number) =>
  Array.from({ length: n }, (_, i) => `${'a-service-with-a-long-name'.repeat(2)}-${i}`);
const inputOf = (modal: ReturnType<typeof declareModal>, id: string) =>
  modal.blocks.find((block) => block.block_id === id) as InputBlock;

test('the-form-has-one-block-a-field', () => {
  const modal = declareModal({ services: [], channelId: 'C012', title: 'Wrong prices' });
  expect(modal.callback_id).toBe('declare');
  expect(modal.blocks.map((block) => block.block_id)).toEqual([
    'title',
    'category',
    'severity',
    'service',
    'symptom',
    'started_at',
    'private',
  ]);
  expect(
    modal.blocks.filter((block) => !(block as InputBlock).optional).map((block) => block.block_id),
  ).toEqual(['title', 'category', 'severity']);
  expect(modal.private_metadata).toBe('{"channelId":"C012"}');
  expect(inputOf(modal, 'title').element).toMatchObject({
    action_id: 'value',
    initial_value: 'Wrong prices',
  });
});

test('configured-services-are-chosen-and-others-typed', () => {
  const chosen = inputOf(declareModal({ services: ['support-bot'] }), 'service').element;
  expect(chosen).toMatchObject({
    type: 'static_select',
    options: [{ value: 'support-bot' }, { value: OTHER_SERVICE }],
  });
  for (const services of [[], manyServices(1_001), ['x'.repeat(151)]]) {
    expect(inputOf(declareModal({ services }), 'service').element.type).toBe('plain_text_input');
  }
});

test('more-services-than-a-list-holds-are-chosen-in-groups', () => {
  for (const [n, sizes] of [
    [99, undefined],
    [100, [100, 1]],
    [120, [100, 20, 1]],
    [1_000, [...Array.from({ length: 10 }, () => 100), 1]],
  ] as const) {
    const modal = declareModal({ services: manyServices(n), channelId: 'C012' });
    const element = inputOf(modal, 'service').element as StaticSelect;
    expect(element.option_groups?.map(({ options }) => options.length)).toEqual(sizes);
    const all = (element.option_groups ?? [{ options: element.options ?? [] }]).flatMap((one) => one.options);
    expect(all.map(({ value }) => value).sort()).toEqual([...manyServices(n), OTHER_SERVICE].sort());
    expect(viewProblems(modal)).toEqual([]);
    expect(JSON.stringify(modal).length).toBeLessThan(250_000);
  }
});

test('the-least-that-can-be-declared-is-a-title-a-kind-and-a-severity', () => {
  expect(read(filled).values).toEqual({
    title: 'Wrong prices',
    category: 'quality',
    severity: 'sev2',
    service: null,
    symptom: null,
    startedAt: null,
    private: false,
  });
});

test('every-field-is-read', () => {
  const all = {
    ...filled,
    service: { value: 'support-bot' },
    symptom: option('errors'),
    started_at: { selected_date_time: seconds - 600 },
    private: { selected_options: [{ value: 'private' }] },
  };
  expect(read(all).values).toMatchObject({
    service: 'support-bot',
    symptom: 'errors',
    startedAt: new Date('2026-11-22T02:50:00Z'),
    private: true,
  });
  expect(read({ ...filled, service: option(OTHER_SERVICE) }).values?.service).toBeNull();
});

test('each-wrong-field-has-a-message-of-its-own', () => {
  const { errors } = read({
    title: { value: ' ' },
    category: option('weather'),
    started_at: { selected_date_time: seconds + 3600 },
  });
  expect(Object.keys(errors ?? {}).sort()).toEqual(['category', 'severity', 'started_at', 'title']);
  expect(errors?.['started_at']).toContain('in the future');
});

test.each([
  ['ab', /at least 3/],
  ['x'.repeat(151), /at most 150/],
])('a title such as %s is refused', (value, message) => {
  expect(read({ ...filled, title: { value } }).errors?.['title']).toMatch(message);
});

test('a-start-within-the-current-minute-is-taken-as-now', () => {
  expect(read({ ...filled, started_at: { selected_date_time: seconds + 60 } }).values?.startedAt).toEqual(
    now,
  );
});

test('fields-that-slack-leaves-empty-are-read-as-nothing', () => {
  const empty: ViewAnswer = {
    value: null,
    selected_option: null,
    selected_date_time: null,
    selected_options: [],
  };
  const answers = { ...filled, service: empty, symptom: empty, started_at: empty, private: empty };
  expect(read(answers).values).toMatchObject({
    service: null,
    symptom: null,
    startedAt: null,
    private: false,
  });
  expect(readDeclaration({}, now).errors?.['title']).toBeDefined();
});
