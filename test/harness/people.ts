import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import type { World } from './bot.ts';
import { blocksText, findByKey, keyOf } from './room.ts';

const WAIT_MS = 10_000;
/** Longest until work whose process was killed is taken up again: a lease must lapse first on a shared Postgres. */
export const AFTER_A_CRASH_MS = 40_000;

/** An incident whose room is open. */
export interface Opened {
  id: number;
  room: string;
}

/** Types a command and returns what the bot answered to that person, at once or a little later. */
export async function ask(world: World, who: string, text: string, channel = 'general'): Promise<string> {
  const before = toldLater(world, who).length;
  const answer = await world.slack.as(who).command(text, { channel });
  if (answer.status !== 200) throw new Error(`"${text}" was answered with ${answer.status}`);
  const said = String(answer.json?.['text'] ?? answer.text);
  if (said !== 'Working on it…') return said;
  return world.slack.waitFor(`an answer to "${text}"`, () => toldLater(world, who).at(before));
}

/** Clicks and returns what the bot told that person about it. */
export async function press(
  world: World,
  who: string,
  click: { on: SlackMessage; action: string; value?: string },
): Promise<string> {
  const before = toldLater(world, who).length;
  const forged = click.value === undefined ? {} : { valueOverride: click.value };
  const answer = await world.slack.as(who).click(click.on, click.action, forged);
  if (answer.status !== 200) throw new Error(`${click.action} was answered with ${answer.status}`);
  return world.slack.waitFor(`an answer to ${click.action}`, () => toldLater(world, who).at(before));
}

/** Presses Approve for as many people as it takes but the last, whose press is returned: it starts the run. */
export async function lastVote(
  world: World,
  proposal: SlackMessage,
  voters: readonly string[],
): Promise<() => Promise<string>> {
  const needed = Number(/\b0 of (\d), by/.exec(blocksText(proposal))?.[1] ?? 1);
  const approve = (who = '') => press(world, who, { on: proposal, action: 'approve' });
  for (const who of voters.slice(0, needed - 1)) await approve(who);
  return () => approve(voters[needed - 1]);
}

function toldLater(world: World, who: string): string[] {
  const mine = world.slack.ephemerals(world.slack.userId(who));
  return mine.filter((one) => one.via === 'response_url').map((one) => one.text);
}

/** Declares by command and waits for the room and its card. */
export async function declareIncident(world: World, text: string, who = 'oncall'): Promise<Opened> {
  const said = await ask(world, who, `declare ${text}`);
  const id = Number(/^Declared INC-(\d+) /.exec(said)?.[1]);
  if (!Number.isInteger(id)) throw new Error(`nothing was declared: ${said}`);
  return { id, room: await roomWith(world, `card:${id}`) };
}

/** The channel in which the message with that key is. */
export function roomWith(world: World, key: string, timeoutMs = WAIT_MS): Promise<string> {
  const probe = async () => {
    for (const { id, name } of await world.slack.channels()) {
      if (!name.startsWith('inc-')) continue;
      if ((await findByKey(world, id, key)) !== undefined) return id;
    }
    return undefined;
  };
  return world.slack.waitFor(`a room with ${key}`, probe, timeoutMs);
}

function isWaitingProposal(world: World, message: SlackMessage): boolean {
  const isProposal = keyOf(message)?.startsWith('proposal:') === true;
  return isProposal && world.slack.findButton(message, 'approve') !== undefined;
}

/** Waits until all of them were let into the room, which happens after its card is posted; returns its members. */
export function membersWith(world: World, room: string, names: readonly string[]): Promise<string[]> {
  const wanted = names.map((name) => world.slack.userId(name));
  return world.slack.waitFor(`${names.join(', ')} in the room`, async () => {
    const { members } = await world.slack.channel(room);
    return wanted.every((id) => members.includes(id)) ? members : undefined;
  });
}

/** Waits for the bot's message with that key. */
export function messageWith(world: World, room: string, key: string): Promise<SlackMessage> {
  return world.slack.waitFor(key, () => findByKey(world, room, key));
}

/** Waits until the bot's message with that key says `wanted`, and returns all that it says. */
export function textWith(
  world: World,
  where: { room: string; key: string },
  wanted: string | RegExp,
  timeoutMs = WAIT_MS,
): Promise<string> {
  let last = '';
  const probe = async () => {
    const message = await findByKey(world, where.room, where.key);
    last = message === undefined ? '' : blocksText(message);
    const is = typeof wanted === 'string' ? last.includes(wanted) : wanted.test(last);
    return is ? last : undefined;
  };
  return world.slack.waitFor(`${where.key} to say ${wanted}`, probe, timeoutMs).catch((thrown: Error) => {
    throw new Error(`${thrown.message}; it says: ${last}`);
  });
}

/** All that the bot's messages with keys of this kind say, such as "notice", in the room and in the card's thread. */
export async function textsOf(world: World, room: string, kind: string): Promise<string[]> {
  const messages = await world.slack.messages(room);
  const card = messages.find((one) => keyOf(one)?.startsWith('card:'));
  const thread = card === undefined ? [] : await world.slack.replies(room, card.ts);
  return [...new Map([...messages, ...thread].map((one) => [one.ts, one])).values()]
    .filter((one) => keyOf(one)?.startsWith(`${kind}:`))
    .sort((a, b) => Number(a.ts) - Number(b.ts))
    .map(blocksText);
}

/** Proposes by `mitigate WANTED` and waits for the proposal's buttons. */
export async function proposeIn(
  world: World,
  room: string,
  asked: { wanted: string; by?: string },
): Promise<SlackMessage> {
  const before = new Set((await world.slack.messages(room)).map((one) => one.ts));
  const said = await ask(world, asked.by ?? 'oncall', `mitigate ${asked.wanted}`, room);
  if (!said.startsWith('Proposed: ')) throw new Error(`nothing was proposed: ${said}`);
  return world.slack.waitFor('the proposal', async () =>
    (await world.slack.messages(room)).find(
      // What ran at one click before may be shown only now; it is no longer waiting for anybody.
      (one) => !before.has(one.ts) && isWaitingProposal(world, one),
    ),
  );
}
