import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { canaries } from '../../config/content.ts';
import { canaryEndpoint } from './canary-endpoint.ts';

let model: ModelEndpoint;
beforeAll(async () => {
  model = await startModelEndpoint();
});
beforeEach(() => {
  model.requests.length = 0;
  model.answerWith(() => 'fine');
});
afterAll(() => model.close());

const PROMPT = { name: 'capital', prompt: 'What is the capital of France?' };
const configured = (changes: object) =>
  canaries.parse({ url: model.url, token: 'canary-token', prompts: [PROMPT], ...changes });
const endpoint = (changes: object = {}) => canaryEndpoint(configured(changes), 'support');

describe('an OpenAI-compatible endpoint', () => {
  test('is asked once, marked as a canary, with as little chance as possible', async () => {
    model.answerWith(() => 'Paris');
    expect(await endpoint({ url: `${model.url}/v1/`, model: 'gpt-4', max_tokens: 20 }).ask(PROMPT)).toBe(
      'Paris',
    );
    expect(model.requests).toHaveLength(1);
    const [request] = model.requests;
    expect(request?.path).toBe('/v1/chat/completions');
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer canary-token',
      'x-llm-incident-canary': '1',
      'x-llm-incident-dry-run': '1',
    });
    expect(request?.body).toEqual({
      model: 'gpt-4',
      messages: [{ role: 'user', content: PROMPT.prompt }],
      temperature: 0,
      max_tokens: 20,
      user: 'llm-incident-canary',
    });
  });

  test('may answer in parts, or refuse', async () => {
    const choice = (message: object) => ({ status: 200, body: { choices: [{ message }] } });
    model.answerWith(() =>
      choice({
        content: [
          { type: 'text', text: 'Pa' },
          { type: 'text', text: 'ris' },
        ],
      }),
    );
    expect(await endpoint().ask(PROMPT)).toBe('Paris');
    model.answerWith(() => choice({ content: null, refusal: 'I can not say.' }));
    expect(await endpoint().ask(PROMPT)).toBe('I can not say.');
  });

  test('an answer without a text is an error', async () => {
    model.answerWith(() => ({ status: 200, body: { choices: [] } }));
    await expect(endpoint().ask(PROMPT)).rejects.toThrow(
      /canary endpoint of support answered something else/,
    );
    model.answerWith(() => ({ status: 200, body: { choices: [{ message: { content: null } }] } }));
    await expect(endpoint().ask(PROMPT)).rejects.toThrow('a choice without a text');
  });

  test('a refusal by status says why', async () => {
    model.answerWith(() => ({
      status: 400,
      body: { error: { message: 'no such\nmodel', type: 'invalid' } },
    }));
    await expect(endpoint().ask(PROMPT)).rejects.toMatchObject({
      name: 'ExternalError',
      message: 'canary endpoint of support answered 400: no such model',
      retryable: false,
    });
  });

  test('a redirect is not followed', async () => {
    model.answerWith(() => ({ status: 307, headers: { location: `${model.url}/elsewhere` } }));
    await expect(endpoint().ask(PROMPT)).rejects.toThrow('answered 307');
    expect(model.requests).toHaveLength(1);
  });

  test('one that does not answer in time is given up', async () => {
    let release: (text: string) => void = () => undefined;
    const held = new Promise<string>((resolve) => {
      release = resolve;
    });
    model.answerWith(() => held);
    await expect(endpoint({ timeout_seconds: 0.2 }).ask(PROMPT)).rejects.toThrow('no answer within 0.2 s');
    release('late');
  });
});

describe('a webhook', () => {
  test('gets the prompt as a dry run, marked as a canary', async () => {
    model.answerWith(() => 'Paris');
    expect(await endpoint({ type: 'webhook', url: `${model.url}/canary` }).ask(PROMPT)).toBe('Paris');
    expect(model.requests[0]?.headers).toMatchObject({
      'x-llm-incident-canary': '1',
      'x-llm-incident-dry-run': '1',
    });
    expect(model.requests[0]?.body).toEqual({ prompt: PROMPT.prompt, canary: 'capital', dry_run: true });
  });

  test('must answer with an output', async () => {
    model.answerWith(() => ({ status: 200, body: { text: 'Paris' } }));
    await expect(endpoint({ type: 'webhook' }).ask(PROMPT)).rejects.toThrow(
      /something else than expected.*output/s,
    );
    model.answerWith(() => ({ status: 503 }));
    await expect(endpoint({ type: 'webhook' }).ask(PROMPT)).rejects.toMatchObject({ retryable: true });
  });
});

describe('the configuration', () => {
  test('names what a canary lacks', () => {
    const problems = (prompts: object[]) =>
      canaries
        .safeParse({ url: model.url, prompts })
        .error?.issues.map(({ path, message }) => [path, message]);
    expect(problems([{ ...PROMPT, compare: 'contains' }])).toEqual([
      [['prompts', 0, 'expect'], 'is needed with compare: contains'],
    ]);
    expect(problems([PROMPT, PROMPT])).toEqual([[['prompts'], 'must have different names']]);
  });
});
