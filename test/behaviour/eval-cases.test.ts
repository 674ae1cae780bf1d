import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { DAY_BEFORE, sendMade } from '../harness/made-calls.ts';
import { type ModelEndpoint, startModelEndpoint } from '../harness/model-endpoint.ts';
import { ask, declareIncident, messageWith, type Opened, press } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

interface Exported {
  tests: {
    vars: { input: string };
    metadata: { proven: boolean; call: string; service: string; prompt: string };
    assert: { type: string; value: string }[];
  }[];
}

const GOOD = 'Within 14 days of delivery.\n[Refund]';

describe('eval cases that prove themselves', { timeout: 120_000 }, () => {
  let world: World;
  let model: ModelEndpoint;
  let incident: Opened;
  let ops = '';

  beforeAll(async () => {
    model = await startModelEndpoint();
    // What is served as v15 repeats the failure of v14.
    model.answerWith(({ body }) => {
      const { version } = body.prompt as unknown as { version: string };
      const output = version === 'v15' ? "I'm sorry, I cannot say." : GOOD;
      return { status: 200, body: { output } };
    });
    world = await startConfigured(async (config, { slack }) => {
      ops = (await slack.channel('general')).id;
      await slack.as('lead').inviteBot(ops);
      config['ops_channel'] = ops;
      const rehearsal = { type: 'webhook', url: model.url, secret: '${TARGET_SECRET}', allow_private: true };
      Object.assign(config.services[SERVICE] ?? {}, { rehearsal });
    });
    await sendMade(world, {
      ...{ service: SERVICE, n: 60, minutesAgo: DAY_BEFORE },
      each: () => ({ output: GOOD, evaluations: [{ name: 'quality', score: 1 }] }),
    });
    await sendMade(world, {
      ...{ service: SERVICE, n: 12 },
      each: (index) => ({
        ...{ input: `May user-${index} return it?`, output: `I'm sorry, I cannot say ${index}.` },
        ...{ promptVersion: 'v14', evaluations: [{ name: 'quality', score: 0 }] },
      }),
    });
    await world.advance(0);
    incident = await declareIncident(world, `sev3 quality ${SERVICE} refuses to answer`);
  });
  afterAll(async () => {
    await world.close();
    await model.close();
  });

  const inRoom = (text: string, who = 'oncall') => ask(world, who, text, incident.room);
  async function contextOf({ id, room }: Opened): Promise<SlackMessage> {
    const card = await messageWith(world, room, `card:${id}`);
    return world.slack.waitFor('the context', async () =>
      (await world.slack.replies(room, card.ts)).find((one) => keyOf(one) === `context:${id}`),
    );
  }
  const saidInOps = async () => (await world.slack.messages(ops)).map(({ text }) => text ?? '');
  const waitForOps = (wanted: string) =>
    world.slack.waitFor(wanted, async () => (await saidInOps()).find((text) => text.includes(wanted)));
  const serves = async (promptVersion: string) => {
    // Past the calls before, so that these are the newest.
    await world.advance(5 * 60_000);
    await sendMade(world, { service: SERVICE, n: 30, each: () => ({ promptVersion, output: GOOD }) });
    await world.advance(15_000);
  };

  it('one click on a failing example makes one, and a person says what it must demand', async () => {
    const context = await contextOf(incident);
    expect(await press(world, 'oncall', { on: context, action: 'eval_case' })).toMatch(
      /^Made an eval case \(.*not-icontains.*\)\. Proven: It fails on 1 bad and passes on \d\d good outputs/,
    );
    expect(await inRoom('eval add 2 contains [Never]')).toContain(
      'Not proven: A recorded good output fails it. Sharpen it',
    );
    expect(await inRoom('eval add 2 contains “[Refund]”')).toContain('(contains). Proven: ');
    expect(await inRoom('eval add 3 max-length 500')).toContain(
      'Not proven: A recorded bad output passes it.',
    );
    expect(await inRoom('eval add 3 regex (?=x)')).toContain('That pattern is none');
    expect(await inRoom('eval add 99')).toContain('There is no such call of this service');
    expect(await inRoom('eval add nothing')).toContain('`eval add N` makes a case');
    expect(await inRoom('eval drop 3')).toContain('Taken out: ');
    expect(await inRoom('eval drop 3')).toContain('no case of that number');
    expect(await inRoom('eval')).toMatch(/2 eval cases.*\n1\. proven: .*\n2\. proven: /);

    const elsewhere = await declareIncident(world, 'sev3 quality none something else');
    expect(await ask(world, 'oncall', 'eval add 1', elsewhere.room)).toContain('names no service');
    const forged = { on: context, action: 'eval_case', value: `${elsewhere.id}:1` };
    expect(await press(world, 'oncall', forged)).toContain('does not belong to this room');
  });

  it('what people made and took out stays when the post-mortem is written, de-identified', async () => {
    await inRoom('resolve', 'lead');
    const path = join(world.env['DATA_DIR'] as string, 'documents', `INC-${incident.id}`, 'evals.yaml');
    await world.slack.waitFor('the file', () => (existsSync(path) ? true : undefined));
    const { tests } = parse(readFileSync(path, 'utf8')) as Exported;
    // Of five that are proposed, two were made by hand and one was taken out.
    expect(tests).toHaveLength(4);
    expect(tests[1]?.assert[0]).toEqual({ type: 'contains', value: '[Refund]' });
    expect(new Set(tests.map(({ metadata }) => metadata.call)).size).toBe(4);
    for (const { vars, metadata } of tests) {
      expect(vars.input).toMatch(/^May person-[0-9a-f]{8} return it\?$/);
      expect(metadata).toMatchObject({ proven: true, service: SERVICE, prompt: 'answer' });
    }
  });

  it('a change that brings an incident back is told within a minute, once, to the owner', async () => {
    const replayed = () =>
      model.requests.filter(({ body }) => String(body['input']).startsWith('May person-'));
    await serves('v15');
    const told = await waitForOps(`this change brings INC-${incident.id} back`);
    expect(told).toContain(`<@${world.slack.userId('lead')}> ${SERVICE}: this change brings`);
    expect(told).toContain('prompt answer v14 → v15; 4 of 4 cases of past incidents fail.');
    expect(replayed()).toHaveLength(8);
    await world.restart();
    await serves('v15');
    await serves('v16');
    expect(await waitForOps('none fails')).toBe(
      `${SERVICE}: prompt answer v15 → v16. Tried on 4 cases of past incidents: none fails.`,
    );
    expect(replayed()).toHaveLength(12);
    expect((await saidInOps()).filter((text) => text.includes('brings INC-'))).toHaveLength(1);
  });
});
