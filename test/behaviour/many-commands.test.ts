import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERVICE, startWorld, type World } from '../harness/bot.ts';
import { roomWith } from '../harness/people.ts';
import { roomsOf } from '../harness/room.ts';

const COMMANDS = 200;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const OPEN = /^(?:No open incidents\.|• \*INC-1\*)/;
/** What each command is asked, and how its own answer begins. */
const ASKED = [
  { text: 'list', said: OPEN },
  { text: 'help', said: /^\*\/llm-incident\*/ },
  { text: 'status', said: OPEN },
  { text: 'lease', said: /^No mitigation is on\./ },
  { text: 'nonsense', said: /^There is no `nonsense`/ },
];
const LATER = 'Working on it…';

test('two-hundred-commands-at-once-are-all-answered-once-while-a-room-is-being-opened', {
  timeout: 120_000,
}, async () => {
  const oncall = world.slack.as('oncall');
  const declared = oncall.command(`declare sev1 quality ${SERVICE} the room of many`);
  const asked = Array.from({ length: COMMANDS }, (_, index) => ASKED[index % ASKED.length]);
  const commands = asked.map((one, index) =>
    world.slack.as(index % 2 === 0 ? 'oncall' : 'lead').command(one?.text ?? ''),
  );
  const [opening, ...answers] = await Promise.all([declared, ...commands]);
  // Whether each comes within Slack's three seconds is measured by `npm run bench -- slack`.
  expect([opening, ...answers].filter(({ status }) => status !== 200)).toEqual([]);
  const said = answers.map(({ json }) => String(json?.['text'] ?? ''));
  const wrong = said.filter((text, index) => text !== LATER && asked[index]?.said.test(text) !== true);
  expect(wrong).toEqual([]);
  await roomWith(world, 'card:1', 60_000);
  // What was too slow for the answer itself came after it; nobody is left with "Working on it…" alone, or told twice.
  const late = [opening, ...answers].filter(({ json }) => json?.['text'] === LATER).length;
  const told = () => world.slack.ephemerals().filter(({ via }) => via === 'response_url');
  await world.slack.waitFor('the late answers', () => told().length >= late, 60_000);
  await world.slack.idle({ timeoutMs: 60_000 });
  expect(told()).toHaveLength(late);
  expect(world.slack.ephemerals().filter(({ via }) => via === 'ack')).toHaveLength(COMMANDS + 1);
  expect((await roomsOf(world)).map(({ name }) => name)).toHaveLength(1);
});
