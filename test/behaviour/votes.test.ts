import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
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
import { oneMoreService } from '../harness/services.ts';
import { type SlackGate, standBefore } from '../harness/slack-gate.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';

const GROUP = 'S0APPROVERS';
const MINUTE_MS = 60_000;

describe('who is asked for an approval, and how people refuse', { timeout: 120_000 }, () => {
  let world: World;
  let slack: SlackGate;
  let target: TargetGate;
  let alone: SimulatedService;
  let incident: Opened;
  let cap = 100;
  const idOf = (who: string) => world.slack.userId(who);
  const members = (...who: string[]) => slack.groups.set(GROUP, who.map(idOf));
  beforeAll(async () => {
    world = await startConfigured(async (config, starting) => {
      slack = await standBefore(starting);
      target = await startTargetGate(() => starting.service.controlUrl);
      const service = config.services[SERVICE];
      if (service?.target === undefined) throw new Error('the service has a target');
      service.target.url = target.url;
      service.approvers = [{ on_call: 'PPOL1', levels: [1] }, GROUP];
      const more = await oneMoreService(starting, 'alone');
      alone = more.service;
      const { owner: _owner, ...entry } = more.entry;
      config.services['alone'] = entry;
      slack.groups.set(
        GROUP,
        ['approver', 'product'].map((name) => starting.slack.userId(name)),
      );
    });
  });
  afterAll(async () => {
    await world.close();
    await slack.close();
    await target.close();
    await alone.close();
  });
  beforeEach(async () => {
    members('approver', 'product');
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    world.pagerduty.clearFaults();
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  const keyed = (message: SlackMessage) => ({ room: incident.room, key: keyOf(message) ?? '' });
  const numberOf = (message: SlackMessage) => Number((keyOf(message) ?? '').split(':')[1]);
  /** Something new each time, that one approval is enough for. */
  const proposed = (by = 'comms') => {
    cap += 1;
    return proposeIn(world, incident.room, { wanted: `cap ${cap}`, by });
  };
  const approve = (who: string, on: SlackMessage) => press(world, who, { on, action: 'approve' });
  const notices = () => textsOf(world, incident.room, 'notice');
  const noticeWith = (wanted: string) =>
    world.slack.waitFor(`the notice "${wanted}"`, async () =>
      (await notices()).find((text) => text.includes(wanted)),
    );
  const formOf = (who: string, callback: string): Promise<SlackView> =>
    world.slack.waitFor(`the form ${callback}`, () =>
      world.slack.views(idOf(who)).find((view) => view['callback_id'] === callback),
    );

  it('names who is on call now among those who may, mentions them once and never the proposer', async () => {
    const proposal = await proposed('lead');
    const text = blocksText(proposal);
    expect(text).toContain(`May approve: <!subteam^${GROUP}>; on call now: <@${idOf('oncall')}>`);
    expect(proposal.thread_ts).toBeUndefined();
    expect(proposal.text).toContain(`<@${idOf('oncall')}>`);
    expect(proposal.text).not.toContain(idOf('lead'));
    expect(await approve('oncall', proposal)).toBe(
      'Approved. It runs now; the receipt follows in this room.',
    );
    await textWith(world, keyed(proposal), 'Applied');
    expect(world.service.effects.at(-1)).toMatchObject({ action: 'token-cap', to: cap });
  });

  it('lets nobody approve as on call while PagerDuty cannot say who is', async () => {
    const proposal = await proposed();
    world.pagerduty.fault({ kind: '500', path: '/oncalls', times: 20 });
    const said = await approve('oncall', proposal);
    expect(said).toContain('You may not decide this.');
    expect(said).not.toContain(idOf('oncall'));
    await approve('approver', proposal);
    await textWith(world, keyed(proposal), 'Applied');
  });

  it('counts the approval of one person once, however many buttons they press', async () => {
    await approve('lead', await proposeIn(world, incident.room, { wanted: 'disable', by: 'comms' }));
    await world.slack.waitFor('the switch', () => (world.service.state().enabled ? undefined : true));
    const proposal = await proposeIn(world, incident.room, { wanted: 'enable', by: 'comms' });
    const said = await Promise.all([0, 1].map(() => world.slack.as('approver').click(proposal, 'approve')));
    expect(said.map(({ status }) => status)).toEqual([200, 200]);
    expect(await textWith(world, keyed(proposal), '1 of 2')).not.toContain('2 of 2');
    expect(await approve('approver', proposal)).toContain('that counts once: 1 of 2');
    expect(world.service.state().enabled).toBe(false);
    // Whoever approved first has left the group by the time that the second one does.
    members('product');
    expect(await approve('product', proposal)).toContain('Your approval counts: 1 of 2.');
    expect(world.service.state().enabled).toBe(false);
    expect(await approve('lead', proposal)).toContain('It runs now');
    await textWith(world, keyed(proposal), 'Applied');
  });

  it('reads who may approve once more before anything is sent', async () => {
    const first = await proposed();
    const second = await proposed();
    const before = world.service.effects.length;
    target.next('POST', { kind: 'hold-request' });
    await approve('approver', first);
    await target.held();
    expect(await approve('product', second)).toContain('It runs now');
    members('approver');
    target.release();
    await textWith(world, keyed(first), 'Applied');
    const said = await textWith(world, keyed(second), 'It failed.');
    expect(said).toContain('The votes do not approve this plan. Nothing was sent.');
    expect(world.service.effects).toHaveLength(before + 1);
  });

  it('counts the engineering lead where too few others may, and says at once what nobody can approve', async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
    incident = await declareIncident(world, 'sev3 quality alone answers look odd');
    const single = await proposed('approver');
    expect(blocksText(single)).toContain(`May approve: <@${idOf('lead')}>`);
    expect(await approve('lead', single)).toContain('It runs now');
    await textWith(world, keyed(single), 'Applied');
    await approve('lead', await proposeIn(world, incident.room, { wanted: 'disable', by: 'approver' }));
    await world.slack.waitFor('the switch', () => (alone.state().enabled ? undefined : true));
    const stuck = await proposeIn(world, incident.room, { wanted: 'enable', by: 'lead' });
    const id = numberOf(stuck);
    expect(blocksText(stuck)).toContain('only 1 more may approve it and 2 must');
    expect(blocksText(stuck)).toContain(`/llm-incident mitigate break-glass ${id} REASON`);
    await press(world, 'lead', { on: stuck, action: 'reject' });
    const possible = await proposeIn(world, incident.room, { wanted: 'enable', by: 'comms' });
    expect(blocksText(possible)).not.toContain('break-glass');
    expect(await approve('approver', possible)).toContain('1 of 2');
    expect(await approve('lead', possible)).toContain('It runs now');
    await textWith(world, keyed(possible), 'Applied');
  });

  it('calls those who may when nobody has decided for three minutes, once, and not the proposer', async () => {
    const proposal = await proposed('approver');
    const waited = `Proposal ${numberOf(proposal)} has waited 3 minutes`;
    await world.advance(2 * MINUTE_MS);
    expect((await notices()).join('\n')).not.toContain(waited);
    await world.advance(1 * MINUTE_MS);
    const called = await noticeWith(waited);
    for (const who of ['lead', 'oncall', 'product']) expect(called).toContain(`<@${idOf(who)}>`);
    expect(called).not.toContain(idOf('approver'));
    const rung = await world.slack.waitFor('the phone', () =>
      world.pagerduty.notifications.length > 0 ? world.pagerduty.notifications : undefined,
    );
    expect(new Set(rung.map(({ user }) => user.id))).toEqual(new Set(['PUSR1']));
    await world.advance(5 * MINUTE_MS);
    expect((await notices()).filter((text) => text.includes('has waited'))).toHaveLength(1);
    await world.advance(8 * MINUTE_MS);
    await noticeWith(`Proposal ${numberOf(proposal)} has expired, because nobody decided in time`);
    await textWith(world, keyed(proposal), 'Expired.');
  });

  it('lets whoever proposed it withdraw it, by button or by command, and nobody else', async () => {
    const byButton = await proposed();
    expect(await press(world, 'comms', { on: byButton, action: 'reject' })).toBe(
      'Withdrawn. Nothing was changed.',
    );
    const text = await textWith(world, keyed(byButton), 'Withdrawn by whoever proposed it.');
    expect(text).toContain(`withdrawn by <@${idOf('comms')}>`);
    expect(world.slack.views(idOf('comms'))).toEqual([]);
    expect(await approve('approver', byButton)).toContain('This was decided before: it is withdrawn.');
    const byCommand = await proposed();
    const typed = (who: string) =>
      ask(world, who, `mitigate withdraw ${numberOf(byCommand)} a better one comes`, incident.room);
    expect(await typed('approver')).toContain('Only whoever proposed it withdraws it.');
    expect(await typed('comms')).toBe('Withdrawn. Nothing was changed.');
    await textWith(world, keyed(byCommand), 'Withdrawn by whoever proposed it. a better one comes');
  });

  it('rejects at the click, and keeps the reason that the form asks for after it', async () => {
    const proposal = await proposed();
    const said = await press(world, 'approver', { on: proposal, action: 'reject' });
    expect(said).toBe('Rejected. Nothing was changed.');
    await textWith(world, keyed(proposal), 'Rejected.');
    const form = await formOf('approver', 'reject');
    await world.slack.as('approver').submit(form, { reason: 'caps <!channel> too much' });
    const shown = await textWith(world, keyed(proposal), 'Rejected. caps');
    expect(shown).not.toContain('<!channel>');
    expect(shown).toContain(`rejected by <@${idOf('approver')}> (caps`);
    // A second reason does not replace the first, and nobody else gives one.
    const again = (who: string) =>
      ask(world, who, `mitigate reject ${numberOf(proposal)} on second thought`, incident.room);
    expect(await again('approver')).toContain('This was decided before');
    expect(await again('product')).toContain('This was decided before');
    expect(await textWith(world, keyed(proposal), 'Rejected.')).not.toContain('second thought');
  });

  it('loses nothing when the form is closed or cannot be opened', async () => {
    const closed = await proposed();
    await press(world, 'approver', { on: closed, action: 'reject' });
    await world.slack.as('approver').dismiss(await formOf('approver', 'reject'));
    await textWith(world, keyed(closed), 'Rejected.');
    const typed = `mitigate reject ${numberOf(closed)} said later`;
    expect(await ask(world, 'approver', typed, incident.room)).toBe(
      'Your reason is kept with the rejection.',
    );
    await textWith(world, keyed(closed), 'Rejected. said later');
    const unopened = await proposed();
    world.slack.fault({ method: 'views.open', kind: '500', times: 20 });
    expect(await press(world, 'approver', { on: unopened, action: 'reject' })).toContain('Rejected.');
    world.slack.clearFaults();
    await textWith(world, keyed(unopened), 'Rejected.');
    await messageWith(world, incident.room, `card:${incident.id}`);
    expect(world.slack.views(idOf('approver'))).toEqual([]);
  });
});
