import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackMessage, SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  proposeIn,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

const MINUTE_MS = 60_000;

describe('break-glass: one person alone', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  let cap = 100;
  const idOf = (who: string) => world.slack.userId(who);
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      config.contacts['engineering_lead'] = [slack.userId('oncall')];
    });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  const keyed = (message: SlackMessage) => ({ room: incident.room, key: keyOf(message) ?? '' });
  const numberOf = (message: SlackMessage) => Number((keyOf(message) ?? '').split(':')[1]);
  const proposed = (by = 'oncall') => {
    cap += 1;
    return proposeIn(world, incident.room, { wanted: `cap ${cap}`, by });
  };
  const breakBy = (who: string, on: SlackMessage, reason = 'nobody answers and users are hurt') =>
    ask(world, who, `mitigate break-glass ${numberOf(on)} ${reason}`, incident.room);
  const whispersTo = (who: string) =>
    world.slack
      .callsOf('chat.postEphemeral')
      .filter(({ args }) => args['user'] === idOf(who) && !String(args['text']).includes(' is open in '));
  const formOf = async (who: string, on: SlackMessage, value?: string): Promise<SlackView> => {
    const before = world.slack.views(idOf(who)).length;
    await world.slack.as(who).click(on, 'break_glass', value === undefined ? {} : { valueOverride: value });
    return world.slack.waitFor('the form', () => world.slack.views(idOf(who)).slice(before).at(-1));
  };

  it('runs the plan once, calls the lead, and is on the trail with who and why', async () => {
    const proposal = await proposed('lead');
    const before = world.service.effects.length;
    expect(blocksText(proposal)).toContain('Break glass…');
    const form = await formOf('lead', proposal);
    expect(blocksText(form)).toContain(`Runs proposal ${numberOf(proposal)} without a second person`);
    const told = whispersTo('lead').length;
    const sent = { reason: 'nobody <!channel> answers' };
    await Promise.all([0, 1].map(() => world.slack.as('lead').submit(form, sent)));
    const answers = await world.slack.waitFor('both answers', () => {
      const since = whispersTo('lead').slice(told);
      return since.length < 2 ? undefined : since.map(({ args }) => String(args['text']));
    });
    expect(answers.filter((text) => text.startsWith('It runs now on your word alone'))).toHaveLength(1);
    const shown = await textWith(world, keyed(proposal), 'Applied');
    expect(shown).toContain(
      `run alone, by break-glass, by <@${idOf('lead')}> (nobody &lt;!channel&gt; answers)`,
    );
    expect(world.service.effects).toHaveLength(before + 1);
    const notice = await world.slack.waitFor('the notice', async () =>
      (await textsOf(world, incident.room, 'notice')).find((text) => text.includes('Break-glass: proposal')),
    );
    expect(notice).toContain(`<@${idOf('oncall')}>`);
    expect(notice).not.toContain(idOf('lead'));
    await world.slack.waitFor('the phone of the lead', () =>
      world.pagerduty.notifications.find(({ user }) => user.id === 'PUSR1'),
    );
    await world.stopBot();
    const { db, close } = await world.database.open();
    const trail = await db
      .selectFrom('audit')
      .select(['actor', 'data'])
      .where('action', '=', 'mitigation.break-glass')
      .execute();
    await close();
    await world.restart();
    expect(trail.map(({ actor }) => actor)).toEqual([idOf('lead'), idOf('lead')]);
    expect(trail[0]?.data).toMatchObject({ outcome: 'approved', reasonDigest: expect.any(String) });
    expect(JSON.stringify(trail)).not.toContain('answers');
  });

  it('is open to the owner, approvers and who is on call, not to whoever takes command, and to nobody without a reason', async () => {
    const proposal = await proposed('lead');
    const refused = await breakBy('comms', proposal);
    expect(refused).toContain('You may not decide this. Who may:');
    for (const who of ['lead', 'approver', 'oncall']) expect(refused).toContain(`<@${idOf(who)}>`);
    expect(await breakBy('oncall', proposal, '')).toContain('Say why you run it alone');
    expect(await breakBy('approver', proposal)).toContain('Your approval is enough: press *Approve*.');
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'product', { on: card, action: 'acknowledge' });
    expect(await breakBy('product', proposal)).toContain('You may not decide this');
    expect(await breakBy('lead', proposal)).toContain('The engineering lead is called');
    await textWith(world, keyed(proposal), 'Applied');
    const other = await proposed('lead');
    expect(blocksText(await formOf('oncall', other))).toContain('No other engineering lead is named');
    expect(await breakBy('oncall', other)).toContain('so whoever else may approve is called');
    await textWith(world, keyed(other), 'Applied');
    await world.stopBot();
    const { db, close } = await world.database.open();
    const taken = await db
      .selectFrom('audit')
      .selectAll()
      .where('action', '=', 'incident.commander')
      .execute();
    await close();
    await world.restart();
    expect(taken).toMatchObject([{ actor: idOf('product'), subject: `INC-${incident.id}` }]);
  });

  it('is as bound to its plan, its room, its time and the world as any approval', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    const elsewhere = await declareIncident(world, 'sev3 cost something else');
    const form = await formOf('oncall', proposal);
    const forge = async (about: object) => {
      const known = JSON.parse(String(form['private_metadata'])) as object;
      const told = whispersTo('oncall').length;
      const view = { ...form, private_metadata: JSON.stringify({ ...known, ...about }) };
      await world.slack.as('oncall').submit(view, { reason: `forged ${JSON.stringify(about)}` });
      return world.slack.waitFor('an answer', () => whispersTo('oncall').at(told)?.args['text']);
    };
    expect(await forge({ planHash: '0'.repeat(64) })).toContain('does not belong to the plan');
    expect(await forge({ channelId: elsewhere.room })).toContain('There is no such proposal');
    const overtaken = await proposed();
    const other = await proposed();
    await press(world, 'approver', { on: other, action: 'approve' });
    await textWith(world, keyed(other), 'Applied');
    expect(await breakBy('oncall', overtaken)).toContain('The plan is stale');
    await world.advance(16 * MINUTE_MS);
    expect(await breakBy('oncall', proposal)).toBe(
      'This proposal has expired. Propose it again. Nothing was changed.',
    );
    expect(world.service.effects).toHaveLength(before + 1);
  });

  it('is marked for a review by somebody else, and missing in the post-mortem until then', async () => {
    const proposal = await proposed();
    await breakBy('oncall', proposal);
    await textWith(world, keyed(proposal), 'Applied');
    await ask(world, 'oncall', 'resolve all well', incident.room);
    const missing = `Mitigation ${numberOf(proposal)} was run by break-glass, and nobody else has reviewed it.`;
    await textWith(world, { room: incident.room, key: `postmortem:${incident.id}` }, missing);
    const review = (who: string, text: string) => ask(world, who, `postmortem review ${text}`, incident.room);
    expect(await review('oncall', 'I did well')).toContain('somebody else must review it');
    expect(await review('lead', 'right at that hour')).toContain(`mitigation ${numberOf(proposal)}`);
    expect(await review('lead', 'again')).toContain('Nothing waits for a review');
    await ask(world, 'lead', 'postmortem', incident.room);
    const reviewed =
      /Break-glass by .*: nobody answers and users are hurt\. Reviewed by .*: right at that hour/;
    const written = await world.slack.waitFor('the post-mortem with the review', async () => {
      const files = await world.slack.files(incident.room);
      return files.find(({ content }) => reviewed.test(content))?.content;
    });
    expect(written).not.toContain(missing);
  });

  it('never resumes in a safety incident', async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
    incident = await declareIncident(world, `sev1 safety ${SERVICE} a name leaked`);
    const off = await proposeIn(world, incident.room, { wanted: 'disable' });
    expect(world.slack.findButton(off, 'break_glass')).toBeDefined();
    expect(await breakBy('oncall', off)).toContain('It runs now on your word alone');
    await textWith(world, keyed(off), 'Applied');
    expect(world.service.state().enabled).toBe(false);
    await ask(world, 'oncall', 'root-cause the index held names', incident.room);
    for (const who of ['lead', 'legal']) await ask(world, who, 'sign-off', incident.room);
    const on = await proposeIn(world, incident.room, { wanted: 'enable' });
    expect(world.slack.findButton(on, 'break_glass')).toBeUndefined();
    expect(await breakBy('oncall', on)).toContain('Nobody sets this back on alone');
    const value = String(world.slack.findButton(on, 'approve')?.['value']);
    const form = await formOf('oncall', off, value);
    const told = whispersTo('oncall').length;
    await world.slack.as('oncall').submit(form, { reason: 'by a forged button' });
    await world.slack.waitFor('the refusal', () => whispersTo('oncall').at(told));
    expect(String(whispersTo('oncall').at(told)?.args['text'])).toContain('Nobody sets this back on alone');
    const safety = incident;
    incident = await declareIncident(world, `sev3 quality ${SERVICE} and slow`);
    const elsewhere = await proposeIn(world, incident.room, { wanted: 'enable' });
    expect(world.slack.findButton(elsewhere, 'break_glass')).toBeUndefined();
    expect(await breakBy('lead', elsewhere)).toContain('Nobody sets this back on alone');
    await ask(world, 'oncall', 'decline end of the test', incident.room);
    incident = safety;
    expect(world.service.state().enabled).toBe(false);
  });
});
