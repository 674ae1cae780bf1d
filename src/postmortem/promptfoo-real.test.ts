import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Assertion, checkAssertion } from './assertion.ts';
import { promptfooYaml } from './case-export.ts';
import { type EvalCase, proposeCases } from './eval-case.ts';
import type { RecordedCall } from './recorded-call.ts';

const { PROMPTFOO_PATH } = process.env;
const program = join(PROMPTFOO_PATH ?? '', 'node_modules', '.bin', 'promptfoo');
const isHere = PROMPTFOO_PATH !== undefined && existsSync(program);
if (!isHere) console.log('skipped: the real promptfoo (PROMPTFOO_PATH names no folder that holds it)');

const call = (callId: string, input: string, output: string): RecordedCall => ({ callId, input, output });
const reasons = 'We looked at your order and at what it says, step by step. ';
const schema = { type: 'object', required: ['days'], properties: { days: { type: 'integer' } } };

/** Failures of every kind that a case is proposed for, each with good outputs. */
const KINDS: Record<string, { bad: RecordedCall[]; good: RecordedCall[] }> = {
  answer: {
    bad: [call('1', 'Is 17 prime?', `${reasons}\n[No]`)],
    good: [call('2', 'Is 17 prime?', `${reasons}\n[Yes]`)],
  },
  reference: {
    bad: [call('1', 'Say it.', `${reasons.repeat(3)}No: "never" {{ 7*7 }}`)],
    good: ['2', '3'].map((id) => call(id, 'Say it.', `${reasons.repeat(3)}Yes.`)),
  },
  schema: {
    bad: [{ ...call('1', 'How long?', '{"days": "14"}'), formatOk: false }],
    good: [call('2', 'And this?', '{"days": 14}'), call('3', 'And that?', ' {"days": 7}\n')],
  },
  format: {
    bad: [{ ...call('1', 'Which one?', 'The second. No'), formatOk: false }],
    good: Array.from({ length: 4 }, (_, i) => call(`g${i}`, `other ${i}`, `So: ${i % 2 ? '[No]' : '[Yes]'}`)),
  },
  collapse: {
    bad: [call('1', 'Explain it.', 'No\u00a0“é” 🙂')],
    good: Array.from({ length: 6 }, (_, i) => call(`g${i}`, `other ${i}`, `${reasons.repeat(2)}${i} 🙂`)),
  },
  flood: {
    bad: [call('1', 'Explain it.', reasons.repeat(40))],
    good: Array.from({ length: 6 }, (_, i) => call(`g${i}`, `other ${i}`, `${reasons}${i}`)),
  },
  refusal: {
    bad: [call('1', 'May I return it?', `${reasons}I'M SORRY, I cannot say.`)],
    good: [call('2', 'And this?', `${reasons}Within 14 days.`)],
  },
  leak: {
    bad: [call('1', 'Who is it?', `${reasons}It is jane@example.com.`)],
    good: [call('2', 'And this?', `${reasons}I may not tell.`)],
  },
  literal: {
    bad: [call('1', 'Colour?', `${reasons}Blue: # no, - [x] 'y'`)],
    good: ['a', 'b'].map((id) => call(id, 'Colour?', `${reasons.repeat(3)}Red ${id}`)),
  },
};

interface Asked {
  case: EvalCase;
  output: string;
}

/** Per test, per assertion: whether promptfoo let it pass. Only what needs no model is asked. */
function verdicts(folder: string, asked: readonly Asked[]): boolean[][] {
  const cases = asked.map(({ case: one }, index) => ({
    ...one,
    input: `${index}`,
    assertions: checkable(one),
  }));
  const outputs = Object.fromEntries(asked.map(({ output }, index) => [index, output]));
  writeFileSync(join(folder, 'outputs.json'), JSON.stringify(outputs));
  writeFileSync(
    join(folder, 'replay.mjs'),
    `import { readFileSync } from 'node:fs';
const outputs = JSON.parse(readFileSync(new URL('outputs.json', import.meta.url)));
export default class { id() { return 'replay'; } async callApi(prompt) { return { output: outputs[prompt] }; } }
`,
  );
  const yaml = promptfooYaml(cases, { incidentId: 'INC-12' }).replace('"echo"', '"file://replay.mjs"');
  writeFileSync(join(folder, 'evals.yaml'), yaml);
  const flags = ['--no-cache', '--no-table', '--no-write', '--no-progress-bar', '-o', 'out.json'];
  const ran = spawnSync(program, ['eval', '-c', 'evals.yaml', ...flags], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 300_000,
    env: {
      ...{ PATH: process.env['PATH'], HOME: folder, PROMPTFOO_CONFIG_DIR: join(folder, '.promptfoo') },
      ...{ PROMPTFOO_DISABLE_TELEMETRY: '1', PROMPTFOO_DISABLE_UPDATE: '1' },
      ...{ PROMPTFOO_DISABLE_REMOTE_GENERATION: 'true', PROMPTFOO_FAILED_TEST_EXIT_CODE: '0' },
    },
  });
  if (ran.status !== 0) throw new Error(`promptfoo ended with ${ran.status}: ${ran.stderr}${ran.stdout}`);
  const { results } = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')) as {
    results: { results: { testIdx: number; gradingResult: { componentResults: { pass: boolean }[] } }[] };
  };
  const sorted = results.results.toSorted((a, b) => a.testIdx - b.testIdx);
  return sorted.map(({ gradingResult }) => gradingResult.componentResults.map(({ pass }) => pass));
}

function checkable({ assertions }: EvalCase): Assertion[] {
  return assertions.filter(({ type }) => type !== 'llm-rubric');
}

describe.skipIf(!isHere)('exported cases in the real promptfoo', { timeout: 360_000 }, () => {
  let folder = '';
  const asked: (Asked & { kind: string; side: 'bad' | 'good' })[] = [];
  let said: boolean[][] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'promptfoo-'));
    for (const [kind, { bad, good }] of Object.entries(KINDS)) {
      const shape = kind === 'schema' ? { jsonSchema: schema } : {};
      const [one] = proposeCases({ incidentId: 'INC-12', shape, bad, good });
      if (one === undefined) throw new Error(`no case of ${kind}`);
      asked.push(...bad.map(({ output }) => ({ case: one, output, kind, side: 'bad' as const })));
      asked.push(...good.map(({ output }) => ({ case: one, output, kind, side: 'good' as const })));
    }
    said = verdicts(folder, asked);
  }, 360_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('fail on the recorded bad outputs and pass on the good ones, as they are proven to', () => {
    const wrong = asked.filter(({ case: one, side }, index) => {
      const passes = (said[index] ?? []).every(Boolean);
      return !one.proven || said[index]?.length !== checkable(one).length || passes !== (side === 'good');
    });
    expect(wrong).toEqual([]);
  });

  it('are judged assertion by assertion as our own checker judges them', () => {
    const own = asked.map(({ case: one, output }) =>
      checkable(one).map((assertion) => checkAssertion(assertion, output) === 'pass'),
    );
    expect(said).toEqual(own);
    const kinds = new Set(asked.flatMap(({ case: one }) => checkable(one).map(({ type }) => type)));
    expect([...kinds].sort()).toEqual(
      [
        ...['contains', 'equals', 'is-json', 'max-length', 'min-length', 'not-equals'],
        ...['not-icontains', 'not-regex', 'regex'],
      ].sort(),
    );
  });
});
