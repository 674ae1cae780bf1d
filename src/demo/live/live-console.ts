import { createInterface } from 'node:readline';
import { messageOf } from '../../errors.ts';
import type { Teller } from '../story/story-print.ts';
import { everythingIn } from '../story/story-room.ts';
import { clickAs, commandAs } from '../story/story-scene.ts';
import { messageLines } from '../story/story-text.ts';
import { ROLES } from '../story/story-world.ts';
import { answerPhone, findButton, type Live, newestRoom, typed } from './live-actions.ts';

export const HELP = `fault                                  the provider silently moves the model
prompt-fault                           somebody ships a worse prompt
heal                                   somebody puts it right by hand, past the bot
as oncall /llm-incident status         a slash command, in the newest incident room (or in #general)
as approver click approve              a button, by its action_id or its label
as oncall say I am looking             a message in the newest incident room
phone acknowledge, phone resolve       the on-call engineer answers PagerDuty, not Slack
room                                   the newest incident room, as it looks now
help, quit
roles: ${ROLES.join(', ')}`;

type Outcome = { said: string } | { quit: true };

/** Takes lines from stdin, one after the other; `onQuit` when a person has had enough. A closed stdin ends nothing. */
export function openConsole(live: Live, tell: Teller, onQuit: () => void): { close(): void } {
  const lines = createInterface({ input: process.stdin, terminal: false });
  let turn: Promise<void> = Promise.resolve();
  const take = async (line: string) => {
    try {
      const outcome = await obey(live, tell, line.trim());
      if ('quit' in outcome) return onQuit();
      if (outcome.said !== '') tell.plain(outcome.said);
    } catch (thrown) {
      tell.plain(messageOf(thrown));
    }
  };
  lines.on('line', (line) => {
    turn = turn.then(() => take(line));
  });
  return { close: () => lines.close() };
}

async function obey(live: Live, tell: Teller, line: string): Promise<Outcome> {
  const [word = '', ...rest] = line.split(/\s+/);
  switch (word) {
    case '':
      return { said: '' };
    case 'fault':
      return { said: await live.breakModel() };
    case 'prompt-fault':
      return { said: live.breakPrompt() };
    case 'heal':
      return { said: await live.heal() };
    case 'phone': {
      const [how] = rest;
      if (how !== 'acknowledge' && how !== 'resolve') return { said: 'phone acknowledge, or phone resolve' };
      return { said: answerPhone(live, how) };
    }
    case 'room':
      await showRoom(live, tell);
      return { said: '' };
    case 'as':
      return { said: await actAs(live, rest[0] ?? '', rest.slice(1)) };
    case 'help':
      return { said: HELP };
    case 'quit':
    case 'exit':
      return { quit: true };
    default:
      return { said: `There is no "${word}" here.\n${HELP}` };
  }
}

async function actAs(live: Live, role: string, [verb = '', ...rest]: string[]): Promise<string> {
  if (!ROLES.includes(role))
    throw new Error(`Nobody here is called "${role}". There are: ${ROLES.join(', ')}.`);
  const { world } = live;
  const said = rest.join(' ');
  live.touch();
  if (verb === '/llm-incident') {
    const channel = (await newestRoom(live).catch(() => undefined))?.id ?? 'general';
    const answer = await commandAs(live, role, { text: typed(world, said), channel });
    if (answer === '' && world.slack.views(world.slack.userId(role)).length > 0) {
      return 'A form is open. Fill it in on the page, or say it in one line: declare sev1 quality support-answers TITLE';
    }
    return answer === '' ? 'Done.' : `Only @${role} sees: ${answer}`;
  }
  const room = await newestRoom(live);
  if (verb === 'click') {
    const answer = await clickAs(live, role, await findButton(live, room.id, said));
    return answer === '' ? `@${role} clicked.` : `Only @${role} sees: ${answer}`;
  }
  if (verb !== 'say' || said === '')
    throw new Error(`Say what @${role} does: /llm-incident …, click BUTTON, or say TEXT.`);
  await world.slack.as(role).say(room.id, typed(world, said));
  return '';
}

async function showRoom(live: Live, tell: Teller): Promise<void> {
  const { world } = live;
  const room = await newestRoom(live);
  tell.note(
    `#${room.name} · ${room.topic} · ${room.members.map((member) => `@${world.nameOf(member)}`).join(' ')}`,
  );
  for (const message of await everythingIn(world.slack, room.id)) {
    const isReply = message.thread_ts !== undefined && message.thread_ts !== message.ts;
    const author = world.nameOf(message.user ?? '');
    tell.box(`${isReply ? '↳ ' : ''}${author}`, messageLines(message, world.nameOf));
  }
}
