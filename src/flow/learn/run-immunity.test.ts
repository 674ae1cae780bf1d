import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { casesJsonl, promptfooYaml } from '../../postmortem/case-export.ts';
import { proposeCases } from '../../postmortem/eval-case.ts';
import { runImmunity } from './run-immunity.ts';

const GOOD = 'Within 14 days of delivery.\n[Refund]';
const BAD = 'I am sorry, we have no such thing.\n[Nothing]';

const casesOf = (incidentId: string, input: string) =>
  proposeCases({
    ...{ incidentId, service: 'support-bot' },
    bad: [{ callId: '7', input, output: BAD, promptName: 'answer' }],
    good: [{ callId: '3', input, output: GOOD, promptName: 'answer' }],
  });
const cases = [...casesOf('INC-12', 'how long?'), ...casesOf('INC-31', 'until when?')];

describe('npm run immunity', () => {
  let model: ModelEndpoint;
  let folder = '';
  const said: string[] = [];
  const env: NodeJS.ProcessEnv = { MODEL_SECRET: 'secret' };
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const immunity = (...args: string[]) =>
    runImmunity(args, {
      env,
      withDatabase: () => Promise.reject(new Error('no database is wanted')),
    });
  const asked = () => ['--service', 'support-bot', '--cases', join(folder, 'cases.jsonl')];
  const inputs = () => model.requests.map(({ body }) => body['input']);

  beforeAll(async () => {
    model = await startModelEndpoint();
    folder = mkdtempSync(join(tmpdir(), 'immunity-'));
    env['LLM_INCIDENT_CONFIG'] = file(
      'llm-incident.yaml',
      `services:
  support-bot:
    judge: {url: "https://judge.example.com", model: m, token: "\${OF_ANOTHER}", rubric: r}
    rehearsal: {type: webhook, url: "${model.url}/replay", secret: "\${MODEL_SECRET}", allow_private: true}
  other-bot: {}
`,
    );
    file('cases.jsonl', casesJsonl(cases));
  });
  afterAll(() => model.close());
  beforeEach(() => {
    said.length = 0;
    model.requests.length = 0;
    const keep = (text: unknown) => void said.push(String(text));
    vi.spyOn(console, 'log').mockImplementation(keep);
    vi.spyOn(console, 'error').mockImplementation(keep);
    model.answerWith(({ body }) => {
      const { version } = body.prompt as unknown as { version: string };
      const isRight = version === 'v15' || (version === 'v14' && body['input'] === 'until when?');
      return { status: 200, body: { output: isRight ? GOOD : BAD } };
    });
    return () => vi.restoreAllMocks();
  });

  it('names the incidents that would return, with exit code 1, and asks a failing case twice', async () => {
    expect(await immunity(...asked(), '--candidate', 'prompt=v14')).toBe(1);
    expect(said.join('\n')).toBe(
      'support-bot with prompt=v14: 1 of 2 cases of past incidents pass.\nINC-12 would return:\n' +
        '  - call 7: This call got a bad output. Failed: contains, not-icontains.',
    );
    expect(inputs().sort()).toEqual(['how long?', 'how long?', 'until when?']);
    expect(model.requests[0]?.headers['x-llm-incident-dry-run']).toBe('1');
  });

  it('passes a candidate that answers well, from promptfoo files too, and says it as data', async () => {
    const yaml = file('evals.yaml', promptfooYaml(cases, { incidentId: 'INC-12' }));
    const json = ['--cases', yaml, '--json', '--candidate', 'prompt=answer=v15', '--candidate', 'model=m-2'];
    expect(await immunity('--service', 'support-bot', ...json)).toBe(0);
    expect(JSON.parse(said[0] ?? '')).toEqual({
      ...{ service: 'support-bot', candidate: { prompts: { answer: 'v15' }, model: 'm-2' } },
      ...{ cases: 2, passed: 2, returning: [], unanswered: 0, problems: [] },
    });
  });

  it('sends the text of a prompt that has no version yet', async () => {
    const path = file('answer.txt', 'Answer in one line.');
    expect(await immunity(...asked(), '--candidate', `file=${path}`)).toBe(1);
    expect(model.requests[0]?.body.prompt).toEqual({
      name: 'answer',
      version: expect.stringMatching(/^sha256-[0-9a-f]{12}$/),
      text: 'Answer in one line.',
    });
  });

  it('lets a case pass that fails once only', async () => {
    model.answerWith(() => ({ status: 200, body: { output: inputs().length <= 2 ? BAD : GOOD } }));
    expect(await immunity(...asked(), '--candidate', 'prompt=v14')).toBe(0);
  });

  it('cannot tell where nobody answers or the budget is spent: exit code 2', async () => {
    model.answerWith(() => ({ status: 500 }));
    expect(await immunity(...asked(), '--candidate', 'prompt=v14')).toBe(2);
    expect(said.join('\n')).toContain('2 could not be told: it answered 500');
  });

  it.each([
    [['--service', 'nobody', '--candidate', 'prompt=v1'], 'is none of support-bot, other-bot'],
    [['--service', 'other-bot', '--candidate', 'prompt=v1'], 'services.other-bot.rehearsal: is not declared'],
    [['--service', 'support-bot', '--candidate', 'v1'], 'must be prompt=VERSION'],
    [['--service', 'support-bot', '--candidate', 'prompt=v1', '--cases', '/no/such.jsonl'], 'cannot be read'],
    [['--candidate', 'prompt=v1'], 'Usage: npm run immunity'],
    [['--what'], 'Usage: npm run immunity'],
  ])('says what is wrong with %j: exit code 2', async (args, problem) => {
    expect(await immunity(...args)).toBe(2);
    expect(said.join('\n')).toContain(problem);
    expect(model.requests).toEqual([]);
  });

  it('takes no file that holds something else, and no secret that is not set: exit code 2', async () => {
    const odd = ['--service', 'support-bot', '--candidate', 'prompt=v1', '--cases'];
    expect(await immunity(...odd, file('odd.jsonl', '\n{"vars": 1}\n'))).toBe(2);
    expect(said.join('\n')).toContain('odd.jsonl, line 2');
    env['MODEL_SECRET'] = '';
    expect(await immunity(...asked(), '--candidate', 'prompt=v1')).toBe(2);
    expect(said.at(-1)).toContain('an environment variable that it names is not set');
    env['MODEL_SECRET'] = 'secret';
  });
});
