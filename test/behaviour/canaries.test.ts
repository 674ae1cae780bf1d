import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { type ModelEndpoint, startModelEndpoint } from '../harness/model-endpoint.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;
const TICKS = 8;

describe('canaries', () => {
  let world: World;
  let model: ModelEndpoint;
  beforeAll(async () => {
    model = await startModelEndpoint();
    answers('Paris', 'five to seven days');
    const prompts = [
      { name: 'capital', prompt: 'What is the capital of France?', compare: 'same' },
      { name: 'refund', prompt: 'How long does a refund take?', compare: 'contains', expect: 'seven' },
    ];
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      Object.assign(config.services[SERVICE] as object, { canaries: { url: model.url, prompts } });
    });
  });
  afterAll(async () => {
    await world.close();
    await model.close();
  });

  const answers = (capital: string, refund: string) =>
    model.answerWith(({ body }) => (body.messages?.[0]?.content.includes('capital') ? capital : refund));
  /** So that the ticks of this test never reach into the next interval. */
  const toJustAfterAnInterval = async () => {
    await world.slack.waitFor('the first run', () => model.requests.length >= 2);
    const sent = model.requests.length;
    const now = (await world.now()).getTime();
    await world.advance(10 * MINUTE_MS - (now % (10 * MINUTE_MS)) + 1_000);
    await world.slack.waitFor('the run of the next interval', () => model.requests.length === sent + 2);
  };
  /** One interval later: every prompt has been sent once more. */
  const round = async () => {
    const sent = model.requests.length;
    await world.advance(10 * MINUTE_MS);
    await world.slack.waitFor('two prompts', () => model.requests.length === sent + 2);
  };
  /** Ticks until an incident is open, but not for long. */
  const tickUntilOpen = async () => {
    for (let tick = 0; tick < TICKS; tick += 1) {
      await world.advance(5_000);
      const [id] = await openedAbout(world, SERVICE);
      if (id !== undefined) return id;
    }
    return undefined;
  };

  it('see a service that answers otherwise before any user has called it, and not by one odd answer', async () => {
    answers('Paris', 'five to seven days');
    await toJustAfterAnInterval();
    for (let time = 0; time < 6; time += 1) await round();
    answers('Lyon', 'ask somebody else');
    await round();
    answers('Paris', 'five to seven days');
    await round();
    expect(await tickUntilOpen()).toBeUndefined();
    answers('Lyon', 'ask somebody else');
    await round();
    expect(await tickUntilOpen()).toBeUndefined();
    await round();
    const id = (await tickUntilOpen()) as number;
    const card = { room: await roomOfIncident(world, id), key: `card:${id}` };
    const text = await textWith(world, card, 'canaries');
    expect(text).toMatch(/capital: not the output of \d of \d earlier runs/);
    expect(text).toContain('refund: does not contain "seven"');
  });

  it('were marked as what they are', () => {
    for (const { headers, body } of model.requests) {
      expect(headers).toMatchObject({ 'x-llm-incident-canary': '1', 'x-llm-incident-dry-run': '1' });
      expect(body.user).toBe('llm-incident-canary');
    }
  });
});
