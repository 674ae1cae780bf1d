import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendMade } from '../harness/made-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, messageWith, type Opened, press, proposeIn, textsOf, textWith } from '../harness/people.ts';
import { oneMoreService } from '../harness/services.ts';

const MINUTE_MS = 60_000;
const PAGERDUTY = { service: 'PSVC1', escalation_policy: 'PPOL1' };

type Each = (index: number) => Partial<EmittedCall>;
/** So many of a hundred calls fail. */
const failing =
  (percent: number): Each =>
  (i) =>
    i % 100 < percent ? { error: 'timeout' } : {};
/** $750 an hour, two thirds of it one user's. */
const expensive: Each = (i) => ({ costUsd: 0.5, user: i % 3 === 0 ? `user-${i}` : 'user-7' });

describe('what a rule that fires sets off', { timeout: 120_000 }, () => {
  let world: World;
  const services = new Map<string, SimulatedService>();
  beforeAll(async () => {
    world = await startConfigured(async (config, started) => {
      config['poll_seconds'] = 300;
      config['rules'] = {
        'cost.spend': { environments: { staging: { threshold: 5_000 } } },
        'outage.errors': { environments: { staging: { threshold: 0.5 } } },
      };
      const entries = config.services as Record<string, object>;
      const errors = (changes: object) => ({
        pagerduty: PAGERDUTY,
        rules: { 'outage.errors': changes, 'cost.spend': { enabled: false } },
      });
      entries['spends'] = { pagerduty: PAGERDUTY };
      entries['may-throttle'] = { pagerduty: PAGERDUTY, standing_approvals: ['throttle-offender'] };
      entries['spends-evenly'] = { pagerduty: PAGERDUTY };
      for (const name of ['doubtful', 'certain', 'nobody-takes', 'somebody-takes'])
        entries[name] = errors({});
      entries['hurried'] = errors({ lead_after_minutes: 5 });
      entries['not-worth-a-page'] = errors({ sev1: { action: 'ticket' }, sev2: { action: 'ticket' } });
      entries['strict-in-staging'] = errors({ environments: { staging: { threshold: 0.1 } } });
      for (const name of ['resolved-too-soon', 'declined']) {
        entries[name] = errors({ cooldown_minutes: 2, quiet_minutes: 2 });
      }
      for (const [name, cooldown] of [
        ['again-soon', 30],
        ['again-later', 1],
      ] as const) {
        const { service, entry } = await oneMoreService(started, name);
        services.set(name, service);
        const quick = { window_minutes: 5, quiet_minutes: 2, cooldown_minutes: cooldown };
        entries[name] = { ...entry, pagerduty: PAGERDUTY, rules: { 'quality.score': quick } };
      }
    });
  });
  afterAll(async () => {
    await world.close();
    for (const service of services.values()) await service.close();
  });

  const poll = async (times = 3) => {
    for (let polls = 0; polls < times; polls += 1) await world.advance(15_000);
  };
  const liveAbout = async (service: string): Promise<Opened> => {
    const opened = await openedAbout(world, service);
    expect(opened, `incidents about ${service}`).toHaveLength(1);
    const id = opened[0] as number;
    return { id, room: await roomOfIncident(world, id) };
  };
  const cardOf = ({ id, room }: Opened) => ({ room, key: `card:${id}` });
  const opens = async (service: string, each: Each, minutes = 4) => {
    await sendMade(world, { service, n: 100, minutesAgo: { from: minutes, to: 0 }, each });
    await poll();
    return liveAbout(service);
  };
  const pagesOf = ({ id }: Opened) =>
    world.pagerduty.incidents.filter(({ title }) => title.startsWith(`INC-${id} `));
  const documentOf = async ({ room }: Opened, how: string) => {
    await ask(world, 'oncall', how, room);
    return world.slack.waitFor(
      'the post-mortem',
      async () => (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md')?.content,
    );
  };
  const noticesOf = ({ room }: Opened) => textsOf(world, room, 'notice');
  const noticeIn = (incident: Opened, wanted: string) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await noticesOf(incident)).find((text) => text.includes(wanted)),
    );
  const lead = () => `<@${world.slack.userId('lead')}>`;

  it('spend pages at once, and what it would remediate is written down with what stands in the way', async () => {
    const incident = await opens('spends', expensive, 14);
    expect(await textWith(world, cardOf(incident), 'Paged: PagerDuty')).toContain(
      'SEV1 cost · spends · PROD',
    );
    expect(pagesOf(incident)).toMatchObject([{ urgency: 'high' }]);
    expect(await documentOf(incident, 'resolve fixed')).toContain(
      'Remediation wanted by cost.spend: throttle user user-7. Not run: the service has no standing approval',
    );
  });

  it('names nobody when no one stands out, and says so', async () => {
    const incident = await opens(
      'spends-evenly',
      (i) => ({ costUsd: 0.5, endpoint: `endpoint-${i % 4}` }),
      14,
    );
    expect(await documentOf(incident, 'resolve fixed')).toContain(
      'throttle the offender. Not run: no single user or endpoint stands out.',
    );
  });

  it('runs nothing with a standing approval either while no target can, nor while automation is off', async () => {
    const first = await opens('may-throttle', expensive, 14);
    expect(await documentOf(first, 'resolve fixed')).toContain(
      'throttle user user-7. Not run: no target of this service can throttle',
    );
    world.env['LLM_INCIDENT_AUTOMATION'] = 'off';
    await world.restart();
    const service = 'not-configured-at-all';
    const incident = await opens(service, expensive, 14);
    expect(await documentOf(incident, 'resolve fixed')).toContain(
      'throttle user user-7. Not run: automation is switched off.',
    );
    delete world.env['LLM_INCIDENT_AUTOMATION'];
    await world.restart();
  });

  it('a doubtful error rate is a ticket, and one past its bound pages at once', async () => {
    const doubtful = await opens('doubtful', failing(6));
    const text = await textWith(world, cardOf(doubtful), 'nobody; a ticket is open: PagerDuty');
    expect(text).toContain('SEV2 outage · doubtful · PROD');
    expect(pagesOf(doubtful)).toMatchObject([{ urgency: 'low' }]);
    const certain = await opens('certain', failing(30));
    expect(await textWith(world, cardOf(certain), 'Paged: PagerDuty')).toContain('SEV1 outage');
    expect(pagesOf(certain)).toMatchObject([{ urgency: 'high', status: 'triggered' }]);
  });

  it('opens a ticket and pages nobody where the rule is set to that', async () => {
    const incident = await opens('not-worth-a-page', failing(30));
    const text = await textWith(world, cardOf(incident), 'nobody; a ticket is open: PagerDuty');
    expect(text).toContain('SEV1 outage · not-worth-a-page · PROD');
    expect(pagesOf(incident)).toMatchObject([{ urgency: 'low' }]);
  });

  it('tells the engineering lead once when nobody takes it, and not when somebody did', async () => {
    const taken = await opens('somebody-takes', failing(30));
    const card = await messageWith(world, taken.room, `card:${taken.id}`);
    await textWith(world, cardOf(taken), 'Paged: PagerDuty');
    await press(world, 'oncall', { on: card, action: 'acknowledge' });
    const left = await opens('nobody-takes', failing(30));
    const hurried = await opens('hurried', failing(30));
    await textWith(world, cardOf(hurried), 'Paged: PagerDuty');
    await world.advance(5 * MINUTE_MS);
    const early = await noticeIn(hurried, 'Nobody has acknowledged');
    expect(early).toBe(
      `${lead()} Nobody has acknowledged INC-${hurried.id} for 5 minutes. I'm on it on the card takes it.`,
    );
    expect((await noticesOf(left)).join('\n')).not.toContain('Nobody has acknowledged');
    for (let quarter = 0; quarter < 4; quarter += 1) await world.advance(5 * MINUTE_MS);
    expect(await noticeIn(left, 'Nobody has acknowledged')).toMatch(
      new RegExp(`^${lead()} INC-\\d+ is not contained after 20 minutes. Nobody has acknowledged it.`),
    );
    const counted = async (incident: Opened) =>
      (await noticesOf(incident)).filter((text) => text.includes('Nobody has acknowledged')).length;
    await noticeIn(taken, 'is not contained');
    expect([await counted(left), await counted(hurried), await counted(taken)]).toEqual([1, 2, 0]);
  });

  it('has other numbers for another environment, for all services and for one', async () => {
    const staging = (percent: number) => (i: number) => ({ environment: 'staging', ...failing(percent)(i) });
    await sendMade(world, { service: 'spends', n: 100, each: staging(30) });
    await sendMade(world, { service: 'strict-in-staging', n: 100, each: staging(30) });
    await poll();
    expect(await openedAbout(world, 'spends')).toEqual([]);
    const incident = await liveAbout('strict-in-staging');
    const text = await textWith(world, cardOf(incident), 'Error rate 30.0 % (10.0 % allowed');
    expect(text).toContain('only production pages');
    expect(pagesOf(incident)).toEqual([]);
  });

  it('joins the live incident within the cooldown without pushing a phone, and pushes it after', async () => {
    const pass = async (minutes: number, calls: number) => {
      const from = await world.now();
      const to = await world.advance(minutes * MINUTE_MS);
      for (const service of services.values()) await service.emit({ from, to, calls });
      await world.advance(0);
    };
    const breakBoth = () => services.forEach((service) => service.promptRegression());
    const to = await world.now();
    for (const service of services.values()) {
      await service.emit({ from: new Date(to.getTime() - 360 * MINUTE_MS), to, calls: 600 });
    }
    await world.advance(5 * MINUTE_MS);
    breakBoth();
    await pass(4, 200);
    const [soon, later] = [await liveAbout('again-soon'), await liveAbout('again-later')];
    for (const incident of [soon, later]) {
      const card = await messageWith(world, incident.room, `card:${incident.id}`);
      await press(world, 'oncall', { on: card, action: 'acknowledge' });
      const proposal = await proposeIn(world, incident.room, { wanted: 'prompt answer=v13' });
      await press(world, 'approver', { on: proposal, action: 'approve' });
      await textWith(world, cardOf(incident), 'Contained:');
    }
    await pass(6, 200);
    for (const incident of [soon, later]) await textWith(world, cardOf(incident), 'Mitigated:');
    for (let minute = 0; minute < 6; minute += 1) await pass(1, 40);
    expect(await ask(world, 'oncall', 'status')).not.toMatch(/again-\w+ quality\.score: (firing|recovering)/);
    const paged = [pagesOf(soon).length, pagesOf(later).length];
    breakBoth();
    await pass(4, 200);
    const commander = `<@${world.slack.userId('oncall')}>`;
    expect(await noticeIn(soon, 'It fires again')).toMatch(/^It fires again: Quality score /);
    expect(await noticeIn(later, 'It fires again')).toContain(`${commander} It fires again: Quality score `);
    expect([pagesOf(soon).length, pagesOf(later).length]).toEqual(paged);
    expect(await openedAbout(world, 'again-soon')).toEqual([soon.id]);
    expect(await openedAbout(world, 'again-later')).toEqual([later.id]);
  });

  it('opens a new one when it was resolved and goes on for a window and a cooldown, and none when it was declined', async () => {
    const resolved = await opens('resolved-too-soon', failing(30));
    const declined = await opens('declined', failing(30));
    expect(await ask(world, 'oncall', 'resolve it looked well', resolved.room)).toContain('resolved');
    await ask(world, 'oncall', 'decline a load test', declined.room);
    const goOn = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        await world.advance(MINUTE_MS);
        for (const service of ['resolved-too-soon', 'declined']) {
          await sendMade(world, {
            service,
            n: 40,
            minutesAgo: { from: 1, to: 0 },
            each: (i) => failing(30)(i * 2),
          });
        }
      }
    };
    await goOn(6);
    expect(await openedAbout(world, 'resolved-too-soon')).toEqual([]);
    await goOn(3);
    const again = await liveAbout('resolved-too-soon');
    expect(again.id).toBeGreaterThan(resolved.id);
    await textWith(world, cardOf(again), 'Paged: PagerDuty');
    await goOn(2);
    expect(await openedAbout(world, 'declined')).toEqual([]);
    expect(await openedAbout(world, 'resolved-too-soon')).toEqual([again.id]);
  });
});
