import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { casesJsonl, promptfooYaml } from './case-export.ts';
import type { EvalCase } from './eval-case.ts';

const one: EvalCase = {
  incidentId: 'INC-12',
  callId: 'b1',
  description: 'A bad output.',
  input: 'Is 17 prime?',
  proven: true,
  why: 'It fails and passes.',
  assertions: [
    { type: 'contains', value: '[Yes]' },
    { type: 'not-equals', value: 'No' },
    { type: 'min-length', chars: 21 },
    { type: 'max-length', chars: 900 },
    { type: 'llm-rubric', value: 'Be right.' },
  ],
};

const asTest = {
  description: 'INC-12: A bad output.',
  vars: { input: 'Is 17 prime?' },
  metadata: { incident: 'INC-12', call: 'b1', proven: true, why: 'It fails and passes.' },
  assert: [
    { type: 'contains', value: '[Yes]' },
    { type: 'not-equals', value: 'No' },
    { type: 'javascript', value: 'String(output).length >= 21' },
    { type: 'javascript', value: 'String(output).length <= 900' },
    { type: 'llm-rubric', value: 'Be right.' },
  ],
};

describe('exported cases', () => {
  it('are a promptfoo configuration with a provider to replace', () => {
    const yaml = promptfooYaml([one], { incidentId: 'INC-12' });
    expect(parse(yaml)).toEqual({
      description: 'Eval cases of INC-12',
      prompts: ['{{input}}'],
      providers: ['echo'],
      tests: [asTest],
    });
    expect(yaml).toContain('  # Replace echo by the provider or application under test.\n  - "echo"\n');
  });

  it('quote answers that older readers would take for something else', () => {
    expect(promptfooYaml([one], { incidentId: 'INC-12' })).toContain('value: "No"');
  });

  it('are one JSON test a line', () => {
    const lines = casesJsonl([one, one]).split('\n');
    expect(lines).toHaveLength(3);
    expect(JSON.parse(lines[0] ?? '')).toEqual(asTest);
    expect(lines[2]).toBe('');
    expect(casesJsonl([])).toBe('');
  });

  it('hold nothing but an integer in their code', () => {
    const odd = { ...one, assertions: [{ type: 'min-length' as const, chars: Number.NaN }] };
    expect(promptfooYaml([odd], { incidentId: 'INC-12' })).toContain('"String(output).length >= 0"');
  });

  it('come back from the YAML parser as they were, whatever their texts', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        'No',
        '~',
        '',
        ' x',
        '- a',
        '# c',
        'a: b',
        '"',
        "'",
        '\n',
        ' \n ',
        '1e3',
        '\t',
        '...',
        '---',
        '%',
      ),
    );
    fc.assert(
      fc.property(text, text, (input, value) => {
        const odd: EvalCase = { ...one, input, assertions: [{ type: 'contains', value }] };
        const back = parse(promptfooYaml([odd], { incidentId: 'INC-12' })) as { tests: (typeof asTest)[] };
        expect(back.tests[0]?.vars.input).toBe(input);
        expect(back.tests[0]?.assert).toEqual([{ type: 'contains', value }]);
      }),
      { numRuns: 500 },
    );
  });
});
