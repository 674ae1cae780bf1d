import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackMessage, SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

describe('the post-mortem in its 48 hours', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      // Apart from the owner of the service, so that it shows who is told.
      config.contacts['engineering_lead'] = [slack.userId('comms')];
      config['lesson_emoji'] = { good: 'tada', luck: 'four_leaf_clover' };
    });
  });
  afterAll(() => world.close());

  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const inRoom = (who: string, text: string, { room }: Opened = incident) => ask(world, who, text, room);
  const card = ({ id, room }: Opened = incident) => ({ room, key: `card:${id}` });
  const posted = ({ id, room }: Opened = incident) => ({ room, key: `postmortem:${id}` });
  const written = ({ id }: Opened = incident) =>
    readFileSync(join(world.env['DATA_DIR'] as string, 'documents', `INC-${id}`, 'postmortem.md'), 'utf8');
  const writtenWith = (wanted: string, about: Opened = incident) =>
    world.slack.waitFor(`the document to say ${wanted}`, () => {
      const text = written(about);
      return text.includes(wanted) ? text : undefined;
    });
  const direct = async (who: string, about: Opened = incident) =>
    (await world.slack.directMessages(who)).filter((one) => blocksText(one).includes(`INC-${about.id} `));
  const reminded = async (who: string, about: Opened = incident) =>
    (await direct(who, about)).filter((one) => keyOf(one)?.startsWith('remind:'));
  const remindedOf = (who: string, wanted: string, about: Opened = incident) =>
    world.slack.waitFor(`${who} to be told: ${wanted}`, async () =>
      (await reminded(who, about)).find((one) => blocksText(one).includes(wanted)),
    );
  /** What is due is in the room's thread when the job of the reminder is in the queue. */
  const said = (wanted: string, about: Opened = incident) =>
    world.slack.waitFor(`the thread to say ${wanted}`, async () =>
      (await textsOf(world, about.room, 'notice')).find((text) => text.includes(wanted)),
    );
  const formOf = (who: string, callback: string): Promise<SlackView> =>
    world.slack.waitFor(`the form ${callback}`, () =>
      world.slack.views(world.slack.userId(who)).find(({ callback_id }) => callback_id === callback),
    );
  const openForm = async (who: string, on: SlackMessage, action: string) => {
    await world.slack.as(who).click(on, action);
    return formOf(who, action);
  };

  it('falls-to-the-commander-and-is-handed-over-by-the-form-behind-resolve', async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} wrong prices`);
    const first = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'oncall', { on: first, action: 'acknowledge' });
    await inRoom('oncall', 'contain by hand');
    await textWith(world, card(), 'not mitigated yet');
    await world.slack.as('lead').click(await messageWith(world, incident.room, card().key), 'resolve');
    const form = await formOf('lead', 'postmortem_owner');
    expect(JSON.stringify(form.blocks)).toContain(`"initial_user":"${world.slack.userId('oncall')}"`);
    const told = await textWith(world, posted(), `${mention('oncall')} writes it`);
    expect(told).toContain('To do\n• “What happened?” has no answer.');
    expect(await direct('oncall')).toEqual([]);
    await world.slack.as('lead').submit(form, { owner: world.slack.userId('approver') });
    const message = await world.slack.waitFor(
      'the new owner is told',
      async () => (await direct('approver'))[0],
    );
    expect(blocksText(message)).toContain('is yours now, and is due in 48 hours');
    const line = new RegExp(`Post-mortem: \\d things missing, due .* · ${mention('approver')}`);
    await textWith(world, card(), line);
    world.slack.as('approver').openHome();
    await world.slack.waitFor('the home of its owner', () =>
      blocksText(world.slack.home(world.slack.userId('approver')) ?? {}).includes('Post-mortem to write'),
    );
  });

  it('reminds-its-owner-three-times-and-when-it-is-due-once-each-across-restarts', async () => {
    const wanted = [
      { afterHours: 24, state: 'is due in 24 hours' },
      { afterHours: 16, state: 'is due in 8 hours' },
      { afterHours: 7, state: 'is due in 1 hour' },
      { afterHours: 1, state: 'is due now' },
    ];
    for (const [index, { afterHours, state }] of wanted.entries()) {
      if (index % 2 === 0) await world.restart();
      await world.advance(afterHours * HOUR_MS);
      await remindedOf('approver', state);
      if (index === 0) await world.restart();
      await world.advance(60_000);
      expect(await reminded('approver')).toHaveLength(index + 1);
    }
    await textWith(world, card(), /Post-mortem: \d things missing, overdue since/);
    expect(await reminded('comms')).toEqual([]);
  });

  it('goes-on-daily-and-to-the-lead-from-the-second-day-once-however-long-the-bot-was-away', async () => {
    await world.advance(DAY_MS);
    await remindedOf('approver', 'is 1 day overdue');
    expect(blocksText(await remindedOf('comms', 'is 1 day overdue'))).toContain(
      `${mention('approver')} owns it.`,
    );
    await world.stopBot();
    await world.restart();
    await world.advance(3 * DAY_MS);
    await remindedOf('approver', 'is 4 days overdue');
    await remindedOf('comms', 'is 4 days overdue');
    expect(await reminded('approver')).toHaveLength(6);
  });

  it('is-snoozed-with-a-reason-and-not-for-ever', async () => {
    const other = await declareIncident(world, `sev3 quality ${SERVICE} odd tone`);
    await inRoom('lead', `resolve <@${world.slack.userId('product')}|product> well again`, other);
    await textWith(world, posted(other), `${mention('product')} writes it`);
    await world.advance(24 * HOUR_MS);
    const message = await remindedOf('product', 'is due in 24 hours', other);
    const form = await openForm('product', message, 'postmortem_snooze');
    const answer = await world.slack
      .as('product')
      .submit(form, { hours: '48', reason: 'the provider answers on Monday' });
    expect(JSON.stringify(answer.json)).toContain('Nobody is reminded until');
    expect(await inRoom('oncall', 'postmortem snooze 4 me', other)).toContain('You may not snooze it.');
    expect(await inRoom('product', 'postmortem snooze 4', other)).toContain('how long and why');
    expect(await inRoom('product', 'postmortem snooze 5d why not', other)).toContain('may rest until');
    await world.advance(24 * HOUR_MS);
    await said('is 5 days overdue');
    expect(await reminded('product', other)).toHaveLength(1);
    await world.advance(24 * HOUR_MS);
    await remindedOf('product', 'is 1 day overdue', other);
    expect(await inRoom('oncall', 'timeline', other)).toContain('the provider answers on Monday');
    expect(await inRoom('comms', 'close anyway end of the test', other)).toContain('is closed');
  });

  it('is-edited-in-a-form-that-holds-what-is-there-and-keeps-what-people-wrote', async () => {
    await inRoom('oncall', 'postmortem answer caught Nobody compares versions.');
    await inRoom('oncall', 'timeline luck Nobody was up.');
    const lesson = await world.slack.as('oncall').say(incident.room, 'The canary saw it first');
    await world.slack.as('lead').react(lesson, 'tada');
    const [message] = await reminded('approver');
    const form = await openForm('approver', message as SlackMessage, 'postmortem_edit');
    expect(JSON.stringify(form.blocks)).toContain('"initial_value":"Nobody compares versions."');
    await world.slack.as('approver').submit(form, {
      summary: 'Prices were wrong for an hour.',
      impact: 'About 40 customers, ask mia@example.com',
      whyHardToDiagnose: 'Nothing of ours had changed.',
      bad: '- The alert came late\n- Two people did the same',
    });
    const text = await writtenWith('Prices were wrong for an hour.');
    expect(text).toContain('About 40 customers, ask \\[email]');
    expect(text).toMatch(/Nobody compares versions\.\n\nAnswered by @oncall\./i);
    expect(text).toMatch(/Nothing of ours had changed\.\n\nAnswered by @approver\./i);
    expect(text).toMatch(/### What went well\n\n[*-] The canary saw it first \(@oncall/i);
    expect(text).toMatch(
      /### What went badly\n\n[*-] The alert came late \(@approver\)\n[*-] Two people did the same/i,
    );
    expect(text).toMatch(/### Where we were lucky\n\n[*-] Nobody was up\. \(@oncall\)/i);
    expect(text).not.toContain('mia@');
  });

  it('is-signed-off-and-closed-only-when-nothing-is-left-to-do-and-reminds-nobody-then', async () => {
    const refused = await inRoom('oncall', 'close');
    expect(refused).toContain(`INC-${incident.id} is not closed: its post-mortem is not done.`);
    expect(refused).toContain('• No action item was recorded.');
    expect(refused).toContain('• No eval case was recorded.');
    expect(await inRoom('approver', 'postmortem sign-off')).toContain(
      'It is not signed off: this is left to do.',
    );
    expect(await inRoom('lead', 'eval none no call failed')).toContain(`Who may: ${mention('comms')}.`);
    expect(await inRoom('comms', 'eval none no call of ours failed')).toContain('Kept');
    await inRoom('oncall', `postmortem action ${mention('oncall')} 2026-12-24 compare versions`);
    for (const word of ['happened Prices were wrong', 'started At two', 'prevents A canary'])
      await inRoom('oncall', `postmortem answer ${word}`);
    await textWith(world, posted(), 'Nothing is left to do.');
    await textWith(world, card(), 'Post-mortem: nothing missing, not signed off');
    expect(await inRoom('oncall', 'postmortem sign-off')).toContain(`Who may: ${mention('approver')}.`);
    const message = await messageWith(world, incident.room, posted().key);
    const sign = () => press(world, 'approver', { on: message, action: 'postmortem_sign' });
    expect(await sign()).toContain('You signed the post-mortem off.');
    await writtenWith('Signed off');
    await textWith(world, card(), `Post-mortem: signed off by ${mention('approver')}`);
    await inRoom('oncall', 'timeline good The rollback took a minute');
    await inRoom('oncall', 'postmortem answer prevents Two canaries');
    await textWith(world, posted(), 'waits for the sign-off of its owner');
    expect(await sign()).toContain('You signed the post-mortem off.');
    const before = (await reminded('approver')).length;
    await world.advance(2 * DAY_MS);
    expect(await inRoom('oncall', 'close')).toContain('is closed');
    await world.advance(DAY_MS);
    expect(await reminded('approver')).toHaveLength(before);
    expect(await inRoom('approver', 'postmortem snooze 4 more')).toContain('nobody is reminded');
  });

  it('is-closed-undone-by-the-lead-alone-with-a-reason-that-is-on-record', async () => {
    const other = await declareIncident(world, `sev3 quality ${SERVICE} a drill of ours`);
    await inRoom('oncall', 'resolve', other);
    await textWith(world, posted(other), 'To do');
    expect(await inRoom('lead', 'close anyway no time', other)).toContain(`Who may: ${mention('comms')}.`);
    expect(await inRoom('comms', 'close anyway', other)).toContain('Say why');
    expect(await inRoom('comms', 'close anyway nobody was hurt', other)).toContain('is closed');
    await textWith(world, card(other), /Post-mortem: closed with \d things missing/);
    await inRoom('comms', 'postmortem', other);
    expect(await writtenWith('nobody was hurt', other)).toContain(
      'closed it before its post-mortem was done',
    );
  });

  it('archives-the-room-of-a-closed-incident-after-its-history-is-read-and-its-documents-are-kept', async () => {
    const asked = await inRoom('oncall', 'close archive');
    expect(asked).toContain('This room will be archived once its history is read');
    await world.advance(15_000);
    await said('This room will be archived in 10 minutes');
    await world.slack.as('oncall').say(incident.room, 'One last thing: thanks to the canary');
    await world.advance(10 * 60_000);
    await writtenWith('One last thing');
    const isArchived = async () => {
      await world.advance(1_000);
      return (await world.slack.channels()).find(({ id }) => id === incident.room)?.is_archived || undefined;
    };
    await world.slack.waitFor('the room to be archived', isArchived);
    expect(await inRoom('oncall', 'close archive')).toContain('archived');
  });
});
