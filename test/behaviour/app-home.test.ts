import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, messageWith, type Opened, press, proposeIn } from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';

describe('App Home', () => {
  let world: World;
  let open: Opened;
  let safety: Opened;
  beforeAll(async () => {
    world = await startWorld({ env: { NODE_ENV: 'development' } });
    open = await declareIncident(world, `sev3 quality ${SERVICE} home is where it shows`);
    safety = await declareIncident(world, `sev1 safety ${SERVICE} nobody else may read this`);
  });
  afterAll(() => world.close());

  const homeText = (who: string) => {
    const home = world.slack.home(world.slack.userId(who));
    return home === undefined ? '' : blocksText(home);
  };
  /** Waits until the home of that person says it; a tick draws what changed. */
  const says = (who: string, wanted: string) =>
    world.slack.waitFor(`the home of ${who} to say ${wanted}`, () =>
      homeText(who).includes(wanted) ? homeText(who) : undefined,
    );

  it('shows what is open, and a private incident to its people only', async () => {
    world.slack.as('lead').openHome();
    world.slack.as('product').openHome();
    const lead = await says('lead', `INC-${safety.id}`);
    expect(lead).toContain('Open incidents: 2');
    expect(lead).toContain('home is where it shows');
    expect(lead).toContain(`${SERVICE} · incident open`);
    const product = await says('product', 'Open incidents: 1');
    expect(product).not.toContain('nobody else may read this');
    expect(product).not.toContain(`INC-${safety.id}`);
  });

  it('shows each person what waits for them, and takes it back when it is done', async () => {
    world.slack.as('approver').openHome();
    await says('approver', 'Open incidents: 2');
    const proposal = await proposeIn(world, open.room, { wanted: 'disable' });
    await world.now();
    expect(await says('approver', 'Approve or reject')).toContain(`INC-${open.id}`);
    expect(homeText('product')).not.toContain('Approve or reject');
    await press(world, 'approver', { on: proposal, action: 'reject' });
    await world.now();
    await world.slack.waitFor('the ask to go', () => !homeText('approver').includes('Approve or reject'));
    await ask(
      world,
      'lead',
      `postmortem action <@${world.slack.userId('approver')}> 2026-12-01 add a canary`,
      open.room,
    );
    await world.now();
    await says('approver', 'Action item');
    expect(homeText('approver')).toContain('add a canary');
  });

  it('is drawn again only for those for whom something changed', async () => {
    await world.now();
    await world.slack.idle();
    const calls = world.slack.callsOf('views.publish').length;
    await world.now();
    await world.slack.idle();
    expect(world.slack.callsOf('views.publish')).toHaveLength(calls);
    const card = await messageWith(world, open.room, `card:${open.id}`);
    expect(card.text).toContain('home is where it shows');
    await ask(world, 'oncall', 'decline it was nothing', open.room);
    await world.now();
    await says('product', 'No open incidents');
    await says('lead', 'Open incidents: 1');
    for (const { response } of world.slack.callsOf('views.publish')) expect(response['ok']).toBe(true);
  });
});
