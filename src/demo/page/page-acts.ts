import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { answerPhone, type Live, typed } from '../live/live-actions.ts';
import { type Fields, isRecord } from '../slack/slack-shapes.ts';
import { everythingIn } from '../story/story-room.ts';
import { ROLES } from '../story/story-world.ts';

/** What a person did on the page. */
const deed = z.object({
  as: z.enum(ROLES),
  channel: z.string(),
  act: z.enum(['say', 'click', 'submit', 'dismiss', 'break-model', 'break-prompt', 'heal', 'phone']),
  text: z.string().max(4000).optional(),
  thread: z.string().optional(),
  at: z.string().optional(),
  ts: z.string().optional(),
  action: z.string().optional(),
  choice: z.string().optional(),
  view: z.string().optional(),
  entries: z.record(z.string(), z.string()).optional(),
});
type Deed = z.infer<typeof deed>;

/** What to tell them beside what the workspace shows: a note, what is wrong, or what is wrong with which field. */
export interface Told {
  note?: string;
  error?: string;
  errors?: Fields;
}

/** Does it; never throws what a person could mend. */
export async function perform(live: Live, body: unknown): Promise<Told> {
  const parsed = deed.safeParse(body);
  if (!parsed.success) return { error: z.prettifyError(parsed.error) };
  try {
    return await run(live, parsed.data);
  } catch (thrown) {
    return { error: messageOf(thrown) };
  } finally {
    live.touch();
  }
}

async function run(live: Live, done: Deed): Promise<Told> {
  switch (done.act) {
    case 'break-model':
      return { note: await live.breakModel() };
    case 'break-prompt':
      return { note: live.breakPrompt() };
    case 'heal':
      return { note: await live.heal() };
    case 'phone':
      return { note: answerPhone(live, 'acknowledge', done.at) };
    case 'say':
      return say(live, done);
    case 'click':
      return click(live, done);
    case 'submit':
      return submit(live, done);
    case 'dismiss': {
      const view = live.world.slack
        .views(live.world.slack.userId(done.as))
        .find((one) => one.id === done.view);
      if (view !== undefined) await live.world.slack.as(done.as).dismiss(view);
      return {};
    }
  }
}

async function say({ world }: Live, { as, channel, text = '', thread }: Deed): Promise<Told> {
  const person = world.slack.as(as);
  const command = /^\/llm-incident\b\s*(.*)$/s.exec(text);
  if (command !== null) return answered(await person.command(typed(world, command[1] ?? ''), { channel }));
  if (text.startsWith('/')) return { error: 'Only /llm-incident works here. Try /llm-incident help.' };
  if (text.trim() === '') return {};
  await person.say(channel, typed(world, text), thread ? { thread_ts: thread } : {});
  return {};
}

async function click({ world }: Live, { as, at = '', ts, action = '', choice }: Deed): Promise<Told> {
  const { slack } = world;
  const userId = slack.userId(as);
  const surface =
    (await everythingIn(slack, at)).find((message) => message.ts === ts) ??
    slack.ephemerals(userId).find((one) => one.ts === ts && one.channel === at);
  if (surface === undefined) return { error: 'That message is gone.' };
  return answered(await slack.as(as).click(surface, action, choice === undefined ? {} : { choice }));
}

async function submit({ world }: Live, { as, view: id, entries = {} }: Deed): Promise<Told> {
  const { slack } = world;
  const view = slack.views(slack.userId(as)).find((one) => one.id === id);
  if (view === undefined) return { error: 'That form is closed already.' };
  const answer = await slack.as(as).submit(view, entries);
  const errors = answer.json?.['errors'];
  if (isRecord(errors)) return { errors };
  const told = answered(answer);
  return told.error === undefined ? { note: 'Sent.' } : { errors: { '': told.error } };
}

function answered({ status, text }: { status: number; text: string }): Told {
  return status === 200 ? {} : { error: `The bot answered ${status}: ${text.slice(0, 200)}` };
}
