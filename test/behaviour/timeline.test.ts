import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { decodeEntities } from '../../src/postmortem/mrkdwn.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened } from '../harness/people.ts';

describe('the timeline of an incident', () => {
  let world: World;
  let incident: Opened;
  let markdown = '';
  beforeAll(async () => {
    world = await startWorld();
    incident = await declareIncident(world, `sev3 quality ${SERVICE} the timeline`);
  });
  afterAll(() => world.close());

  const shown = () => ask(world, 'lead', 'timeline', incident.room);
  const says = (text: string) =>
    world.slack.waitFor(`the timeline to say ${text}`, async () => {
      const answer = await shown();
      return answer.includes(text) ? answer : undefined;
    });

  it('takes a message with the emoji, as its author said it, with a link, and gives it back without', async () => {
    const oncall = world.slack.as('oncall');
    const lead = world.slack.as('lead');
    const said = await oncall.say(incident.room, 'The cache was cold.');
    const other = await oncall.say(incident.room, 'Nobody needs this line.');
    await lead.react(said, 'pushpin');
    await oncall.react(said, 'pushpin');
    await lead.react(other, 'eyes');
    await world.slack.idle();
    const line = (await says('The cache was cold.')).split('\n').find((one) => one.includes('cache'));
    expect(line).toContain(`<@${oncall.userId}>: The cache was cold.`);
    const linked = await says(said.ts.replace('.', ''));
    expect(linked).not.toContain('Nobody needs this line.');
    await lead.unreact(said, 'pushpin');
    await world.slack.idle();
    expect(await shown()).toContain('The cache was cold.');
    await oncall.unreact(said, 'pushpin');
    await world.slack.idle();
    expect(await shown()).not.toContain('The cache was cold.');
    await lead.react(said, 'pushpin');
    await oncall.edit(said, 'The cache was cold since 02:31.');
    await world.slack.idle();
    await says('The cache was cold since 02:31.');
  });

  it('takes a message by the shortcut: here at once, from elsewhere into the incident that is named', async () => {
    const lead = world.slack.as('lead');
    const here = await messageAt(await lead.say(incident.room, 'Rolled the index back.'));
    await lead.shortcut('add_to_timeline', here);
    await says('Rolled the index back.');

    const elsewhere = await messageAt(await lead.say('general', 'A customer &lt;complained&gt; first.'));
    await lead.shortcut('add_to_timeline', elsewhere);
    const form = await world.slack.waitFor('the form', () => world.slack.views(lead.userId).at(-1));
    const refused = await lead.submit(form, { incident: '999' });
    expect(refused.json).toMatchObject({ response_action: 'errors' });
    await lead.submit(form, { incident: `inc-${incident.id}` });
    await says('A customer &lt;complained&gt; first.');
  });

  it('takes a line of a person, at the time that they name', async () => {
    expect(await ask(world, 'oncall', 'timeline at 25:00 never', incident.room)).toContain('is no time');
    const kept = await ask(world, 'oncall', 'timeline at 00:00 the nightly index began', incident.room);
    expect(kept).toContain('In the timeline at ');
    await ask(world, 'oncall', 'timeline luck a customer wrote to us', incident.room);
    const lines = (await shown()).split('\n');
    const at = (text: string) => lines.findIndex((line) => line.includes(text));
    expect(at('the nightly index began')).toBeLessThan(at('Rolled the index back.'));
    expect(at('a customer wrote to us')).toBeGreaterThan(at('Rolled the index back.'));
  });

  it('is read again after a gap, so that what was said meanwhile is in it', async () => {
    const lead = world.slack.as('lead');
    await world.stopBot();
    const missed = await lead.say(incident.room, 'Said while nobody listened.');
    await lead.say(incident.room, 'Answered while nobody listened.', { thread_ts: missed.ts });
    await world.slack.idle();
    await world.restart();
    await lead.react(missed, 'pushpin');
    await says('Said while nobody listened.');
    await lead.leave(incident.room);
    await world.slack.idle();
  });

  it('is in the post-mortem with who came and who left', async () => {
    await ask(world, 'oncall', 'resolve done', incident.room);
    await world.slack.waitFor('the documents', async () => (await world.slack.files(incident.room)).at(0));
    const folder = join(world.env['DATA_DIR'] as string, 'documents', `INC-${incident.id}`);
    markdown = readFileSync(join(folder, 'postmortem.md'), 'utf8');
    for (const said of [
      'The cache was cold since 02:31.',
      'Rolled the index back.',
      'A customer <complained> first.',
      'the nightly index began',
      'Answered while nobody listened.',
      'joined the room',
      'left the room',
    ])
      expect(decodeEntities(markdown.replaceAll('\\', ''))).toContain(said);
  });

  async function messageAt(ref: { channel: string; ts: string }): Promise<SlackMessage> {
    await world.slack.idle();
    const found = (await world.slack.messages(ref.channel)).find(({ ts }) => ts === ref.ts);
    return found as SlackMessage;
  }
});
