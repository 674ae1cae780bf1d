import type { SlackFile, SlackMessage, SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { everythingIn, keyOf } from '../../src/demo/story/story-room.ts';
import { messageLines, plainText } from '../../src/demo/story/story-text.ts';
import type { World } from './bot.ts';
import { ask, press } from './people.ts';

/** What people see of one incident, and what they press and type. Texts are as they are read: people by their roles. */
export interface Screens {
  /** The incident's room, once it is open. */
  room(): Promise<{ id: string; name: string; isPrivate: boolean }>;
  /** Waits until the newest message of that kind ("card", "proposal", "tree" …) says it, and returns all that it shows. */
  shows(kind: string, wanted: string | RegExp): Promise<string>;
  /** Presses a button of the newest message of that kind and returns what the bot answered to that person alone. */
  presses(who: string, button: string, kind: string): Promise<string>;
  /** The same where everybody sees what came of it, so that nobody is answered. */
  clicks(who: string, button: string, kind: string): Promise<void>;
  /** Types a command in the room and returns the answer. */
  types(who: string, command: string): Promise<string>;
  /** The same for a command that opens a form, or a button of one; returns what it shows once it shows that. */
  opens(who: string, how: { command: string } | { button: string }, wanted: string | RegExp): Promise<string>;
  /** Waits for a file of the room that has this name and says this. */
  file(name: string, wanted: string | RegExp): Promise<string>;
  /** All that lit up that person's phone so far: mentions at the top of a room, direct messages, calls by PagerDuty. */
  phone(who: string): Promise<string[]>;
  /** Waits until that phone shows it. */
  rings(who: string, wanted: string | RegExp): Promise<string>;
  /** Presses the button of the newest direct message to that person. */
  answers(who: string, button: string): Promise<string>;
}

const PEOPLE = ['oncall', 'approver', 'lead', 'legal', 'compliance', 'comms', 'product'];
const WAIT_MS = 15_000;

export function screensOf(world: () => World): Screens {
  const room = async () => {
    const { id, name, is_private } = await world().slack.waitFor('the room', async () =>
      (await world().slack.channels()).find((one) => one.name.startsWith('inc-')),
    );
    return { id, name, isPrivate: is_private };
  };
  return { room, ...messagesIn(world, room), ...formsOf(world, room), ...phonesOf(world) };
}

type RoomOf = Screens['room'];

function messagesIn(
  world: () => World,
  room: RoomOf,
): Pick<Screens, 'shows' | 'presses' | 'clicks' | 'types' | 'file'> {
  const newest = async (kind: string): Promise<SlackMessage | undefined> => {
    const all = await everythingIn(world().slack, (await room()).id);
    return all.findLast((one) => keyOf(one).startsWith(`${kind}:`));
  };
  const withButton = (button: string, kind: string) =>
    world().slack.waitFor(`${kind} with ${button}`, async () => {
      const message = await newest(kind);
      return message !== undefined && world().slack.findButton(message, button) ? message : undefined;
    });
  return {
    shows: (kind, wanted) =>
      saying(world(), { what: kind, wanted }, async () => {
        const message = await newest(kind);
        return message === undefined ? '' : read(world(), message);
      }),
    async presses(who, button, kind) {
      const said = await press(world(), who, { on: await withButton(button, kind), action: button });
      return plainText(said, nameIn(world()));
    },
    async clicks(who, button, kind) {
      await world()
        .slack.as(who)
        .click(await withButton(button, kind), button);
    },
    types: async (who, command) =>
      plainText(await ask(world(), who, command, (await room()).id), nameIn(world())),
    file: (name, wanted) =>
      saying(world(), { what: name, wanted }, async () => {
        const files: SlackFile[] = await world().slack.files((await room()).id);
        const named = files.filter((one) => one.name === name).map(({ content }) => content);
        return named.find((content) => isIn(content, wanted)) ?? named.at(-1) ?? '';
      }),
  };
}

function formsOf(world: () => World, room: RoomOf): Pick<Screens, 'opens'> {
  return {
    async opens(who, how, wanted) {
      const person = world().slack.as(who);
      const channel = (await room()).id;
      if ('command' in how) await person.command(how.command, { channel });
      else {
        const all = [...world().slack.views(person.userId), ...(await world().slack.messages(channel))];
        const surface = all.find((one) => world().slack.findButton(one, how.button) !== undefined);
        if (surface === undefined) throw new Error(`nobody shows ${how.button} to ${who}`);
        await person.click(surface as SlackView, how.button);
      }
      return saying(world(), { what: `a form for ${who}`, wanted }, () => {
        const views = world().slack.views(person.userId);
        return (
          views
            .map(({ blocks }) => read(world(), { text: '', blocks }))
            .findLast((text) => isIn(text, wanted)) ?? ''
        );
      });
    },
  };
}

function phonesOf(world: () => World): Pick<Screens, 'phone' | 'rings' | 'answers'> {
  const phone = async (who: string): Promise<string[]> => {
    const { slack, pagerduty } = world();
    const id = slack.userId(who);
    const mentions = slack
      .callsOf('chat.postMessage')
      .filter(({ args, response }) => response['ok'] === true && args['thread_ts'] === undefined)
      .map(({ args }) => String(args['text']))
      .filter((text) => text.includes(`<@${id}>`));
    const direct = (await slack.directMessages(who)).map((one) => read(world(), one));
    const calls = pagerduty.notifications
      .filter(({ user }) => user.summary === who)
      .map(({ incidentId }) => pagerduty.incidents.find((one) => one.id === incidentId)?.title ?? '');
    return [
      ...mentions.map((text) => plainText(text, nameIn(world()))),
      ...direct.map((text) => `Message: ${text}`),
      ...calls.map((title) => `Call: ${title}`),
    ];
  };
  return {
    phone,
    rings: (who, wanted) =>
      saying(world(), { what: `the phone of ${who}`, wanted }, async () => (await phone(who)).join('\n')),
    async answers(who, button) {
      const on = (await world().slack.directMessages(who)).findLast((one) =>
        world().slack.findButton(one, button),
      );
      if (on === undefined) throw new Error(`no message to ${who} has ${button}`);
      return plainText(await press(world(), who, { on, action: button }), nameIn(world()));
    },
  };
}

/** Waits until the text is there; what there is instead goes into the error. */
async function saying(
  world: World,
  { what, wanted }: { what: string; wanted: string | RegExp },
  probe: () => Promise<string> | string,
): Promise<string> {
  let last = '';
  const found = async () => {
    last = await probe();
    return isIn(last, wanted) ? last : undefined;
  };
  return world.slack.waitFor(`${what} to say ${wanted}`, found, WAIT_MS).catch((thrown: Error) => {
    throw new Error(`${thrown.message}; it says: ${last}`);
  });
}

const isIn = (text: string, wanted: string | RegExp) =>
  typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);

/** What is read on the screen; buttons in brackets. */
function read(world: World, message: Pick<SlackMessage, 'text' | 'blocks' | 'files'>): string {
  return messageLines(message, nameIn(world)).join('\n').replaceAll('\u00a0', ' ');
}

const nameIn = (world: World) => (id: string) => PEOPLE.find((name) => world.slack.userId(name) === id) ?? id;
