import type { App, BlockAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { z } from 'zod';
import type { Flow } from '../../flow/flow.ts';
import { fieldsNow, mayWrite } from '../../flow/learn/edit-postmortem.ts';
import { signPostmortem } from '../../flow/learn/sign-postmortem.ts';
import { latestSnooze, snoozePostmortem } from '../../flow/learn/snooze-postmortem.ts';
import { writeFields } from '../../flow/learn/written-fields.ts';
import type { Incident } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { ViewValues } from '../views/declaration.ts';
import { saidView } from '../views/exposure-modal.ts';
import { postmortemModal, readPostmortemForm, snoozeModal } from '../views/postmortem-modals.ts';
import { incidentOfChannel, NOT_IN_A_ROOM } from './ask.ts';
import { type Click, FOREIGN } from './buttons.ts';
import { type CheckedModal, openChecked } from './checked-modals.ts';
import { readClick, tell } from './click.ts';
import { describeSigned, describeSnoozed } from './postmortem-commands.ts';

const TITLE = 'Post-mortem';
const SNOOZE = 'Snooze the reminders';
const REFUSED = 'You may not write this post-mortem. Who may: its owner, and the people in its room.';
const INSTEAD = 'The form could not be opened. Try again, or use `/llm-incident postmortem` in the room.';

/** Everything about a post-mortem that is a form or a button: editing, signing off, snoozing. */
export function registerPostmortem(app: App, flow: Flow): void {
  opens(app, flow, { actionId: 'postmortem_edit', modalOf: editModal });
  opens(app, flow, { actionId: 'postmortem_snooze', modalOf: restModal });
  registerEdit(app, flow);
  registerSnooze(app, flow);
  registerSign(app, flow);
}

/** `postmortem edit` opens the form; null for every other command. */
export function postmortemForm(
  flow: Flow,
  { word, rest }: { word: string; rest: string },
  { userId, channelId }: { userId: string; channelId: string },
): CheckedModal | null {
  if (word !== 'postmortem' || rest.trim().toLowerCase() !== 'edit') return null;
  const build = async () => {
    const incident = await incidentOfChannel(flow, channelId);
    return incident === null ? saidView(TITLE, NOT_IN_A_ROOM) : editView(flow, incident, userId);
  };
  return { title: TITLE, build };
}

type ModalOf = (flow: Flow, incident: Incident, userId: string) => CheckedModal;

const editModal: ModalOf = (flow, incident, userId) => ({
  title: TITLE,
  build: () => editView(flow, incident, userId),
});

async function editView(flow: Flow, incident: Incident, userId: string): Promise<ModalView> {
  if (!(await mayWrite(flow, incident, userId))) return saidView(TITLE, REFUSED);
  return postmortemModal({ incidentId: incident.id, fields: await fieldsNow(flow, incident) });
}

const restModal: ModalOf = (flow, incident) => ({
  title: SNOOZE,
  async build() {
    const { id: incidentId } = incident;
    const latest = await latestSnooze(flow, incidentId);
    const mostHours = latest === null ? 0 : (latest.getTime() - flow.clock.now().getTime()) / 3_600_000;
    const view = incident.status === 'resolved' ? snoozeModal({ incidentId, mostHours }) : null;
    return view ?? saidView(SNOOZE, 'The reminders cannot rest any longer.');
  },
});

/** A button in the room or in a direct message, whose value may have been forged: the form itself looks who asks. */
function opens(app: App, flow: Flow, { actionId, modalOf }: { actionId: string; modalOf: ModalOf }): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: actionId },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const incident = await incidentOf(flow, click);
      if (incident === undefined) return tell(flow, { respond, ...click, text: FOREIGN });
      const modal = modalOf(flow, incident, click.userId);
      if (await openChecked(flow, client, { triggerId: body.trigger_id, modal })) return;
      await tell(flow, { respond, ...click, text: INSTEAD });
    },
  );
}

const incidentOf = (flow: Flow, { value }: Pick<Click, 'value'>) =>
  findIncident(flow.db, /^\d{1,9}$/.test(value) ? Number(value) : -1);

function registerEdit(app: App, flow: Flow): void {
  app.view('postmortem_edit', async ({ ack, body, view }) => {
    const read = readPostmortemForm(view);
    const by = body.user.id;
    const incident = read === null ? undefined : await findIncident(flow.db, read.incidentId);
    if (read === null || incident === undefined || !(await mayWrite(flow, incident, by)))
      return ack({ response_action: 'update', view: saidView(TITLE, REFUSED) });
    await ack();
    const { texts } = read;
    await writeFields(flow, { incident, by, texts, rewrite: true });
    const text = texts.size === 0 ? 'Nothing was changed.' : 'Kept. The post-mortem is written again.';
    await tell(flow, { channelId: incident.channel_id ?? '', userId: by, text });
  });
}

const about = z.object({ incidentId: z.number().int() });

/** Who snoozes is in a direct message, so the answer stands in the form. */
function registerSnooze(app: App, flow: Flow): void {
  app.view('postmortem_snooze', async ({ ack, body, view }) => {
    const { incidentId } = about.parse(JSON.parse(view.private_metadata));
    const incident = await findIncident(flow.db, incidentId);
    if (incident === undefined) return ack();
    const values = view.state.values as ViewValues;
    const hours = Number(values['hours']?.['value']?.selected_option?.value ?? Number.NaN);
    const reason = values['reason']?.['value']?.value ?? '';
    const outcome = await snoozePostmortem(flow, { incident, by: body.user.id, hours, reason });
    const text = describeSnoozed(incident, outcome);
    await ack({ response_action: 'update', view: saidView(SNOOZE, text) });
  });
}

function registerSign(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'postmortem_sign' },
    async ({ ack, body, respond }) => {
      await ack();
      const click = readClick(body);
      const incident = await incidentOf(flow, click);
      const text =
        incident === undefined || incident.channel_id !== click.channelId
          ? FOREIGN
          : describeSigned(await signPostmortem(flow, { incident, by: click.userId, note: '' }));
      await tell(flow, { respond, ...click, text });
    },
  );
}
