import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { ask, declareIncident, messageWith, type Opened, press } from '../harness/people.ts';

const RETRY_MS = 40_000;

describe('what two people do at the same moment', { timeout: 90_000 }, () => {
  let world: World;
  beforeAll(async () => {
    const account = { users: [{ id: 'PUSR2', name: 'Approver', email: 'approver@example.test' }] };
    world = await startWorld({ account });
  });
  afterAll(() => world.close());

  const declared = (text: string) => declareIncident(world, text);
  const timelineOf = ({ room }: Opened) => ask(world, 'oncall', 'timeline', room);

  it('nothing-is-done-for-an-incident-once-it-has-ended', async () => {
    const approver = `<@${world.slack.userId('approver')}>`;
    const rivals = ['severity sev1', 'page', `page ${approver} help`, 'contain off', 'update we know'];
    const ended: number[] = [];
    for (const [index, rival] of rivals.entries()) {
      const incident = await declared(`sev3 cost ${SERVICE} race ${index}`);
      const end = index % 2 === 0 ? 'resolve done' : 'decline nothing';
      await Promise.all([ask(world, 'oncall', end, incident.room), ask(world, 'lead', rival, incident.room)]);
      ended.push(incident.id);
    }
    const taken = await declared(`sev3 cost ${SERVICE} race to take it`);
    const card = await messageWith(world, taken.room, `card:${taken.id}`);
    await Promise.all([
      ask(world, 'oncall', 'resolve done', taken.room),
      press(world, 'lead', { on: card, action: 'acknowledge' }),
    ]);
    ended.push(taken.id);
    await world.stopBot();
    const { db, close } = await world.database.open();
    const events = await db
      .selectFrom('incident_event')
      .select(['incident_id', 'kind'])
      .where('incident_id', 'in', ended)
      .orderBy('id')
      .execute();
    await close();
    await world.restart();
    const does = ['severity', 'page', 'contained', 'update', 'acknowledged'];
    for (const id of ended) {
      const kinds = events.filter((one) => one.incident_id === id).map(({ kind }) => kind);
      const end = kinds.findIndex((kind) => kind === 'resolved' || kind === 'declined');
      expect(end).toBeGreaterThan(0);
      expect(kinds.slice(end).filter((kind) => does.includes(kind))).toEqual([]);
    }
  });

  it('of-two-severities-one-is-set-and-the-other-is-asked-again', async () => {
    const incident = await declared(`sev2 quality ${SERVICE} two severities`);
    const said = await Promise.all([
      ask(world, 'oncall', 'severity sev1', incident.room),
      ask(world, 'lead', 'severity sev3', incident.room),
    ]);
    const changes = (await timelineOf(incident)).match(/Severity sev\d → sev\d/g) ?? [];
    expect(changes[0]).toMatch(/^Severity sev2 → /);
    const won = changes[0]?.slice(-4);
    if (changes.length === 1) {
      expect(said.find((text) => text.includes('meanwhile'))).toContain(`Somebody has made it ${won}`);
    } else expect(changes[1]).toMatch(new RegExp(`^Severity ${won} → `));
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('who-says-on-it-after-another-took-command-does-not-command', async () => {
    const incident = await declared(`sev2 quality ${SERVICE} commanded already`);
    await ask(world, 'oncall', 'role commander', incident.room);
    const card = await messageWith(world, incident.room, `card:${incident.id}`);
    await press(world, 'approver', { on: card, action: 'acknowledge' });
    const shown = await timelineOf(incident);
    expect(shown).toContain('Acknowledged.');
    expect(shown).not.toContain('commands the incident');
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('a-drill-pages-nobody-by-hand-either', async () => {
    const incident = await declared(`sev3 outage ${SERVICE} a drill`);
    await world.stopBot();
    const { db, close } = await world.database.open();
    await db.updateTable('incident').set({ drill: true }).where('id', '=', incident.id).execute();
    await close();
    await world.restart();
    expect(await ask(world, 'oncall', 'page', incident.room)).toBe('This is a drill; drills page nobody.');
    await ask(world, 'oncall', 'decline over', incident.room);
  });

  it('what-was-over-before-pagerduty-came-back-pages-nobody', async () => {
    const before = world.pagerduty.incidents.length;
    world.pagerduty.fault({ kind: '500', path: '/incidents', method: 'POST', times: 10_000 });
    const incident = await declared(`sev1 cost ${SERVICE} nobody answers`);
    await ask(world, 'oncall', `page <@${world.slack.userId('approver')}> help`, incident.room);
    const tried = () =>
      world.pagerduty.calls.some(({ method, path }) => method === 'POST' && path === '/incidents');
    await world.slack.waitFor('a page in vain', () => tried() || undefined);
    await ask(world, 'oncall', 'decline it was nothing', incident.room);
    const both = async () =>
      (await timelineOf(incident)).match(/it was over before PagerDuty could be reached/g)?.length === 2;
    await world.slack.waitFor('both to be given up', async () => (await both()) || undefined, RETRY_MS);
    world.pagerduty.clearFaults();
    await world.now();
    expect(world.pagerduty.incidents).toHaveLength(before);
  });
});
