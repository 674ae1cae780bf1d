import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendCalls } from '../../src/demo/service/otlp-sender.ts';
import { TOKEN, type World } from '../harness/bot.ts';
import { reconfigure, startConfigured, type TestConfig } from '../harness/configured.ts';
import { callsWith } from '../harness/exact-calls.ts';
import { type ModelEndpoint, startModelEndpoint } from '../harness/model-endpoint.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { textWith } from '../harness/people.ts';

const HOUR_MS = 3_600_000;
const BASELINE = 60;
const WINDOW = 40;
const [FELL, REJUDGED] = ['answers-fell', 'judge-changed'];

describe('a sampling judge', () => {
  let world: World;
  let model: ModelEndpoint;
  beforeAll(async () => {
    model = await startModelEndpoint();
    model.answerWith(() => '{"score": 0.8, "reason": "fine"}');
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      config['rules'] = { 'quality.score': { min_baseline: BASELINE, min_samples: WINDOW } };
      for (const service of [FELL, REJUDGED]) setJudge(config, service, 'Is it right?');
    });
  });
  afterAll(async () => {
    await world.close();
    await model.close();
  });

  const setJudge = (config: TestConfig, service: string, rubric: string) => {
    const judge = { url: model.url, model: 'judge-1', rubric, sample_share: 1, calls_per_day: 20_000 };
    Object.assign(config.services, { [service]: { judge } });
  };
  /** Calls that nobody has scored, scored by the judge when this resolves. */
  const sendUnscored = async (service: string, n: number) => {
    const sent = model.requests.length;
    const calls = callsWith(await world.now(), { service, n, good: n });
    await sendCalls(
      { url: world.url, token: TOKEN },
      calls.map((call) => ({ ...call, evaluations: [] })),
    );
    await world.advance(0);
    await world.slack.waitFor(`${n} scores`, () => model.requests.length === sent + n, 40_000);
  };
  const tick = async () => {
    for (let time = 0; time < 3; time += 1) await world.advance(5_000);
  };

  it('opens a room when it scores the answers lower, and says that the judge changed when another one does', async () => {
    await world.advance(0);
    for (const service of [FELL, REJUDGED]) await sendUnscored(service, BASELINE);
    await world.advance(2 * HOUR_MS);
    await reconfigure(world, (config) => setJudge(config, REJUDGED as string, 'Is it right, and short?'));
    await world.restart();
    model.answerWith(() => '{"score": 0.4, "reason": "half right"}');
    for (const service of [FELL, REJUDGED]) await sendUnscored(service, WINDOW);
    await tick();

    const [id] = await openedAbout(world, FELL as string);
    const room = await roomOfIncident(world, id as number);
    await textWith(world, { room, key: `card:${id}` }, 'Quality score 0.40 against 0.80');
    expect(await openedAbout(world, REJUDGED as string)).toEqual([]);

    await world.stopBot();
    const { db, close } = await world.database.open();
    const said = await db
      .selectFrom('evaluation')
      .select(['state', 'detail'])
      .where('service', '=', REJUDGED as string)
      .where('rule', '=', 'quality.score')
      .where('warning', '=', false)
      .orderBy('id', 'desc')
      .executeTakeFirst();
    await close();
    expect(said?.state).toBe('insufficient');
    expect(said?.detail).toMatch(
      /^the judge changed from judge:judge-1@\w{8} to judge:judge-1@\w{8} at .* not comparable$/,
    );
  });
});
