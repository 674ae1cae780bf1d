import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { reconfigure, startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  membersWith,
  messageWith,
  press,
  textsOf,
  textWith,
} from '../harness/people.ts';

const MINUTE_MS = 60_000;

describe('the people of an incident', () => {
  let world: World;
  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const declared = (text: string, who = 'oncall') => declareIncident(world, text, who);
  const cardOf = ({ id, room }: { id: number; room: string }) => ({ room, key: `card:${id}` });
  const notices = (room: string) => textsOf(world, room, 'notice');
  const notice = (room: string, wanted: string) =>
    world.slack.waitFor(`a notice: ${wanted}`, async () =>
      (await notices(room)).find((text) => text.includes(wanted)),
    );
  beforeAll(async () => {
    const answering = ['responder', 'declarer', 'commander', 'owner', 'approver', 'on_call', 'lead'];
    world = await startConfigured((config) => {
      config['who_may'] = { resolve: answering, decline: answering, close: answering };
    });
  });
  afterAll(() => world.close());

  it('lets everybody help and only who answers for it end it or calm it down', async () => {
    const { id, room } = await declared(`sev2 quality ${SERVICE} wrong prices`, 'comms');
    const card = await messageWith(world, room, `card:${id}`);
    const refused = `You may not resolve INC-${id}. Who may: `;
    for (const asked of ['resolve', 'decline no', 'close', 'severity sev3', `merge INC-${id}`]) {
      const said = await ask(world, 'product', asked, room);
      expect(said).toMatch(/^You may not .* INC-\d+\. Who may: .* Nothing was changed\.$/);
      for (const who of ['comms', 'lead', 'approver', 'oncall']) expect(said).toContain(mention(who));
      expect(said).not.toContain(mention('product'));
    }
    const value = String(id);
    expect(await press(world, 'product', { on: card, action: 'false_alarm', value })).toContain(
      'You may not',
    );
    expect(await ask(world, 'product', 'resolve', room)).toContain(refused);
    expect(await ask(world, 'product', 'severity sev1', room)).toContain('Severity is sev1 now.');
    expect(await press(world, 'product', { on: card, action: 'acknowledge', value })).toContain('You have');
    // Who is on it answers for it.
    expect(await ask(world, 'product', 'resolve all well', room)).toContain('is resolved');
  });

  it('gives the command to the first responder, and hands it over', async () => {
    const opened = await declared(`sev3 quality ${SERVICE} odd tone`);
    const { id, room } = opened;
    const card = await messageWith(world, room, `card:${id}`);
    await press(world, 'product', { on: card, action: 'acknowledge' });
    await textWith(world, cardOf(opened), `Commander: ${mention('product')}`);
    expect(await ask(world, 'comms', 'role comms', room)).toBe('You are comms now.');
    expect(await ask(world, 'comms', 'role commander release', room)).toContain('lets it go');
    expect(await ask(world, 'product', `role commander ${mention('lead')}`, room)).toContain(
      `${mention('lead')} is commander now`,
    );
    const both = `Commander: ${mention('lead')} · Comms: ${mention('comms')}`;
    await textWith(world, cardOf(opened), both);
    expect(await ask(world, 'comms', 'role comms release', room)).toBe('You are no longer comms; nobody is.');
    expect(await ask(world, 'comms', 'role king', room)).toContain('`role commander` takes it');
    for (const nobody of ['U0LLMBOT', 'U0GHOST999'])
      expect(await ask(world, 'lead', `role commander <@${nobody}>`, room)).toContain('is no person of this');
    expect(await ask(world, 'comms', 'role', room)).toContain(`commander: ${mention('lead')}`);
    await ask(world, 'lead', 'decline end of the test', room);
    expect(await ask(world, 'comms', 'role scribe', room)).toContain('has ended');
  });

  it('lets people and who is on call into the room and pages nobody for it', async () => {
    const { room } = await declared(`sev3 cost ${SERVICE} more tokens`, 'lead');
    const pages = world.pagerduty.incidents.length;
    expect(await ask(world, 'lead', `invite ${mention('legal')}`, room)).toContain('Nobody is paged');
    expect(await ask(world, 'lead', 'invite oncall', room)).toContain(mention('oncall'));
    await membersWith(world, room, ['legal', 'oncall']);
    expect(world.pagerduty.incidents).toHaveLength(pages);
    await ask(world, 'lead', 'decline end of the test', room);
  });

  it('shows what follows from a severity before the click that sets it', async () => {
    const opened = await declared(`sev3 outage ${SERVICE} slow`, 'comms');
    const before = world.slack.ephemerals(world.slack.userId('comms')).length;
    const text = await ask(world, 'comms', 'severity', opened.room);
    expect(text).toContain('`sev1`: The on-call engineer is paged');
    expect(text).toContain('`sev2`: A ticket is opened; nobody is woken. An update is due every 60 minutes.');
    const shown = world.slack.ephemerals(world.slack.userId('comms')).at(before);
    if (shown === undefined) throw new Error('nothing was shown');
    await world.slack.as('comms').click(shown, 'severity:sev2');
    await textWith(world, cardOf(opened), 'SEV2 outage');
    await ask(world, 'comms', 'decline end of the test', opened.room);
  });

  it('keeps an update on the card, and asks for the next one: comms, then the commander, then nobody', async () => {
    const opened = await declared(`sev1 quality ${SERVICE} nonsense`);
    const { id, room } = opened;
    await press(world, 'oncall', { on: await messageWith(world, room, `card:${id}`), action: 'acknowledge' });
    expect(await ask(world, 'comms', 'role comms', room)).toBe('You are comms now.');
    await world.slack.as('oncall').command('update', { channel: room });
    const form = await world.slack.waitFor('the form', () =>
      world.slack.views(world.slack.userId('oncall')).find((view) => view.callback_id === 'update'),
    );
    const known = 'Only refunds are wrong <!here>';
    const filled = { known, doing: 'Rolling back', next: '15' };
    await world.slack.as('oncall').submit(form, filled);
    await world.slack.replay(world.slack.sent.at(-1));
    const card = await textWith(world, cardOf(opened), 'Last update: Only refunds are wrong');
    expect(card).toContain('What we do: Rolling back');
    expect(card).not.toContain('<!here>');
    await notice(room, 'Update: Only refunds are wrong');
    await world.advance(16 * MINUTE_MS);
    const asked = `An update on INC-${id} is due.`;
    expect(await notice(room, asked)).toBe(
      `${mention('comms')} ${asked} Tell them with \`/llm-incident update\`.`,
    );
    // The cadence survives a restart, and each says its word once.
    await world.restart();
    await world.advance(31 * MINUTE_MS);
    const last = await notice(room, 'Nobody has said for a long time');
    expect(last).toMatch(new RegExp(`^${mention('oncall')} [^<]*$`));
    await notice(room, 'is not contained after 20 minutes');
    const pushed = async () => (await notices(room)).filter((text) => text.includes('<@'));
    const before = await pushed();
    await world.advance(4 * 60 * MINUTE_MS);
    await world.advance(4 * 60 * MINUTE_MS);
    await textWith(world, cardOf(opened), ', overdue');
    await ask(world, 'oncall', 'note eight hours later', room);
    expect(await pushed()).toEqual(before);
    await ask(world, 'oncall', 'update it is calm again', room);
    await textWith(world, cardOf(opened), 'Last update: it is calm again');
    const all = await notices(room);
    for (const said of [asked, 'Update: Only refunds', 'Nobody has said'])
      expect(all.filter((text) => text.includes(said))).toHaveLength(1);
    await ask(world, 'oncall', 'decline end of the test', room);
  });

  it('obeys the matrix in the configuration', async () => {
    await world.stopBot();
    await reconfigure(world, (config) => {
      config['who_may'] = { update: [world.slack.userId('comms')], resolve: ['anyone'] };
    });
    await world.restart();
    const opened = await declared(`sev3 quality ${SERVICE} last one`);
    const { room } = opened;
    const said = await ask(world, 'product', 'update I think', room);
    expect(said).toContain(`Who may: ${mention('comms')}.`);
    expect(await ask(world, 'comms', 'update we know', room)).toContain('Everybody in the room reads it.');
    await textWith(world, cardOf(opened), 'Last update: we know');
    expect(await ask(world, 'product', 'resolve', room)).toContain('is resolved');
  });
});
