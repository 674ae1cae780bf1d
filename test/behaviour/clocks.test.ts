import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

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

  const resolved = async (what: string) => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} ${what}`);
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    await ask(world, 'oncall', 'resolve well again', incident.room);
    await world.slack.waitFor('the post-mortem', async () =>
      (await world.slack.files(incident.room)).find(({ name }) => name === 'postmortem.md'),
    );
    return incident;
  };
  const reminders = async (incident: Opened) =>
    (await notices(incident)).filter((text) => text.includes('The post-mortem of'));
  const dueIn = (incident: Opened, when: string) =>
    `${mention('oncall')} The post-mortem of INC-${incident.id} ${when}. \`/llm-incident postmortem\` shows what is missing.`;

  it('reminds of the post-mortem after 24, 40, 47 and 48 hours, once each, across restarts', async () => {
    const incident = await resolved('reminded of four times');
    await world.advance(23 * HOUR_MS);
    await settled(incident);
    expect(await reminders(incident)).toEqual([]);
    const wanted = [
      { afterHours: 1, when: 'is due in 24 hours' },
      { afterHours: 16, when: 'is due in 8 hours' },
      { afterHours: 7, when: 'is due in 1 hour' },
      { afterHours: 1, when: 'is due now' },
    ];
    const said: string[] = [];
    for (const { afterHours, when } of wanted) {
      await world.restart();
      await world.advance(afterHours * HOUR_MS);
      await noticeSaying(incident, when);
      said.push(dueIn(incident, when));
      expect(await reminders(incident)).toEqual(said);
    }
    await world.advance(DAY_MS);
    await settled(incident);
    expect(await reminders(incident)).toEqual(said);
  });

  it('stops the reminders when the incident is closed', async () => {
    const incident = await resolved('closed early');
    await world.advance(24 * HOUR_MS);
    await noticeSaying(incident, 'is due in 24 hours');
    expect(await ask(world, 'oncall', 'close done', incident.room)).toBe(
      `INC-${incident.id} is closed; its reminders have stopped.`,
    );
    const later = await resolved('resolved after the other was closed');
    await world.advance(24 * HOUR_MS);
    await noticeSaying(later, 'is due in 24 hours');
    await world.advance(2 * DAY_MS);
    await noticeSaying(later, 'is due now');
    expect(await reminders(incident)).toHaveLength(1);
  });

  it('fires each once, marked as late, when the bot was stopped for three days', async () => {
    const open = await declareIncident(world, `sev3 quality ${SERVICE} open all the time`);
    const incident = await resolved('resolved before the bot stopped');
    await world.stopBot();
    await world.restart();
    await world.advance(3 * DAY_MS);
    await noticeSaying(incident, 'is due now');
    await noticeSaying(open, 'not contained');
    await world.restart();
    await world.advance(MINUTE_MS);
    await settled(incident);
    await settled(open);
    const late = await reminders(incident);
    expect(late).toHaveLength(4);
    for (const text of [...late, ...(await notices(open))]) {
      expect(text).toMatch(/\(This was due at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\.\)$/);
    }
    expect(await notices(open)).toHaveLength(1);
    expect(late.map((text) => / is due (.*?)\. /.exec(text)?.[1])).toEqual([
      'in 24 hours',
      'in 8 hours',
      'in 1 hour',
      'now',
    ]);
  });
});
