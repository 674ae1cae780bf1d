import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { roomWith } from '../harness/people.ts';

const COMMANDS = 200;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

test('two-hundred-commands-at-once-are-all-answered-while-a-room-is-being-opened', {
  timeout: 120_000,
}, async () => {
  const oncall = world.slack.as('oncall');
  const declared = oncall.command(`declare sev1 quality ${SERVICE} the room of many`);
  const words = ['list', 'help', 'status', 'lease', 'nonsense'];
  const asked = Array.from({ length: COMMANDS }, (_, index) =>
    world.slack.as(index % 2 === 0 ? 'oncall' : 'lead').command(words[index % words.length] ?? 'list'),
  );
  const answers = await Promise.all([declared, ...asked]);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(answers.filter(({ json }) => String(json?.['text'] ?? '') === '')).toEqual([]);
  await roomWith(world, 'card:1', 60_000);
  // What was too slow for the answer itself came after it; nobody is left with "Working on it…" alone.
  const late = answers.filter(({ json }) => json?.['text'] === 'Working on it…').length;
  await world.slack.waitFor(
    'the late answers',
    () => world.slack.ephemerals().filter(({ via }) => via === 'response_url').length >= late,
    60_000,
  );
});
