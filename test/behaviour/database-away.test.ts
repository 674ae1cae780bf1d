import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { toTraces } from '../../src/demo/service/otlp-calls.ts';
import { SERVICE, startWorld, TOKEN, type World } from '../harness/bot.ts';
import { reconfigure } from '../harness/configured.ts';
import { callsWith } from '../harness/exact-calls.ts';
import { ask, declareIncident, textWith } from '../harness/people.ts';
import { startTcpGate, type TcpGate } from '../harness/tcp-gate.ts';

const SLOW_MS = 40_000;
const title = 'a bot whose database goes away';

describe('a bot whose database is there', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  it('says that it lives and that it is ready', async () => {
    const healthy = await fetch(`${world.url}/healthz`);
    expect([healthy.status, await healthy.json()]).toEqual([200, { status: 'ok' }]);
    const ready = await fetch(`${world.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });
});

if (inject('testDatabaseUrl') === '')
  console.log(`not run on the embedded database, which cannot go away without the bot: ${title}`);
else
  describe(title, { timeout: 120_000 }, () => {
    let world: World;
    let gate: TcpGate;
    let child: ChildProcess;
    beforeAll(async () => {
      world = await startWorld({ start: false });
      await reconfigure(world, (config) => {
        const serving = { model: 'm-1', fallback: { mode: 'cached' } };
        config.services['served'] = { target: { type: 'built-in' }, serving } as never;
      });
      const url = new URL(world.env['DATABASE_URL'] as string);
      gate = await startTcpGate({ host: url.hostname, port: Number(url.port || 5432) });
      url.hostname = '127.0.0.1';
      url.port = String(gate.port);
      world.env['DATABASE_URL'] = url.toString();
      child = await world.spawn();
    });
    afterAll(async () => {
      gate.restore();
      await world.close();
      await gate.close();
    });

    const ready = async () => {
      const answer = await fetch(`${world.url}/readyz`);
      return { status: answer.status, body: await answer.json() };
    };
    const isReady = () =>
      world.slack.waitFor('readiness', async () => (await ready()).status === 200, SLOW_MS);
    const command = (text: string) => world.slack.as('oncall').command(text);
    const served = async () => {
      const answer = await fetch(`${world.url}/ofrep/v1/evaluate/flags/served`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ context: { targetingKey: 'u-1' } }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    const sendTraces = () =>
      fetch(`${world.url}/v1/traces`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(toTraces(callsWith(new Date(), { service: SERVICE, n: 1, good: 1 }))),
      });

    it.each([
      ['cut off', 'cut'],
      ['stuck', 'hold'],
    ] as const)('answers 503 while its connections are %s, and works again after', async (_what, how) => {
      const { id, room } = await declareIncident(world, `sev3 quality ${SERVICE} before it was ${how}`);
      gate[how]();
      expect(await ready()).toEqual({ status: 503, body: { status: 'not ready', down: ['database'] } });
      expect((await fetch(`${world.url}/healthz`)).status).toBe(200);
      expect(await served()).toMatchObject({
        status: 200,
        body: { key: 'served', value: { enabled: true, model: 'm-1', fallback: { mode: 'cached' } } },
      });
      expect((await command(`declare sev3 quality ${SERVICE} while it was ${how}`)).status).toBe(503);
      const sent = await sendTraces();
      expect([sent.status, await sent.json()]).toEqual([
        503,
        { error: 'the calls could not be stored; send them again' },
      ]);
      gate.restore();
      await isReady();
      expect((await sendTraces()).status).toBe(200);
      expect(await ask(world, 'oncall', 'contain by hand', room)).toBe(`INC-${id} is recorded as contained.`);
      await textWith(world, { room, key: `card:${id}` }, 'Contained:', SLOW_MS);
      expect(await ask(world, 'oncall', 'list')).not.toContain(`while it was ${how}`);
    });

    it('takes what Slack sends again after the 503, once', async () => {
      gate.cut();
      expect((await command(`declare sev3 cost ${SERVICE} sent again`)).status).toBe(503);
      const refused = world.slack.sent.at(-1);
      gate.restore();
      await isReady();
      for (let time = 0; time < 2; time += 1) expect((await world.slack.replay(refused)).status).toBe(200);
      const list = await world.slack.waitFor('the incident', async () => {
        const said = await ask(world, 'oncall', 'list');
        return said.includes('sent again') ? said : undefined;
      });
      expect(list.split('sent again')).toHaveLength(2);
    });

    it('stays up when connections are cut again and again in the middle of its work', async () => {
      for (let round = 0; round < 10; round += 1) {
        const atWork = Array.from({ length: 10 }, () => sendTraces().catch(() => undefined));
        const commands = Array.from({ length: 5 }, (_, index) =>
          command(`declare sev3 cost ${SERVICE} round ${round} number ${index}`).catch(() => undefined),
        );
        gate.cut();
        await Promise.all([...atWork, ...commands]);
        gate.restore();
        await isReady();
      }
      expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    });
  });
