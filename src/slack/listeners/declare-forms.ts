import type { App } from '@slack/bolt';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { lookUpMessage } from '../../flow/incident/bring-message.ts';
import { type Declared, declare } from '../../flow/incident/declare.ts';
import { pagingBefore } from '../../flow/incident/severity-consequence.ts';
import { severityOf } from '../../incident/impact.ts';
import { redact } from '../../redaction.ts';
import { readDeclaration, type ViewValues } from '../views/declaration.ts';
import { type BroughtMessage, declareModal, formMetadata } from '../views/declare-modal.ts';
import { type AskedImpact, impactModal, readImpact } from '../views/impact-modal.ts';
import { incidentOfChannel } from './ask.ts';
import { tell } from './click.ts';

/** The form that declares an incident, the questions behind it, and the shortcut on a message that opens it. */
export function registerDeclareForms(app: App, flow: Flow): void {
  app.view('declare', async ({ ack, body, view }) => {
    const read = readDeclaration(view.state.values as ViewValues, flow.clock.now());
    const form = formMetadata.parse(JSON.parse(view.private_metadata || '{}'));
    const origin = `form ${view.id}`;
    if (read.errors !== undefined) return ack({ response_action: 'errors', errors: read.errors });
    if (read.unrated !== undefined)
      return ack({ response_action: 'push', view: impactModal(read.unrated, { form, origin }) });
    await ack();
    await declareBy(flow, { declared: read.values, by: body.user.id, form, origin });
  });
  app.view('declare_impact', async ({ ack, body, view }) => {
    const read = readImpact(view);
    await ack({ response_action: 'clear' });
    if (read === null) return;
    const { declared, impact, form, origin } = read;
    const startedAt = declared.startedAt === null ? null : new Date(declared.startedAt);
    const rated = { ...declared, startedAt, ...severityOf(impact, declared.category) };
    await declareBy(flow, { declared: rated, by: body.user.id, form, origin });
  });
  registerShortcut(app, flow);
}

/** A message of another channel is brought along: its text, redacted, its author and its link. */
function registerShortcut(app: App, flow: Flow): void {
  app.shortcut('open_incident', async ({ ack, shortcut, client }) => {
    await ack();
    if (shortcut.type !== 'message_action') return;
    const { channel, message, user } = shortcut;
    const text = oneLine(redact(message.text ?? ''));
    const brought = { channelId: channel.id, ts: message.ts, author: message.user ?? null, text };
    const services = Object.keys(flow.config.services);
    const paging = pagingBefore(flow);
    const view = declareModal({ services, paging, channelId: channel.id, title: text, message: brought });
    try {
      await client.views.open({ trigger_id: shortcut.trigger_id, view });
    } catch (thrown) {
      flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
      const said = 'The form could not be opened. Try again, or type `/llm-incident declare`.';
      await tell(flow, { channelId: channel.id, userId: user.id, text: said });
    }
  });
}

const LONGEST_MESSAGE = 800;

/** What a form carries along has an end, so the text is short, and without what would grow in it. */
const oneLine = (text: string) =>
  text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_MESSAGE)
    .toWellFormed();

async function declareBy(
  flow: Flow,
  asked: { declared: Declared; by: string; form: AskedImpact['form']; origin: string },
): Promise<void> {
  const { declared, by, form, origin } = asked;
  const { channelId, message } = form;
  // What was said in a private room stays private, whatever the form says.
  const room = message === undefined ? null : await incidentOfChannel(flow, message.channelId);
  const isPrivate = declared.private || room?.private === true;
  const announceTo = channelId === undefined ? {} : { announceTo: { channelId, userId: by } };
  await declare(flow, {
    ...{ ...declared, private: isPrivate, by, origin, ...announceTo },
    ...(await broughtAlong(flow, message)),
  });
}

async function broughtAlong(flow: Flow, message: BroughtMessage | undefined) {
  return message === undefined ? {} : { message: await lookUpMessage(flow, message) };
}
