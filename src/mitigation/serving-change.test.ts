import { describe, expect, it } from 'vitest';
import { servingSettings } from '../config/serving.ts';
import type { Step } from './plan.ts';
import { FALLBACKS, valueIn } from './serving.ts';
import { changeSettings, initialSettings, isServable } from './serving-change.ts';

const initial = initialSettings(
  servingSettings.parse({
    prompts: { answer: 'v14' },
    model: 'm-1',
    types: { refund: true },
    limits: { endpoint: { '/answer': 60 } },
    blocked: ['legal advice'],
  }),
);
const change = (step: Step, overrides = {}, isGivenBack = false) =>
  changeSettings({ initial, overrides, isGivenBack }, step);

const changes: Step[] = [
  { setting: 'enabled', from: true, to: false },
  { setting: 'prompt:answer', from: 'v14', to: 'v13' },
  { setting: 'model', from: 'm-1', to: 'm-2' },
  { setting: 'fallback', from: 'none', to: 'cached' },
  { setting: 'type:refund', from: true, to: false },
  { setting: 'type:other', from: true, to: false },
  { setting: 'split:m-2', from: 0, to: 10 },
  { setting: 'limit:user U1', from: null, to: 4 },
  { setting: 'limit:session S 1', from: null, to: 0 },
  { setting: 'limit:endpoint /answer', from: 60, to: 6 },
  { setting: 'token-cap', from: null, to: 200 },
  { setting: 'disclaimer', from: null, to: 'Answers may be wrong.' },
  { setting: 'blocked:medical: advice', from: false, to: true },
  { setting: 'blocked:legal advice', from: true, to: false },
];

describe('a change of what is served', () => {
  it('says what was configured', () => {
    expect(initial).toEqual({
      enabled: true,
      fallback: 'none',
      'token-cap': null,
      disclaimer: null,
      model: 'm-1',
      'prompt:answer': 'v14',
      'type:refund': true,
      'limit:endpoint /answer': 60,
      'blocked:legal advice': true,
    });
  });

  it.each(changes)('$setting $from → $to is made, and taken back by its opposite', (step) => {
    expect(isServable(step.setting)).toBe(true);
    const made = change(step);
    expect(made).toEqual({ kind: 'changed', overrides: { [step.setting]: step.to } });
    const undone = change({ ...step, from: step.to, to: step.from }, { [step.setting]: step.to });
    expect(undone.kind).toBe('changed');
  });

  it('given back to what is configured follows the configuration again, and set to it does not', () => {
    const overrides = { 'prompt:answer': 'v13', enabled: false };
    const back = { setting: 'prompt:answer', from: 'v13', to: 'v14' };
    expect(change(back, overrides, true)).toEqual({ kind: 'changed', overrides: { enabled: false } });
    expect(change(back, overrides)).toEqual({
      kind: 'changed',
      overrides: { enabled: false, 'prompt:answer': 'v14' },
    });
  });

  it('of what is not configured stays readable when it is taken back', () => {
    expect(change({ setting: 'split:m-2', from: 50, to: 0 }, { 'split:m-2': 50 })).toEqual({
      kind: 'changed',
      overrides: { 'split:m-2': 0 },
    });
  });

  it('finds the only prompt by whichever name it has', () => {
    const step = { setting: 'prompt', from: 'v14', to: 'v13' };
    expect(change(step)).toEqual({ kind: 'changed', overrides: { 'prompt:answer': 'v13' } });
    const unnamed = initialSettings(servingSettings.parse({ prompt: 'v14' }));
    expect(
      changeSettings(
        { initial: unnamed, overrides: {}, isGivenBack: false },
        { ...step, setting: 'prompt:answer' },
      ),
    ).toEqual({
      kind: 'changed',
      overrides: { prompt: 'v13' },
    });
  });

  it('is not made when its beginning is no longer true', () => {
    const step = { setting: 'prompt:answer', from: 'v14', to: 'v13' };
    expect(change(step, { 'prompt:answer': 'v12' })).toEqual({ kind: 'moved', now: 'v12' });
    expect(change(step, { 'prompt:answer': 'v13' })).toEqual({ kind: 'moved', now: 'v13' });
    expect(change({ setting: 'limit:user U1', from: 5, to: 4 })).toEqual({ kind: 'moved', now: null });
  });

  it.each([
    ['split:m-2', 150],
    ['split:m-2', -5],
    ['split:m-2', 'abc'],
    ['split:m-2', Number.NaN],
    ['enabled', null],
    ['split:m-2', null],
    ['prompt:answer', null],
    ['enabled', 'false'],
    ['fallback', 'panic'],
    ['limit:user U1', 1.5],
    ['limit:user U1', -1],
    ['token-cap', 0],
    ['prompt:answer', 13],
    ['model', ''],
    ['blocked:x', 'yes'],
  ])('%s to %s is refused', (setting, to) => {
    expect(change({ setting, from: valueIn(initial, setting), to }).kind).toBe('refused');
  });

  it.each([
    'prompt:',
    'enabled:x',
    'limit:U1',
    'limit:tenant T1',
    'split',
    'colour',
    'constructor:x',
    'toString',
    '',
  ])('of the setting "%s" is not offered and is refused', (setting) => {
    expect(isServable(setting)).toBe(false);
    expect(change({ setting, from: null, to: true }).kind).toBe('refused');
  });

  it('raises no split past what the others leave, and always lowers one', () => {
    const overrides = { 'split:a': 60, 'split:b': 60, 'split:answer=v13': 90 };
    expect(change({ setting: 'split:c', from: 0, to: 10 }, { 'split:a': 95 }).kind).toBe('refused');
    expect(change({ setting: 'split:c', from: 0, to: 5 }, { 'split:a': 95 }).kind).toBe('changed');
    expect(change({ setting: 'split:a', from: 60, to: 50 }, overrides).kind).toBe('changed');
    expect(change({ setting: 'split:answer=v13', from: 90, to: 100 }, overrides).kind).toBe('changed');
  });
});

describe('the serving settings of the configuration', () => {
  it('know every fallback', () => {
    for (const mode of FALLBACKS)
      expect(servingSettings.parse({ fallback: { mode } }).fallback.mode).toBe(mode);
  });

  it.each([
    [{ split: { a: 60, b: 50 } }, /at most 100 %/],
    [{ prompt_texts: [{ version: 'v1' }] }, /needs text or sha256/],
    [
      { prompt_texts: [{ version: 'v1', text: 'x', sha256: '0'.repeat(64) }] },
      /is not the SHA-256 of the text/,
    ],
    [{ limits: { user: { U1: -1 } } }, /requests a minute/],
    [{ prompts: { answer: 14 } }, /string/],
  ])('refuse %j', (given, problem) => {
    expect(servingSettings.safeParse(given).error?.message).toMatch(problem);
  });
});
