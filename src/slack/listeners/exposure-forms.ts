import type { App, BlockAction, ButtonAction } from '@slack/bolt';
import { z } from 'zod';
import { ExternalError, messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { exportExposure } from '../../flow/stakeholders/export-exposure.ts';
import { exposureOf, exposureRights } from '../../flow/stakeholders/exposure.ts';
import {
  type Drafted,
  decideExposureNotice,
  draftExposureNotice,
  type NoticeDecision,
  templateFor,
} from '../../flow/stakeholders/exposure-notice.ts';
import type { Incident } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { person } from '../mrkdwn.ts';
import type { ViewValues } from '../views/declaration.ts';
import { noticeModal, saidView } from '../views/exposure-modal.ts';
import { factLine } from '../views/outside-text.ts';
import { type Client, exposureView, fill, openChecked, samplesOf } from './checked-modals.ts';
import { readClick, tell } from './click.ts';

const about = z.object({ incidentId: z.number().int() });
const TITLE = 'Who was exposed';

/** A click inside the modal; what it may do is looked up again, whatever the modal showed. */
interface Inside {
  flow: Flow;
  client: Client;
  incident: Incident;
  userId: string;
  viewId: string;
  triggerId: string;
  value: string;
}

type Act = (click: Inside) => Promise<void>;

/** The buttons of the exposure modal, the form of a notice, and *Show samples* on the card. */
export function registerExposure(app: App, flow: Flow): void {
  for (const [actionId, act] of Object.entries(ACTS)) {
    app.action<BlockAction>({ type: 'block_actions', action_id: actionId }, async ({ ack, body, client }) => {
      await ack();
      const inside = await readInside(flow, client, body);
      if (inside !== null) await act(inside);
      flow.wake();
    });
  }
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'samples' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const incident = await findIncident(flow.db, /^\d{1,9}$/.test(click.value) ? Number(click.value) : -1);
      if (incident === undefined) return;
      const modal = samplesOf(flow, incident, click.userId);
      if (await openChecked(flow, client, { triggerId: body.trigger_id, modal })) return;
      const text = 'The samples could not be opened. Try `/llm-incident samples`.';
      await tell(flow, { respond, ...click, text });
    },
  );
  registerDraft(app, flow);
}

async function readInside(flow: Flow, client: Client, body: BlockAction): Promise<Inside | null> {
  const { view } = body;
  if (view === undefined) return null;
  const parsed = about.safeParse(JSON.parse(view.private_metadata || '{}'));
  const incident = parsed.success ? await findIncident(flow.db, parsed.data.incidentId) : undefined;
  if (incident === undefined) return null;
  const { value = '' } = body.actions[0] as ButtonAction;
  const { id: userId } = body.user;
  return { flow, client, incident, userId, viewId: view.id, triggerId: body.trigger_id, value };
}

function turn({ flow, client, incident, userId, viewId, value }: Inside): Promise<void> {
  const page = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  const build = () => exposureView(flow, { incident, userId, page });
  return fill(flow, client, { viewId, modal: { title: TITLE, build } });
}

/** Says in the modal what came of it. */
function say({ flow, client, viewId }: Inside, work: () => Promise<string>): Promise<void> {
  const build = async () => saidView(TITLE, await work());
  return fill(flow, client, { viewId, modal: { title: TITLE, build } });
}

const decide =
  (to: 'approved' | 'withdrawn'): Act =>
  (click) =>
    say(click, async () => {
      const { flow, incident, userId: by, value } = click;
      const [, id = '-1', digest = ''] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(value) ?? [];
      return decisionAnswer(
        await decideExposureNotice(flow, { incident, by, id: Number(id), digest, to }),
        to,
      );
    });

const ACTS: Record<string, Act> = {
  exposure_previous: turn,
  exposure_next: turn,
  exposure_export: (click) =>
    say(click, async () => {
      const { flow, incident, userId: by, viewId } = click;
      try {
        const out = await exportExposure(flow, { incident, by, origin: `${viewId}/${Date.now()}` });
        if (out.kind === 'not-allowed') return NOT_YOURS;
        if (out.kind === 'nobody') return 'Nobody is on the list.';
        return `The list of ${out.users} users is in your direct messages from me. The export is on record.`;
      } catch (thrown) {
        if (!(thrown instanceof ExternalError)) throw thrown;
        return `The list could not be sent: ${factLine(messageOf(thrown), 200)}.`;
      }
    }),
  exposure_draft: async ({ flow, client, incident, userId, triggerId }) => {
    if (!(await exposureRights(flow, incident, userId)).act) return;
    const exposure = await exposureOf(flow, incident);
    if (exposure === null) return;
    const view = noticeModal({
      incidentId: incident.id,
      text: templateFor(flow, exposure),
      users: exposure.users,
    });
    await client.views.push({ trigger_id: triggerId, view });
  },
  exposure_approve: decide('approved'),
  exposure_withdraw: decide('withdrawn'),
};

const NOT_YOURS =
  'You may not do this. Who may: the service’s approvers and the legal, compliance, comms and product contacts. Nothing was changed.';

function decisionAnswer(out: NoticeDecision, to: 'approved' | 'withdrawn'): string {
  switch (out.kind) {
    case 'not-allowed':
      return NOT_YOURS;
    case 'own-draft':
      return 'You drafted it, so somebody else who may must approve it. Nothing was changed.';
    case 'changed':
      return 'This is not the notice that is open now. Open the list again. Nothing was changed.';
    case 'decided':
      return `It is ${out.notice.status} already${out.notice.decided_by === null ? '' : `, by ${person(out.notice.decided_by)}`}. Nothing was changed.`;
    case 'done':
      return to === 'withdrawn'
        ? 'The notice is withdrawn.'
        : `Approved: it is being sent to ${out.notice.users.length} users; the receipt follows in the room.`;
  }
}

function registerDraft(app: App, flow: Flow): void {
  app.view('exposure_draft', async ({ ack, body, view }) => {
    const parsed = about.safeParse(JSON.parse(view.private_metadata || '{}'));
    const incident = parsed.success ? await findIncident(flow.db, parsed.data.incidentId) : undefined;
    const text = (view.state.values as ViewValues)['text']?.['value']?.value ?? '';
    if (incident === undefined) return ack();
    const work = draftExposureNotice(flow, { incident, by: body.user.id, text });
    const inline = await Promise.race([work, delay(ANSWER_INLINE_MS)]);
    flow.wake();
    const said = inline === null ? 'The draft is being kept; the room is told.' : draftAnswer(inline);
    await ack({ response_action: 'update', view: saidView('Draft a notice', said) });
    await work;
    flow.wake();
  });
}

function draftAnswer(out: Drafted): string {
  switch (out.kind) {
    case 'drafted':
      return `Kept: a notice to ${out.notice.users.length} users. Somebody else who may must approve it; the room is told.`;
    case 'open':
      return 'Another notice is open for this incident. Approve or withdraw that one first. Nothing was changed.';
    case 'not-allowed':
      return NOT_YOURS;
    case 'nobody':
      return 'Nobody is on the list, so there is nobody to tell.';
    case 'no-webhook':
      return 'No notice can be sent: `exposure.webhook` is not configured.';
    case 'empty':
      return 'The text is empty. Nothing was changed.';
  }
}

/** Longest that the form waits for its answer; Slack gives up after three seconds. */
const ANSWER_INLINE_MS = 1_800;
const delay = (ms: number) => new Promise<null>((resolve) => setTimeout(resolve, ms, null));
