import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened } from '../harness/people.ts';

describe('what happened in a room while the bot was stopped', () => {
  let world: World;
  let incident: Opened;
  let markdown = '';
  beforeAll(async () => {
    world = await startWorld();
    incident = await declareIncident(world, `sev3 quality ${SERVICE} gaps in the record`);
    await fillRoom(world, incident.room);
    await ask(world, 'oncall', 'resolve done', incident.room);
    await world.slack.waitFor('the documents', async () => (await world.slack.files(incident.room)).at(0));
    const folder = join(world.env['DATA_DIR'] as string, 'documents', `INC-${incident.id}`);
    markdown = readFileSync(join(folder, 'postmortem.md'), 'utf8');
  });
  afterAll(() => world.close());

  it('is read from the channel: messages and replies', () => {
    for (const said of ['Said while it was away.', 'Replied while it was away.', 'Heard by the bot.']) {
      expect(markdown).toContain(said);
    }
  });

  it('keeps a new reply of a thread that lost one which was recorded', () => {
    expect(markdown).toContain('The reply that came instead.');
    expect(markdown).not.toContain('The reply that was taken back.');
  });

  it('shows edits as they are now, in the channel and in threads', () => {
    expect(markdown).toContain('Top level, edited while away.');
    expect(markdown).toContain('Reply, edited while away.');
    expect(markdown).not.toContain('Top level, first version.');
    expect(markdown).not.toContain('Reply, first version.');
  });

  it('does not show what was deleted meanwhile', () => {
    expect(markdown).not.toContain('Deleted while it was away.');
  });
});

/** Some of it is heard by the bot, the rest happens while it is stopped. */
async function fillRoom(world: World, room: string): Promise<void> {
  const [oncall, lead] = [world.slack.as('oncall'), world.slack.as('lead')];
  await oncall.say(room, 'Heard by the bot.');
  const edited = await oncall.say(room, 'Top level, first version.');
  const deleted = await oncall.say(room, 'Deleted while it was away.');
  const root = await oncall.say(room, 'A thread with a lost reply.');
  const lost = await lead.say(room, 'The reply that was taken back.', { thread_ts: root.ts });
  const other = await oncall.say(room, 'A thread with an edited reply.');
  const reply = await lead.say(room, 'Reply, first version.', { thread_ts: other.ts });
  await lead.remove(lost);
  await world.slack.idle();
  await world.stopBot();
  await oncall.say(room, 'Said while it was away.');
  await lead.say(room, 'Replied while it was away.', { thread_ts: edited.ts });
  await oncall.edit(edited, 'Top level, edited while away.');
  await lead.edit(reply, 'Reply, edited while away.');
  await oncall.remove(deleted);
  await lead.say(room, 'The reply that came instead.', { thread_ts: root.ts });
  await world.slack.idle();
  await world.restart();
}
