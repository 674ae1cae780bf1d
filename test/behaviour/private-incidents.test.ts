import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendMade } from '../harness/made-calls.ts';
import {
  ask,
  declareIncident,
  membersWith,
  messageWith,
  press,
  textsOf,
  textWith,
} from '../harness/people.ts';
import { blocksText, keyOf } from '../harness/room.ts';

/** Stands in the title, the outputs, the names of users and what people say of a private incident. */
const MARKER = 'zebra-crossing';

describe('a private incident', () => {
  let world: World;
  let room = '';
  let ops = '';
  beforeAll(async () => {
    world = await startConfigured(async (config, starting) => {
      ops = (await starting.slack.channel('general')).id;
      await starting.slack.as('lead').say(ops, 'The bot is to report here.');
      await starting.slack.as('lead').inviteBot(ops);
      config['ops_channel'] = ops;
      config['may_see_raw'] = [starting.slack.userId('lead')];
      config.contacts['product'] = [starting.slack.userId('product')];
    });
    await sendMade(world, {
      service: SERVICE,
      n: 40,
      minutesAgo: { from: 10, to: 1 },
      each: (i) => ({
        user: `${MARKER}-user-${i}`,
        output: `${MARKER}: write to ada.lovelace@mail.example, number ${i}`,
        evaluations: [{ name: 'quality', score: 0.1 }],
      }),
    });
    await world.now();
    const rooms = await world.slack.waitFor('the room of what the rule caught', async () =>
      (await world.slack.channels()).find(
        ({ name, is_private: isPrivate }) => isPrivate && /^inc-/.test(name),
      ),
    );
    room = rooms.id;
    const said = await ask(world, 'approver', `declare sev1 safety ${SERVICE} ${MARKER} leaked`);
    expect(said).toMatch(/live|added|Declared/);
    await messageWith(world, room, 'card:1');
  });
  afterAll(() => world.close());

  const everythingPublic = async () => {
    const said: string[] = [];
    for (const channel of await world.slack.channels()) {
      if (channel.is_private || channel.is_im) continue;
      const messages = await world.slack.messages(channel.id);
      const replies = await Promise.all(messages.map(({ ts }) => world.slack.replies(channel.id, ts)));
      said.push(JSON.stringify([channel.name, channel.topic, channel.purpose, messages, replies]));
    }
    return said.join('\n');
  };
  const viewOf = (who: string, wanted: string | RegExp) =>
    world.slack.waitFor(`${who} to see ${wanted}`, () =>
      world.slack.views(world.slack.userId(who)).find((one) => blocksText(one).search(wanted) >= 0),
    );

  it('is not told to whoever reports the same thing, and their report reaches its room', async () => {
    const said = await ask(world, 'product', `declare sev3 safety ${SERVICE} I saw an address`);
    expect(said).toBe('What you said was added to a live private incident; its people were told.');
    const card = await messageWith(world, room, 'card:1');
    await world.slack.waitFor('the report in the room', async () => {
      const replies = (await world.slack.replies(room, card.ts)).map(blocksText);
      const all = [...replies, ...(await textsOf(world, room, 'notice'))];
      return all.some((text) => text.includes('Reported again: I saw an address')) || undefined;
    });
  });

  it('shows samples to its people alone, redacted but for those who may see them raw', async () => {
    const card = await messageWith(world, room, 'card:1');
    await world.slack.as('product').click(card, 'samples');
    await viewOf('product', 'You may not see this');
    await world.slack.as('legal').click(card, 'samples');
    const shown = blocksText(await viewOf('legal', 'Example 1'));
    expect(shown).toContain(MARKER);
    expect(shown).toContain('[email]');
    expect(shown).not.toContain('ada.lovelace');
    await world.slack.as('lead').click(card, 'samples');
    expect(blocksText(await viewOf('lead', 'Example 1'))).toContain('ada.lovelace');
    expect(blocksText(card)).not.toContain('ada.lovelace');
    const forms = world.slack.views(world.slack.userId('legal'));
    const form = forms.find((one) => blocksText(one).includes('Example 1'));
    if (form === undefined) throw new Error('the samples are not open any more');
    await world.slack.as('legal').click(form, 'eval_case_private');
    await world.slack.waitFor('what came of the case', () =>
      world.slack.ephemerals(world.slack.userId('legal')).find(({ text }) => /^Made an eval case/.test(text)),
    );
  });

  it('is read from outside its room by its contacts and by nobody else', async () => {
    expect(await ask(world, 'legal', 'status INC-1')).toContain('INC-1');
    expect(await ask(world, 'product', 'status INC-1')).toContain('No incident');
    await world.slack.as('product').command('exposure INC-1');
    await viewOf('product', 'This works in an incident’s room');
  });

  it('leaks nowhere: no channel, list, status, report, metric, page or document says what it is', async () => {
    await ask(world, 'approver', `note ${MARKER} is real`, room);
    await ask(world, 'approver', 'page who is there', room);
    await world.advance(31 * 60_000);
    await ask(world, 'lead', 'resolve it is off', room);
    await world.slack.waitFor('the post-mortem', async () =>
      (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md'),
    );
    const answers = await Promise.all(
      ['list', 'status', 'status INC-1', 'report 30d', 'exposure INC-1', 'ack INC-1'].map(async (command) => {
        if (command.startsWith('exposure')) return '';
        return ask(world, 'product', command);
      }),
    );
    const metrics = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const pages = JSON.stringify(world.pagerduty.calls.map(({ body }) => body));
    const direct = await Promise.all(
      ['legal', 'product'].map(async (who) => JSON.stringify(await world.slack.directMessages(who))),
    );
    const outside = { public: await everythingPublic(), metrics: await metrics.text(), pages };
    for (const [where, said] of Object.entries({
      ...outside,
      answers: answers.join(),
      direct: direct.join(),
    })) {
      expect(said.includes(MARKER) ? where : '').toBe('');
      expect(said.includes('ada.lovelace') ? where : '').toBe('');
    }
    const documents = globSync('documents/**/*.*', { cwd: world.env['DATA_DIR'] ?? '' });
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents)
      expect(statSync(join(world.env['DATA_DIR'] ?? '', document)).mode & 0o077).toBe(0);
  });
});

describe('an incident that becomes private', () => {
  let world: World;
  let digests = '';
  beforeAll(async () => {
    world = await startConfigured(async (config, starting) => {
      digests = (await starting.slack.channel('general')).id;
      await starting.slack.as('lead').say(digests, 'The bot is to report here.');
      await starting.slack.as('lead').inviteBot(digests);
      config['digests'] = { quality: digests };
    });
  });
  afterAll(() => world.close());

  it('moves to a private room, and nothing of it stays or is said in the public one', async () => {
    const incident = await declareIncident(world, `sev2 quality ${SERVICE} ${MARKER} prices`);
    const card = await messageWith(world, incident.room, 'card:1');
    await ask(world, 'oncall', 'note look at the index', incident.room);
    await textWith(world, { room: digests, key: 'digest:1' }, MARKER);
    await ask(world, 'comms', 'role scribe', incident.room);
    expect(await ask(world, 'oncall', 'private', incident.room)).toContain('INC-1 is private now');
    const moved = await world.slack.waitFor('the private room', async () =>
      (await world.slack.channels()).find(({ name, is_private: is }) => is && name.startsWith('inc-')),
    );
    await textWith(world, { room: moved.id, key: 'card:1' }, MARKER);
    await membersWith(world, moved.id, ['oncall', 'lead', 'approver', 'comms']);
    await world.slack.waitFor('the farewell', async () =>
      (await world.slack.messages(incident.room)).find((one) => keyOf(one) === 'moved:1'),
    );
    await world.slack.waitFor('the old card to be gone', async () => {
      const messages = await world.slack.messages(incident.room);
      const replies = await world.slack.replies(incident.room, card.ts);
      return JSON.stringify([messages, replies]).includes(MARKER) ? undefined : true;
    });
    await world.slack.waitFor('the digest to be taken back', async () =>
      JSON.stringify(await world.slack.messages(digests)).includes(MARKER) ? undefined : true,
    );
    expect(await press(world, 'oncall', { on: card, action: 'acknowledge' })).toContain('does not belong');
    expect(await ask(world, 'oncall', 'contain off', incident.room)).toContain('works in an incident’s room');
    const before = (await world.slack.messages(incident.room)).length;
    expect(await ask(world, 'oncall', 'contain switched off', moved.id)).toContain('recorded as contained');
    expect(await ask(world, 'oncall', 'private', moved.id)).toBe('INC-1 is private already.');
    await textWith(world, { room: moved.id, key: 'card:1' }, 'Contained');
    expect(await world.slack.messages(incident.room)).toHaveLength(before);
    expect(await ask(world, 'product', 'list')).toBe('No open incidents.');
  });
});
