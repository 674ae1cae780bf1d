import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import { TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendMade } from '../harness/made-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, type Opened, press, proposeIn, textsOf, textWith } from '../harness/people.ts';
import { blocksText, keyOf, roomsOf } from '../harness/room.ts';

const FLAGS = '/ofrep/v1/evaluate/flags';
/** $750 an hour, two thirds of it one user's. */
const expensive = (i: number): Partial<EmittedCall> => ({
  costUsd: 0.5,
  user: i % 3 === 0 ? `user-${i}` : 'user-7',
});

describe('a named offender', { timeout: 120_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      config['poll_seconds'] = 300;
      const entries = config.services as Record<string, object>;
      const people = { owner: slack.userId('lead'), approvers: [slack.userId('approver')] };
      const standing = ['throttle-offender'];
      const target = { type: 'built-in' };
      entries['throttles'] = { ...people, target, standing_approvals: standing };
      const limits = { each_user: 20, each_session: 5, user: { 'user-vip': 200 } };
      const set = { target, standing_approvals: standing, throttle: { requests_per_minute: 30 } };
      entries['configured'] = { ...people, ...set, serving: { limits } };
      entries['asks-people'] = { ...people, target };
      entries['switched-off'] = { ...people, target, standing_approvals: standing };
      const unsafe = { 'safety.pii': { auto_remediate: true } };
      entries['unsafe'] = { ...people, target, standing_approvals: standing, rules: unsafe };
    });
  });
  afterAll(() => world.close());

  const opens = async (service: string, each = expensive): Promise<Opened> => {
    await sendMade(world, { service, n: 100, minutesAgo: { from: 14, to: 0 }, each });
    for (let polls = 0; polls < 3; polls += 1) await world.advance(15_000);
    // A private incident is on no list.
    const [id = (await roomsOf(world)).length] = await openedAbout(world, service);
    return { id, room: await roomOfIncident(world, id) };
  };
  const limitsOf = async (service: string, context: Record<string, string>) => {
    const answer = await fetch(`${world.url}${FLAGS}/${service}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ context: { targetingKey: 'x', ...context } }),
    });
    return ((await answer.json()) as { value: { limits: object } }).value.limits;
  };
  const proposalIn = ({ room }: Opened) =>
    world.slack.waitFor('the proposal', async () =>
      (await world.slack.messages(room)).find((one) => keyOf(one)?.startsWith('proposal:')),
    );
  const cardOf = ({ id, room }: Opened) => ({ room, key: `card:${id}` });
  const documentOf = async ({ room }: Opened) => {
    await ask(world, 'oncall', 'resolve fixed', room);
    return world.slack.waitFor(
      'the post-mortem',
      async () => (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md')?.content,
    );
  };

  it('is limited by itself under the standing approval, once, and the room says how to take it back', async () => {
    await sendMade(world, {
      service: 'throttles',
      n: 400,
      minutesAgo: { from: 600, to: 65 },
      each: (i) => ({ user: i % 2 === 0 ? 'user-7' : `user-${i}` }),
    });
    const incident = await opens('throttles');
    const proposal = await proposalIn(incident);
    const key = keyOf(proposal) ?? '';
    await textWith(world, { room: incident.room, key }, 'Applied');
    const id = Number(key.split(':')[1]);
    const said = await world.slack.waitFor('the announcement', async () =>
      (await textsOf(world, incident.room, 'notice')).find((text) => text.includes('Runs now')),
    );
    expect(said).toContain('limit user user-7 to 1 request a minute (no limit before), by itself under');
    expect(said).toContain(`\`/llm-incident mitigate undo ${id}\` takes it back`);
    expect(await limitsOf('throttles', { user: 'user-7' })).toEqual({ user: 1 });
    expect(await limitsOf('throttles', { user: 'user-8' })).toEqual({});
    expect(blocksText(proposal)).toMatch(
      /user user-7 alone: 6\d of 100 calls of throttles in the last hour \([\d.]+ %\)/,
    );
    await world.advance(15_000);
    const proposals = (await world.slack.messages(incident.room)).filter((one) =>
      keyOf(one)?.startsWith('proposal:'),
    );
    expect(proposals).toHaveLength(1);
    const undo = await proposeIn(world, incident.room, { wanted: `undo ${id}` });
    await press(world, 'approver', { on: undo, action: 'approve' });
    await textWith(world, { room: incident.room, key: keyOf(undo) ?? '' }, 'Applied');
    expect(await limitsOf('throttles', { user: 'user-7' })).toEqual({});
    expect(await documentOf(incident)).toContain('It runs by itself under the standing approval');
  });

  it('gets no more than everybody may, and a limit by name goes before that of everybody', async () => {
    expect(await limitsOf('configured', { user: 'user-1', session: 's-1' })).toEqual({
      user: 20,
      session: 5,
    });
    expect(await limitsOf('configured', { user: 'user-vip' })).toEqual({ user: 200 });
    const incident = await opens('configured');
    const key = keyOf(await proposalIn(incident)) ?? '';
    await textWith(world, { room: incident.room, key }, 'Applied');
    expect(await limitsOf('configured', { user: 'user-7' })).toEqual({ user: 20 });
    const wanted = await proposeIn(world, incident.room, { wanted: 'limit each user 3' });
    expect(blocksText(wanted)).toContain(
      'limit each user to 3 requests a minute (20 requests a minute before)',
    );
    await press(world, 'approver', { on: wanted, action: 'approve' });
    await textWith(world, { room: incident.room, key: keyOf(wanted) ?? '' }, 'Applied');
    expect(await limitsOf('configured', { user: 'user-1' })).toEqual({ user: 3 });
  });

  it('is left to people where the team approved nothing in advance', async () => {
    const incident = await opens('asks-people');
    const proposal = await proposalIn(incident);
    expect(blocksText(proposal)).toContain('limit user user-7 to 10 requests a minute');
    expect(blocksText(proposal)).toContain('0 of 1');
    expect(await limitsOf('asks-people', { user: 'user-7' })).toEqual({});
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await textWith(world, { room: incident.room, key: keyOf(proposal) ?? '' }, 'Applied');
    expect(await limitsOf('asks-people', { user: 'user-7' })).toEqual({ user: 10 });
  });

  it('is never limited by itself in a safety incident, nor while automation is off', async () => {
    const leaks = await opens('unsafe', () => ({
      output: 'Write to anna.schmidt@example.org about it.',
      user: 'user-7',
    }));
    expect(await documentOf(leaks)).toContain('Not run: nothing runs by itself in a safety incident.');
    world.env['LLM_INCIDENT_AUTOMATION'] = 'off';
    await world.restart();
    const incident = await opens('switched-off');
    await textWith(world, cardOf(incident), 'switched-off');
    expect(await documentOf(incident)).toContain(
      'throttle user user-7. Not run: automation is switched off.',
    );
    expect(await limitsOf('switched-off', { user: 'user-7' })).toEqual({});
  });
});
