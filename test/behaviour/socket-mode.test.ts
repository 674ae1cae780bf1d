import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bot, startBot } from '../../src/main.ts';
import { startWorld, type World } from '../harness/bot.ts';
import { roomsOf } from '../harness/room.ts';
import { type SocketSlack, startSocketSlack } from '../harness/socket-mode.ts';

describe('Socket Mode', () => {
  let world: World;
  let socket: SocketSlack;
  let bot: Bot;
  beforeAll(async () => {
    world = await startWorld({ start: false });
    socket = await startSocketSlack(world.slack.apiUrl);
    bot = await startBot({ ...world.env, SLACK_APP_TOKEN: 'xapp-1', SLACK_API_URL: socket.apiUrl });
    await world.slack.waitFor('a connection', () => socket.connections() > 0 || undefined);
  });
  afterAll(async () => {
    await bot.stop();
    await socket.close();
    await world.close();
  });

  const command = (text: string, trigger: string) => ({
    type: 'slash_commands',
    payload: {
      command: '/llm-incident',
      text,
      team_id: world.slack.teamId,
      user_id: world.slack.userId('oncall'),
      channel_id: 'C000000001',
      trigger_id: trigger,
      response_url: `${world.slack.url}/none`,
    },
  });

  it('answers a command in its acknowledgement', async () => {
    const ack = await socket.deliver(command('list', 't-1'));
    expect(ack.payload).toMatchObject({ response_type: 'ephemeral', text: 'No open incidents.' });
  });

  it('runs the same delivery once, whichever way and however often it comes', async () => {
    const declare = command('declare sev3 quality Answers look odd', 't-2');
    const first = await socket.deliver(declare);
    expect(first.payload).toMatchObject({ text: expect.stringContaining('Declared INC-1') });
    const again = await socket.deliver(declare);
    expect(again.payload).toEqual({});
    world.slack.connect(`${bot.url}/slack/events`);
    const body = new URLSearchParams(declare.payload).toString();
    const overHttp = await world.slack.signedPost({ body, contentType: 'application/x-www-form-urlencoded' });
    expect(overHttp).toMatchObject({ status: 200, text: '' });
    await world.slack.waitFor('the room', async () => (await roomsOf(world)).length > 0 || undefined);
    expect((await socket.deliver(command('list', 't-3'))).payload).toMatchObject({
      text: expect.not.stringContaining('INC-2'),
    });
    expect(await roomsOf(world)).toHaveLength(1);
  });
});
