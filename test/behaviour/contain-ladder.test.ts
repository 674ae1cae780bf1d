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
import { blocksText } from '../harness/room.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('contain first: who is called while nobody does', { timeout: 60_000 }, () => {
  let world: World;
  const user = (id: string, name: string, email: string) => ({ id, name, email });
  beforeAll(async () => {
    const level = (n: number, who: ReturnType<typeof user>) => ({
      escalationPolicyId: 'PPOL1',
      level: n,
      user: who,
    });
    world = await startWorld({
      account: {
        users: [
          user('PUSR1', 'On-call engineer', 'oncall@example.test'),
          user('PUSR2', 'Second', 'second@example.test'),
          user('PUSR3', 'Approver', 'approver@example.test'),
          user('PUSR4', 'Lead', 'lead@example.test'),
        ],
        oncalls: [
          level(1, user('PUSR1', 'On-call engineer', 'oncall@example.test')),
          level(2, user('PUSR2', 'Second', 'second@example.test')),
        ],
      },
    });
  });
  afterAll(() => world.close());

  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const notices = ({ room }: Opened) => textsOf(world, room, 'notice');
  const noticeSaying = (incident: Opened, wanted: string) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await notices(incident)).find((text) => text.includes(wanted)),
    );
  const cardOf = ({ id, room }: Opened) => ({ room, key: `card:${id}` });
  const over = (incident: Opened) => ask(world, 'oncall', 'decline end of the test', incident.room);

  it('calls on-call, then the approvers with the fallback, then the next level and the lead, and then nobody', async () => {
    const incident = await declareIncident(world, `sev1 quality ${SERVICE} nobody contains it`, 'product');
    const opened = await messageWith(world, incident.room, `opened:${incident.id}`);
    expect(blocksText(opened)).toBe(
      `${mention('oncall')} INC-${incident.id} is open. SEV1 quality · ${SERVICE}. The next step is on the card; I'm on it takes it.`,
    );
    const made = world.slack.calls.filter(({ args }) => args['channel'] === incident.room);
    const methods = made.map(({ method }) => method);
    const first = methods.find((one) => one === 'chat.postMessage' || one === 'conversations.invite');
    expect(first).toBe('chat.postMessage');
    await textWith(world, cardOf(incident), 'not acknowledged');
    await world.advance(5 * MINUTE_MS);
    expect(await noticeSaying(incident, 'Nobody has said')).toBe(
      `${mention('oncall')} Nobody has said I'm on it for INC-${incident.id} in 5 minutes. The button is on the card.`,
    );
    expect(await textWith(world, cardOf(incident), 'open 5 min')).toMatch(/[45] min left/);
    await world.restart();
    await world.advance(5 * MINUTE_MS);
    expect(await noticeSaying(incident, 'after 10 minutes')).toBe(
      `${mention('lead')} ${mention('approver')} INC-${incident.id} is not contained after 10 minutes. ` +
        'The fallback is one button away: Disable on the card disables the feature once one of you approves.',
    );
    await world.advance(10 * MINUTE_MS);
    const last = await noticeSaying(incident, 'after 20 minutes');
    expect(last).toContain(`${mention('lead')} INC-${incident.id} is not contained after 20 minutes.`);
    expect(last).toContain('Nobody has acknowledged it.');
    const called = () => [...world.pagerduty.incidents].map((one) => JSON.stringify(one)).join('\n');
    await world.slack.waitFor('the next level to be paged', () =>
      called().includes('PUSR2') ? true : undefined,
    );
    const calls = async () => (await notices(incident)).filter((text) => text.includes('<@'));
    const said = await calls();
    await world.advance(40 * MINUTE_MS);
    await textWith(world, cardOf(incident), '50 min overdue');
    // An update is overdue as well, and nobody has a role: the thread says it and no phone does.
    expect(await noticeSaying(incident, 'An update on')).not.toContain('<@');
    expect(await calls()).toEqual(said);
    await over(incident);
  });

  it('names the proposal that waits, and does not call whoever proposed it', async () => {
    const incident = await declareIncident(world, `sev1 quality ${SERVICE} proposed already`, 'product');
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    await press(world, 'approver', { on: card, action: 'contain' });
    await world.advance(10 * MINUTE_MS);
    const said = await noticeSaying(incident, 'after 10 minutes');
    expect(said).toMatch(
      /Proposal \d+ waits for one of you: disable the feature\. Its buttons are in this room\./,
    );
    expect(said).toContain(mention('lead'));
    expect(said).not.toContain(mention('approver'));
    expect((await notices(incident)).join()).not.toContain('Nobody has said');
    await over(incident);
  });

  it('is waived only with a reason, which stands on the card', async () => {
    const incident = await declareIncident(world, `sev1 quality ${SERVICE} staff alone sees it`, 'product');
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    expect(await ask(world, 'oncall', 'contain waive', incident.room)).toBe(
      'Say why it is not contained: `contain waive REASON`.',
    );
    expect(await ask(world, 'oncall', 'contain waive only staff sees it', incident.room)).toContain(
      'is not contained, on purpose',
    );
    const shown = await textWith(world, cardOf(incident), 'Not contained on purpose: only staff sees it');
    expect(shown).not.toContain('Contain by');
    await world.advance(HOUR_MS);
    await textWith(world, cardOf(incident), 'open 1 h');
    expect((await notices(incident)).join()).not.toContain('is not contained after');
    await over(incident);
  });

  it('says in the room that it is contained, and mentions nobody', async () => {
    const incident = await declareIncident(world, `sev2 quality ${SERVICE} contained by hand`, 'product');
    await world.advance(3 * MINUTE_MS);
    await ask(world, 'oncall', 'contain switched off at the gateway', incident.room);
    expect(await noticeSaying(incident, 'is contained')).toBe(
      `INC-${incident.id} is contained after 3 min: switched off at the gateway.`,
    );
    const topics = async () => (await world.slack.channels()).find(({ id }) => id === incident.room)?.topic;
    await world.slack.waitFor('the topic to follow', async () =>
      JSON.stringify(await topics()).includes(`SEV2 quality · contained · production`) ? true : undefined,
    );
    await world.advance(20 * MINUTE_MS);
    expect((await notices(incident)).join()).not.toContain('is not contained after');
    await over(incident);
  });

  it('offers the rest in the menu, each as its command', async () => {
    const incident = await declareIncident(world, `sev2 quality ${SERVICE} by the menu`, 'product');
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    const before = world.slack.ephemerals(world.slack.userId('oncall')).length;
    const chosen = async (choice: string) =>
      world.slack.as('oncall').click(card, 'more', { choice: `${choice}:${incident.id}` });
    expect((await chosen('page')).status).toBe(200);
    const said = await world.slack.waitFor('the answer', () =>
      world.slack.ephemerals(world.slack.userId('oncall')).at(before),
    );
    expect(said.text).toMatch(/pag/i);
    await chosen('resolve');
    const asked = await world.slack.waitFor('the question', () =>
      world.slack.ephemerals(world.slack.userId('oncall')).at(before + 1),
    );
    expect(asked.text).toContain(`Resolve INC-${incident.id}?`);
    await world.slack.as('oncall').click(asked, 'resolve');
    await textWith(world, cardOf(incident), 'Resolved:');
  });
});
