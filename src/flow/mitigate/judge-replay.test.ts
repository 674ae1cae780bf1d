import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ModelRequest } from '../../../test/harness/model-endpoint.ts';
import {
  inputIn,
  NOON,
  REHEARSED,
  type RehearsalScene,
  startRehearsalScene,
  versionIn,
} from '../../../test/harness/rehearsal-scene.ts';
import { rehearsalsOf, replaysOf } from '../../mitigation/rehearsal-store.ts';
import { keepPromptTexts } from '../../mitigation/serving-store.ts';

let scene: RehearsalScene;
beforeAll(async () => {
  scene = await startRehearsalScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.reset());

const replaysFor = async (incidentId: number) => {
  const rows = await rehearsalsOf(scene.bench.db, incidentId);
  return Promise.all(rows.map((row) => replaysOf(scene.bench.db, row.id)));
};

describe('replays and their verdicts', () => {
  test('replays-failing-and-good-calls-against-each-distinct-state-and-judges-by-the-score-that-fell', async () => {
    await scene.recorded(20);
    const id = await scene.opened();
    await scene.work();
    expect(await scene.found(id)).toEqual({
      backup: 'v13 fixes 20 of 20, breaks 0 of 20; about $0.80.',
      current: 'what is served now fixes 0 of 20, breaks 0 of 20; about $0.80.',
    });
    expect(scene.model.requests).toHaveLength(80);
  });

  test('asks-signed-marked-and-dry-with-the-version-and-without-personal-data', async () => {
    await scene.recorded(1, { input: 'failing for jane@example.com' });
    await scene.opened();
    await scene.work();
    const [request] = scene.model.requests as [ModelRequest];
    expect(request.body).toMatchObject({
      ...REHEARSED,
      dry_run: true,
      input: 'failing for [email]',
      prompt: { name: 'answer', version: 'v13' },
      model: 'gpt-4-0314',
      parameters: { temperature: 0.5 },
    });
    const { 'x-llm-incident-timestamp': ts, 'x-llm-incident-signature': signature } = request.headers;
    const signed = `${String(ts)}.${JSON.stringify(request.body)}`;
    expect(signature).toBe(`v1=${createHmac('sha256', 'model-token').update(signed).digest('hex')}`);
    expect(request.headers['x-llm-incident-dry-run']).toBe('1');
  });

  test('keeps-verdicts-and-no-texts', async () => {
    await scene.recorded(2);
    scene.model.answerWith(() => ({ status: 500, body: { error: { message: 'about failing 1' } } }));
    const id = await scene.opened();
    await scene.work();
    const stored = JSON.stringify([await rehearsalsOf(scene.bench.db, id), await replaysFor(id)]);
    expect(stored).not.toMatch(/failing \d|good \d|said/);
  });

  test('what-leaks-on-a-replay-never-fixes-a-leak', async () => {
    await scene.recorded(4, { output: 'write to jane@example.com' });
    for (const row of await scene.bench.db.selectFrom('call').select(['id', 'at']).execute()) {
      const noted = { ...REHEARSED, rule: 'safety.pii', call_id: row.id, at: row.at, noted_at: row.at };
      await scene.bench.db
        .insertInto('safety_event')
        .values({ ...noted, user_id: null, detail: 'email' })
        .execute();
    }
    scene.model.answerWith((request) => {
      const output = inputIn(request).endsWith('1') ? 'write to joe@example.com' : 'ask us';
      return { status: 200, body: { output } };
    });
    const id = await scene.opened({ category: 'safety', rule: 'safety.pii' });
    await scene.work();
    expect((await scene.found(id))['backup']).toMatch(/^v13 fixes 6 of 8; no good call to compare with/);
  });

  test('a-score-is-the-judges-where-the-service-has-none', async () => {
    const judge = { url: scene.model.url, model: 'judge-1', rubric: 'Is it right?' };
    scene.configure({}, { judge });
    await scene.recorded(2);
    scene.model.answerWith((request) => {
      if (request.path === '/replay') return { status: 200, body: { output: versionIn(request) } };
      const text = String(request.body.messages?.at(-1)?.content);
      return `{"score": ${text.includes('v13') ? 0.9 : 0.1}}`;
    });
    const id = await scene.opened();
    await scene.work();
    expect((await scene.found(id))['backup']).toMatch(/^v13 fixes 2 of 2, breaks 0 of 2/);
    expect((await scene.found(id))['current']).toMatch(/fixes 0 of 2, breaks 2 of 2/);
  });

  test('an-endpoint-of-a-model-gets-the-text-of-the-version-and-what-has-none-is-not-guessed', async () => {
    const endpoint = { type: 'openai', secret: undefined, token: '${MODEL_TOKEN}', url: scene.model.url };
    scene.configure(endpoint, { format: { pattern: '^\\[' } });
    const texts = [{ service: 'support-bot', name: 'answer', version: 'v13', text: 'Answer in brackets.' }];
    await keepPromptTexts(scene.bench.db, texts, NOON);
    await scene.recorded(2);
    await scene.bench.db.updateTable('call').set({ format_ok: false }).where('quality', '=', 0).execute();
    scene.model.answerWith(({ body }) =>
      body.messages?.[0]?.content === 'Answer in brackets.' ? '[yes]' : 'yes',
    );
    const id = await scene.opened({ rule: 'quality.format' });
    await scene.work();
    expect(await scene.found(id)).toEqual({
      backup: 'v13 fixes 2 of 2, breaks 0 of 2; about $0.04.',
      current: 'not-rehearsed: the text of prompt answer v14 is not known',
    });
    const [request] = scene.model.requests as [ModelRequest];
    expect(request.headers.authorization).toBe('Bearer model-token');
    expect(request.body).toMatchObject({
      model: 'gpt-4-0314',
      temperature: 0.5,
      user: 'llm-incident-rehearsal',
    });
  });
});
