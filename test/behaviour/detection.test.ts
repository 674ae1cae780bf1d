import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendGoodDay, sendVerdicts } from '../harness/exact-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, declareIncident, messageWith, press, textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;

describe('what the quality rules open', () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      config['rules'] = { 'quality.drift': { enabled: false } };
      config.services['declared-before'] = {};
    });
  });
  afterAll(() => world.close());

  const tick = () => world.advance(0);
  /** The card of the only live incident about the service. */
  const cardOf = async (service: string) => {
    const [id, ...others] = await openedAbout(world, service);
    expect(others).toEqual([]);
    if (id === undefined) throw new Error(`nothing is open about ${service}`);
    const room = await roomOfIncident(world, id);
    return { id, room, text: await textWith(world, { room, key: `card:${id}` }, service) };
  };

  it('opens sev2 when only the mean is more than 15 % below its baseline', async () => {
    await sendGoodDay(world, { service: 'point-only' });
    await sendVerdicts(world, { service: 'point-only', n: 100, good: 67 });
    await tick();
    const { text } = await cardOf('point-only');
    expect(text).toContain('SEV2 quality · point-only · PROD');
    expect(text).toContain('Quality score 0.67 against 0.80 (−16 %, n = 100');
  });

  it('opens sev1 when the one-sided bound is more than 15 % below it too', async () => {
    await sendGoodDay(world, { service: 'bound' });
    await sendVerdicts(world, { service: 'bound', n: 100, good: 40 });
    await tick();
    const { text } = await cardOf('bound');
    expect(text).toContain('SEV1 quality · bound · PROD');
    expect(text).toContain('Quality score 0.40 against 0.80 (−50 %, n = 100');
  });

  it('opens nothing at exactly 15 % below', async () => {
    await sendGoodDay(world, { service: 'on-the-line' });
    await sendVerdicts(world, { service: 'on-the-line', n: 100, good: 68 });
    await tick();
    expect(await openedAbout(world, 'on-the-line')).toEqual([]);
  });

  it('opens nothing on 99 scores, and opens with the hundredth', async () => {
    await sendGoodDay(world, { service: 'few-now' });
    await sendVerdicts(world, { service: 'few-now', n: 99, good: 0 });
    await tick();
    expect(await openedAbout(world, 'few-now')).toEqual([]);
    await sendVerdicts(world, { service: 'few-now', n: 1, good: 0 });
    await tick();
    expect(await openedAbout(world, 'few-now')).toHaveLength(1);
  });

  it('opens nothing against 199 scores of baseline, and opens against 200', async () => {
    const before = { from: 600, to: 40 };
    await sendVerdicts(world, { service: 'few-before', n: 199, good: 199, minutesAgo: before });
    await sendVerdicts(world, { service: 'few-before', n: 150, good: 0 });
    await tick();
    expect(await openedAbout(world, 'few-before')).toEqual([]);
    await sendVerdicts(world, { service: 'few-before', n: 1, good: 1, minutesAgo: before });
    await tick();
    expect(await openedAbout(world, 'few-before')).toHaveLength(1);
  });

  it('opens sev2 at 94.5 % of the last 1,000 formats, and not on 999 verdicts', async () => {
    await sendVerdicts(world, { service: 'format-low', kind: 'format', n: 999, good: 944 });
    await tick();
    expect(await openedAbout(world, 'format-low')).toEqual([]);
    await sendVerdicts(world, { service: 'format-low', kind: 'format', n: 1, good: 1 });
    await tick();
    const { text } = await cardOf('format-low');
    expect(text).toContain('SEV2 quality · format-low · PROD');
    expect(text).toContain('Format compliance 94.5 % (95.0 % wanted, n = 1000');
  });

  it('opens sev1 at 90 % of them, and nothing at 95 %', async () => {
    await sendVerdicts(world, { service: 'format-bad', kind: 'format', n: 1_000, good: 900 });
    await sendVerdicts(world, { service: 'format-fine', kind: 'format', n: 1_000, good: 950 });
    await tick();
    const { text } = await cardOf('format-bad');
    expect(text).toContain('SEV1 quality · format-bad · PROD');
    expect(text).toContain('Format compliance 90.0 %');
    expect(await openedAbout(world, 'format-fine')).toEqual([]);
  });

  it('opens one room when both rules fire', async () => {
    await sendGoodDay(world, { service: 'both' });
    await sendVerdicts(world, { service: 'both', kind: 'format', n: 1_000, good: 900 });
    await sendVerdicts(world, { service: 'both', n: 100, good: 40 });
    await tick();
    const { room, id } = await cardOf('both');
    await ask(world, 'oncall', 'resolve seen', room);
    const markdown = await documentOf(room);
    expect(markdown).toContain('Quality score 0.40 against 0.80');
    expect(markdown).toContain('Format compliance 90.0 %');
    expect(await openedAbout(world, 'both')).toEqual([]);
    await tick();
    expect(await openedAbout(world, 'both')).toEqual([]);
    expect(id).toBeGreaterThan(0);
  });

  const documentOf = (room: string) =>
    world.slack.waitFor(
      'the post-mortem',
      async () => (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md')?.content,
    );

  it('opens a room for another environment, whose card says that nobody is paged', async () => {
    const about = { service: 'point-only', environment: 'staging' };
    await sendGoodDay(world, about);
    await sendVerdicts(world, { ...about, n: 100, good: 20 });
    await tick();
    const opened = await openedAbout(world, 'point-only');
    expect(opened).toHaveLength(2);
    const id = Math.max(...opened);
    const room = await roomOfIncident(world, id);
    const text = await textWith(world, { room, key: `card:${id}` }, 'only production pages');
    expect(text).toContain('SEV1 quality · point-only · staging, nobody is paged');
    expect(text).toContain('Paged: nobody; the environment is staging, and only production pages');
    const said = await ask(world, 'oncall', 'page', room);
    expect(said).toBe('The environment is staging; only production pages.');
    await world.advance(11 * MINUTE_MS);
    const sent = JSON.stringify(world.pagerduty.calls.map(({ body }) => body));
    expect(sent).not.toContain('staging');
    expect(sent).not.toContain(`INC-${id}`);
  });

  it('opens nothing more when it is asked again, nor after a restart', async () => {
    const before = await ask(world, 'oncall', 'list');
    for (let again = 0; again < 3; again += 1) await world.advance(10_000);
    await world.restart();
    await tick();
    await tick();
    const names = (text: string) => [...text.matchAll(/INC-\d+/g)].map(([name]) => name);
    expect(names(await ask(world, 'oncall', 'list'))).toEqual(names(before));
  });

  it('does not open again after a false alarm while it still fires, and does after it was well', async () => {
    const service = 'false-alarm';
    await sendGoodDay(world, { service });
    await sendVerdicts(world, { service, n: 100, good: 40 });
    await tick();
    const { id, room } = await cardOf(service);
    const card = await messageWith(world, room, `card:${id}`);
    await world.slack.as('oncall').click(card, 'false_alarm');
    await textWith(world, { room, key: `card:${id}` }, 'false alarm');
    for (let minutes = 0; minutes < 3; minutes += 1) {
      await world.advance(MINUTE_MS);
      await sendVerdicts(world, { service, n: 20, good: 8, minutesAgo: { from: 1, to: 0 } });
    }
    await tick();
    expect(await openedAbout(world, service)).toEqual([]);
    await world.advance(31 * MINUTE_MS);
    await sendVerdicts(world, { service, n: 150, good: 120 });
    await tick();
    await world.advance(31 * MINUTE_MS);
    await sendVerdicts(world, { service, n: 100, good: 20 });
    await tick();
    expect(await openedAbout(world, service)).toHaveLength(1);
  });

  it('opens a new incident for a new episode after the last one was resolved and the signal cleared', async () => {
    const service = 'two-episodes';
    await sendGoodDay(world, { service });
    await sendVerdicts(world, { service, n: 100, good: 40 });
    await tick();
    const first = await cardOf(service);
    await ask(world, 'oncall', 'resolve fixed', first.room);
    await tick();
    expect(await openedAbout(world, service)).toEqual([]);
    await world.advance(31 * MINUTE_MS);
    await sendVerdicts(world, { service, n: 150, good: 120 });
    await tick();
    await world.advance(31 * MINUTE_MS);
    await sendVerdicts(world, { service, n: 100, good: 40 });
    await tick();
    const second = await cardOf(service);
    expect(second.id).toBeGreaterThan(first.id);
    expect(second.room).not.toBe(first.room);
  });

  it('joins a person’s live incident about the same service and category', async () => {
    const service = 'declared-before';
    const { id, room } = await declareIncident(world, `sev3 quality ${service} users complain`);
    await sendGoodDay(world, { service });
    await sendVerdicts(world, { service, n: 100, good: 40 });
    await tick();
    const text = await textWith(world, { room, key: `card:${id}` }, 'Quality score 0.40 against 0.80');
    expect(text).toContain(`SEV3 quality · ${service}`);
    expect(await openedAbout(world, service)).toEqual([id]);
    const card = await messageWith(world, room, `card:${id}`);
    expect(await press(world, 'oncall', { on: card, action: 'acknowledge' })).toBe(`You have INC-${id}.`);
  });

  it('stores every evaluation of what has had data, whatever it says', async () => {
    await world.stopBot();
    const { db, close } = await world.database.open();
    const rows = await db.selectFrom('evaluation').selectAll().orderBy('id').execute();
    await close();
    const of = (service: string, rule: string) =>
      rows
        .filter((row) => row.service === service && row.rule === rule && row.environment === 'production')
        .filter((row) => !row.warning);
    const states = (service: string, rule = 'quality.score') => [
      ...new Set(of(service, rule).map(({ state }) => state)),
    ];
    expect(states('few-now').slice(0, 2)).toEqual(['insufficient', 'firing']);
    expect(states('few-before')).toContain('insufficient');
    expect(states('on-the-line')).toContain('ok');
    expect(states('point-only', 'quality.format')).toEqual([]);
    expect(states('two-episodes')).toContain('no-data');
    const firing = of('point-only', 'quality.score').find(({ state }) => state === 'firing');
    expect(firing).toMatchObject({ value: 0.67, baseline: 0.8, n: 100, baseline_n: 400, past_bound: false });
    expect(firing?.threshold).toBeCloseTo(0.68, 9);
    const low = of('format-low', 'quality.format').map(({ n, state }) => `${state} ${n}`);
    expect(low).toContain('insufficient 999');
    expect(low).toContain('firing 1000');
  });
});
