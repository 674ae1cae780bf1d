import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeGeneration, type FakeScore, startLangfuse } from '../../../test/harness/langfuse-fake.ts';
import { generation, minutesAfter, question, score } from '../../../test/harness/langfuse-scene.ts';
import type { LangfuseConfig } from '../../config/sources.ts';
import { langfuseSource } from './langfuse-source.ts';

let held: { generations: FakeGeneration[]; scores: FakeScore[] };
let langfuse: Awaited<ReturnType<typeof startLangfuse>>;
beforeEach(async () => {
  held = { generations: [], scores: [] };
  langfuse = await startLangfuse(held);
});
afterEach(() => langfuse.close());

const config = (change: Partial<LangfuseConfig> = {}): LangfuseConfig => ({
  type: 'langfuse',
  url: langfuse.url,
  public_key: 'pk-lf-1',
  secret_key: 'sk-lf-2',
  score: 'quality',
  poll_minutes: 15,
  timeout_seconds: 5,
  ...change,
});

const sourceOf = (change: Partial<LangfuseConfig> = {}, selector?: string) =>
  langfuseSource('langfuse', config(change), { bot: selector === undefined ? {} : { selector } });

describe('what Langfuse knows of a service', () => {
  test('all-measures-of-a-service-take-three-queries', async () => {
    for (let minute = -60; minute < 0; minute += 1) {
      held.generations.push(
        generation(minute),
        generation(minute + 0.5, { totalTokens: 80, totalCost: 0.004 }),
      );
      held.scores.push(score(minute, minute % 2 === 0 ? 0.9 : 0.7));
    }
    held.generations.push(generation(-2, { level: 'ERROR', latency: 30_000, totalTokens: 0, totalCost: 0 }));
    held.generations.push(generation(-1, { traceName: 'other', level: 'ERROR' }));
    held.generations.push(generation(-1, { environment: 'staging', level: 'ERROR' }));
    held.scores.push(score(-1, 0, { name: 'tone' }), score(-1, 0, { traceName: 'other' }));
    const answers = await sourceOf().read(
      [
        question('errors', 5),
        question('latency', 10),
        question('tokens', 30),
        question('cost', 30),
        question('spend', 15),
        question('spend', 60),
        question('score', 30),
        question('format', 30),
      ],
      minutesAfter(0),
    );
    const values = answers.map((answer) => (answer.kind === 'reading' ? answer.reading : answer.kind));
    expect(values).toMatchObject([
      { n: 11, value: expect.closeTo(1 / 11, 9) },
      { n: 21, value: 30_000, sd: null },
      { n: 61, value: expect.closeTo((30 * 200) / 61, 9) },
      { n: 61, value: expect.closeTo((30 * 0.006) / 61, 9) },
      { n: 31, value: expect.closeTo(15 * 0.006 * 4, 9) },
      { n: 121, value: expect.closeTo(60 * 0.006, 9) },
      { n: 30, value: expect.closeTo(0.8, 9), sd: expect.closeTo(0.1 * Math.sqrt(30 / 29), 9) },
      'unsupported',
    ]);
    expect(langfuse.asked.map(({ view }) => view).sort()).toEqual([
      'observations',
      'observations',
      'scores-numeric',
    ]);
  });

  test.each([
    ['its trace name', undefined, 2],
    ['another trace name', 'other', 1],
    ['a tag', 'tag:eu', 2],
    ['the whole project', '*', 3],
  ])('a-service-is-found-by-%s', async (_, selector, n) => {
    held.generations.push(generation(-1), generation(-1), generation(-1, { traceName: 'other', tags: [] }));
    held.generations.push(generation(-1, { environment: 'staging' }));
    const [answer] = await sourceOf({}, selector).read([question('tokens', 5)], minutesAfter(0));
    expect(answer).toMatchObject({ kind: 'reading', reading: { n } });
  });

  test('nothing-recorded-is-no-data', async () => {
    const questions = (['errors', 'latency', 'spend', 'score'] as const).map((measure) =>
      question(measure, 5),
    );
    for (const answer of await sourceOf().read(questions, minutesAfter(0))) {
      expect(answer).toEqual({ kind: 'reading', reading: { n: 0, value: null, sd: null } });
    }
  });

  test('a-baseline-leaves-out-the-incidents', async () => {
    for (let minute = -600; minute < 0; minute += 1) {
      const isBad = minute >= -240 && minute < -180;
      held.generations.push(
        generation(minute, { totalTokens: isBad ? 9000 : 100, latency: isBad ? 60_000 : 500 }),
      );
      held.scores.push(score(minute, isBad ? 0 : 0.8));
    }
    const baseline = { isBaseline: true, excluding: [{ from: minutesAfter(-240), to: minutesAfter(-180) }] };
    const questions = (['score', 'latency', 'tokens'] as const).map((measure) =>
      question(measure, 600, baseline),
    );
    const answers = await sourceOf().read(questions, minutesAfter(0));
    expect(answers).toEqual([
      { kind: 'reading', reading: { n: 540, value: expect.closeTo(0.8, 9), sd: expect.closeTo(0, 9) } },
      { kind: 'reading', reading: { n: 540, value: 500, sd: null } },
      { kind: 'reading', reading: { n: 540, value: 100, sd: null } },
    ]);
  });

  test('more-different-scores-than-langfuse-lists-have-their-mean-and-the-widest-spread', async () => {
    for (let index = 0; index < 1200; index += 1)
      held.scores.push(score(-20 + index / 100, (index + 0.5) / 1200));
    const [answer] = await sourceOf().read([question('score', 30)], minutesAfter(0));
    expect(answer).toEqual({
      kind: 'reading',
      reading: {
        n: 1200,
        value: expect.closeTo(0.5, 9),
        sd: expect.closeTo(0.5 * Math.sqrt(1200 / 1199), 9),
      },
    });
  });
});

describe('single scores', () => {
  const wanted = (at = 0) => [question('score', 30, { at, wantsOutcomes: true })];

  test('come-oldest-first-where-the-service-is-the-whole-project', async () => {
    for (let index = 0; index < 250; index += 1) held.scores.push(score(-29 + index / 10, index / 250));
    const source = sourceOf({}, '*');
    const [answer] = await source.read(wanted(), minutesAfter(0));
    if (answer?.kind !== 'reading') throw new Error(JSON.stringify(answer));
    expect(answer.reading.outcomes).toEqual(held.scores.map(({ value }) => value));
    expect(langfuse.pages).toHaveLength(3);
    await source.read([...wanted(1), question('score', 30, { at: 1 })], minutesAfter(1));
    expect(langfuse.pages).toHaveLength(3);
    expect(langfuse.asked).toHaveLength(1);
  });

  test('the-newest-thousand-are-enough', async () => {
    for (let index = 0; index < 1500; index += 1) held.scores.push(score(-29 + index / 100, index % 2));
    const [answer] = await sourceOf({}, '*').read(wanted(), minutesAfter(0));
    expect(answer).toMatchObject({ kind: 'reading', reading: { n: 1500, outcomes: expect.any(Array) } });
    if (answer?.kind === 'reading') expect(answer.reading.outcomes).toHaveLength(1000);
  });

  test('a-langfuse-without-v3-scores-still-has-the-mean', async () => {
    held.scores.push(score(-1, 0.5));
    langfuse.withoutScores = true;
    const [answer] = await sourceOf({}, '*').read(wanted(), minutesAfter(0));
    expect(answer).toEqual({ kind: 'reading', reading: { n: 1, value: 0.5, sd: null } });
  });

  test('a-service-among-others-has-none', async () => {
    held.scores.push(score(-1, 0.5));
    const [answer] = await sourceOf().read(wanted(), minutesAfter(0));
    expect(answer).toEqual({ kind: 'reading', reading: { n: 1, value: 0.5, sd: null } });
    expect(langfuse.pages).toEqual([]);
  });
});

describe('within the limits of Langfuse', () => {
  test('between-polls-the-last-answer-stands-with-its-age', async () => {
    held.generations.push(generation(-3, { level: 'ERROR' }), generation(-2));
    const source = sourceOf();
    const at = async (minute: number) =>
      source.read([question('errors', 5, { at: minute })], minutesAfter(minute));
    expect(await at(0)).toMatchObject([{ reading: { n: 2, value: 0.5 } }]);
    held.generations.push(generation(2), generation(13));
    expect(await at(14)).toEqual([
      { kind: 'reading', reading: expect.objectContaining({ n: 2, value: 0.5, about: 'as of 14 min ago' }) },
    ]);
    expect(langfuse.asked).toHaveLength(1);
    expect(await at(15)).toMatchObject([{ reading: { n: 1, value: 0 } }]);
    expect(langfuse.asked).toHaveLength(2);
  });

  test('a-day-of-looking-every-15-seconds-sends-the-polls-and-no-more', async () => {
    const source = sourceOf();
    for (let look = 0; look < 4 * 60 * 24; look += 1) {
      const at = look / 4;
      const asked = [
        question('errors', 5, { at }),
        question('spend', 15, { at }),
        question('score', 30, { at }),
        question('score', 7 * 24 * 60, { at: at - 30, isBaseline: true }),
      ];
      await source.read(asked, minutesAfter(at));
    }
    expect(langfuse.asked).toHaveLength(2 * 96 + 4);
  });

  test('too-many-requests-are-answered-by-leaving-langfuse-alone-as-long-as-it-says', async () => {
    held.generations.push(generation(-1));
    const source = sourceOf();
    const at = async (minute: number) =>
      source.read([question('errors', 5, { at: minute })], minutesAfter(minute));
    await at(0);
    langfuse.refusals.push({ status: 429, headers: { 'retry-after': '600' } });
    for (const minute of [15, 16, 20, 24]) expect(await at(minute)).toMatchObject([{ reading: { n: 1 } }]);
    expect(langfuse.asked).toHaveLength(2);
    langfuse.refusals.push({ status: 429, headers: { 'retry-after': '86400' } });
    await at(25);
    expect(langfuse.asked).toHaveLength(3);
    await expect(at(30)).rejects.toMatchObject({
      name: 'ExternalError',
      code: '429',
      retryAfterMs: 86_400_000,
    });
    expect(langfuse.asked).toHaveLength(3);
  });

  test('a-query-that-langfuse-refuses-is-a-problem-of-its-measure', async () => {
    langfuse.refusals.push({ status: 400, body: { message: 'Invalid dimension value' } });
    const source = sourceOf();
    const [answer] = await source.read([question('score', 30)], minutesAfter(0));
    expect(answer).toEqual({ kind: 'problem', problem: 'langfuse: Invalid dimension value' });
    await source.read([question('score', 30, { at: 1 })], minutesAfter(1));
    expect(langfuse.asked).toHaveLength(1);
  });

  test.each([
    ['a wrong key', { secret_key: 'sk-lf-wrong' }, { code: '401', retryable: false }],
    ['an older langfuse', { url: 'PATH/older' }, { code: '404', retryable: false }],
    ['no server', { url: 'http://127.0.0.1:1' }, { code: 'ECONNREFUSED', retryable: true }],
  ])('%s-makes-the-source-unreachable', async (_, change, failure) => {
    const url = 'url' in change ? { url: change.url.replace('PATH', langfuse.url) } : {};
    const source = sourceOf({ ...change, ...url });
    await expect(source.read([question('score', 30)], minutesAfter(0))).rejects.toMatchObject(failure);
  });

  test('something-else-than-an-answer-makes-the-source-unreachable', async () => {
    langfuse.refusals.push({ status: 200, body: [1] });
    const reading = sourceOf().read([question('score', 30)], minutesAfter(0));
    await expect(reading).rejects.toMatchObject({ name: 'ExternalError', code: 'not-understood' });
  });
});
