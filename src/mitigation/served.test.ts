import { expect, it } from 'vitest';
import { type Asker, type Serving, serve, textKey } from './served.ts';

const NOBODY: Asker = { targetingKey: null, user: null, session: null, endpoint: null };
const serving = (settings: Serving['settings'], more: Partial<Serving> = {}): Serving => ({
  service: 'answers',
  environment: 'production',
  version: 3,
  changedAt: null,
  settings,
  fallback: {},
  texts: new Map(),
  ...more,
});

it('has every key when nothing was ever said', () => {
  expect(serve(serving({}), NOBODY)).toEqual({
    value: {
      enabled: true,
      prompts: {},
      model: null,
      fallback: { mode: 'none' },
      types: {},
      split: {},
      limits: {},
      token_cap: null,
      disclaimer: null,
      blocked: [],
      version: 3,
    },
    reason: 'STATIC',
    variant: 'default',
  });
});

it('serves the text and the digest of exactly the version that is served', () => {
  const texts = new Map([
    [textKey('answers', 'answer', 'v13'), { sha256: 'ab', text: 'Be kind.' }],
    [textKey('answers', 'summary', 'v1'), { sha256: 'cd', text: null }],
    [textKey('other', 'plain', 'v1'), { sha256: 'ef', text: 'Not ours.' }],
    [textKey('answers', '', 'v2'), { sha256: '01', text: 'Unnamed.' }],
  ]);
  const settings = {
    'prompt:answer': 'v13',
    'prompt:summary': 'v1',
    'prompt:plain': 'v1',
    'prompt:off': null,
    prompt: 'v2',
  };
  const { value } = serve(serving(settings, { texts }), NOBODY);
  expect(value.prompts).toEqual({
    answer: { version: 'v13', sha256: 'ab', text: 'Be kind.' },
    summary: { version: 'v1', sha256: 'cd' },
    plain: { version: 'v1' },
  });
  expect(value.prompt).toEqual({ version: 'v2', sha256: '01', text: 'Unnamed.' });
});

it('gives everybody the limit of each, and those with one by name their own', () => {
  const settings = { 'limit:each user': 5, 'limit:each session': 2, 'limit:user vip': 50 };
  const limits = (asker: Partial<Asker>) => serve(serving(settings), { ...NOBODY, ...asker }).value.limits;
  expect(limits({ targetingKey: 'U1' })).toEqual({ user: 5 });
  expect(limits({ user: 'vip', session: 's 1' })).toEqual({ user: 50, session: 2 });
  expect(limits({})).toEqual({});
});

it('gives each asker the limits that are about them', () => {
  const settings = {
    'limit:user U1': 4,
    'limit:session s 1': 0,
    'limit:endpoint /a': 60,
    'limit:user U2': null,
  };
  const limits = (asker: Partial<Asker>) => serve(serving(settings), { ...NOBODY, ...asker });
  expect(limits({ targetingKey: 'U1' }).value.limits).toEqual({ user: 4 });
  expect(limits({ targetingKey: 'U1', user: 'U3' }).value.limits).toEqual({});
  expect(limits({ user: 'U2' }).value.limits).toEqual({});
  const both = limits({ session: 's 1', endpoint: '/a' });
  expect([both.value.limits, both.reason]).toEqual([{ session: 0, endpoint: 60 }, 'TARGETING_MATCH']);
});

it('gives a user of a split its model and its prompt, and says which', () => {
  const settings = {
    model: 'm-1',
    'prompt:answer': 'v14',
    'split:m-2': 100,
    'split:answer=v13': 100,
    'split:answer=v12': 0,
  };
  const { value, variant, reason } = serve(serving(settings), { ...NOBODY, targetingKey: 'u1' });
  expect([value.model, value.prompts['answer']?.version]).toEqual(['m-2', 'v13']);
  expect([variant, reason]).toEqual(['answer=v13 m-2', 'SPLIT']);
  expect(value.split).toEqual({ 'answer=v12': 0, 'answer=v13': 100, 'm-2': 100 });
  const before = serve(serving({ ...settings, 'split:m-2': 0, 'split:answer=v13': 0 }), NOBODY);
  expect([before.value.model, before.variant, before.reason]).toEqual(['m-1', 'default', 'STATIC']);
});

it('lists what is blocked and which types are off, and hands on what goes with the fallback', () => {
  const settings = { 'blocked:b': true, 'blocked:a: x': true, 'blocked:c': false, 'type:refund': false };
  const { value } = serve(serving(settings, { fallback: { notice: 'Back soon.', model: 'm-0' } }), NOBODY);
  expect(value.blocked).toEqual(['a: x', 'b']);
  expect(value.types).toEqual({ refund: false });
  expect(value.fallback).toEqual({ mode: 'none', notice: 'Back soon.', model: 'm-0' });
});
