import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, press, proposeIn, textWith } from '../harness/people.ts';
import { keyOf, roomsOf } from '../harness/room.ts';

const FORM = 'application/x-www-form-urlencoded';

describe('what Slack sends', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const now = () => Math.floor(Date.now() / 1000);
  const commandBody = (text: string) =>
    new URLSearchParams({
      team_id: world.slack.teamId,
      channel_id: 'C1',
      user_id: world.slack.userId('oncall'),
      command: '/llm-incident',
      text,
      trigger_id: `t.${Math.random()}`,
    }).toString();
  const roomsNow = async () => (await roomsOf(world)).length;

  it('is refused unsigned, forged, old, from the future or without a time', async () => {
    const body = commandBody('declare sev3 cost forged');
    const before = await roomsNow();
    const unsigned = await fetch(`${world.url}/slack/events`, {
      method: 'POST',
      headers: { 'content-type': FORM },
      body,
    });
    expect(unsigned.status).toBe(401);
    const falsified = [
      { body, secret: 'another-secret' },
      { body, timestamp: now() - 6 * 60 },
      { body, timestamp: now() + 6 * 60 },
      { body, timestamp: Number.NaN },
      { body, headers: { 'x-slack-signature': 'v0=' } },
    ];
    for (const post of falsified) expect((await world.slack.signedPost(post)).status).toBe(401);
    const later = await declareIncident(world, 'sev3 cost in earnest');
    expect(later.id).toBe(1);
    expect(await roomsNow()).toBe(before + 1);
  });

  it('is taken with a charset in its content type', async () => {
    const answer = await world.slack.signedPost({
      body: commandBody('help'),
      contentType: `${FORM}; charset=utf-8`,
    });
    expect(answer.status).toBe(200);
    expect(answer.json?.['text']).toContain('`declare');
    const challenge = await world.slack.signedPost({
      body: JSON.stringify({ type: 'url_verification', challenge: 'abc' }),
      contentType: 'application/json; charset=utf-8',
    });
    expect(challenge.json).toEqual({ challenge: 'abc' });
  });

  it('is refused when it is larger than Slack ever sends, or is nothing of Slack’s', async () => {
    const large = await world.slack.signedPost({ body: `payload=${'x'.repeat(5 * 1024 * 1024)}` });
    expect(large.status).toBe(413);
    for (const body of ['', 'payload=%7Bnot-json', 'payload=[]', 'payload=null']) {
      expect((await world.slack.signedPost({ body })).status).toBe(400);
    }
    const unknown = { body: '{"type":"no_such_thing"}', contentType: 'application/json' };
    expect((await world.slack.signedPost(unknown)).status).toBe(400);
  });

  it('changes nothing when an approval arrives again byte for byte', async () => {
    const { room } = await declareIncident(world, `sev3 quality ${SERVICE} replayed`);
    const proposal = await proposeIn(world, room, { wanted: 'prompt answer=v12' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    const click = world.slack.sent.at(-1);
    await textWith(world, { room, key: keyOf(proposal) ?? '' }, 'Applied');
    const told = world.slack.ephemerals(world.slack.userId('approver')).length;
    expect(await world.slack.replay(click)).toMatchObject({ status: 200, text: '' });
    await ask(world, 'oncall', 'status', room);
    await world.advance(0);
    expect(world.service.effects).toHaveLength(1);
    expect(world.slack.ephemerals(world.slack.userId('approver'))).toHaveLength(told);
    await ask(world, 'oncall', 'decline end of the test', room);
  });

  it('answers a second click on the same button as a click of its own', async () => {
    const { room } = await declareIncident(world, `sev3 quality ${SERVICE} clicked twice`);
    const proposal = await proposeIn(world, room, { wanted: 'prompt answer=v13' });
    await press(world, 'approver', { on: proposal, action: 'reject' });
    const again = await press(world, 'approver', { on: proposal, action: 'reject' });
    expect(again).toBe('This was decided before: it is rejected. Nothing was changed.');
    await ask(world, 'oncall', 'decline end of the test', room);
  });

  it('answers an unknown word with the nearest ones and lists all with help', async () => {
    expect(await ask(world, 'oncall', 'declair sev1')).toBe(
      'There is no `declair`. Nearest: `declare`. `help` shows all.',
    );
    expect(await ask(world, 'oncall', 'xyzzy')).toMatch(/^There is no `xyzzy`\. Nearest: `\w+`/);
    expect(await ask(world, 'oncall', '<!channel>')).not.toContain('<!channel>');
    const help = await ask(world, 'oncall', 'help');
    const words = ['declare', 'list', 'status', 'contain', 'tree', 'mitigate', 'page', 'oncall', 'severity'];
    const more = ['resolve', 'decline', 'close', 'postmortem', 'eval', 'help'];
    for (const word of [...words, ...more]) expect(help).toContain(`\`${word}`);
    expect(await ask(world, 'oncall', '')).toBe(help);
    expect(await ask(world, 'oncall', 'constructor')).toContain('There is no `constructor`');
  });

  it('says where a subcommand of a room works when it is typed elsewhere', async () => {
    for (const word of ['contain', 'mitigate known-good', 'resolve', 'page', 'severity sev1', 'tree']) {
      expect(await ask(world, 'oncall', word)).toContain('This works in an incident’s room.');
    }
  });
});
