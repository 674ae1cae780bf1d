import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackMessage, SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  membersWith,
  messageWith,
  type Opened,
  press,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

const HOUR_MS = 60 * 60_000;

describe('the post-mortem of a private incident', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  let reminder: SlackMessage;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      config.contacts['engineering_lead'] = [slack.userId('lead')];
      config['archive_after_days'] = 1;
      // A step of archiving is taken when the test moves the clock, and at no time between.
      config['poll_seconds'] = 300;
    });
    incident = await declareIncident(world, `safety ${SERVICE} card numbers leaked`);
  });
  afterAll(() => world.close());

  const inRoom = (who: string, text: string) => ask(world, who, text, incident.room);
  const formOf = (who: string, wanted: string): Promise<SlackView> =>
    world.slack.waitFor(`a form with ${wanted}`, () =>
      world.slack.views(world.slack.userId(who)).find((view) => JSON.stringify(view).includes(wanted)),
    );
  const saying = (wanted: string) =>
    world.slack.waitFor(`the room to say ${wanted}`, async () => {
      // What the step waits for may not be done at the first tick.
      await world.advance(1_000);
      return (await textsOf(world, incident.room, 'notice')).find((text) => text.includes(wanted));
    });

  it('is-a-link-in-direct-messages-and-opens-for-its-owner-and-the-people-of-the-room-alone', async () => {
    await inRoom('oncall', `resolve <@${world.slack.userId('approver')}|approver> well again`);
    await membersWith(world, incident.room, ['approver']);
    await textWith(world, { room: incident.room, key: `postmortem:${incident.id}` }, 'To do');
    await world.advance(24 * HOUR_MS);
    reminder = await world.slack.waitFor('the reminder', async () =>
      (await world.slack.directMessages('approver')).find((one) => keyOf(one)?.startsWith('remind:')),
    );
    const said = `${reminder.text} ${blocksText(reminder)}`;
    expect(said).toContain(`slack.com/app_redirect?channel=${incident.room}`);
    expect(said).not.toMatch(/leaked|card numbers|support|safety|sev1/i);
    await world.slack.as('product').click(reminder, 'postmortem_edit');
    await formOf('product', 'You may not write this post-mortem');
    await world.slack.as('approver').click(reminder, 'postmortem_edit');
    const form = await formOf('approver', 'postmortem_edit');
    await world.slack.as('approver').submit(form, {
      whatHappened: 'Numbers were shown.',
      whenStarted: 'At two.',
      whyNotCaught: 'Nobody looked.',
      whyHardToDiagnose: 'It was not.',
      whatPrevents: 'The check before delivery.',
    });
    await inRoom('oncall', `postmortem action <@${world.slack.userId('oncall')}> 2026-12-24 block them`);
    expect(await inRoom('lead', 'eval none its samples stay private')).toContain('Kept');
  });

  it('is-signed-off-by-legal-as-well', async () => {
    await textWith(
      world,
      { room: incident.room, key: `postmortem:${incident.id}` },
      'waits for the sign-off of its owner and of legal',
    );
    expect(await inRoom('approver', 'postmortem sign-off')).toContain('It still waits for legal.');
    expect(await inRoom('approver', 'postmortem sign-off again')).toContain('You signed it off before');
    const message = await messageWith(world, incident.room, `postmortem:${incident.id}`);
    expect(await press(world, 'legal', { on: message, action: 'postmortem_sign' })).toContain(
      '`close` closes the incident',
    );
    await textWith(world, { room: incident.room, key: `card:${incident.id}` }, 'Post-mortem: signed off by');
    expect(await inRoom('oncall', 'close')).toContain('is closed');
  });

  it('is-on-disk-before-its-room-is-archived-as-many-days-later-as-configured', async () => {
    const path = join(world.env['DATA_DIR'] as string, 'documents', `INC-${incident.id}`, 'postmortem.md');
    const written = async () => {
      rmSync(path, { force: true });
      await world.advance(10 * 60_000);
      await world.slack.waitFor('the document', () => existsSync(path));
    };
    const isArchived = async () =>
      (await world.slack.channels()).find(({ id }) => id === incident.room)?.is_archived === true;
    await world.advance(23 * HOUR_MS);
    expect(await textsOf(world, incident.room, 'notice')).not.toContainEqual(
      expect.stringContaining('will be archived'),
    );
    await world.advance(HOUR_MS);
    await saying('This room will be archived in 10 minutes');
    await written();
    rmSync(path);
    await saying('This room was not archived: its post-mortem is not on disk.');
    expect(await isArchived()).toBe(false);
    expect(await inRoom('oncall', 'close archive')).toContain('This room will be archived once');
    await world.advance(1_000);
    await written();
    await world.slack.waitFor('the room to be archived', async () => {
      await world.advance(1_000);
      return isArchived();
    });
  });
});
