import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../src/demo/loopback-server.ts';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  AFTER_A_CRASH_MS,
  ask,
  declareIncident,
  lastVote,
  messageWith,
  type Opened,
  press,
  proposeIn,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';
import type { VendorMishap } from '../harness/vendor-double.ts';
import { SECRETS, startVendorScenes, type VendorScene } from '../harness/vendor-scenes.ts';

const SLOW_MS = 45_000;

describe('every vendor as a target', { timeout: 180_000 }, () => {
  let world: World;
  let scenes: VendorScene[];
  let elsewhere: LoopbackServer;
  let visits = 0;
  const incidents = new Map<string, Opened>();
  beforeAll(async () => {
    elsewhere = await listenOnLoopback(async (_, response) => {
      visits += 1;
      response.end('{}');
    });
    scenes = await startVendorScenes();
    world = await startConfigured((config, { slack, env }) => {
      Object.assign(env, SECRETS);
      config['poll_seconds'] = 300;
      for (const { service, target } of scenes) {
        const people = { owner: slack.userId('lead'), approvers: [slack.userId('approver')] };
        config.services[service] = { ...people, target: target as never };
      }
    });
    for (const { service } of scenes) {
      const incident = await declareIncident(world, `sev3 quality ${service} answers look odd`);
      const card = await messageWith(world, incident.room, `card:${incident.id}`);
      await press(world, 'oncall', { on: card, action: 'acknowledge' });
      incidents.set(service, incident);
    }
  });
  afterAll(async () => {
    await world.close();
    for (const { double } of scenes) await double.close();
    await elsewhere.close();
  });

  const roomOf = ({ service }: VendorScene) => incidents.get(service)?.room ?? '';
  const isThere = (scene: VendorScene) => scene.served() === scene.is;
  const proposed = (scene: VendorScene, wanted = isThere(scene) ? scene.back : scene.there) =>
    proposeIn(world, roomOf(scene), { wanted });
  const approve = async (proposal: SlackMessage) => (await lastVote(world, proposal, ['approver', 'lead']))();
  const receiptOf = (scene: VendorScene, proposal: SlackMessage, wanted: string | RegExp) => {
    const key = (keyOf(proposal) ?? '').replace('proposal', 'receipt');
    return textWith(world, { room: roomOf(scene), key }, wanted, SLOW_MS);
  };

  interface Run {
    scene: VendorScene;
    proposal: SlackMessage;
    before: unknown;
    /** Changes that the vendor got because of it. */
    sent(): number;
  }
  /** Each vendor's next change suffers `mishap`; people propose and approve one after the other. */
  const runsWith = async (mishap: (scene: VendorScene) => VendorMishap | null): Promise<Run[]> => {
    const runs: Run[] = [];
    for (const scene of scenes) {
      const suffered = mishap(scene);
      if (suffered === null) continue;
      const changes = scene.double.changes().length;
      const before = scene.served();
      const proposal = await proposed(scene);
      scene.double.next('change', suffered);
      await approve(proposal);
      runs.push({ scene, proposal, before, sent: () => scene.double.changes().length - changes });
    }
    return runs;
  };
  const answering =
    (status: number, headers: Record<string, string> = {}) =>
    () =>
      ({ kind: 'answer', reply: { status, headers, body: { message: 'no' } } }) as const;
  /** Carried out: the read-back is on the receipt, the vendor serves the other value, after so many requests. */
  const areApplied = (runs: Run[], sent: number) =>
    Promise.all(
      runs.map(async ({ scene, proposal, before, ...run }) => {
        const text = await receiptOf(scene, proposal, /PROVING[\s\S]*Read-back: /);
        expect([scene.service, scene.served()]).toEqual([
          scene.service,
          before === scene.was ? scene.is : scene.was,
        ]);
        expect([scene.service, run.sent()]).toEqual([scene.service, sent]);
        return text;
      }),
    );
  /** Not carried out, after one request: the receipt and a message that pushes the commander's phone say why. */
  const haveFailed = (runs: Run[], why: RegExp, as = 'FAILED') =>
    Promise.all(
      runs.map(async ({ scene, proposal, before, ...run }) => {
        const text = await receiptOf(scene, proposal, as);
        expect(text).toMatch(why);
        expect([scene.service, scene.served(), run.sent()]).toEqual([scene.service, before, 1]);
        const calls = await world.slack.waitFor('the call for people', async () => {
          const said = (await textsOf(world, roomOf(scene), 'notice')).filter((one) => why.test(one));
          return said.length > 0 ? said : undefined;
        });
        expect(calls).toHaveLength(1);
        expect(calls[0]).toContain(`<@${world.slack.userId('oncall')}> ${as}`);
        for (const voter of ['approver', 'lead']) expect(calls[0]).not.toContain(world.slack.userId(voter));
      }),
    );

  it('carries it out once, reads it back, and takes it back', async () => {
    for (const scene of scenes) {
      const { double, was, is, served } = scene;
      expect(served()).toBe(was);
      const proposal = await proposed(scene);
      expect(double.changes()).toHaveLength(0);
      await approve(proposal);
      await receiptOf(scene, proposal, 'Read-back: ');
      expect([served(), double.changes().length]).toEqual([is, 1]);
      const undo = await proposed(scene, `undo ${keyOf(proposal)?.split(':')[1]}`);
      await approve(undo);
      await receiptOf(scene, proposal, 'TAKEN BACK');
      await receiptOf(scene, undo, 'Read-back: ');
      expect([served(), double.changes().length]).toEqual([was, 2]);
    }
  });

  it('fails, says why and calls the commander when the token is refused', async () => {
    await haveFailed(await runsWith(answering(401)), /The target refused: .* 401 .*check the token/);
  });

  it('fails on a conflict, or has one effect where a conflict passes', async () => {
    const runs = await runsWith(answering(409));
    await areApplied(
      runs.filter(({ scene }) => scene.conflictPasses),
      2,
    );
    await haveFailed(
      runs.filter(({ scene }) => !scene.conflictPasses),
      /The target refused: .* 409 /,
    );
  });

  it('follows no redirect', async () => {
    const runs = await runsWith(answering(307, { location: elsewhere.url }));
    await haveFailed(runs, /The target refused: .* 307 /);
    expect(visits).toBe(0);
  });

  it('asks a person, with what is served, when a success changed nothing yet', async () => {
    const runs = await runsWith(({ accepted }) =>
      accepted === undefined ? null : { kind: 'answer', reply: accepted },
    );
    await haveFailed(runs, /The target accepted the change, but its read-back still says /, 'STOPPED');
  });

  it('has one effect when it is told to wait', async () => {
    await areApplied(await runsWith(answering(429, { 'retry-after': '1' })), 2);
  });

  it('has one effect when the vendor is ill', async () => {
    await areApplied(await runsWith(answering(503)), 2);
  });

  it('has one effect, and sends nothing again, when the answer never comes', async () => {
    await areApplied(await runsWith(() => ({ kind: 'hang' })), 1);
  });

  it('proposes nothing while the vendor is away, and carries out what was approved when it is back', async () => {
    const runs: Run[] = [];
    for (const scene of scenes) {
      const changes = scene.double.changes().length;
      const before = scene.served();
      scene.double.away(true);
      const said = await ask(
        world,
        'oncall',
        `mitigate ${isThere(scene) ? scene.back : scene.there}`,
        roomOf(scene),
      );
      expect(said).toContain('The target could not be read, so nothing was proposed: ');
      scene.double.away(false);
      const proposal = await proposed(scene);
      scene.double.away(true);
      await approve(proposal);
      runs.push({ scene, proposal, before, sent: () => scene.double.changes().length - changes });
    }
    for (const { scene, sent } of runs) {
      expect([scene.served(), sent()]).toEqual([runs.find((run) => run.scene === scene)?.before, 0]);
      scene.double.away(false);
    }
    await areApplied(runs, 1);
  });

  it('has one effect when the bot is killed after the change and before the answer', async () => {
    let child: ChildProcess = await world.spawn();
    const runs = await runsWith(() => ({ kind: 'hang' }));
    for (const { scene, before } of runs)
      await world.slack.waitFor('the change', () => scene.served() !== before);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    child = await world.spawn();
    await world.slack.waitFor(
      'every receipt',
      async () => {
        await Promise.all(runs.map(({ scene, proposal }) => receiptOf(scene, proposal, 'Read-back: ')));
        return true;
      },
      AFTER_A_CRASH_MS + SLOW_MS,
    );
    await areApplied(runs, 1);
  });

  it('has settled every run once, on the audit trail too', async () => {
    await world.stopBot();
    const { db, close } = await world.database.open();
    const rows = await db.selectFrom('mitigation').select(['id', 'status']).execute();
    const trail = await db.selectFrom('audit').select(['subject', 'action']).execute();
    await close();
    expect(rows.length).toBeGreaterThan(8 * scenes.length);
    for (const { id, status } of rows) {
      const actions = trail.filter((row) => row.subject === `mitigation ${id}`).map((row) => row.action);
      const ends = actions.filter((action) => /\.(applied|failed|needs-human|stale)$/.test(action));
      expect([id, ends.length]).toEqual([id, 1]);
      // What a person had to look at may have been taken back by a later one.
      const wanted = ['failed', 'needs-human'].includes(status) ? status : '(applied|needs-human)';
      expect(`${id} ${ends[0]}`).toMatch(new RegExp(`^${id} mitigation\\.${wanted}$`));
    }
  });
});
