import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enqueue } from '../../src/db/jobs.ts';
import { runMitigation } from '../../src/flow/effects.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask, declareIncident, messageWith, press, proposeIn, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

const HOUR_MS = 3_600_000;

describe('an approval is for now, and one click of who is on call is one', { timeout: 120_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      const service = config.services[SERVICE];
      if (service) service.standing_approvals = ['disable'];
    });
  });
  afterAll(() => world.close());

  const open = () => declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);

  it('changes nothing when it was given hours ago and the bot was away', async () => {
    const incident = await open();
    const proposal = await proposeIn(world, incident.room, { wanted: 'cap 200', by: 'oncall' });
    const id = Number(keyOf(proposal)?.split(':')[1]);
    const effects = world.service.effects.length;
    const now = await world.now();
    await world.stopBot();
    const { db, close } = await world.database.open();
    const plan = await db
      .updateTable('mitigation')
      .set({ status: 'approved' })
      .where('id', '=', id)
      .returning(['id', 'service', 'environment', 'plan_hash'])
      .executeTakeFirstOrThrow();
    const at = new Date(now.getTime() - 6 * HOUR_MS);
    const voter = world.slack.userId('approver');
    const vote = {
      mitigation_id: id,
      voter,
      choice: 'approve' as const,
      plan_hash: plan.plan_hash,
      reason: null,
      at,
    };
    await db.insertInto('vote').values(vote).execute();
    await enqueue(db, runMitigation(plan, now));
    await close();
    await world.restart();
    const text = await textWith(world, { room: incident.room, key: `receipt:${id}` }, 'STOPPED');
    expect(text).toContain('Nothing was changed.');
    expect(world.service.effects).toHaveLength(effects);
    await ask(world, 'lead', 'decline end of the test', incident.room);
  });

  it('runs at the first click of who is on call, who is in no other list', async () => {
    const incident = await open();
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    expect(await press(world, 'oncall', { on: card, action: 'contain' })).toContain(
      'Approved under the standing approval `disable`',
    );
    await world.slack.waitFor('the feature to be off', () =>
      world.service.state().enabled ? undefined : true,
    );
  });
});
