import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/demo/slack/slack-events.ts';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, type Opened } from '../harness/people.ts';

describe('what is said in a room', () => {
  let world: World;
  let incident: Opened;
  let markdown = '';
  beforeAll(async () => {
    world = await startWorld();
    incident = await declareIncident(world, `sev3 quality ${SERVICE} the record`);
  });
  afterAll(() => world.close());

  const occurrences = (text: string) => markdown.split(text).length - 1;

  it('is kept in the post-mortem', async () => {
    const { room } = incident;
    const oncall = world.slack.as('oncall');
    await oncall.say(room, 'Said exactly once.');
    await world.slack.idle();
    const event = world.slack.deliveries.findLast(
      ({ envelope }) => textOf(envelope) === 'Said exactly once.',
    );
    await redeliverAs(world, event as Delivery);

    const edited = await oncall.say(room, 'A first version.');
    await oncall.edit(edited, 'The final version.');
    const removed = await oncall.say(room, 'Something to regret.');
    await oncall.remove(removed);
    await deliverDeletionFirst(world, room, 'Deleted before it arrived.');
    const root = await oncall.say(room, 'A thread begins.');
    const reply = await world.slack.as('lead').say(room, 'A first reply.', { thread_ts: root.ts });
    await world.slack.as('lead').edit(reply, 'The final reply.');
    await world.slack.idle();

    await ask(world, 'oncall', 'resolve done', room);
    await world.slack.waitFor('the documents', async () => (await world.slack.files(room)).at(0));
    const folder = join(world.env['DATA_DIR'] as string, 'documents', `INC-${incident.id}`);
    markdown = readFileSync(join(folder, 'postmortem.md'), 'utf8');
    expect(markdown).toContain('Said exactly once.');
  });

  it('is recorded once when it is delivered again under another id', () => {
    expect(occurrences('Said exactly once.')).toBe(1);
  });

  it('is shown as it was last edited', () => {
    expect(occurrences('The final version.')).toBe(1);
    expect(occurrences('The final reply.')).toBe(1);
    expect(markdown).not.toContain('A first version.');
    expect(markdown).not.toContain('A first reply.');
  });

  it('is not shown once it was deleted', () => {
    expect(markdown).not.toContain('Something to regret.');
  });

  it('is not shown when Slack delivers the deletion before the message', () => {
    expect(markdown).not.toContain('Deleted before it arrived.');
  });
});

function textOf(envelope: Delivery['envelope']): unknown {
  return (envelope['event'] as { text?: unknown }).text;
}

/** The same event in a new envelope, as Slack sends it after a failover. */
async function redeliverAs(world: World, delivery: Delivery): Promise<void> {
  const envelope = { ...delivery.envelope, event_id: 'EvANOTHER01' };
  const body = JSON.stringify(envelope);
  const answer = await world.slack.signedPost({ body, contentType: 'application/json' });
  expect(answer.status).toBe(200);
}

/** Slack promises no order: here the deletion overtakes the message that it deletes. */
async function deliverDeletionFirst(world: World, room: string, text: string): Promise<void> {
  const ts = `${Math.floor(Date.now() / 1000)}.000042`;
  const common = { type: 'message', channel: room, channel_type: 'channel' };
  const events = [
    { ...common, subtype: 'message_deleted', deleted_ts: ts, ts: `${ts}1`, event_ts: `${ts}1` },
    { ...common, user: world.slack.userId('oncall'), text, ts, event_ts: ts },
  ];
  for (const event of events) {
    const envelope = {
      type: 'event_callback',
      team_id: world.slack.teamId,
      event_id: `Ev${event.event_ts}`,
      event,
    };
    const body = JSON.stringify(envelope);
    const answer = await world.slack.signedPost({ body, contentType: 'application/json' });
    expect(answer.status).toBe(200);
  }
  await world.slack.idle();
}
