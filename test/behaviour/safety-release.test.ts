import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enqueue } from '../../src/db/jobs.ts';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { runMitigation } from '../../src/flow/effects.ts';
import { verifyChain } from '../../src/mitigation/audit.ts';
import { wholeTrail } from '../../src/mitigation/audit-store.ts';
import { findMitigation, insertVote, moveMitigation } from '../../src/mitigation/mitigation-store.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask, declareIncident, type Opened, press, proposeIn, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';
import { approvedShift, receiptOf, sendArms, servedBy, shiftingService } from '../harness/shifting.ts';

const HOUR_MS = 60 * 60_000;
/** All that the room of another incident is told. */
const NOT_NOW = 'This cannot be set back on now; ask the service’s owner.';

describe('a safety incident', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  beforeAll(async () => {
    world = await startConfigured((config, around) => {
      const { slack } = around;
      const service = config.services[SERVICE];
      if (service) service.approvers = [slack.userId('approver'), slack.userId('product')];
      const shifting = shiftingService(around);
      const serving = {
        model: 'gpt-bad',
        prompts: { answer: 'v14' },
        fallback: { mode: 'none', notice: 'x' },
      };
      Object.assign(config.services, { shifting, paused: shifting, held: { ...shifting, serving } });
    });
    incident = await declareIncident(world, `safety ${SERVICE} a name leaked`);
  });
  afterAll(() => world.close());

  const command = (who: string, text: string, room = incident.room) => ask(world, who, text, room);
  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const here = (key: string) => ({ room: incident.room, key });
  const numberOf = (message: SlackMessage) => Number((keyOf(message) ?? '').split(':')[1]);
  const applied = async (wanted: string, people: string[], room = incident.room) => {
    const proposal = await proposeIn(world, room, { wanted });
    for (const who of people) await press(world, who, { on: proposal, action: 'approve' });
    await textWith(world, { room, key: keyOf(proposal) ?? '' }, 'Applied');
    return numberOf(proposal);
  };
  let off = 0;

  it('is not set back on before a root cause and sign-offs, by whatever plan of whatever incident', async () => {
    off = await applied('disable', ['approver']);
    for (const wanted of ['enable', `undo ${off}`]) {
      const said = await command('oncall', `mitigate ${wanted}`);
      expect(said).toContain('a root cause: `/llm-incident root-cause TEXT`');
      expect(said).toContain(`the service’s owner (${mention('lead')}) and of legal (${mention('legal')})`);
      expect(said).toContain('Nothing was proposed.');
    }
    const other = await declareIncident(world, `sev3 quality ${SERVICE} nobody gets an answer`);
    const elsewhere = await command('oncall', 'mitigate enable', other.room);
    expect(elsewhere).toContain(NOT_NOW);
    expect(elsewhere).not.toContain('safety');
    expect(elsewhere).not.toContain(`INC-${incident.id}`);
    expect(elsewhere).not.toContain('leaked');
    await command('oncall', 'decline end of the test', other.room);
  });

  it('is signed off after its root cause alone, by those who stand for it, each of them once', async () => {
    expect(await command('lead', 'sign-off')).toContain('There is no root cause to sign off yet');
    expect(await command('oncall', 'root-cause the retriever read a test table')).toContain(
      'The root cause is recorded. This is a safety incident',
    );
    const refused = await command('approver', 'sign-off');
    expect(refused).toContain(`Who may: ${mention('lead')}, ${mention('legal')}.`);
    const signed = await command('lead', 'sign-off the table is gone');
    expect(signed).toContain('You signed this root cause off: “the retriever read a test table”.');
    expect(signed).toContain(`Missing: the sign-off of legal (${mention('legal')})`);
    expect(await command('lead', 'sign-off')).toContain('You signed this off before; a person counts once.');
    expect(await command('oncall', 'mitigate enable')).toContain('Missing: the sign-off of legal');
    expect(await command('legal', 'sign-off')).toContain('a plan that sets things back on may be proposed');
  });

  it('needs new sign-offs when the root cause changes, also at the vote and at the run', async () => {
    const proposal = await proposeIn(world, incident.room, { wanted: 'enable' });
    expect(await command('oncall', 'root-cause the index was built from a backup')).toContain(
      'The sign-offs of the one before count no more.',
    );
    const vote = await press(world, 'approver', { on: proposal, action: 'approve' });
    expect(vote).toContain('nothing is set back on before a root cause and sign-offs are recorded');
    expect(vote).toContain('Nothing was changed.');
    await forceApproval(numberOf(proposal));
    const receipt = await textWith(world, here(`receipt:${numberOf(proposal)}`), 'FAILED');
    expect(receipt).toContain('Nothing was sent.');
    expect(world.service.state().enabled).toBe(false);
  });

  /** As if the votes had been cast while it was released, and the root cause had changed before it ran. */
  async function forceApproval(id: number): Promise<void> {
    await world.stopBot();
    const { db, close } = await world.database.open();
    const mitigation = await findMitigation(db, id);
    if (mitigation === undefined) throw new Error(`no mitigation ${id}`);
    const at = new Date();
    for (const who of ['approver', 'product']) {
      const voter = world.slack.userId(who);
      await insertVote(db, {
        mitigationId: id,
        voter,
        choice: 'approve',
        planHash: mitigation.plan_hash,
        at,
      });
    }
    const trail = await wholeTrail(db);
    expect(verifyChain(trail, null).kind).toBe('intact');
    expect(trail.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['incident.root-cause', 'incident.sign-off', 'mitigation.approve']),
    );
    await moveMitigation(db, { id, from: ['proposed'], to: 'approved' });
    await enqueue(db, runMitigation(mitigation, mitigation.proposed_at));
    await close();
    await world.restart();
  }

  it('stays off when it is resolved, and holds what it left on', async () => {
    expect(await command('oncall', 'resolve')).toContain('is resolved');
    await world.advance(30 * HOUR_MS);
    expect(world.service.state().enabled).toBe(false);
    expect(await command('oncall', `lease ${off} keep for-good until it is rebuilt`)).toContain('for good');
    expect(await command('lead', 'close anyway it was a test')).toContain('is closed');
    const other = await declareIncident(world, `sev3 quality ${SERVICE} nobody gets an answer`);
    expect(await command('oncall', 'mitigate enable', other.room)).toContain(NOT_NOW);
    for (const who of ['lead', 'legal']) await command(who, 'sign-off');
    const shown = await command('oncall', 'root-cause');
    expect(shown).toContain('the index was built from a backup Signed off by');
    await command('oncall', 'postmortem');
    const markdown = await world.slack.waitFor(
      'the post-mortem with the root cause',
      async () =>
        (await world.slack.files(incident.room)).find(({ content }) => content.includes('Signed off by'))
          ?.content,
    );
    expect(markdown).toContain('the index was built from a backup');
    expect(markdown).toContain('### Root cause');
    const proposal = await proposeIn(world, other.room, { wanted: 'enable' });
    for (const who of ['approver', 'lead']) await press(world, who, { on: proposal, action: 'approve' });
    await textWith(world, { room: other.room, key: keyOf(proposal) ?? '' }, 'Applied');
    expect(world.service.state().enabled).toBe(true);
    await textWith(world, here(`proposal:${off}`), 'Taken back');
  });

  it('is a false alarm when its owner and one more who may approve say so', async () => {
    const one = await declareIncident(world, `safety ${SERVICE} it looked like an address`);
    const say = (who: string, reason: string) => ask(world, who, `decline ${reason}`, one.room);
    expect(await say('comms', 'looks fine')).toContain('You may not say so of a safety incident.');
    const first = await say('approver', 'it was a test account');
    expect(first).toBe(`Recorded: 1 of 2. INC-${one.id} ends when one of these agrees: ${mention('lead')}.`);
    const card = await textWith(world, { room: one.room, key: `card:${one.id}` }, 'False alarm:');
    expect(card).toContain(`1 of 2 so far, by ${mention('approver')}`);
    expect(await say('approver', 'really')).toContain('You said so before; that counts once.');
    expect(await say('product', 'I agree')).toContain(`ends when one of these agrees: ${mention('lead')}.`);
    expect(await say('lead', 'a test account')).toBe(`INC-${one.id} is declined as a false alarm.`);
  });

  it('serves nothing more freely under any other name, nor what another incident took away', async () => {
    const quality = await declareIncident(world, 'sev3 quality held odd answers');
    const both = ['approver', 'lead'];
    const model = await applied('model gpt-safe', both, quality.room);
    const limit = await applied('limit each user 0', ['approver'], quality.room);
    const safety = await declareIncident(world, 'safety held a name leaked');
    await applied('prompt answer=v13', both, safety.room);
    await applied('fallback notice', ['approver'], safety.room);
    const detours = [
      'split gpt-bad 100',
      'split answer=v14 100',
      'prompt v14',
      'fallback simple',
      'limit user u-1 100000',
    ];
    const taken = [`undo ${model}`, `undo ${limit}`];
    for (const wanted of [...detours, ...taken]) {
      expect(await command('oncall', `mitigate ${wanted}`, quality.room)).toBe(
        `${NOT_NOW} Nothing was proposed.`,
      );
    }
    for (const wanted of [...detours, 'model gpt-bad', 'limit each user off'])
      expect(await command('oncall', `mitigate ${wanted}`, safety.room)).toContain('Missing: a root cause');
    await command('oncall', 'root-cause a test table', safety.room);
    for (const who of ['lead', 'legal']) await command(who, 'sign-off', safety.room);
    await applied('fallback none', both, safety.room);
    await applied('disable', ['approver'], safety.room);
    expect(await command('oncall', 'mitigate enable', safety.room)).toContain(
      `Missing: the sign-off of the service’s owner (${mention('lead')}) and of legal (${mention('legal')})`,
    );
    for (const who of ['lead', 'legal'])
      expect(await command(who, 'sign-off', safety.room)).toContain('You signed this root cause off');
    await applied('enable', both, safety.room);
    expect(await servedBy(world, 'held')).toMatchObject({ model: 'gpt-safe', enabled: true });
  });

  it('stops a shift of traffic that another incident began', async () => {
    const quality = await declareIncident(world, 'sev3 quality shifting odd answers');
    const id = await approvedShift(world, quality, 'shift new-model');
    await declareIncident(world, 'safety shifting a name leaked');
    await sendArms(world, 'shifting', {
      fresh: { model: 'new-model', n: 100, good: 99 },
      old: { n: 300, good: 285 },
    });
    const why =
      'Stopped, because more cannot be served of it now (ask the service’s owner); it stands at 10 %.';
    await textWith(world, receiptOf(quality, id), why);
    expect((await servedBy(world, 'shifting'))['split']).toEqual({ 'new-model': 10 });
  });

  it('or any shift goes on by no gate while automation is off', async () => {
    const quality = await declareIncident(world, 'sev3 quality paused odd answers');
    const id = await approvedShift(world, quality, 'shift new-model');
    world.env['LLM_INCIDENT_AUTOMATION'] = 'off';
    await world.stopBot();
    await world.restart();
    await sendArms(world, 'paused', {
      fresh: { model: 'new-model', n: 100, good: 99 },
      old: { n: 300, good: 285 },
    });
    const why = 'Stopped, because its gate passed, but automation is switched off; it stands at 10 %.';
    await textWith(world, receiptOf(quality, id), why);
  });
});
