import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, messageWith, type Opened, textsOf, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('the clocks of an incident', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const notices = (incident: Opened) => textsOf(world, incident.room, 'notice');
  const noticeSaying = (incident: Opened, wanted: string) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await notices(incident)).find((text) => text.includes(wanted)),
    );
  const symptoms = ['wrong-answers-consistent', 'wrong-answers-random', 'stale-information', 'more-refusals'];
  /** A room's messages leave in order: what was said before this branch of the tree is there when it is. */
  const settled = async ({ id, room }: Opened) => {
    const card = await messageWith(world, room, `card:${id}`);
    const keys = async () => (await world.slack.replies(room, card.ts)).map(keyOf);
    const before = await keys();
    const symptom = symptoms.find((one) => !before.includes(`tree:${id}:${one}`));
    expect(await ask(world, 'oncall', `tree ${symptom}`, room)).toContain('in the thread of the card');
    await world.slack.waitFor(`the branch ${symptom}`, async () =>
      (await keys()).includes(`tree:${id}:${symptom}`),
    );
  };
  const mention = (who: string) => `<@${world.slack.userId(who)}>`;

  it('names the fallback to owner and approvers after ten minutes, once', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} nobody contains it`);
    await world.advance(10 * MINUTE_MS - 10_000);
    await world.advance(10_000);
    const text = await noticeSaying(incident, 'not contained');
    expect(text).toBe(
      `${mention('lead')} ${mention('approver')} INC-${incident.id} is not contained after 10 minutes. ` +
        'The fallback is one button away: Disable on the card disables the feature once one of you approves.',
    );
    await world.advance(10 * MINUTE_MS);
    await world.advance(DAY_MS);
    await settled(incident);
    expect(await notices(incident)).toHaveLength(1);
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  it('says where to switch it off when the service has no target', async () => {
    const incident = await declareIncident(world, 'sev3 quality something without a target');
    await world.advance(10 * MINUTE_MS);
    const text = await noticeSaying(incident, 'not contained');
    expect(text).toContain(mention('lead'));
    expect(text).toContain('No target is configured for it: switch it off where it runs');
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  it('says nothing when it was contained in time', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} contained in time`);
    expect(await ask(world, 'oncall', 'contain by hand', incident.room)).toBe(
      `INC-${incident.id} is recorded as contained.`,
    );
    await world.advance(11 * MINUTE_MS);
    await settled(incident);
    expect(await notices(incident)).toEqual([expect.stringContaining('is contained after')]);
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  it('says nothing after a false alarm', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} no incident at all`);
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await world.slack.as('oncall').click(card, 'false_alarm');
    await textWith(world, { room: incident.room, key: `card:${incident.id}` }, 'false alarm');
    await world.advance(11 * MINUTE_MS);
    await settled(incident);
    expect(await notices(incident)).toEqual([]);
  });

  it('fires once, marked as late, when the bot was stopped for three days', async () => {
    const open = await declareIncident(world, `sev3 quality ${SERVICE} open all the time`);
    await world.stopBot();
    await world.restart();
    await world.advance(3 * DAY_MS);
    await noticeSaying(open, 'not contained');
    await world.restart();
    await world.advance(MINUTE_MS);
    await settled(open);
    expect(await notices(open)).toEqual([
      expect.stringMatching(/\(This was due at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\.\)$/),
    ]);
  });
});
