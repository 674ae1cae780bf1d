import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, TOKEN, type World } from '../harness/bot.ts';
import { ask, declareIncident } from '../harness/people.ts';

const MINUTE_MS = 60_000;

describe('the report across incidents', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
    for (const minutes of [4, 10]) {
      const { room } = await declareIncident(world, `sev3 quality ${SERVICE} contained after ${minutes}`);
      await world.advance(minutes * MINUTE_MS);
      await ask(world, 'oncall', 'contain switched off', room);
      await ask(world, 'lead', 'resolve', room);
    }
    const wrong = await declareIncident(world, `sev3 outage ${SERVICE} nothing at all`);
    await ask(world, 'lead', 'decline the probe was wrong', wrong.room);
    await declareIncident(world, `sev1 safety ${SERVICE} secretmarker leaked`);
    const ended = await declareIncident(world, `sev3 cost private ${SERVICE} secretmarker spent`);
    await ask(world, 'oncall', 'private', ended.room);
    const moved = await world.slack.waitFor('its private room', async () =>
      (await world.slack.channels()).find(
        ({ name, is_private: isPrivate }) =>
          isPrivate && name.startsWith('inc-') && name.includes(`-${ended.id}`),
      ),
    );
    await ask(world, 'oncall', 'resolve', moved.id);
  });
  afterAll(() => world.close());

  it('counts what was one, nothing private that is live, and names no private one', async () => {
    const said = await ask(world, 'oncall', 'report 30d');
    expect(said).toContain('3 incidents in 30 days');
    expect(said).toMatch(/Time to contain: median 7 minutes.*\(known of 2\)/);
    expect(said).toMatch(/By category: quality 2, contained in 7 minutes[^;]*\./);
    for (const hidden of ['outage', 'safety', 'cost']) expect(said).not.toContain(hidden);
    expect(said).not.toContain('secretmarker');
    expect(said).toContain('The chart is in your direct messages from me.');
  });

  it('is of one service and of fewer days when asked so', async () => {
    expect(await ask(world, 'oncall', `report 7d ${SERVICE}`)).toContain(
      `3 incidents of ${SERVICE} in 7 days`,
    );
    expect(await ask(world, 'oncall', 'report 30d never-seen')).toContain('0 incidents of never-seen');
    expect(await ask(world, 'oncall', 'report 0d')).toContain('1 to 730 days');
  });

  it('is scraped with its stages', async () => {
    const answer = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const text = await answer.text();
    expect(text).toMatch(
      /llm_incident_response_seconds\{category="quality",stage="contain",quantile="0.5"\} 4\d\d/,
    );
    expect(text).toContain('llm_incident_response_incidents{category="quality",stage="contain"} 2');
  });
});
