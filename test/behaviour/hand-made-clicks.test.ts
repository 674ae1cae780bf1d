import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { declareIncident, messageWith } from '../harness/people.ts';

describe('a click whose payload has no response_url', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  it('is done once, and its answer is whispered', async () => {
    const { id, room } = await declareIncident(world, `sev2 quality ${SERVICE} hand-made`);
    const card = await messageWith(world, room, `card:${id}`);
    const oncall = world.slack.userId('oncall');
    const payload = {
      type: 'block_actions',
      team: { id: world.slack.teamId },
      user: { id: oncall },
      channel: { id: room },
      container: { type: 'message', message_ts: card.ts, channel_id: room },
      message: { ts: card.ts },
      actions: [{ type: 'button', action_id: 'contain', value: String(id), action_ts: '12.34' }],
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const answer = await world.slack.signedPost({ body, contentType: 'application/x-www-form-urlencoded' });
    expect(answer.status).toBe(200);
    const whispered = await world.slack.waitFor('the whisper', () =>
      world.slack
        .callsOf('chat.postEphemeral')
        .find(({ args }) => args['user'] === oncall && String(args['text']).startsWith('Proposed')),
    );
    expect(whispered.args['text']).toContain('Proposed: disable the feature');
    await messageWith(world, room, 'proposal:1');
    await world.stopBot();
    const { db, close } = await world.database.open();
    const clicks = await db
      .selectFrom('inbox')
      .select(['state', 'attempts'])
      .where('kind', '=', 'action')
      .execute();
    const proposed = await db.selectFrom('mitigation').select('status').execute();
    await close();
    expect(clicks).toEqual([{ state: 'done', attempts: 1 }]);
    expect(proposed).toEqual([{ status: 'proposed' }]);
  });
});
