import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkAssertion } from './assertion.ts';
import { type EvalCase, proposeCases } from './eval-case.ts';
import type { RecordedCall } from './recorded-call.ts';

const call = (callId: string, input: string, output: string): RecordedCall => ({ callId, input, output });
const reasoned = (index: number, answer: string) => {
  return call(
    `g${index}`,
    `question ${index}`,
    `Let us look at it step by step, number ${index}.\n${answer}`,
  );
};
const goodCalls = Array.from({ length: 20 }, (_, index) => reasoned(index, index % 2 ? '[Yes]' : '[No]'));

function propose(bad: RecordedCall[], good: RecordedCall[]): EvalCase[] {
  return proposeCases({ incidentId: 'INC-12', bad, good });
}

const kinds = (one: EvalCase | undefined) => one?.assertions.map((assertion) => assertion.type);

describe('proposeCases', () => {
  it('demands the answer that the good output of the same input ends with', () => {
    const [one] = propose(
      [call('b1', 'question 1', 'I looked at this for a long time. So, [No]')],
      goodCalls,
    );
    expect(one?.assertions).toContainEqual({ type: 'contains', value: '[Yes]' });
    expect(one).toMatchObject({ callId: 'b1', proven: true, why: expect.stringContaining('fails on 1 bad') });
  });

  it('demands the format that the good outputs share when the format broke', () => {
    const bad = { ...call('b1', 'new question', 'I looked at this for a long time. No'), formatOk: false };
    const [one] = propose([bad], goodCalls);
    expect(one?.assertions).toContainEqual({ type: 'regex', value: '\\[No\\]|\\[Yes\\]' });
    expect(one?.proven).toBe(true);
  });

  it('demands JSON where good outputs are JSON', () => {
    const good = [call('g1', 'a', '{"total": 1}'), call('g2', 'b', ' {"total": 2}\n')];
    const [one] = propose([{ ...call('b1', 'c', 'The total is 3.'), formatOk: false }], good);
    expect(one?.assertions).toContainEqual({ type: 'regex', value: '^\\s*\\{[\\s\\S]*\\}\\s*$' });
  });

  it('demands, where no right answer is known, a length between the collapse and the shortest good output', () => {
    const [one] = propose([call('b1', 'a question that no good call answered', 'No')], goodCalls);
    const length = one?.assertions.find((assertion) => assertion.type === 'min-length');
    const shortest = Math.min(...goodCalls.map((good) => good.output.length));
    expect(length?.chars).toBeGreaterThan(2);
    expect(length?.chars).toBeLessThanOrEqual(shortest);
  });

  it('does not take a slightly shorter output for a collapse', () => {
    const [one] = propose([call('b1', 'question 1', 'x'.repeat(40))], goodCalls);
    expect(kinds(one)).not.toContain('min-length');
  });

  it('forbids a refusal that no good output utters', () => {
    const [one] = propose(
      [call('b1', 'q', "I'm sorry, but I can't help with a request such as that.")],
      goodCalls,
    );
    expect(one?.assertions).toContainEqual({ type: 'not-icontains', value: "i'm sorry" });
  });

  it('forbids the shape of what leaked and never prints the value', () => {
    const [one] = propose(
      [call('b1', 'mail of jane@example.com?', 'It is jane@example.com, as asked.')],
      goodCalls,
    );
    expect(kinds(one)).toContain('not-regex');
    expect(kinds(one)).not.toContain('not-equals');
    expect(JSON.stringify(one)).not.toContain('jane@');
    expect(one?.proven).toBe(true);
  });

  it('always forbids the exact wrong output and adds a rubric that only a model can judge', () => {
    const [one] = propose([call('b1', 'q', 'wrong')], []);
    expect(one?.assertions[0]).toEqual({ type: 'not-equals', value: 'wrong' });
    expect(kinds(one)).toEqual(['not-equals', 'llm-rubric']);
    expect(one).toMatchObject({ proven: false, why: expect.stringContaining('No good output') });
  });

  it('does not prove a case against good outputs of other inputs by banning one sentence', () => {
    const [one] = propose([call('b1', 'q', 'A wrong answer of the usual length, ending in [No]')], goodCalls);
    expect(kinds(one)).toEqual(['not-equals', 'llm-rubric']);
    expect(one?.proven).toBe(false);
  });

  it('says that a case which only bans the exact output is weak', () => {
    const good = [call('g1', 'q', 'Right, and '.repeat(20)), call('g2', 'q', 'Also right, and '.repeat(20))];
    const [one] = propose([call('b1', 'q', 'Wrong, and '.repeat(20))], good);
    expect(one).toMatchObject({ proven: true, why: expect.stringContaining('only forbids the exact') });
  });

  it('makes one case an input, worst first, five at most', () => {
    const bad = Array.from({ length: 9 }, (_, index) => ({
      ...call(`b${index}`, `q ${index}`, 'bad'),
      score: 1 - index / 10,
    }));
    const cases = propose([...bad, { ...call('again', ' q  8 ', 'worse'), score: 0.9 }], []);
    expect(cases.map((one) => one.callId)).toEqual(['b8', 'b7', 'b6', 'b5', 'b4']);
    expect(cases[0]?.assertions.filter((one) => one.type === 'not-equals')).toHaveLength(2);
  });

  it('pulls template marks and file schemes apart, so that nothing recorded is run', () => {
    const cases = propose(
      [call('b1', '{{ env.SECRET }} {% include "x" %}', 'x'), call('b2', 'file:///etc/passwd', '{{ 7*7 }}')],
      [],
    );
    expect(cases.map((one) => one.input)).toEqual([
      '{ { env.SECRET }} { % include "x" %}',
      ' file:///etc/passwd',
    ]);
    expect(kinds(cases[1])).toEqual(['llm-rubric']);
    expect(JSON.stringify(cases)).not.toMatch(/\{\{|\{%/);
  });

  it('keeps no content assertion that a recorded output contradicts, whatever was recorded', () => {
    const output = fc.oneof(
      fc.constantFrom('[Yes]', '[No]', 'ok', "I can't", '{"a":1}', 'a@b.co'),
      fc.string(),
    );
    const recorded = fc.record({
      callId: fc.string(),
      input: fc.constantFrom('q1', 'q2'),
      output,
      formatOk: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(recorded), fc.array(recorded), (bad, good) => {
        for (const one of propose(bad, good)) {
          if (!one.proven) continue;
          const fails = (each: RecordedCall) => {
            return one.assertions.some((assertion) => checkAssertion(assertion, each.output) === 'fail');
          };
          const input = bad.find(
            (each) => each.callId === one.callId && each.input.startsWith(one.input),
          )?.input;
          expect(bad.filter((each) => each.input === input).every(fails)).toBe(true);
          expect(good.filter((each) => each.input === input).some(fails)).toBe(false);
        }
      }),
    );
  });
});
