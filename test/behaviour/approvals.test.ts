import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  proposeIn,
  textWith,
} from '../harness/people.ts';
import { blocksText, findByKey, keyOf } from '../harness/room.ts';

const MINUTE_MS = 60_000;

describe('who may approve a mitigation, and which click counts', () => {
  let world: World;
  let incident: Opened;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      const service = config.services[SERVICE];
      if (service) service.approvers = [slack.userId('approver'), slack.userId('lead')];
    });
  });
  afterAll(() => world.close());

  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  /** A version that is not served now, so that the effect of each test shows. */
  const other = () => (world.service.state().prompt === 'v13' ? 'v12' : 'v13');
  const proposed = (by?: string): Promise<SlackMessage> =>
    proposeIn(world, incident.room, {
      wanted: `prompt answer=${other()}`,
      ...(by === undefined ? {} : { by }),
    });
  const keyed = (message: SlackMessage) => ({ room: incident.room, key: keyOf(message) ?? '' });

  /** The run of every click before this one is over when a later approval has been carried out. */
  const effectOfOneApproval = async (proposal: SlackMessage): Promise<number> => {
    const before = world.service.effects.length;
    expect(await press(world, 'approver', { on: proposal, action: 'approve' })).toContain('Approved');
    await textWith(world, keyed(proposal), 'Applied');
    return world.service.effects.length - before;
  };

  it('refuses the proposer, even one who may approve, and lets a second person approve', async () => {
    const proposal = await proposed('lead');
    const said = await press(world, 'lead', { on: proposal, action: 'approve' });
    expect(said).toBe('You proposed this, so someone else must approve it. Nothing was changed.');
    expect(await effectOfOneApproval(proposal)).toBe(1);
  });

  it('refuses a stranger and says who may', async () => {
    const proposal = await proposed();
    const said = await press(world, 'comms', { on: proposal, action: 'approve' });
    const who = ['lead', 'approver'].map((name) => `<@${world.slack.userId(name)}>`).join(', ');
    expect(said).toBe(`You may not decide this. Who may: ${who}. Nothing was changed.`);
    expect(await press(world, 'comms', { on: proposal, action: 'reject' })).toContain(
      'You may not decide this.',
    );
    expect(await effectOfOneApproval(proposal)).toBe(1);
  });

  it('refuses a click whose value names another plan, another proposal or nothing', async () => {
    const proposal = await proposed();
    const value = String(world.slack.findButton(proposal, 'approve')?.['value']);
    const [id, hash] = value.split(':') as [string, string];
    const forge = (forged: string) =>
      press(world, 'approver', { on: proposal, action: 'approve', value: forged });
    expect(await forge(`${id}:${'0'.repeat(64)}`)).toContain(
      'does not belong to the plan as it was proposed',
    );
    expect(await forge(`999999:${hash}`)).toContain('There is no such proposal');
    expect(await forge('')).toContain('does not belong to this room');
    expect(await forge(`${id}:${hash} or 1=1`)).toContain('does not belong to this room');
    expect(await effectOfOneApproval(proposal)).toBe(1);
  });

  it('refuses a click that was replayed from another room', async () => {
    const elsewhere = await declareIncident(world, 'sev3 cost something else');
    const proposal = await proposed();
    const value = String(world.slack.findButton(proposal, 'approve')?.['value']);
    const moved = { ...proposal, channel: elsewhere.room };
    const said = await press(world, 'approver', { on: moved, action: 'approve', value });
    expect(said).toContain('There is no such proposal');
    expect(await effectOfOneApproval(proposal)).toBe(1);
    await ask(world, 'oncall', 'decline end of the test', elsewhere.room);
  });

  it('refuses the click of somebody in another workspace on a button of this one', async () => {
    const proposal = await proposed();
    const button = world.slack.findButton(proposal, 'approve');
    const payload = {
      type: 'block_actions',
      team: { id: 'T0ELSEWHERE' },
      user: { id: 'U0ELSEWHERE', team_id: 'T0ELSEWHERE' },
      channel: { id: incident.room },
      container: { type: 'message', message_ts: proposal.ts, channel_id: incident.room },
      message: { ts: proposal.ts },
      actions: [{ type: 'button', action_id: 'approve', value: button?.['value'], action_ts: '98.76' }],
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    expect((await world.slack.signedPost({ body })).status).toBe(200);
    const refusal = await world.slack.waitFor('the refusal', () =>
      world.slack.callsOf('chat.postEphemeral').find(({ args }) => args['user'] === 'U0ELSEWHERE'),
    );
    expect(String(refusal.args['text'])).toContain('You may not decide this.');
    expect(await effectOfOneApproval(proposal)).toBe(1);
  });

  it('changes nothing when the click comes after the proposal has expired, and says so', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    await world.advance(16 * MINUTE_MS);
    const said = await press(world, 'approver', { on: proposal, action: 'approve' });
    expect(said).toBe('This proposal has expired. Propose it again. Nothing was changed.');
    await textWith(world, keyed(proposal), 'Expired.');
    const settled = await messageWith(world, incident.room, keyed(proposal).key);
    expect(world.slack.findButton(settled, 'approve')).toBeUndefined();
    expect(world.service.effects).toHaveLength(before);
    expect(await effectOfOneApproval(await proposed())).toBe(1);
  });

  it('tells a second click that it was decided already', async () => {
    const proposal = await proposed();
    expect(await effectOfOneApproval(proposal)).toBe(1);
    const before = world.service.effects.length;
    const said = await press(world, 'lead', { on: proposal, action: 'approve' });
    expect(said).toMatch(
      /^This was decided before: it is (applied|proven|not-contained)\. Nothing was changed\.$/,
    );
    await world.advance(0);
    expect(world.service.effects).toHaveLength(before);
  });

  it('lets an approver reject, after which nothing runs', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    expect(await press(world, 'lead', { on: proposal, action: 'reject' })).toBe(
      'Rejected. Nothing was changed.',
    );
    const text = await textWith(world, keyed(proposal), 'Rejected.');
    expect(text).toContain(`rejected by <@${world.slack.userId('lead')}>`);
    const late = await press(world, 'approver', { on: proposal, action: 'approve' });
    expect(late).toBe('This was decided before: it is rejected. Nothing was changed.');
    expect(world.service.effects).toHaveLength(before);
  });

  it('lets the proposer withdraw', async () => {
    const proposal = await proposed();
    expect(await press(world, 'oncall', { on: proposal, action: 'reject' })).toBe(
      'Withdrawn. Nothing was changed.',
    );
    await textWith(world, keyed(proposal), 'Withdrawn by whoever proposed it.');
  });

  it('runs once when two people approve at the same moment', async () => {
    const proposal = await proposed();
    const before = world.service.effects.length;
    const said = await Promise.all(
      ['approver', 'lead'].map((who) => press(world, who, { on: proposal, action: 'approve' })),
    );
    expect(said.filter((text) => text.startsWith('Approved.'))).toHaveLength(1);
    expect(said.filter((text) => text.startsWith('This was decided before'))).toHaveLength(1);
    await textWith(world, keyed(proposal), 'Applied');
    await world.advance(0);
    expect(world.service.effects).toHaveLength(before + 1);
    const receipt = (keyOf(proposal) ?? '').replace('proposal', 'receipt');
    expect(blocksText(await messageWith(world, incident.room, receipt))).toContain('Read-back:');
  });

  it('refuses a second proposal of the same change while one waits', async () => {
    const proposal = await proposed();
    const again = await ask(world, 'lead', `mitigate prompt answer=${other()}`, incident.room);
    expect(again).toMatch(/^That is proposed already: prompt answer v1\d → v1\d\. /);
    expect(await effectOfOneApproval(proposal)).toBe(1);
  });

  it('withdraws what waits when the incident ends', async () => {
    const proposal = await proposed();
    await ask(world, 'oncall', 'decline it was a test', incident.room);
    const text = await textWith(world, keyed(proposal), 'The incident was declined before anyone decided.');
    expect(text).toContain('Expired.');
    const before = world.service.effects.length;
    const late = await press(world, 'approver', { on: proposal, action: 'approve' });
    expect(late).toContain('Nothing was changed.');
    expect(
      await findByKey(world, incident.room, (keyOf(proposal) ?? '').replace('proposal', 'receipt')),
    ).toBeUndefined();
    expect(world.service.effects).toHaveLength(before);
  });
});
