import { describe, expect, test } from 'vitest';
import {
  componentOf,
  componentsIn,
  isSettable,
  restingState,
  settingOf,
  wantedToServe,
} from './ledger-component.ts';

describe('settings in the ledger', () => {
  test('a-target-is-kept-as-components-without-any-text', () => {
    const state = {
      enabled: true,
      'type:refund': false,
      'prompt:answer': 'v13',
      model: 'm-1',
      'split:m-2': 10,
      'limit:user u1': 4,
      'token-cap': null,
      disclaimer: 'May be wrong.',
      'blocked:legal advice': true,
      fallback: 'cached',
      'prompt:unknown': null,
    };
    expect(Object.fromEntries(componentsIn(state))).toEqual({
      'flag:enabled': { value: 'on' },
      'flag:type:refund': { value: 'off' },
      'prompt:answer': { version: 'v13' },
      model: { requested: 'm-1' },
      'split:m-2': { value: '10 %' },
      'limit:user u1': { value: '4' },
      'token-cap': { value: 'none' },
      disclaimer: { value: expect.stringMatching(/^sha256 [0-9a-f]{12}$/) },
      [componentOf('blocked:legal advice')]: { value: 'on' },
      fallback: { value: 'cached' },
    });
    expect(componentOf('blocked:legal advice')).toMatch(/^blocked:[0-9a-f]{12}$/);
    for (const setting of ['enabled', 'type:refund', 'prompt:answer', 'model', 'split:m-2', 'limit:user u1'])
      expect(settingOf(componentOf(setting))).toBe(setting);
    expect(['index', 'deploy:api', 'sampling:answer', 'flag:banner'].map(settingOf)).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  test('a-known-good-state-is-wanted-with-its-shares-and-never-resumes', () => {
    const state = {
      'prompt:answer': { version: 'v13', sha256: null },
      prompt: { version: 'v13' },
      model: { requested: 'm-1', served: 'm-1-0613' },
      'split:m-2': { value: '0 %' },
      'flag:type:refund': { value: 'off' },
      'flag:type:search': { value: 'on' },
      'flag:enabled': { value: 'on' },
      fallback: { value: 'none' },
      'limit:user u1': { value: 'none' },
      'index:docs': { value: 'i1' },
      'sampling:answer': { temperature: '0.1' },
    };
    expect(wantedToServe(state)).toEqual([
      { setting: 'prompt:answer', to: 'v13' },
      { setting: 'model', to: 'm-1-0613' },
      { setting: 'split:m-2', to: 0 },
      { setting: 'type:refund', to: false },
    ]);
    expect(wantedToServe({ prompt: { version: 'v1' } })).toEqual([{ setting: 'prompt', to: 'v1' }]);
    expect(wantedToServe({ 'flag:type:x': { value: 'true' } })).toEqual([]);
    expect(Object.keys(state).filter(isSettable)).toHaveLength(6);
  });

  test('what-goes-unnamed-is-at-rest-only-where-all-else-is-named', () => {
    const resting = (component: string, isWhole: boolean) => restingState(component, { isWhole })?.['value'];
    expect(resting('limit:user u1', false)).toBe('none');
    expect(resting('split:m-2', false)).toBeUndefined();
    expect(resting('split:m-2', true)).toBe('0 %');
    expect(resting('flag:type:refund', true)).toBe('on');
    expect(resting('flag:enabled', true)).toBeUndefined();
    expect(resting('prompt:answer', true)).toBeUndefined();
  });
});
