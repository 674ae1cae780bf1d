import { describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { formatCheck } from './output-format.ts';

const schema = {
  type: 'object',
  required: ['answer'],
  properties: { answer: { type: 'string', pattern: '^[a-z]+$' }, score: { type: 'number', maximum: 1 } },
};

describe('an output with a JSON Schema', () => {
  const isWellFormed = formatCheck({ json_schema: schema });

  it.each([
    ['{"answer": "yes", "score": 0.5}', true],
    ['  {"answer": "yes"}\n', true],
    ['```json\n{"answer": "yes"}\n```', true],
    ['```\n{"answer": "yes"}\n```', true],
    ['{"answer": "YES"}', false],
    ['{"answer": "yes", "score": 2}', false],
    ['{"score": 0.5}', false],
    ['Here it is: {"answer": "yes"}', false],
    ['{"answer": "yes"', false],
    ["{'answer': 'yes'}", false],
    ['', false],
  ])('is well formed or not: %j', (output, expected) => {
    expect(isWellFormed(output)).toBe(expected);
  });

  it('may use either draft', () => {
    const older = formatCheck({
      json_schema: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        definitions: { n: { type: 'integer' } },
        type: 'array',
        items: [{ $ref: '#/definitions/n' }],
      },
    });
    expect([older('[1]'), older('["a"]')]).toEqual([true, false]);
    const newer = formatCheck({
      json_schema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        prefixItems: [{ type: 'integer' }],
        items: false,
      },
    });
    expect([newer('[1]'), newer('[1, 2]')]).toEqual([true, false]);
  });

  it('is not well formed when it is nested without end', () => {
    const tree = formatCheck({ json_schema: { type: 'array', items: { $ref: '#' } } });
    expect(tree('[[[]]]')).toBe(true);
    expect(tree('['.repeat(200_000) + ']'.repeat(200_000))).toBe(false);
  });
});

describe('an output with a pattern', () => {
  it('is well formed when the pattern is found in it', () => {
    const isWellFormed = formatCheck({ pattern: '^INC-\\d+$' });
    expect([isWellFormed('INC-12'), isWellFormed('see INC-12')]).toEqual([true, false]);
  });

  it('answers about a text that would keep a backtracking engine busy for ever', () => {
    expect(formatCheck({ pattern: '^(a+)+$' })(`${'a'.repeat(50_000)}b`)).toBe(false);
    const nested = formatCheck({ json_schema: { type: 'string', pattern: '^(a+)+$' } });
    expect(nested(`"${'a'.repeat(50_000)}b"`)).toBe(false);
  });

  it('must satisfy the schema as well when there are both', () => {
    const isWellFormed = formatCheck({ json_schema: schema, pattern: '^\\{' });
    expect([isWellFormed('{"answer":"a"}'), isWellFormed('```\n{"answer":"a"}\n```')]).toEqual([true, false]);
  });
});

describe('a format that cannot be used', () => {
  it.each([
    [{ pattern: '(' }, /^services\.NAME\.format\.pattern: /],
    [{ pattern: '(?=a)b' }, /^services\.NAME\.format\.pattern: /],
    [{ json_schema: { type: 'wrong' } }, /^services\.NAME\.format\.json_schema: /],
    [{ json_schema: { $ref: 'https://elsewhere.example/x' } }, /^services\.NAME\.format\.json_schema: /],
    [{ json_schema: { pattern: '[' } }, /^services\.NAME\.format\.json_schema: /],
    [{}, /^services\.NAME\.format: needs json_schema or pattern$/],
  ])('is refused with its field: %j', (format, problem) => {
    expect(() => formatCheck(format)).toThrow(InputError);
    expect(() => formatCheck(format)).toThrow(problem);
  });

  it('is named after its service where that is known', () => {
    expect(() => formatCheck({}, 'services.support-bot.format')).toThrow(/^services\.support-bot\.format: /);
  });
});
