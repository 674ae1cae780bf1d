import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask, declareIncident, messageWith, press } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

const UNREADABLE = 'S0NOTHERE';

describe('who may do what', () => {
  let world: World;
  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      config['who_may'] = {
        mitigate: [slack.userId('comms')],
        resolve: [UNREADABLE],
        severity: ['lead'],
        page: ['lead'],
        decline: [slack.userId('comms')],
        tree: ['lead'],
      };
    });
  });
  afterAll(() => world.close());

  it('is asked for the plan that the tree has prepared, and for its answers', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} odd answers`);
    const card = await messageWith(world, room, `card:${id}`);
    await ask(world, 'oncall', 'tree wrong-answers-consistent', room);
    const key = `tree:${id}:wrong-answers-consistent`;
    const first = await world.slack.waitFor('the tree', async () =>
      (await world.slack.replies(room, card.ts)).find((one) => keyOf(one) === key),
    );
    const refused = (words: string) => `You may not ${words} INC-${id}.`;
    expect(await press(world, 'product', { on: first, action: 'tree_answer:yes' })).toContain(
      refused('answer for'),
    );
    const [, symptom = ''] = String(world.slack.findButton(first, 'tree_answer:yes')?.['value']).split(':');
    const plan = { type: 'button', action_id: 'tree_plan', value: `${id}:${symptom}` };
    const forged = { ...first, blocks: [{ type: 'actions', block_id: 'made', elements: [plan] }] };
    expect(await press(world, 'product', { on: forged, action: 'tree_plan' })).toContain(
      refused('propose anything in'),
    );
    await ask(world, 'comms', 'decline end of the test', room);
  });

  it('is nobody but the engineering lead while those who may cannot be looked up', async () => {
    const { id, room } = await declareIncident(world, `sev3 cost ${SERVICE} more tokens`);
    expect(await ask(world, 'product', 'resolve', room)).toBe(
      `You may not resolve INC-${id}. Who may: ${mention('lead')}. Not all of them could be looked up now; try again soon. Nothing was changed.`,
    );
    expect(await ask(world, 'lead', 'resolve', room)).toContain('is resolved');
  });

  it('is asked of the incident that goes on when another is merged into it', async () => {
    const into = await declareIncident(world, `sev3 cost ${SERVICE} goes on`, 'oncall');
    const mine = await declareIncident(world, `sev1 outage ${SERVICE} ends`, 'product');
    const merging = (who: string) => ask(world, who, `merge INC-${into.id}`, mine.room);
    expect(await merging('product')).toContain(`You may not merge INC-${into.id}.`);
    expect(await merging('approver')).toContain(`You may not raise the severity of INC-${into.id}.`);
    expect(await merging('lead')).toContain('is merged into');
  });

  it('is asked before an incident is hidden from those who see it', async () => {
    const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} seen by all`);
    expect(await ask(world, 'comms', 'private', room)).toContain(`You may not make private INC-${id}.`);
    expect(await ask(world, 'oncall', 'private', room)).toContain(`INC-${id} is private now`);
  });
});
