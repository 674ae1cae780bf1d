import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startWorld, type World } from '../harness/bot.ts';
import { blocksText, findByKey, keyOf, roomOf } from '../harness/room.ts';
import { sendBaseline, sendMinutes } from '../harness/traffic.ts';

describe('one incident, from a silent model change to the post-mortem', () => {
  let world: World;
  let room = '';
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  const message = (key: string) => world.slack.waitFor(key, () => findByKey(world, room, key));

  it('opens one room when the score falls, with what changed on the card', async () => {
    await sendBaseline(world);
    expect(await roomOf(world)).toBeUndefined();
    world.service.silentModelChange();
    await sendMinutes(world, { minutes: 12, callsPerMinute: 20 });
    room = (await world.slack.waitFor('a room', () => roomOf(world))).id;
    const text = blocksText(await message('card:1'));
    expect(text).toContain('SEV1 quality · support-answers · PROD · exposed');
    expect(text).toContain('gpt-4-0314 → gpt-4-0613');
    expect(text).toContain('model gpt-4-0314');
    expect(text).toContain('paged if it still fires in 10 minutes');
    expect(text).toMatch(/; about \d+ % of requests/);
    expect(text).toMatch(/Likely: served model gpt-4-0314 → gpt-4-0613 .*\(\d\d:\d\d UTC\)/);
    expect(text).toContain('Roll back to gpt-4-0314');
    expect(text).toMatch(
      /Returns support-answers to model gpt-4-0314 once someone else who may approves it\. All traffic/,
    );
  });

  it('shows what changed, failing examples, the metric as a picture and the tree in the thread of the card', async () => {
    const card = await message('card:1');
    const keys = async () => (await world.slack.replies(room, card.ts)).map(keyOf);
    await world.slack.waitFor('the tree', async () => (await keys()).includes('tree:1') || undefined);
    expect(await keys()).toContain('context:1');
    const png = await world.slack.waitFor('the picture', async () =>
      (await world.slack.files(room)).find(({ name }) => name === 'INC-1-metric.png'),
    );
    expect(png).toMatchObject({ title: 'INC-1 Quality score', mimetype: 'image/png' });
    const sent = world.slack.callsOf('files.getUploadURLExternal').at(0);
    expect(sent?.args['alt_text']).toMatch(/^Quality score of support-answers over \d+ polls/);
  });

  it('pages the on-call engineer when the bound is still past after ten minutes', async () => {
    expect(world.pagerduty.incidents).toHaveLength(0);
    await sendMinutes(world, { minutes: 11, callsPerMinute: 20 });
    const pages = () => world.pagerduty.incidents.filter(({ title }) => title.startsWith('INC-1 SEV1'));
    await world.slack.waitFor('a page', () => pages().at(0));
    expect(pages()).toHaveLength(1);
    const receipt = await world.slack.waitFor('the receipt', async () => {
      const text = blocksText(await message('card:1'));
      return text.includes('On-call engineer') ? text : undefined;
    });
    expect(receipt).toContain('Paged: PagerDuty');
  });

  it('proposes the known-good state, which someone else approves', async () => {
    const card = await message('card:1');
    await world.slack.as('oncall').click(card, 'acknowledge');
    await world.slack.as('oncall').click(card, 'propose');
    const proposal = await message('proposal:1');
    expect(blocksText(proposal)).toContain('model gpt-4-0613 → gpt-4-0314');
    expect(world.service.effects).toHaveLength(0);
    await world.slack.as('approver').click(proposal, 'approve');
    await world.slack.waitFor('the effect', () => world.service.effects.at(0));
    expect(world.service.effects).toHaveLength(1);
    expect(world.service.state().model).toBe('gpt-4-0314');
  });

  it('proves it from live calls', async () => {
    await world.slack.waitFor('the first receipt', () => findByKey(world, room, 'receipt:1'));
    await sendMinutes(world, { minutes: 8, callsPerMinute: 20 });
    const receipt = await world.slack.waitFor('the proof', async () => {
      const text = blocksText(await message('receipt:1'));
      return text.includes('PROVEN by live traffic') ? text : undefined;
    });
    expect(receipt).toMatch(/Quality score 0\.\d\d → 0\.\d\d, baseline 0\.8\d \(n = \d+, 90 % interval/);
  });

  it('writes the post-mortem from the room and leaves an eval case', async () => {
    const said = await world.slack.as('oncall').say(room, 'The provider moved the model under us.');
    await world.slack.as('lead').say(room, 'Pinned for good; alias removed.', { thread_ts: said.ts });
    await world.slack.as('oncall').command('resolve pinned the model', { channel: room });
    const files = await world.slack.waitFor('the documents', async () => {
      const found = (await world.slack.files(room)).filter(({ name }) => /\.(?:md|yaml)$/.test(name));
      return found.length === 2 ? found : undefined;
    });
    const markdown = files.find((file) => file.name === 'postmortem.md')?.content ?? '';
    expect(markdown).toContain('The provider moved the model under us.');
    expect(markdown).toContain('Pinned for good; alias removed.');
    expect(markdown).toMatch(/gpt-4-0314/);
    expect(readFileSync(join(world.env['DATA_DIR'] as string, 'documents/INC-1/postmortem.md'), 'utf8')).toBe(
      markdown,
    );
    const evals = parse(files.find((file) => file.name === 'evals.yaml')?.content ?? '');
    expect(evals.tests.length).toBeGreaterThan(0);
    expect(evals.tests.some((test: { metadata: { proven: boolean } }) => test.metadata.proven)).toBe(true);
    await world.slack.waitFor('PagerDuty to be resolved', () =>
      world.pagerduty.incidents[0]?.status === 'resolved' ? true : undefined,
    );
  });
});
