import { describe, expect, test } from 'vitest';
import { backupOf, candidateKey, candidateName, candidateOf, candidateWith } from './candidate.ts';

const served = {
  'prompt:answer': { version: 'v14', sha256: null },
  model: { requested: 'gpt-4', served: 'gpt-4-0613' },
};
const current = candidateOf(served);

describe('a candidate', () => {
  test('is-what-the-ledger-says-is-served', () => {
    expect(current).toEqual({ prompts: { answer: 'v14' }, model: 'gpt-4-0613' });
    expect(candidateOf({})).toEqual({ prompts: {}, model: null });
  });

  test.each([
    ['a prompt by its name', [{ setting: 'prompt:answer', to: 'v13' }], 'v13'],
    ['the only prompt without its name', [{ setting: 'prompt', to: 'v13' }], 'v13'],
    ['a model', [{ setting: 'model', to: 'gpt-4o' }], 'gpt-4o'],
    [
      'both',
      [
        { setting: 'prompt:answer', to: 'v13' },
        { setting: 'model', to: 'gpt-4o' },
      ],
      'v13 on gpt-4o',
    ],
    ['a share for a model', [{ setting: 'split:gpt-4o', to: 10 }], 'gpt-4o'],
    ['a share for a prompt version', [{ setting: 'split:answer=v13', to: 10 }], 'v13'],
  ])('with %s', (_, wanted, name) => {
    const candidate = candidateWith(current, wanted);
    expect(candidate && candidateName(candidate, current)).toBe(name);
  });

  test('is-none-where-no-prompt-and-no-model-changes', () => {
    expect(candidateWith(current, [{ setting: 'enabled', to: false }])).toBeNull();
    expect(candidateWith(current, [{ setting: 'split:gpt-4o', to: 0 }])).toBeNull();
  });

  test('has-one-key-however-it-was-arrived-at', () => {
    const byName = candidateWith(current, [{ setting: 'prompt:answer', to: 'v13' }]);
    const byArm = candidateWith(current, [{ setting: 'split:answer=v13', to: 50 }]);
    expect(byName && candidateKey(byName)).toBe(byArm && candidateKey(byArm));
    expect(candidateKey(current)).not.toBe(byName && candidateKey(byName));
  });

  test('a-backup-is-a-version-or-a-named-one-and-a-model', () => {
    expect(backupOf(current, { prompt: 'v12' }).prompts).toEqual({ answer: 'v12' });
    expect(backupOf(current, { prompt: 'answer=v12', model: 'm' })).toEqual({
      prompts: { answer: 'v12' },
      model: 'm',
    });
  });
});
