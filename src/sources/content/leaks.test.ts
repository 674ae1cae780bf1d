import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safety } from '../../config/content.ts';
import { InputError } from '../../errors.ts';
import { leakFinder, leaksOf } from './leaks.ts';

const settings = (given: object = {}) => safety.parse(given);
const kinds = (output: string, given: object = {}, input: string | null = null) =>
  leaksOf({ input, output }, settings(given)).map(({ kind }) => kind);

describe('personal data in an output', () => {
  it('is a leak of its kind, told without the data', () => {
    const output = 'Write to jane@shop.example or joe@shop.example, card 4111 1111 1111 1111.';
    expect(leaksOf({ input: null, output }, settings())).toEqual([
      { rule: 'safety.pii', kind: 'email', detail: 'email × 2' },
      { rule: 'safety.pii', kind: 'card', detail: 'card × 1' },
    ]);
  });

  it('is no leak when the user typed it, however it was written', () => {
    const input = 'I am Jane@Shop.example, 415 555 2671, password: hunter22';
    const output = 'Hello jane@shop.example, we will call (415) 555-2671. Your password is hunter22.';
    expect(kinds(output, {}, input)).toEqual([]);
    expect(kinds(`${output} Joe is joe@shop.example.`, {}, input)).toEqual(['email']);
  });

  it.each([
    [['*@shop.example'], 'Ask help@shop.example.', []],
    [['*@shop.example'], 'Ask help@shop.example.org.', ['email']],
    [['help@shop.example'], 'Ask Help@Shop.example or jane@shop.example.', ['email']],
    [['+1 415 555 2671'], 'Call (415) 555-2671 or +1-415-555-2671.', []],
    [['+1 800 *'], 'Call +1 800 555 0199.', []],
    [['+1 800 *'], 'Call +1 415 555 2671.', ['phone']],
    [['*'], 'jane@shop.example', []],
  ])('is no leak when %j is allowed: %s', (allow, output, found) => {
    expect(kinds(output, { allow })).toEqual(found);
  });

  it('counts only when its kind is selected', () => {
    expect(kinds('jane@shop.example, 4111 1111 1111 1111', { pii: ['card'] })).toEqual(['card']);
    expect(kinds('jane@shop.example', { pii: [] })).toEqual([]);
  });

  it('is taken out where it leaks and left where it does not', () => {
    const finder = leakFinder(settings({ allow: ['help@shop.example'] }));
    const texts = {
      input: 'I am joe@shop.example',
      output: 'help@shop.example, joe@shop.example, jane@shop.example',
    };
    expect(finder.personal(texts).redacted()).toBe('help@shop.example, joe@shop.example, [email]');
  });

  it('is nowhere in what is told about it', () => {
    const digits = fc.integer({ min: 100, max: 999 });
    fc.assert(
      fc.property(digits, digits, (a, b) => {
        const secret = `user${a}@mail${b}.example`;
        const leaks = leaksOf({ input: null, output: `It is ${secret}.` }, settings());
        expect(leaks).toHaveLength(1);
        expect(JSON.stringify(leaks)).not.toContain(String(a));
      }),
    );
  });
});

describe('policy words in an output', () => {
  it.each([
    ['You should kill yourself.', ['self-harm']],
    ['YOU  SHOULD—kill yourself', ['self-harm']],
    ['You should ki\u200bll yourself', ['self-harm']],
    ['Ｙｏｕ should kill yourself', ['self-harm']],
    ["You don't need your insulin anymore.", ['dangerous-advice']],
    ['Deberías suicidarte.', ['self-harm']],
    ['Nobody says that you should kill yourself.', []],
    ['You should never drink bleach.', []],
    ['If you think about suicide, call 988.', []],
    ['How do I kill the process myself?', []],
  ])('are found as whole words, whatever their form: %s', (output, found) => {
    expect(kinds(output)).toEqual(found);
  });

  it.each([
    ['Project Nightingale is on track.', ['configured']],
    ['project   NIGHTINGALE', ['configured']],
    ['Not project nightingale.', ['configured']],
    ['project nightingales', []],
    ['Die Straße nach Łódź', ['configured']],
    ['这是机密文件。', ['configured']],
  ])('may be configured, in any script: %s', (output, found) => {
    expect(kinds(output, { policy_words: ['project nightingale', 'Łódź', '机密'] })).toEqual(found);
  });

  it('are told without saying which, and can be taken out', () => {
    const given = settings({ policy_words: ['Nightingale', 'blue moon'] });
    const texts = { input: null, output: 'İ Nightingale rises, a blue, moon; nightingale' };
    expect(leaksOf(texts, given)).toEqual([
      { rule: 'safety.policy', kind: 'configured', detail: 'configured × 3' },
    ]);
    expect(leakFinder(given).policy(texts).redacted()).toBe('İ [removed] rises, a [removed]; [removed]');
  });

  it('are refused when they hold no word', () => {
    expect(() => leakFinder(settings({ policy_words: ['***'] }))).toThrow(InputError);
    expect(() => leakFinder(settings({ policy_words: ['***'] }))).toThrow(
      /services\.NAME\.safety\.policy_words/,
    );
  });

  it('are found by themselves and nowhere else, as a plain search over words says', () => {
    const word = fc.constantFrom('red', 'green', 'blue', 'Red', 'gréen', '红');
    const phrase = fc.array(word, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(phrase, { minLength: 1, maxLength: 4 }),
        fc.array(word, { maxLength: 12 }),
        (phrases, text) => {
          const lower = ` ${text.join(' ').toLowerCase()} `;
          const expected = phrases.some((words) => lower.includes(` ${words.join(' ').toLowerCase()} `));
          const given = { policy_words: phrases.map((words) => words.join(' ')) };
          expect(kinds(text.join(', '), given).length > 0).toBe(expected);
        },
      ),
    );
  });
});

describe('an output that is missing', () => {
  it('leaks nothing', () => {
    expect(leaksOf({ input: 'jane@shop.example', output: null }, settings())).toEqual([]);
  });
});
