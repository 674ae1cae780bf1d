import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, textWith } from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

describe('the digest channel of a category', () => {
  let world: World;
  let channel = '';
  beforeAll(async () => {
    world = await startWorld({ start: false });
    channel = (await world.slack.channel('incidents')).id;
    const path = world.env['LLM_INCIDENT_CONFIG'] as string;
    const config = {
      ...JSON.parse(readFileSync(path, 'utf8')),
      digests: { quality: channel, safety: channel },
    };
    writeFileSync(path, JSON.stringify(config));
    await world.slack.as('lead').inviteBot(channel);
    await world.restart();
  });
  afterAll(() => world.close());

  const digestsSaid = async () =>
    (await world.slack.messages(channel)).filter((one) => keyOf(one)?.startsWith('digest:'));

  it('tells of one incident in one message that is edited as it goes on, and mentions nobody', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} answers <!channel> are wrong`);
    const where = { room: channel, key: `digest:${id}` };
    const opened = await textWith(world, where, 'answers');
    expect(opened).toContain(`INC-${id} · SEV3 quality · ${SERVICE} · open`);
    expect(opened).toContain(`<#${room}>`);
    await ask(world, 'oncall', 'contain by hand', room);
    await textWith(world, where, '· contained');
    await ask(world, 'oncall', 'update The old prompt is served again.', room);
    await textWith(world, where, 'The old prompt is served again.');
    await ask(world, 'lead', 'resolve done', room);
    const resolved = await textWith(world, where, '· resolved');
    expect(resolved).not.toMatch(/<@|<!(?!date)/);
    expect(await digestsSaid()).toHaveLength(1);
    expect(blocksText((await digestsSaid())[0] ?? {})).toContain('The old prompt is served again.');
  });

  it('says nothing of private incidents and of other categories', async () => {
    await declareIncident(world, `sev1 safety ${SERVICE} a leak that nobody may read of`);
    await declareIncident(world, `sev3 cost ${SERVICE} a bill`);
    const { id } = await declareIncident(world, `sev3 quality ${SERVICE} the next one`);
    await textWith(world, { room: channel, key: `digest:${id}` }, 'the next one');
    expect(await digestsSaid()).toHaveLength(2);
  });

  it('takes back what it said of an incident that was made private', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} soon a secret`);
    const where = { room: channel, key: `digest:${id}` };
    await textWith(world, where, 'soon a secret');
    await ask(world, 'oncall', 'private', room);
    const left = await textWith(world, where, 'not reported here any more');
    expect(left).not.toContain('soon a secret');
  });
});
