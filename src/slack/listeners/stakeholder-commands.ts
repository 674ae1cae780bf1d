import type { App, BlockAction } from '@slack/bolt';
import type { Flow } from '../../flow/flow.ts';
import { makePrivate } from '../../flow/incident/make-private.ts';
import { type AskAnswer, acknowledgeAsks } from '../../flow/stakeholders/acknowledge-ask.ts';
import { exposureOf, exposureRights } from '../../flow/stakeholders/exposure.ts';
import { nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { STAKEHOLDER_ROLES } from '../../incident/stakeholder.ts';
import { mention, slackDate } from '../mrkdwn.ts';
import { inRoom, NOT_IN_A_ROOM, namedIncident, type Subcommand } from './ask.ts';
import { FOREIGN } from './buttons.ts';
import { readClick, tell } from './click.ts';

/** `ack [ROLE] [INC-12]`: a stakeholder says that they know of it, in its room or anywhere. */
const ack: Subcommand = async (asking) => {
  const words = asking.text.trim().toLowerCase().split(/\s+/);
  const role = STAKEHOLDER_ROLES.find((known) => words.includes(known)) ?? null;
  const rest = words.filter((word) => word !== role).join(' ');
  const incident = await namedIncident({ ...asking, text: rest });
  if (incident === null) return NOT_IN_A_ROOM;
  return ackAnswer(await acknowledgeAsks(asking.flow, { incident, by: asking.userId, role }), incident.id);
};

function ackAnswer(out: AskAnswer, incidentId: number): string {
  const name = nameOf(incidentId);
  switch (out.kind) {
    case 'nobody-asked':
      return `${name} asks no stakeholder. *I'm on it* on its card takes it as a responder.`;
    case 'not-allowed':
      return `You are no contact for it. Who may: ${out.who.map(mention).join(', ') || 'nobody is configured'}. Nothing was changed.`;
    case 'already':
      return `${name} was acknowledged for ${out.role} by ${mention(out.by)} ${slackDate(out.at)}.`;
    case 'acknowledged':
      return `You acknowledged ${name} for ${out.roles.join(' and ')}.`;
  }
}

/** *Acknowledge* in a direct message; its value may have been forged, so who clicks is looked up. */
export function registerStakeholders(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'stakeholder_ack' },
    async ({ ack: acknowledge, body, respond }) => {
      await acknowledge();
      const click = readClick(body);
      await tell(flow, { respond, ...click, text: await answerClick(flow, click) });
    },
  );
}

async function answerClick(
  flow: Flow,
  { value, userId }: { value: string; userId: string },
): Promise<string> {
  const [, id = '-1', word = ''] = /^(\d{1,9}):(\w+)$/.exec(value) ?? [];
  const role = STAKEHOLDER_ROLES.find((known) => known === word);
  const incident = await findIncident(flow.db, Number(id));
  if (incident === undefined || role === undefined) return FOREIGN;
  return ackAnswer(await acknowledgeAsks(flow, { incident, by: userId, role }), incident.id);
}

/** `private`: moves the incident to a private room. */
const turnPrivate = inRoom(async ({ flow, incident, userId: by }) => {
  const outcome = await makePrivate(flow, { incident, by });
  const name = nameOf(incident.id);
  if (outcome.kind === 'already') return `${name} is private already.`;
  if (!outcome.hadRoom) return `${name} is private; its room is being opened.`;
  return `${name} is private now: a private room is being opened and you are invited. What I said here is overwritten; what people wrote and files stay, so delete them or this channel. PagerDuty keeps the title that it was paged with.`;
});

const REFUSED =
  'You may not see this. Who may: the people in its room, and its legal, compliance and comms contacts.';

/** In text, where the modal cannot be opened: the numbers alone. */
const exposure: Subcommand = async (asking) => {
  const { flow, userId } = asking;
  const incident = await namedIncident(asking);
  if (incident === null) return NOT_IN_A_ROOM;
  if (!(await exposureRights(flow, incident, userId)).see) return REFUSED;
  const found = await exposureOf(flow, incident);
  return found === null
    ? `${nameOf(incident.id)} names no service, so its users cannot be told.`
    : `${found.users} users received ${found.calls} bad outputs (${found.by}); \`/llm-incident exposure\` shows who.`;
};

/** Samples are never a message. */
const samples: Subcommand = async () =>
  'The samples could not be opened: they are shown in a form only. Try again.';

/** By their words; `exposure` and `samples` open a form first. */
export const stakeholderCommands: Record<string, { run: Subcommand; usage: string; does: string }> = {
  ack: {
    run: ack,
    usage: 'ack [ROLE] [INC-12]',
    does: 'acknowledges it as legal, compliance, comms or product',
  },
  exposure: {
    run: exposure,
    usage: 'exposure [INC-12]',
    does: 'shows which users received bad outputs; exports them and drafts a notice, for those who may',
  },
  samples: {
    run: samples,
    usage: 'samples [INC-12]',
    does: 'shows examples of a private incident, for those who may',
  },
  private: { run: turnPrivate, usage: 'private', does: 'moves the incident to a private room' },
};
