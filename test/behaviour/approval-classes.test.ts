import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { reconfigure, type ServiceEntry, startConfigured } from '../harness/configured.ts';
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

const HOUR_MS = 60 * 60_000;

describe('how many people a mitigation takes', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      const service = config.services[SERVICE];
      if (service) service.approvers = [slack.userId('approver'), slack.userId('product')];
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
  const proposed = (wanted: string, by = 'oncall') => proposeIn(world, incident.room, { wanted, by });
  const approve = (who: string, on: SlackMessage) => press(world, who, { on, action: 'approve' });
  /** Approved by as many as it takes, and carried out. */
  const carriedOut = async (wanted: string, people: string[]): Promise<number> => {
    const proposal = await proposed(wanted);
    for (const who of people) await approve(who, proposal);
    await textWith(world, keyed(proposal), 'Applied');
    return numberOf(proposal);
  };
  const allow = async (standing: ServiceEntry['standing_approvals']) => {
    await reconfigure(world, (config) => {
      const service = config.services[SERVICE];
      if (service && standing) service.standing_approvals = standing;
    });
    await world.restart();
  };

  it('takes two people who did not propose it to resume, and says who is still needed', async () => {
    await carriedOut('disable', ['approver']);
    const proposal = await proposed('enable', 'product');
    expect(blocksText(proposal)).toContain('0 of 2, by 2 people who did not propose it');
    expect(await approve('product', proposal)).toContain('You proposed this');
    expect(await approve('approver', proposal)).toBe(
      'Your approval counts: 1 of 2. It runs when one more person has approved. Nothing was changed yet.',
    );
    const shown = await textWith(world, keyed(proposal), '1 of 2');
    expect(shown).toContain(`approved by <@${world.slack.userId('approver')}>`);
    expect(shown).toContain(`May approve: <@${world.slack.userId('lead')}>\n`);
    expect(await approve('approver', proposal)).toContain('that counts once: 1 of 2');
    expect(world.service.state().enabled).toBe(false);
    expect(await approve('lead', proposal)).toBe('Approved. It runs now; the receipt follows in this room.');
    await textWith(world, keyed(proposal), 'Applied');
    expect(world.service.state().enabled).toBe(true);
  });

  it('lets one of two still refuse, with a reason', async () => {
    await carriedOut('disable', ['approver']);
    const proposal = await proposed('enable');
    await approve('approver', proposal);
    const said = await ask(
      world,
      'lead',
      `mitigate reject ${numberOf(proposal)} not yet <!channel>`,
      incident.room,
    );
    expect(said).toBe('Rejected. Nothing was changed.');
    const text = await textWith(world, keyed(proposal), 'Rejected. not yet');
    expect(text).not.toContain('<!channel>');
    expect(await approve('product', proposal)).toContain('This was decided before: it is rejected.');
    await carriedOut('enable', ['approver', 'lead']);
  });

  it('takes a mitigation back by a proposal of its own, which two people approve when it resumes', async () => {
    const id = await carriedOut('disable', ['approver']);
    expect(await ask(world, 'oncall', 'mitigate undo 9999', incident.room)).toBe(
      'There is no mitigation 9999 in this incident. Nothing was proposed.',
    );
    const undo = await proposed(`undo ${id}`);
    expect(blocksText(undo)).toContain(`Takes mitigation ${id} back: disable the feature.`);
    expect(await approve('approver', undo)).toContain('1 of 2');
    await approve('lead', undo);
    await textWith(world, { room: incident.room, key: `proposal:${id}` }, 'Taken back.');
    await textWith(world, { room: incident.room, key: `receipt:${id}` }, 'TAKEN BACK');
    expect(world.service.state().enabled).toBe(true);
    expect(await ask(world, 'oncall', `mitigate undo ${id}`, incident.room)).toBe(
      `Mitigation ${id} is reverted. Nothing was proposed.`,
    );
  });

  it('takes back to what was served before, whatever is served by then', async () => {
    const before = world.service.state().prompt;
    const id = await carriedOut(`prompt answer=${before === 'v12' ? 'v13' : 'v12'}`, ['approver']);
    world.service.promptRegression();
    const undo = await proposed(`undo ${id}`);
    expect(blocksText(undo)).toContain(`prompt answer v14 → ${before}`);
    await approve('approver', undo);
    await textWith(world, { room: incident.room, key: `proposal:${id}` }, 'Taken back.');
    expect(world.service.state().prompt).toBe(before);
  });

  it('offers a new plan in the place of one that the world has overtaken', async () => {
    const wanted = await proposed('fallback notice');
    await carriedOut('fallback cached', ['lead']);
    const said = await approve('approver', wanted);
    const next = Number(/Proposal (\d+) takes its place/.exec(said)?.[1]);
    expect(said).toContain('began at none, now it is cached. It was not sent.');
    const fresh = await messageWith(world, incident.room, `proposal:${next}`);
    expect(blocksText(fresh)).toContain('fallback cached → notice');
    expect(blocksText(fresh)).toContain(`Proposed by <@${world.slack.userId('oncall')}>`);
    await approve('approver', fresh);
    await textWith(world, keyed(fresh), 'Applied');
    await carriedOut('fallback none', ['approver', 'lead']);
  });

  it('runs at one click under a standing approval, announced and on the audit trail', async () => {
    await allow(['disable']);
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    const said = await press(world, 'approver', { on: card, action: 'contain' });
    expect(said).toContain('Approved under the standing approval `disable`. It runs now');
    await world.slack.waitFor('the switch', () => (world.service.state().enabled ? undefined : true));
    const notice = await world.slack.waitFor('the announcement', async () =>
      (await textsOf(world, incident.room, 'notice')).find((text) => text.includes('at one click')),
    );
    expect(notice).not.toContain('<@');
    expect(notice).toContain('under the standing approval `disable`: disable the feature.');
    await carriedOut('enable', ['approver', 'lead']);
    const typed = await proposed('disable', 'lead');
    expect(blocksText(typed)).toContain('the standing approval `disable` covers it');
    expect(await approve('comms', typed)).toContain('You may not decide this.');
    expect(await approve('lead', typed)).toContain('Approved under the standing approval');
    await textWith(world, keyed(typed), 'Applied');
    await carriedOut('enable', ['approver', 'product']);
  });

  it('is worth nothing when it is taken out of the configuration between proposal and click', async () => {
    await allow(['disable']);
    const proposal = await proposed('disable', 'lead');
    await allow([]);
    expect(await approve('lead', proposal)).toContain('You proposed this, so someone else must approve it.');
    expect(world.service.state().enabled).toBe(true);
    await press(world, 'lead', { on: proposal, action: 'reject' });
  });

  it('leaves what the click of a stranger asks for as a proposal', async () => {
    await allow(['disable']);
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    const said = await press(world, 'comms', { on: card, action: 'contain' });
    expect(said).toContain('The standing approval `disable` covers it, so anyone who may approve runs it');
    expect(world.service.state().enabled).toBe(true);
  });

  it('gives what is applied an owner and an end', async () => {
    const now = await world.now();
    const id = await carriedOut('cap 500', ['approver']);
    await world.stopBot();
    const { db, close } = await world.database.open();
    const row = await db
      .selectFrom('mitigation')
      .select(['lease_owner', 'lease_until'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    await close();
    await world.restart();
    expect(row.lease_owner).toBe(world.slack.userId('oncall'));
    const until = row.lease_until?.getTime() ?? 0;
    expect(until).toBeGreaterThanOrEqual(now.getTime() + 24 * HOUR_MS);
    expect(until).toBeLessThan(now.getTime() + 25 * HOUR_MS);
  });
});
