import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { freePort } from '../../src/demo/story/story-bot.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  AFTER_A_CRASH_MS,
  ask,
  declareIncident,
  lastVote,
  messageWith,
  type Opened,
  proposeIn,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';

const MINUTE_MS = 60_000;
const title = 'two replicas on one database';

const isEmbedded = inject('testDatabaseUrl') === '';
if (isEmbedded) console.log(`SKIPPED on the embedded database, which serves one process: ${title}`);

describe.skipIf(isEmbedded)(title, { timeout: 120_000 }, () => {
  let world: World;
  let gate: TargetGate;
  let incident: Opened;
  let first: ChildProcess;
  let second: ChildProcess;
  let secondUrl: string;
  let folder: string;
  beforeAll(async () => {
    gate = await startTargetGate(() => world.service.controlUrl);
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      const target = config.services[SERVICE]?.target;
      if (target) target.url = gate.url;
    });
    first = await world.spawn();
    folder = mkdtempSync(join(tmpdir(), 'llm-incident-second-'));
    const port = await freePort();
    secondUrl = `http://127.0.0.1:${port}`;
    const main = join(import.meta.dirname, '../../src/main.ts');
    const env = { ...world.env, PATH: process.env['PATH'], PORT: String(port), DATA_DIR: folder };
    second = spawn(process.execPath, [main], { env, stdio: 'inherit' });
    await isReady(secondUrl);
  });
  afterAll(async () => {
    await ended(second);
    await world.close();
    await gate.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  const isReady = (url: string) =>
    world.slack.waitFor(
      `${url} to be ready`,
      () =>
        fetch(`${url}/readyz`).then(
          (answer) => answer.ok,
          () => false,
        ),
      AFTER_A_CRASH_MS,
    );
  const other = () => (world.service.state().prompt === 'v13' ? 'v12' : 'v13');
  const proposed = () => proposeIn(world, incident.room, { wanted: `prompt answer=${other()}` });
  const keyed = (proposal: SlackMessage, kind = 'proposal') => ({
    room: incident.room,
    key: (keyOf(proposal) ?? '').replace('proposal', kind),
  });
  const changes = () => gate.requests.filter(({ method }) => method === 'POST').length;
  const posted = async (proposal: SlackMessage, kind: string) => {
    const { key } = keyed(proposal, kind);
    return (await world.slack.messages(incident.room)).filter((one) => keyOf(one) === key).length;
  };
  const trailOf = async (proposal: SlackMessage) => {
    const { db, close } = await world.database.open();
    const subject = `mitigation ${(keyOf(proposal) ?? '').split(':')[1]}`;
    const rows = await db.selectFrom('audit').select('action').where('subject', '=', subject).execute();
    await close();
    return rows.map(({ action }) => action);
  };
  /** The click of each person reaches both replicas, all four deliveries at once. */
  const clickAtBoth = async (people: string[], on: SlackMessage) => {
    // Nobody listens there, so each click is made and signed, and has arrived nowhere yet.
    world.slack.connect('http://127.0.0.1:9/');
    for (const who of people) await world.slack.as(who).click(on, 'approve');
    world.slack.connect(`${world.url}/slack/events`);
    const clicks = world.slack.sent.slice(-people.length);
    const urls = [world.url, secondUrl].map((url) => `${url}/slack/events`);
    const sent = clicks.flatMap((click) => urls.map((url) => world.slack.replay({ ...click, url })));
    for (const { status } of await Promise.all(sent)) expect(status).toBe(200);
  };

  it('count each click once and run the plan once, whoever takes which', async () => {
    for (let round = 0; round < 3; round += 1) {
      const proposal = await proposed();
      const [before, effects] = [changes(), world.service.effects.length];
      await clickAtBoth(['approver', 'lead'], proposal);
      await textWith(world, keyed(proposal), 'Applied');
      await textWith(world, keyed(proposal, 'receipt'), 'Read-back: ');
      expect([changes() - before, world.service.effects.length - effects]).toEqual([1, 1]);
      expect([await posted(proposal, 'proposal'), await posted(proposal, 'receipt')]).toEqual([1, 1]);
      const trail = await trailOf(proposal);
      expect(trail.filter((action) => action === 'mitigation.approve')).toHaveLength(2);
      expect(trail.filter((action) => action === 'mitigation.applied')).toHaveLength(1);
    }
  });

  it('expire a proposal once, when both look at the same time', async () => {
    const proposal = await proposed();
    await Promise.all(
      [world.url, secondUrl].map((url) =>
        fetch(`${url}/test/clock`, {
          method: 'POST',
          body: JSON.stringify({ advance_ms: 8 * MINUTE_MS }),
        }),
      ),
    );
    await textWith(world, keyed(proposal), 'Expired.');
    await ask(world, 'oncall', 'status', incident.room);
    const { db, close } = await world.database.open();
    const events = await db
      .selectFrom('incident_event')
      .select('text')
      .where('kind', '=', 'expired')
      .where('incident_id', '=', incident.id)
      .execute();
    await close();
    expect(events).toHaveLength(1);
    const called = async () =>
      (await world.slack.messages(incident.room)).filter((one) =>
        blocksText(one).includes('is not contained after'),
      );
    await world.slack.waitFor('the call', async () => (await called()).length > 0);
    const said = await called();
    expect(said).toHaveLength(1);
  });

  it('do it once when the one that runs it stands still, the other takes over, and the first wakes up', async () => {
    const proposal = await proposed();
    const [before, effects] = [changes(), world.service.effects.length];
    const vote = await lastVote(world, proposal, ['approver', 'lead']);
    gate.next('GET', { kind: 'none' });
    gate.next('GET', { kind: 'hold-answer' });
    await vote();
    await gate.held();
    const runner = await holderOf(world);
    const [still, awake] = runner === first.pid ? [first, second] : [second, first];
    still.kill('SIGSTOP');
    if (awake === second) world.slack.connect(`${secondUrl}/slack/events`);
    await textWith(world, keyed(proposal, 'receipt'), 'Read-back: ', AFTER_A_CRASH_MS);
    expect([changes() - before, world.service.effects.length - effects]).toEqual([1, 1]);
    still.kill('SIGCONT');
    gate.release();
    await isReady(world.url);
    world.slack.connect(`${world.url}/slack/events`);
    await messageWith(world, incident.room, keyed(proposal).key);
    await ask(world, 'oncall', 'status', incident.room);
    await settled(world);
    expect(world.service.effects.length - effects).toBe(1);
    const ends = (await trailOf(proposal)).filter((action) => !/proposed|approve/.test(action));
    expect(ends).toEqual(['mitigation.applied']);
    expect(await posted(proposal, 'receipt')).toBe(1);
  });
});

/** The process that holds the run: job owners begin with the process id. */
async function holderOf(world: World): Promise<number> {
  const { db, close } = await world.database.open();
  const row = await db
    .selectFrom('job')
    .select('held_by')
    .where('kind', '=', 'run-mitigation')
    .where('state', '=', 'ready')
    .executeTakeFirstOrThrow();
  await close();
  return Number(row.held_by?.split('-')[0]);
}

/** Until no job waits or runs. */
async function settled(world: World): Promise<void> {
  const { db, close } = await world.database.open();
  const open = async () =>
    (
      await db
        .selectFrom('job')
        .select('id')
        .where('state', '=', 'ready')
        .where('held_by', 'is not', null)
        .execute()
    ).length === 0;
  await world.slack.waitFor('every job', open, AFTER_A_CRASH_MS);
  await close();
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
