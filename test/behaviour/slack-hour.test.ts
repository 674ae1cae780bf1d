import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SlackFault } from '../../src/demo/slack/slack-faults.ts';
import { allDone, checkAllSaid } from '../harness/all-said.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendGoodDay, sendVerdicts } from '../harness/exact-calls.ts';
import { openedAbout } from '../harness/opened.ts';
import {
  ask,
  declareIncident,
  membersWith,
  messageWith,
  press,
  proposeIn,
  roomWith,
  textWith,
} from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';

const MINUTE_MS = 60_000;
/** Slack's back-offs end within a minute, and a loaded machine is slow. */
const CAUGHT_UP_MS = 150_000;
const FIRING = 'search-answers';

const startHere = () =>
  startConfigured(
    (config) => {
      config['poll_seconds'] = 300;
      config.services[FIRING] = { pagerduty: { service: 'PSVC1', escalation_policy: 'PPOL1' } };
      config.services[SERVICE]?.approvers?.push('S0DUTY');
    },
    { usergroups: [{ id: 'S0DUTY', handle: 'duty', users: ['product', 'comms'] }] },
  );

describe('an hour without Slack', { timeout: 300_000 }, () => {
  let world: World;
  beforeAll(async () => {
    world = await startHere();
  });
  afterAll(() => world.close());

  const declared = async (who: string, text: string) =>
    Number(/INC-(\d+)/.exec(await ask(world, who, text))?.[1]);
  const minutes = async (count: number) => {
    for (let passed = 0; passed < count; passed += 5) await world.advance(5 * MINUTE_MS);
  };
  /** Every method fails that way from now on; returns what waits until these methods were called and suffered it. */
  const failing = (fault: Omit<SlackFault, 'method' | 'times'>) => {
    world.slack.clearFaults();
    const before = world.slack.calls.length;
    world.slack.fault({ method: '*', times: Number.POSITIVE_INFINITY, ...fault });
    const suffered = (method: string, channel?: string) =>
      world.slack.calls
        .slice(before)
        .some(
          (call) =>
            call.status !== 200 &&
            (method === '*' || call.method === method) &&
            (channel === undefined || call.args['channel'] === channel),
        );
    return (method = '*', channel?: string) =>
      world.slack.waitFor(
        `a call of ${method} that suffers ${fault.kind}`,
        () => suffered(method, channel),
        CAUGHT_UP_MS,
      );
  };
  const pageOf = (id: number) =>
    world.slack.waitFor(`the page of INC-${id}`, () =>
      world.pagerduty.incidents.find(({ title }) => title.startsWith(`INC-${id} `)),
    );

  it('holds up no page, vote, run or clock, and ends with every message there once and in order', async () => {
    await sendGoodDay(world, { service: FIRING });
    world.service.promptRegression();
    const before = await declareIncident(world, `sev1 quality ${SERVICE} began before`);
    const quiet = await declareIncident(world, `sev3 cost ${SERVICE} nothing happens here`);
    const proposal = await proposeIn(world, before.room, { wanted: 'prompt answer=v13' });
    await allDone(world, CAUGHT_UP_MS);

    // What is asked is done, and the answer is lost.
    const lost = failing({ kind: 'reset' });
    expect(await ask(world, 'oncall', 'mitigate prompt answer=v12', quiet.room)).toContain('Proposed: ');
    const during = await declared('product', `declare sev1 outage ${SERVICE} declared during it`);
    await pageOf(during);
    await minutes(10);
    await lost('chat.postMessage', quiet.room);
    await lost('conversations.create');

    const broken = failing({ kind: '500' });
    expect(await press(world, 'approver', { on: proposal, action: 'approve' })).toContain('pproved');
    await world.slack.waitFor('the effect', () => world.service.effects.at(0));
    await sendVerdicts(world, { service: FIRING, n: 100, good: 40 });
    await world.advance(0);
    const [fired = 0] = await openedAbout(world, FIRING);
    expect(await ask(world, 'oncall', 'update v13 is served again.', before.room)).not.toBe('');
    await minutes(20);
    await pageOf(fired);
    await broken();

    const cut = failing({ kind: 'cut' });
    expect(await ask(world, 'oncall', 'mitigate disable', before.room)).toContain('Proposed: ');
    await minutes(15);
    await cut();

    const limited = failing({ kind: '429', retryAfterSeconds: 6 });
    expect(await ask(world, 'oncall', 'resolve v13 is served again', before.room)).toContain('resolved');
    await minutes(15);
    await limited();
    const late = await declared('lead', `declare sev3 cost ${SERVICE} declared at the end of it`);

    world.slack.clearFaults();
    await allDone(world, CAUGHT_UP_MS);
    await textWith(world, { room: before.room, key: `card:${before.id}` }, 'Resolved');
    const room = await roomWith(world, `card:${during}`);
    await textWith(world, { room, key: `card:${during}` }, 'Paged: PagerDuty');
    await membersWith(world, room, ['approver', 'comms', 'oncall']);
    const files = await world.slack.files(before.room);
    expect(files.filter(({ name }) => name === 'postmortem.md')).toHaveLength(1);
    const said = await checkAllSaid(world);
    expect([...said.keys()]).toEqual([before.id, quiet.id, during, fired, late]);
    for (const id of [during, fired]) expect(said.get(id)).toContain(`opened:${id}`);
    const first = said.get(before.id) ?? [];
    expect(first.indexOf('proposal:1')).toBeLessThan(first.indexOf('receipt:1'));
  });

  it('comes through a storm of rate limits the same way', async () => {
    await world.restart();
    const [fired = 0] = await openedAbout(world, FIRING);
    const room = await roomWith(world, `card:${fired}`);
    const since = world.slack.calls.length;
    const limit = { kind: '429', retryAfterSeconds: 1 } as const;
    // A room that is made and not yet noted down, people and groups that are looked up, the second of two files.
    for (const method of ['conversations.setTopic', 'users.lookupByEmail', 'usergroups.users.list'])
      world.slack.fault({ ...limit, method, times: 6 });
    world.slack.fault({ ...limit, method: 'files.getUploadURLExternal', every: 2 });
    for (const [every, retryAfterSeconds] of [[2, 1] as const, [3, 2] as const, [5, 3] as const])
      world.slack.fault({ ...limit, method: '*', every, retryAfterSeconds, times: 8 });
    const first = await declared('product', `declare sev1 quality ${SERVICE} declared in the storm`);
    const second = await declared('product', `declare sev3 cost ${SERVICE} declared in it as well`);
    await ask(world, 'oncall', 'resolve the index is back', room);
    const open = await roomWith(world, `card:${first}`, CAUGHT_UP_MS);
    for (const text of ['mitigate prompt answer=v12', 'update It is looked at.', 'mitigate disable'])
      await ask(world, 'oncall', text, open);
    await world.advance(5 * MINUTE_MS);
    await allDone(world, CAUGHT_UP_MS);
    const opened = await messageWith(world, open, `opened:${first}`);
    expect(blocksText(opened)).toContain(`<@${world.slack.userId('oncall')}> `);
    await membersWith(world, await roomWith(world, `card:${second}`), ['approver', 'comms']);
    const refused = world.slack.calls.slice(since).filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(20);
    const names = (await world.slack.files(room)).map(({ name }) => name).sort();
    expect(names.filter((name) => !name.endsWith('.png'))).toEqual(['evals.yaml', 'postmortem.md']);
    await checkAllSaid(world);
  });

  it('pages at once, however many rooms wait for a Slack that hangs', async () => {
    await world.restart();
    world.slack.fault({ method: '*', kind: 'hang', times: Number.POSITIVE_INFINITY });
    const incidents: number[] = [];
    for (let nth = 1; nth <= 8; nth += 1)
      incidents.push(await declared('product', `declare sev1 outage ${SERVICE} hangs, ${nth}`));
    await Promise.all(incidents.map(pageOf));
    world.slack.clearFaults();
  });
});
