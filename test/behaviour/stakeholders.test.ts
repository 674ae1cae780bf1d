import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask, declareIncident, type Opened, press, textsOf, textWith } from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';
import { type SlackGate, standBefore } from '../harness/slack-gate.ts';

const MINUTE_MS = 60_000;
const GROUP = 'S0COMPLIANCE';
const user = (id: string, name: string) => ({ id, name, email: `${name}@example.test` });
const ACCOUNT = { users: [user('PLEGAL', 'legal'), user('PCOMMS', 'comms'), user('PNEXT', 'approver')] };

describe('stakeholders', () => {
  let world: World;
  let gate: SlackGate;
  beforeAll(async () => {
    world = await startConfigured(
      async (config, starting) => {
        const id = (name: string) => starting.slack.userId(name);
        gate = await standBefore(starting);
        gate.groups.set(GROUP, [id('compliance'), id('product')]);
        Object.assign(config.contacts, {
          legal: [id('legal')],
          compliance: [GROUP],
          comms: [id('comms'), id('approver')],
          product: [id('product')],
        });
        config['product_sla_minutes'] = { sev2: 40 };
      },
      { account: ACCOUNT },
    );
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
  });

  const asked = ({ id }: Opened, role: string, who: string, wanted: string | RegExp = 'needs you') =>
    world.slack.waitFor(`a message to ${who}`, async () =>
      (await world.slack.directMessages(who)).find(
        (one) => keyOf(one)?.startsWith(`ask:${id}:${role}:`) && blocksText(one).search(wanted) >= 0,
      ),
    );
  const card = ({ id, room }: Opened) => ({ room, key: `card:${id}` });
  const rung = (id: string) => world.pagerduty.notifications.filter((one) => one.user.id === id).length;
  const ringing = (id: string, times: number) =>
    world.slack.waitFor(`${id} to ring`, () => (rung(id) >= times ? true : undefined));
  const noticeSaying = ({ room }: Opened, wanted: RegExp) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await textsOf(world, room, 'notice')).find((text) => wanted.test(text)),
    );
  let incident: Opened;
  let ofLegal: SlackMessage;

  it('are-asked-at-once-by-a-message-that-holds-a-link-and-no-detail', async () => {
    incident = await declareIncident(world, `safety ${SERVICE} card numbers leaked`);
    ofLegal = await asked(incident, 'legal', 'legal');
    const messages = [
      ofLegal,
      await asked(incident, 'compliance', 'compliance'),
      await asked(incident, 'compliance', 'product'),
      await asked(incident, 'comms', 'comms'),
    ];
    for (const message of messages) {
      const said = `${message.text} ${blocksText(message)}`;
      expect(said).toContain(`slack.com/app_redirect?channel=${incident.room}`);
      expect(said).not.toMatch(/leaked|card numbers|support|safety|sev1/i);
    }
    await textWith(world, card(incident), /Stakeholders: legal due .* · compliance due .* · comms due /);
    expect(await world.slack.directMessages('approver')).toEqual([]);
  });

  it('acknowledge-by-the-button-or-in-words-and-nobody-does-it-for-them', async () => {
    const button = { on: ofLegal, action: 'stakeholder_ack' };
    const refused = await press(world, 'oncall', button);
    expect(refused).toMatch(/You are no contact for it\. Who may: <@\w+>\. Nothing was changed\./);
    const forged = `${incident.id}:comms`;
    expect(await press(world, 'legal', { ...button, value: forged })).toContain('You are no contact');
    expect(await press(world, 'legal', button)).toBe(`You acknowledged INC-${incident.id} for legal.`);
    await world.slack.replay();
    expect(await press(world, 'legal', button)).toContain(`INC-${incident.id} was acknowledged for legal by`);
    await asked(incident, 'legal', 'legal', 'Acknowledged by');
    expect(await ask(world, 'oncall', 'ack', incident.room)).toContain('You are no contact');
    expect(await ask(world, 'product', `ack compliance INC-${incident.id}`)).toBe(
      `You acknowledged INC-${incident.id} for compliance.`,
    );
    await asked(incident, 'compliance', 'compliance', 'Acknowledged by');
    const shown = await textWith(world, card(incident), /compliance <@/);
    expect(shown).toContain(`legal <@${world.slack.userId('legal')}>`);
  });

  it('are-paged-at-ten-minutes-and-the-next-contact-at-twenty-across-restarts', async () => {
    await world.advance(9 * MINUTE_MS);
    expect(rung('PCOMMS')).toBe(0);
    await world.restart();
    await world.advance(MINUTE_MS);
    await ringing('PCOMMS', 1);
    await noticeSaying(incident, /is not acknowledged by comms after 10 minutes/);
    await world.advance(10 * MINUTE_MS);
    await asked(incident, 'comms', 'approver');
    await ringing('PNEXT', 1);
    expect(rung('PCOMMS')).toBe(1);
    expect(rung('PLEGAL')).toBe(0);
    const sent = JSON.stringify(world.pagerduty.calls.map(({ body }) => body));
    expect(sent).not.toMatch(/leaked|card numbers/);
  });

  it('breach-on-record-at-thirty-and-a-late-answer-does-not-lift-it', async () => {
    await world.advance(10 * MINUTE_MS);
    const told = await noticeSaying(incident, /did not acknowledge INC-\d+ within 30 minutes/);
    expect(told).toContain(`<@${world.slack.userId('comms')}> <@${world.slack.userId('approver')}>`);
    await textWith(world, card(incident), 'comms breached');
    const late = await asked(incident, 'comms', 'approver', 'Not acknowledged');
    expect(await press(world, 'approver', { on: late, action: 'stakeholder_ack' })).toContain('for comms');
    await textWith(world, card(incident), /comms <@\w+> .*\(late\)/);
    await world.advance(60 * MINUTE_MS);
    const breaches = (await textsOf(world, incident.room, 'notice')).filter((one) =>
      /breach is on/.test(one),
    );
    expect(breaches).toHaveLength(1);
  });

  it('of-a-quality-incident-are-product-within-its-own-window-and-no-phone-rings', async () => {
    const quality = await declareIncident(world, `sev2 quality ${SERVICE} prices are wrong`);
    const message = await asked(quality, 'product', 'product');
    expect(blocksText(message)).toContain('SEV2 quality · support-answers · production: prices are wrong');
    const before = world.pagerduty.notifications.length;
    await world.advance(40 * MINUTE_MS);
    await noticeSaying(quality, /product did not acknowledge INC-\d+ within 40 minutes/);
    expect(world.pagerduty.notifications.length).toBe(before);
    await ask(world, 'oncall', 'resolve well again', quality.room);
    const none = await declareIncident(world, `sev2 quality ${SERVICE} nothing at all`);
    await asked(none, 'product', 'product');
    await ask(world, 'lead', 'decline it was a test', none.room);
    await world.advance(60 * MINUTE_MS);
    await asked(none, 'product', 'product', 'nothing is asked of you any more');
    expect((await textsOf(world, none.room, 'notice')).join()).not.toContain('did not acknowledge');
  });
});
