import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, messageWith, roomWith, textWith } from '../harness/people.ts';
import { keyOf, roomsOf } from '../harness/room.ts';

const SLOW_MS = 40_000;
const WAIT_SECONDS = 3;

describe('when Slack is slow, limits or fails', { timeout: 120_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());
  afterEach(() => world.slack.clearFaults());

  /** The calls of the method after the last one that was refused with 429, which must not have come early. */
  const callsAfterRefusal = (method: string, since: number) => {
    const calls = world.slack.callsOf(method).filter(({ at }) => at >= since);
    const refused = calls.findLastIndex(({ status }) => status === 429);
    expect(refused).toBeGreaterThanOrEqual(0);
    const at = calls[refused]?.at ?? 0;
    return calls.slice(refused + 1).map((call) => call.at - at);
  };
  const declared = async (text: string) => {
    const said = await ask(world, 'oncall', `declare sev3 quality ${SERVICE} ${text}`);
    return Number(/INC-(\d+)/.exec(said)?.[1]);
  };
  const keysIn = async (room: string) =>
    (await world.slack.messages(room)).map(keyOf).filter((key) => key !== undefined);

  it('waits out a 429 on chat.postMessage, loses nothing and keeps the order', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} limited posts`);
    const since = Date.now();
    const limit = { method: 'chat.postMessage', kind: '429', retryAfterSeconds: WAIT_SECONDS } as const;
    world.slack.fault({ ...limit, channel: room });
    for (const version of ['v12', 'v14']) {
      expect(await ask(world, 'oncall', `mitigate prompt answer=${version}`, room)).toContain('Proposed: ');
    }
    await ask(world, 'oncall', 'tree', room);
    const keys = await world.slack.waitFor(
      'both proposals',
      async () => {
        const found = await keysIn(room);
        return found.filter((key) => key?.startsWith('proposal:')).length === 2 ? found : undefined;
      },
      SLOW_MS,
    );
    expect(keys[0]).toBe(`card:${id}`);
    const proposals = keys.filter((key) => key?.startsWith('proposal:'));
    expect(proposals).toEqual([...proposals].sort());
    const posts = world.slack
      .callsOf('chat.postMessage')
      .filter((call) => call.args['channel'] === room && call.at >= since);
    const refusedAt = posts.find(({ status }) => status === 429)?.at ?? Number.NaN;
    for (const { at } of posts.filter((call) => call.status !== 429)) {
      expect(at - refusedAt).toBeGreaterThanOrEqual(WAIT_SECONDS * 1000 - 20);
    }
  });

  it('goes on with other rooms and methods while one room may not be posted to', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} limited alone`);
    const limit = { method: 'chat.postMessage', kind: '429', retryAfterSeconds: 8 } as const;
    world.slack.fault({ ...limit, channel: room });
    const since = Date.now();
    await ask(world, 'oncall', 'mitigate prompt answer=v12', room);
    await world.slack.waitFor('the refusal', () =>
      world.slack.callsOf('chat.postMessage').some(({ at, status }) => at >= since && status === 429),
    );
    const other = await declareIncident(world, `sev3 quality ${SERVICE} another room`);
    expect(other.id).toBeGreaterThan(id);
    expect((await keysIn(room)).filter((key) => key?.startsWith('proposal:'))).toEqual([]);
    await world.slack.waitFor(
      'the proposal',
      async () => (await keysIn(room)).some((key) => key?.startsWith('proposal:')),
      SLOW_MS,
    );
  });

  it('waits out a 429 on chat.update for the card, while messages are posted', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} limited edits`);
    const other = await declareIncident(world, `sev3 quality ${SERVICE} posts meanwhile`);
    const since = Date.now();
    world.slack.fault({ method: 'chat.update', kind: '429', retryAfterSeconds: WAIT_SECONDS });
    await ask(world, 'oncall', 'contain by hand', room);
    await world.slack.waitFor('the refusal', () =>
      world.slack.callsOf('chat.update').some(({ at, status }) => at >= since && status === 429),
    );
    await ask(world, 'oncall', 'mitigate prompt answer=v12', other.room);
    await world.slack.waitFor('the proposal', async () =>
      (await keysIn(other.room)).some((key) => key?.startsWith('proposal:')),
    );
    await textWith(world, { room, key: `card:${id}` }, 'Contained:', SLOW_MS);
    for (const after of callsAfterRefusal('chat.update', since)) {
      expect(after).toBeGreaterThanOrEqual(WAIT_SECONDS * 1000 - 20);
    }
  });

  it('waits out a 429 on conversations.replies and loses no reply', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} limited replies`);
    const [oncall, lead] = [world.slack.as('oncall'), world.slack.as('lead')];
    await world.stopBot();
    for (let thread = 0; thread < 4; thread += 1) {
      const root = await oncall.say(room, `root-${thread} was said`);
      await lead.say(room, `first-reply-${thread}`, { thread_ts: root.ts });
      await lead.say(room, `second-reply-${thread}`, { thread_ts: root.ts });
    }
    await world.restart();
    const since = Date.now();
    world.slack.fault({
      method: 'conversations.replies',
      kind: '429',
      times: 2,
      retryAfterSeconds: WAIT_SECONDS,
    });
    await ask(world, 'oncall', 'resolve done', room);
    await world.slack.waitFor(
      'the post-mortem',
      async () => (await world.slack.files(room)).some(({ name }) => name === 'postmortem.md'),
      SLOW_MS,
    );
    const folder = join(world.env['DATA_DIR'] as string, 'documents', `INC-${id}`);
    const markdown = readFileSync(join(folder, 'postmortem.md'), 'utf8');
    for (let thread = 0; thread < 4; thread += 1) {
      for (const said of [`root-${thread} was said`, `first-reply-${thread}`, `second-reply-${thread}`]) {
        expect(markdown.split(said)).toHaveLength(2);
      }
    }
    for (const after of callsAfterRefusal('conversations.replies', since)) {
      expect(after).toBeGreaterThanOrEqual(WAIT_SECONDS * 1000 - 20);
    }
  });

  it('posts the card once when Slack’s answer to it was lost', async () => {
    world.slack.fault({ method: 'chat.postMessage', kind: 'reset' });
    const id = await declared('lost answer to the card');
    const room = await roomWith(world, `card:${id}`, SLOW_MS);
    await ask(world, 'oncall', 'contain by hand', room);
    await textWith(world, { room, key: `card:${id}` }, 'Contained:', SLOW_MS);
    expect((await keysIn(room)).filter((key) => key === `card:${id}`)).toHaveLength(1);
  });

  it('posts a proposal once when Slack’s answer to it was lost', async () => {
    const { room } = await declareIncident(world, `sev3 quality ${SERVICE} lost answer`);
    world.slack.fault({ method: 'chat.postMessage', kind: 'reset', channel: room });
    await ask(world, 'oncall', 'mitigate prompt answer=v12', room);
    const key = await world.slack.waitFor('the proposal', async () =>
      (await keysIn(room)).find((one) => one?.startsWith('proposal:')),
    );
    const said = await ask(world, 'oncall', 'decline end of the test', room);
    expect(said).toContain('declined');
    await textWith(world, { room, key: String(key) }, 'Expired.', SLOW_MS);
    expect((await keysIn(room)).filter((one) => one === key)).toHaveLength(1);
  });

  it('opens the room and its card in the end when Slack answers 500 for a while', async () => {
    const before = (await roomsOf(world)).length;
    for (const method of ['conversations.create', 'conversations.invite', 'chat.postMessage']) {
      world.slack.fault({ method, kind: '500' });
    }
    const id = await declared('answers 500');
    const room = await roomWith(world, `card:${id}`, SLOW_MS);
    expect((await messageWith(world, room, `card:${id}`)).text).toContain('answers 500');
    expect(await roomsOf(world)).toHaveLength(before + 1);
    expect((await keysIn(room)).filter((key) => key === `card:${id}`)).toHaveLength(1);
  });

  it('opens one room when Slack’s answer to its creation was lost', async () => {
    const before = (await roomsOf(world)).length;
    world.slack.fault({ method: 'conversations.create', kind: 'reset' });
    const id = await declared('lost room');
    await roomWith(world, `card:${id}`, SLOW_MS);
    expect(await roomsOf(world)).toHaveLength(before + 1);
  });
});
