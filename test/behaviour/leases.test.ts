import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import {
  ask,
  declareIncident,
  messageWith,
  type Opened,
  press,
  proposeIn,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('a mitigation that is on', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  beforeAll(async () => {
    world = await startConfigured((config, { slack }) => {
      const service = config.services[SERVICE];
      if (service) service.approvers = [slack.userId('approver'), slack.userId('product')];
    });
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
  });
  afterEach(async () => {
    await ask(world, 'oncall', 'decline end of the test', incident.room);
  });

  const here = (key: string) => ({ room: incident.room, key });
  const command = (who: string, text: string) => ask(world, who, text, incident.room);
  const mention = (who: string) => `<@${world.slack.userId(who)}>`;
  const numberOf = (message: SlackMessage) => Number((keyOf(message) ?? '').split(':')[1]);
  /** Approved and carried out; its number. */
  const applied = async (wanted: string, people = ['approver']): Promise<number> => {
    const proposal = await proposeIn(world, incident.room, { wanted });
    for (const who of people) await press(world, who, { on: proposal, action: 'approve' });
    await textWith(world, here(keyOf(proposal) ?? ''), 'Applied');
    return numberOf(proposal);
  };
  const questions = async (id: number) =>
    (await world.slack.messages(incident.room)).filter((one) => keyOf(one)?.startsWith(`lease:${id}:`));
  /** The question about it, once there are so many. */
  const asked = async (id: number, times = 1): Promise<SlackMessage> => {
    const found = await world.slack.waitFor(`question ${times} about ${id}`, async () => {
      const all = await questions(id);
      return all.length === times ? all : undefined;
    });
    return found.sort((a, b) => Number(a.ts) - Number(b.ts)).at(-1) as SlackMessage;
  };
  /** The proposal that takes it back. */
  const undoOf = (id: number) =>
    world.slack.waitFor(`the proposal that takes ${id} back`, async () =>
      (await world.slack.messages(incident.room)).find(
        (one) =>
          keyOf(one)?.startsWith('proposal:') && blocksText(one).includes(`Takes mitigation ${id} back`),
      ),
    );
  const calls = async (id: number) =>
    (await textsOf(world, incident.room, 'notice')).filter((text) =>
      text.includes(`Mitigation ${id} of INC-${incident.id} is still on and nobody answered`),
    );
  const called = (id: number, times: number) =>
    world.slack.waitFor(`${times} calls about ${id}`, async () => {
      const all = await calls(id);
      return all.length === times ? all : undefined;
    });

  it('asks its owner when the lease ends, calls after an hour and then daily, and is never taken back by itself', async () => {
    const id = await applied('disable');
    await world.advance(24 * HOUR_MS - MINUTE_MS);
    expect(await questions(id)).toEqual([]);
    await world.advance(MINUTE_MS);
    const question = await asked(id);
    expect(blocksText(question)).toContain(
      `${mention('oncall')}\nMitigation ${id} is still on: disable the feature`,
    );
    await world.advance(59 * MINUTE_MS);
    expect(await calls(id)).toEqual([]);
    await world.advance(MINUTE_MS);
    const [call] = await called(id, 1);
    expect(call).toContain(mention('oncall'));
    await world.advance(23 * HOUR_MS);
    await world.advance(HOUR_MS);
    await called(id, 2);
    expect(await questions(id)).toHaveLength(1);
    expect(world.service.state().enabled).toBe(false);
    expect(await press(world, 'oncall', { on: question, action: 'lease_back' })).toContain(
      'Proposed: enable',
    );
    await textWith(world, here(keyOf(question) ?? ''), 'takes it back once it is approved');
    const undo = await undoOf(id);
    for (const who of ['approver', 'lead']) await press(world, who, { on: undo, action: 'approve' });
    await textWith(world, here(keyOf(question) ?? ''), /^Mitigation .*\nTaken back by mitigation \d+\.$/);
    expect(world.service.state().enabled).toBe(true);
    expect(await command('oncall', 'lease')).toBe('No mitigation is on.');
  });

  it('is kept by a form that asks why and for how long, and then asks again', async () => {
    const id = await applied('cap 500');
    await world.advance(24 * HOUR_MS);
    const question = await asked(id);
    const keep = async (who: string, entries: Record<string, string>) => {
      await world.slack.as(who).click(question, 'lease_keep');
      const view = await world.slack.waitFor('the form', () =>
        world.slack.views(world.slack.userId(who)).find(({ callback_id }) => callback_id === 'lease_keep'),
      );
      return (await world.slack.as(who).submit(view, entries)).json;
    };
    const refused = JSON.stringify(await keep('comms', { reason: 'I like it' }));
    expect(refused).toContain('You may not decide this.');
    expect(refused).toContain(mention('oncall'));
    expect(refused).toContain(mention('approver'));
    await keep('approver', { reason: 'the vendor answers on Monday <!channel>' });
    const kept = await textWith(world, here(keyOf(question) ?? ''), 'Kept until');
    expect(kept).toContain(`by ${mention('approver')}: the vendor answers on Monday`);
    expect(kept).not.toContain('<!channel>');
    const card = await textWith(world, here(`card:${incident.id}`), 'the vendor answers on Monday');
    expect(card).toMatch(
      new RegExp(`cap outputs at 500 tokens.* · since .* · ${mention('oncall')} · until `),
    );
    await world.advance(23 * HOUR_MS);
    expect(await questions(id)).toHaveLength(1);
    await world.advance(HOUR_MS);
    await asked(id, 2);
    expect(await command('oncall', `lease ${id} keep for-good it costs nothing`)).toContain('for good');
    await world.advance(48 * HOUR_MS);
    expect(await calls(id)).toEqual([]);
    await applied('cap off');
  });

  it('is answered by commands, which say who may and what is wrong', async () => {
    const id = await applied('disclaimer may be wrong');
    const shown = await command('oncall', 'lease');
    expect(shown).toMatch(new RegExp(`^• ${id}: add the disclaimer .* · ${mention('oncall')} · until `));
    expect(await command('comms', `lease ${id} keep 5 why not`)).toContain('You may not decide this.');
    expect(await command('oncall', `lease ${id} keep 721 too long`)).toContain('at most 720');
    expect(await command('oncall', `lease ${id} keep 5`)).toContain('Say why it stays on.');
    expect(await command('oncall', 'lease 9999 keep 5 why')).toContain('There is no mitigation 9999');
    expect(await command('oncall', `lease ${id} drop`)).toContain('Use `lease NUMBER keep');
    const said = await command('oncall', `lease ${id} owner <@${world.slack.userId('comms')}|comms>`);
    expect(said).toBe(`${mention('comms')} has the lease of mitigation ${id} now.`);
    await world.slack.waitFor('the new owner is told', async () =>
      (await textsOf(world, incident.room, 'notice')).find(
        (text) => text.startsWith(mention('comms')) && text.includes(`Mitigation ${id} is yours now`),
      ),
    );
    expect(await command('comms', `lease ${id} keep 2d until the fix`)).toContain('Kept until');
    expect(await command('product', 'status')).toContain(`· ${mention('comms')} · until `);
    await applied('disclaimer off');
    expect(await command('comms', `lease ${id} keep 2 more`)).toContain(`Mitigation ${id} is reverted.`);
  });

  it('keeps its incident open until it is kept on purpose, and goes on asking when that has an end', async () => {
    const limit = await applied('limit user u-7 5');
    const cap = await applied('cap 400');
    await command('oncall', 'resolve');
    const refused = await command('oncall', 'close');
    expect(refused).toContain(`INC-${incident.id} is not closed: this is still on.`);
    expect(refused).toContain(`• ${limit}: limit user u-7 to 5 requests`);
    expect(refused).toContain(`/llm-incident lease ${limit} keep for-good REASON`);
    await command('oncall', `lease ${limit} keep for-good it stays a limit`);
    expect(await command('oncall', 'close')).not.toContain('limit user u-7');
    await command('oncall', `lease ${cap} keep 2 until the fix`);
    await command('oncall', 'postmortem');
    const markdown = await world.slack.waitFor(
      'the post-mortem with the lease',
      async () =>
        (await world.slack.files(incident.room)).find(({ content }) => content.includes('Kept on purpose by'))
          ?.content,
    );
    expect(markdown).toContain('it stays a limit');
    expect(markdown).toContain('It was still on when this was written.');
    expect(await command('oncall', 'close')).toContain('its post-mortem is not done');
    expect(await command('lead', 'close anyway it was a test')).toContain('is closed');
    await world.advance(2 * HOUR_MS);
    const question = await asked(cap);
    expect(await questions(limit)).toEqual([]);
    expect(await press(world, 'oncall', { on: question, action: 'lease_back' })).toContain('Proposed: ');
    const undo = await undoOf(cap);
    await press(world, 'approver', { on: undo, action: 'approve' });
    await textWith(world, here(keyOf(question) ?? ''), 'Taken back by mitigation');
  });

  it('counts as taken back when a later plan gives back what it set, and rests under one that sets another', async () => {
    const cached = await applied('fallback cached');
    const notice = await applied('fallback notice');
    expect(await command('oncall', 'lease')).toMatch(
      new RegExp(`^• ${notice}: fallback cached → notice[^\\n]*$`),
    );
    await command('oncall', `lease ${notice} keep 5 still`);
    const undo = await proposeIn(world, incident.room, { wanted: `undo ${notice}` });
    await press(world, 'approver', { on: undo, action: 'approve' });
    await textWith(world, here(`proposal:${notice}`), 'Taken back');
    expect(await command('oncall', 'lease')).toMatch(
      new RegExp(`^• ${cached}: fallback none → cached[^\\n]*$`),
    );
    await applied('fallback none', ['approver', 'lead']);
    await textWith(world, here(`proposal:${cached}`), 'Taken back');
    await messageWith(world, incident.room, `receipt:${cached}`);
    const before = world.service.state().prompt;
    const moved = await applied(`prompt answer=${before === 'v12' ? 'v13' : 'v12'}`, ['approver', 'lead']);
    await applied(`prompt answer=${before}`, ['approver', 'lead']);
    await textWith(world, here(`proposal:${moved}`), 'Taken back');
    expect(await command('oncall', 'lease')).toBe('No mitigation is on.');
  });
});
