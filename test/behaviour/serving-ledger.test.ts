import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webhookTarget } from '../../src/mitigation/targets/webhook.ts';
import { SERVICE, TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  type DoublePrompt,
  LANGFUSE_KEYS,
  startLangfusePrompts,
} from '../harness/langfuse-prompts-double.ts';
import { ask, declareIncident, messageWith, press, proposeIn, textsOf, textWith } from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';
import { sendBaseline } from '../harness/traffic.ts';
import type { VendorDouble } from '../harness/vendor-double.ts';

const MINUTE_MS = 60_000;
const SEARCH = 'search-answers';

describe('what the ledger knows of a service', { timeout: 120_000 }, () => {
  let world: World;
  let langfuse: VendorDouble;
  const prompt = (version: number, labels: string[]): DoublePrompt => ({
    ...{ name: 'answer', version, type: 'text', prompt: `edition ${version}`, config: {}, labels, tags: [] },
  });
  const prompts = [prompt(13, ['production'])];

  beforeAll(async () => {
    langfuse = await startLangfusePrompts(prompts);
    world = await startConfigured((config, { env }) => {
      config['watch_targets_seconds'] = 60;
      env['LANGFUSE_PUBLIC'] = LANGFUSE_KEYS.public_key;
      env['LANGFUSE_SECRET'] = LANGFUSE_KEYS.secret_key;
      const target = {
        ...{ type: 'langfuse', url: langfuse.url, prompts: ['answer'], allow_private: true },
        ...{ public_key: '${LANGFUSE_PUBLIC}', secret_key: '${LANGFUSE_SECRET}' },
      };
      config.services[SEARCH] = { target: target as never };
    });
    await sendBaseline(world);
  });
  afterAll(async () => {
    await world.close();
    await langfuse.close();
  });

  const told = async (body: unknown, token: string | null = TOKEN) => {
    const answer = await fetch(`${world.url}/v1/changes`, {
      method: 'POST',
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  const serving = (text: string, channel?: string) =>
    ask(world, 'product', `status serving ${text}`, channel);
  const ago = async (minutes: number) =>
    new Date((await world.now()).getTime() - minutes * MINUTE_MS).toISOString();

  it('takes changes that are reported, once each, and names what is wrong with the others', async () => {
    const deploy = { service: SEARCH, kind: 'deploy', from: 'v1', to: 'v2', by: 'pipeline' };
    expect(await told(deploy, null)).toMatchObject({ status: 401 });
    expect(await told(deploy, 'wrong')).toMatchObject({ status: 401 });
    expect(await told('{"service"')).toMatchObject({ status: 400, error: /^body: not valid JSON/ });
    const future = new Date((await world.now()).getTime() + 10 * MINUTE_MS).toISOString();
    const refused = await told([
      { ...deploy, kind: 'release' },
      { ...deploy, at: future },
    ]);
    expect(refused).toMatchObject({
      status: 400,
      error: expect.stringMatching(
        /^\[0\]\.kind: must be one of prompt, model, flag, index, deploy; \[1\]\.at: is in the future/,
      ),
    });
    expect(await serving(SEARCH)).not.toContain('deploy');

    expect(await told(deploy)).toEqual({ status: 202, recorded: 1, known: 0 });
    expect(await told(deploy)).toEqual({ status: 202, recorded: 0, known: 1 });
    const index = { service: SEARCH, kind: 'index', name: 'docs', from: 'i1', to: 'i2', at: await ago(90) };
    expect(await told([index, index])).toEqual({ status: 202, recorded: 1, known: 1 });
    const flag = { service: SEARCH, kind: 'flag', name: 'rerank', to: true, id: 'change-7', source: 'ci' };
    expect(await told(flag)).toEqual({ status: 202, recorded: 1, known: 0 });
    expect(await told({ ...flag, at: await ago(1) })).toEqual({ status: 202, recorded: 0, known: 1 });

    const said = await serving(SEARCH);
    expect(said).toContain('deploy: v2');
    expect(said).toContain('index docs: i2');
    expect(said).toContain('flag rerank: on');
    expect(said).toMatch(/\d\d:\d\d UTC: deploy v1 → v2 by pipeline/);
    expect(await serving(`${SEARCH} 2h`)).toContain('The ledger knows nothing of it.');
    expect(await serving(`${SEARCH} 80m`)).toContain('index docs: i2');
    expect(await serving(`${SEARCH} 80m`)).not.toContain('deploy');
    const between = await serving(`${SEARCH} 80m now`);
    expect(between).toContain('• deploy v2');
    expect(between).not.toContain('index docs i1 → i2');
    expect(await serving(`${SEARCH} whenever`)).toContain('is no time');
    expect(await serving('')).toContain(`Which service? Configured: \`${SERVICE}\`, \`${SEARCH}\`.`);
  });

  it('shows a label that was moved at the vendor with its author, in the context of the next incident', async () => {
    await world.advance(MINUTE_MS);
    const [old] = prompts as [DoublePrompt];
    old.labels = [];
    const at = await ago(0);
    prompts.push({ ...prompt(14, ['production']), createdAt: at, updatedAt: at, createdBy: 'alice' });
    await world.advance(MINUTE_MS);
    expect(await serving(SEARCH)).toContain('prompt answer 13 → 14 by alice');
    const incident = await declareIncident(world, `sev3 quality ${SEARCH} answers look odd`);
    const posted = await messageWith(world, incident.room, `card:${incident.id}`);
    const context = await world.slack.waitFor('the context', async () => {
      const replies = await world.slack.replies(incident.room, posted.ts);
      const found = replies.find((one) => keyOf(one) === `context:${incident.id}`);
      return found === undefined ? undefined : blocksText(found);
    });
    expect(context).toMatch(/prompt answer: 13 → 14 · .* · by alice/);
    expect(context).toMatch(/deploy: v1 → v2 · .* · by pipeline/);
    const card = await textWith(world, { room: incident.room, key: `card:${incident.id}` }, 'prompt answer');
    expect(card).toMatch(/prompt answer 13 → 14 \(alice, \d\d:\d\d UTC\)/);
  });

  it('says once that a target cannot be read, leaves it in peace, and says when it works again', async () => {
    langfuse.next('ask', { kind: 'answer', reply: { status: 500, body: {} } });
    await world.advance(MINUTE_MS);
    const blind = `the target Langfuse ${new URL(langfuse.url).host} label production of ${SEARCH} could not be read`;
    expect(await ask(world, 'product', 'status')).toContain(blind);
    const asked = langfuse.requests.length;
    await world.advance(15_000);
    expect(langfuse.requests).toHaveLength(asked);
    expect(await ask(world, 'product', 'status')).toContain(blind);
    await world.advance(MINUTE_MS);
    await world.advance(MINUTE_MS);
    expect(langfuse.requests.length).toBeGreaterThan(asked);
    expect(await ask(world, 'product', 'status')).not.toContain(blind);
  });

  it('names the mitigation and the person behind a change of ours', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
    const proposal = await proposeIn(world, incident.room, { wanted: 'cap 500' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await textWith(world, { room: incident.room, key: keyOf(proposal) ?? '' }, 'Applied');
    // Before the target is watched next.
    const said = await serving('', incident.room);
    expect(said).toContain('token-cap: 500');
    expect(said).toMatch(/token-cap none → 500 by \S.* \(mitigation \d+, INC-\d+\)/);
    expect(said).not.toContain(world.slack.userId('oncall'));
    expect(said).toMatch(/Known-good: /);
    const other = await proposeIn(world, incident.room, { wanted: 'limit user u-77 4' });
    await press(world, 'approver', { on: other, action: 'approve' });
    await textWith(world, { room: incident.room, key: keyOf(other) ?? '' }, 'Applied');
    await world.advance(MINUTE_MS);
    expect(await serving('', incident.room)).toContain('limit user u-77: 4');
    expect(await serving(SERVICE)).toContain('limit of one user: 4');
    expect(await serving(SERVICE)).not.toContain('u-77');
  });

  it('sees that a containment was undone past the bot, tells the room once and counts users as exposed', async () => {
    const { id, room } = await declareIncident(world, `sev3 outage ${SERVICE} all wrong`);
    const proposal = await proposeIn(world, room, { wanted: 'disable' });
    await press(world, 'approver', { on: proposal, action: 'approve' });
    await textWith(world, { room, key: keyOf(proposal) ?? '' }, 'Applied');
    await world.advance(MINUTE_MS);
    expect(await ask(world, 'oncall', 'status', room)).toContain(' · contained · ');
    const target = webhookTarget(
      { type: 'webhook', url: world.service.controlUrl, secret: 'target-secret', allow_private: true },
      { service: SERVICE, environment: 'production' },
    );
    await target.apply(
      { setting: 'enabled', from: false, to: true },
      { planHash: 'somebody', idempotencyKey: 'past-the-bot' },
    );
    await world.advance(MINUTE_MS);
    await world.advance(MINUTE_MS);
    const told = async () =>
      (await textsOf(world, room, 'notice')).filter((text) => text.includes('Undone past the bot'));
    await world.slack.waitFor('the notice', async () => (await told())[0]);
    expect(await told()).toEqual([
      expect.stringMatching(/NOT CONTAINED: disable the feature.* says enabled/),
    ]);
    const number = (keyOf(proposal) ?? '').split(':')[1] ?? '';
    await textWith(world, { room, key: `receipt:${number}` }, /NOT CONTAINED[\s\S]*Undone past the bot/);
    await textWith(world, { room, key: `card:${id}` }, 'disable the feature');
    expect(await ask(world, 'oncall', 'status', room)).toContain(' · open · ');
    expect(await ask(world, 'oncall', 'lease', room)).toContain(`${number}: disable the feature`);
  });
});
