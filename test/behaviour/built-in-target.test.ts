import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { type JsonValue, OpenFeature } from '@openfeature/server-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, test, vi } from 'vitest';
import { type OpenDatabase, openDatabase } from '../../src/db/database.ts';
import { createServingReader, type ServedSettings } from '../../src/demo/service/serving-reader.ts';
import { ExternalError } from '../../src/errors.ts';
import type { Step } from '../../src/mitigation/plan.ts';
import { keepPromptTexts } from '../../src/mitigation/serving-store.ts';
import type { Target } from '../../src/mitigation/target.ts';
import { createTestDatabase, type TestDatabase } from '../harness/database.ts';
import { SERVED, type ServingReplica, startServing } from '../harness/serving.ts';
import { startTcpGate } from '../harness/tcp-gate.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
const CONFIGURED = {
  prompts: { answer: 'v14' },
  model: 'm-1',
  fallback: { notice: 'We are on it.', model: 'm-small' },
  types: { refund: true },
  limits: { endpoint: { '/answer': 60 } },
};

let database: TestDatabase;
let opened: OpenDatabase;
let running: ServingReplica[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
});

afterEach(async () => {
  await Promise.all(running.map((replica) => replica.stop()));
  running = [];
  await opened.db.deleteFrom('serving').execute();
  await opened.db.deleteFrom('prompt_text').execute();
});

afterAll(async () => {
  await opened.close();
  await database.drop();
});

async function replica(configured: object = CONFIGURED, { db } = opened): Promise<ServingReplica> {
  const started = await startServing(db, configured);
  running.push(started);
  return started;
}

let keys = 0;
function apply(target: Target, step: Step, idempotencyKey = `key-${keys++}`): Promise<void> {
  return target.apply(step, { planHash: 'a'.repeat(64), idempotencyKey });
}

const setting = (name: string, from: Step['from'], to: Step['to']): Step => ({ setting: name, from, to });
const versions = () => opened.db.selectFrom('serving').selectAll().orderBy('version').execute();
const ask = ({ client }: ServingReplica, context: Record<string, string> = { targetingKey: 'u1' }) =>
  client.getObjectDetails(SERVED, {} as JsonValue, context);
const servedTo = async (from: ServingReplica, context?: Record<string, string>) =>
  (await ask(from, context)).value as Record<string, JsonValue>;

const bodyOf = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

async function failureOf(work: Promise<unknown>): Promise<ExternalError> {
  const thrown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(ExternalError);
  return thrown as ExternalError;
}

describe('the-openfeature-sdk', () => {
  it('reads-all-that-is-configured', async () => {
    const details = await ask(await replica(), { targetingKey: 'u1', endpoint: '/answer' });
    expect(details).toMatchObject({ reason: 'TARGETING_MATCH', variant: 'default' });
    expect(details.flagMetadata).toMatchObject({ environment: 'production', version: 0 });
    expect(details.flagMetadata['snapshot_age_ms']).toBeTypeOf('number');
    expect(details.value).toEqual({
      enabled: true,
      prompts: { answer: { version: 'v14' } },
      model: 'm-1',
      fallback: { mode: 'none', notice: 'We are on it.', model: 'm-small' },
      types: { refund: true },
      split: {},
      limits: { endpoint: 60 },
      token_cap: null,
      disclaimer: null,
      blocked: [],
      version: 0,
    });
  });

  it('sees-every-kind-of-mitigation-at-its-next-evaluation', async () => {
    const from = await replica();
    const steps = [
      setting('enabled', true, false),
      setting('prompt:answer', 'v14', 'v13'),
      setting('model', 'm-1', 'm-2'),
      setting('fallback', 'none', 'queue'),
      setting('type:refund', true, false),
      setting('split:m-3', 0, 100),
      setting('limit:user u1', null, 4),
      setting('token-cap', null, 200),
      setting('disclaimer', null, 'May be wrong.'),
      setting('blocked:legal advice', false, true),
    ];
    for (const [index, step] of steps.entries()) {
      await apply(from.target, step);
      expect((await servedTo(from))['version']).toBe(index + 1);
    }
    expect(await servedTo(from)).toEqual({
      enabled: false,
      prompts: { answer: { version: 'v13' } },
      model: 'm-3',
      fallback: { mode: 'queue', notice: 'We are on it.', model: 'm-small' },
      types: { refund: false },
      split: { 'm-3': 100 },
      limits: { user: 4 },
      token_cap: 200,
      disclaimer: 'May be wrong.',
      blocked: ['legal advice'],
      version: steps.length,
    });
    const read = await from.target.read();
    expect(steps.map((step) => read[step.setting])).toEqual(steps.map((step) => step.to));
    for (const step of steps.toReversed())
      await apply(from.target, { ...step, from: step.to, to: step.from });
    const undone = await servedTo(from);
    expect(undone).toMatchObject({ enabled: true, prompts: { answer: { version: 'v14' } }, model: 'm-1' });
    expect(undone).toMatchObject({ fallback: { mode: 'none' }, limits: {}, blocked: [], token_cap: null });
  });

  it('gets-the-text-of-the-version-that-is-served-even-when-the-file-no-longer-has-it', async () => {
    const texts = [
      { service: SERVED, name: 'answer', version: 'v13', text: 'Answer from the manual only.' },
      { service: SERVED, name: 'answer', version: 'v14', text: 'Answer freely.' },
    ];
    expect(await keepPromptTexts(opened.db, texts, new Date())).toEqual([]);
    const from = await replica();
    await apply(from.target, setting('prompt:answer', 'v14', 'v13'));
    const { prompts } = await servedTo(from);
    expect(prompts).toEqual({
      answer: {
        version: 'v13',
        text: 'Answer from the manual only.',
        sha256: '1fd696f92b084df270d5fc6d978216a0211de249ba4693afe709ef0f836d53e4',
      },
    });
  });

  it('keeps-a-user-in-the-arm-that-it-has-while-the-traffic-is-shifted', async () => {
    const from = await replica();
    const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
    const inArm = async () => {
      const models = await Promise.all(users.map((targetingKey) => servedTo(from, { targetingKey })));
      return users.filter((_, index) => models[index]?.['model'] === 'm-2');
    };
    let before: string[] = [];
    let percent = 0;
    for (const next of [10, 25, 50, 100]) {
      await apply(from.target, setting('split:m-2', percent, next));
      const now = await inArm();
      expect(now).toEqual(expect.arrayContaining(before));
      expect(now.length).toBeGreaterThan(before.length);
      [before, percent] = [now, next];
    }
    expect(before).toEqual(users);
  });

  it('gets-its-default-and-the-reason-for-a-service-that-is-not-served', async () => {
    const { client } = await replica();
    const details = await client.getObjectDetails('no-such-service', { enabled: false }, {});
    expect(details).toMatchObject({
      value: { enabled: false },
      errorCode: 'FLAG_NOT_FOUND',
      reason: 'ERROR',
    });
    const elsewhere = await client.getObjectDetails(SERVED, {}, { environment: 'staging' });
    expect(elsewhere.errorCode).toBe('FLAG_NOT_FOUND');
  });
});

describe('the-protocol', () => {
  const context = { targetingKey: 'u1' };

  it('refuses-whoever-has-no-token', async () => {
    const { post } = await replica();
    for (const path of [FLAGS, `${FLAGS}/${SERVED}`])
      expect((await post(path, { context }, { authorization: 'Bearer wrong' })).status).toBe(401);
  });

  it.each([
    ['no json', '{', 'PARSE_ERROR'],
    ['no context', {}, 'INVALID_CONTEXT'],
    ['a context that is a list', { context: [] }, 'INVALID_CONTEXT'],
    ['a key that is no text', { context: { targetingKey: {} } }, 'INVALID_CONTEXT'],
  ])('names-what-is-wrong-with %s', async (_what, body, errorCode) => {
    const { post } = await replica();
    const one = await post(`${FLAGS}/${SERVED}`, body);
    expect([one.status, await one.json()]).toEqual([
      400,
      { key: SERVED, errorCode, errorDetails: expect.stringMatching(/body|context/) },
    ]);
    const all = await post(FLAGS, body);
    expect([all.status, (await bodyOf(all))['errorCode']]).toEqual([400, errorCode]);
  });

  it('answers-a-context-that-is-made-for-other-flags', async () => {
    const { post } = await replica();
    const odd = { targetingKey: 17, user: { id: 1 }, session: null, plan: ['a'], endpoint: '' };
    expect((await post(`${FLAGS}/${SERVED}`, { context: odd })).status).toBe(200);
  });

  it('says-404-with-the-key-for-an-unknown-flag', async () => {
    const { post } = await replica();
    const answer = await post(`${FLAGS}/other`, { context });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { key: 'other', errorCode: 'FLAG_NOT_FOUND', errorDetails: expect.any(String) },
    ]);
  });

  it('answers-304-to-a-bulk-request-until-something-changes', async () => {
    const { post, target } = await replica();
    const first = await post(FLAGS, { context });
    const etag = first.headers.get('etag') as string;
    const { flags, metadata } = await bodyOf(first);
    expect(flags).toMatchObject([{ key: SERVED, reason: 'STATIC', value: { model: 'm-1' } }]);
    expect(metadata).toMatchObject({ environment: 'production', snapshot_age_ms: expect.any(Number) });
    const again = await post(FLAGS, { context }, { 'if-none-match': etag });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    await apply(target, setting('model', 'm-1', 'm-2'));
    const changed = await post(FLAGS, { context }, { 'if-none-match': etag });
    expect([changed.status, await bodyOf(changed)]).toMatchObject([
      200,
      { flags: [{ value: { model: 'm-2' } }] },
    ]);
    const elsewhere = await post(FLAGS, { context: { environment: 'staging' } });
    expect((await bodyOf(elsewhere))['flags']).toEqual([]);
  });
});

describe('a-change', () => {
  it('with-the-same-idempotency-key-is-made-once', async () => {
    const { target } = await replica();
    const step = setting('model', 'm-1', 'm-2');
    await Promise.all(Array.from({ length: 5 }, () => apply(target, step, 'same')));
    await apply(target, setting('model', 'm-2', 'm-3'), 'another');
    await apply(target, step, 'same');
    expect((await versions()).map(({ settings }) => settings)).toEqual([{ model: 'm-2' }, { model: 'm-3' }]);
  });

  it('with-a-key-that-another-plan-used-is-refused', async () => {
    const { target } = await replica();
    await apply(target, setting('model', 'm-1', 'm-2'), 'same');
    const other = { planHash: 'b'.repeat(64), idempotencyKey: 'same' };
    const failure = await failureOf(target.apply(setting('enabled', true, false), other));
    expect([failure.retryable, failure.code]).toEqual([false, '422']);
  });

  it('wins-alone-when-two-of-one-setting-are-made-at-once', async () => {
    const { target } = await replica();
    for (const to of ['v13', 'v12']) {
      const from = (await target.read())['prompt:answer'] ?? null;
      const step = setting('prompt:answer', from, to);
      const outcomes = await Promise.allSettled([apply(target, step), apply(target, step)]);
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(lost).toHaveLength(1);
      const failure = await failureOf(Promise.reject(lost[0]?.reason));
      expect([failure.retryable, failure.outcomeUnknown, failure.code]).toEqual([false, false, '409']);
      expect(failure.message).toBe(`prompt:answer is ${to} now, not ${from}: it was changed`);
    }
    expect((await versions()).map(({ version }) => version)).toEqual([1, 2]);
  });

  it('loses-nothing-of-others-that-are-made-at-once', async () => {
    const { target } = await replica();
    const users = Array.from({ length: 8 }, (_, index) => `limit:user u${index}`);
    await Promise.all(users.map((user) => apply(target, setting(user, null, 5))));
    const read = await target.read();
    expect(users.map((user) => read[user])).toEqual(users.map(() => 5));
    expect(await versions()).toHaveLength(users.length);
  });

  it('that-makes-no-sense-is-refused-and-nothing-is-kept', async () => {
    const { target } = await replica();
    const failure = await failureOf(apply(target, setting('split:m-2', 0, 150)));
    expect([failure.retryable, failure.code]).toEqual([false, '422']);
    expect(failure.message).toContain('a percentage from 0 to 100');
    expect(await versions()).toEqual([]);
  });

  it('outlives-a-restart-and-goes-before-the-configuration-until-it-is-taken-back', async () => {
    const { target } = await replica();
    await apply(target, setting('prompt:answer', 'v14', 'v13'));
    const deployed = await replica({ ...CONFIGURED, prompts: { answer: 'v15' }, model: 'm-9' });
    expect(await servedTo(deployed)).toMatchObject({ prompts: { answer: { version: 'v13' } }, model: 'm-9' });
    const givenBack = { planHash: 'b'.repeat(64), idempotencyKey: 'given back', isGivenBack: true };
    await deployed.target.apply(setting('prompt:answer', 'v13', 'v15'), givenBack);
    const later = await replica({ ...CONFIGURED, prompts: { answer: 'v16' } });
    expect(await servedTo(later)).toMatchObject({ prompts: { answer: { version: 'v16' } } });
  });

  it('of-another-replica-is-served-soon-after', async () => {
    const [here, there] = [await replica(), await replica()];
    await apply(there.target, setting('enabled', true, false));
    await vi.waitFor(async () => expect((await servedTo(here))['enabled']).toBe(false), { timeout: 20_000 });
  });

  it('of-the-blocked-classes-reaches-the-check-before-delivery', async () => {
    const { post, target } = await replica();
    const verdict = async () => {
      const answer = await post('/v1/check', { service: SERVED, output: 'As legal advice: sue them.' });
      return (await bodyOf(answer))['verdict'];
    };
    expect(await verdict()).toBe('allow');
    await apply(target, setting('blocked:legal advice', false, true));
    expect(await verdict()).toBe('block');
    await apply(target, setting('blocked:legal advice', true, false));
    expect(await verdict()).toBe('allow');
  });
});

describe('without-the-database', () => {
  const LOST = 'what is served is answered from memory';
  const waitForLine = ({ logged }: ServingReplica, line: string) =>
    vi.waitFor(() => expect(logged.map(({ msg }) => msg)).toContain(line), { timeout: 20_000 });

  it('what-was-served-last-goes-on-being-served-and-says-its-age', async () => {
    const away = await createTestDatabase();
    const handle = await away.open();
    const from = await replica(CONFIGURED, handle);
    await apply(from.target, setting('enabled', true, false));
    await handle.close();
    await waitForLine(from, LOST);
    const age = from.snapshot.ageMs();
    const details = await ask(from);
    expect(details.value).toMatchObject({ enabled: false, version: 1 });
    expect(details.flagMetadata['snapshot_age_ms']).toBeGreaterThanOrEqual(age);
    const failure = await failureOf(apply(from.target, setting('enabled', false, true)));
    expect([failure.retryable, failure.outcomeUnknown]).toEqual([true, true]);
    expect((await failureOf(from.target.read())).retryable).toBe(true);
    await away.drop();
  });

  it('an-application-with-a-deadline-gets-what-it-holds', async () => {
    const silent = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }),
    );
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const withDeadline: typeof fetch = (input, init) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(200) });
    const baseUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await OpenFeature.setProviderAndWait(
      'silent',
      new OFREPProvider({ baseUrl, fetchImplementation: withDeadline }),
    );
    const held = { enabled: false };
    const details = await OpenFeature.getClient('silent').getObjectDetails(SERVED, held, {});
    expect(details).toMatchObject({ value: held, reason: 'ERROR', errorCode: 'GENERAL' });
    silent.closeAllConnections();
    silent.close();
  });

  it.skipIf(inject('testDatabaseUrl') === '')(
    'a-connection-that-hangs-holds-up-neither-the-answers-nor-the-end',
    async () => {
      const url = new URL(database.env.DATABASE_URL as string);
      const gate = await startTcpGate({ host: url.hostname, port: Number(url.port || 5432) });
      url.host = `127.0.0.1:${gate.port}`;
      const handle = await openDatabase({ databaseUrl: url.toString(), dataDir: database.env.DATA_DIR });
      const from = await replica(CONFIGURED, handle);
      gate.hold();
      await waitForLine(from, LOST);
      expect(await servedTo(from)).toMatchObject({ enabled: true });
      gate.restore();
      await waitForLine(from, 'what is served is up to date again');
      gate.hold();
      await from.stop();
      gate.restore();
      await handle.close();
      await gate.close();
    },
  );
});

describe('a-prompt-version', () => {
  it('is-never-given-another-text', async () => {
    const kept = { service: SERVED, name: 'answer', version: 'v1' };
    const at = new Date();
    const keep = (text: string) => keepPromptTexts(opened.db, [{ ...kept, text }], at);
    expect(await keep('One.')).toEqual([]);
    expect(await keep('One.')).toEqual([]);
    expect(await keep('Two.')).toEqual([
      `services.${SERVED}.serving.prompt_texts: answer v1 has another text than before; give the new text a new version`,
    ]);
    const rows = await opened.db.selectFrom('prompt_text').select(['version', 'text']).execute();
    expect(rows).toEqual([{ version: 'v1', text: 'One.' }]);
  });
});

test('the-simulated-service-can-read-all-of-it', async () => {
  const from = await replica();
  await apply(from.target, setting('limit:user u1', null, 4));
  const held = (await servedTo(from)) as unknown as ServedSettings;
  const reader = createServingReader({ url: from.url, token: 't', service: SERVED, held });
  const { settings, problem } = await reader.read({ targetingKey: 'u1' });
  expect(problem).toBeUndefined();
  expect(settings).toMatchObject({ enabled: true, limits: { user: 4 }, version: 1 });
});
