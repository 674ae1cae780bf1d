import type { App, BlockAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { breakGlass } from '../../flow/mitigate/break-glass.ts';
import { calledFor } from '../../flow/mitigate/break-glass-notice.ts';
import { castVote } from '../../flow/mitigate/cast-vote.ts';
import type { Called, VoteOutcome } from '../../mitigation/approval.ts';
import { findMitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { breakGlassModal, type FormSubject, readVoteForm, rejectModal } from '../views/vote-modals.ts';
import { voteAnswer } from './ask.ts';
import { castByButton, FOREIGN, readVoteValue } from './buttons.ts';
import { readClick, tell } from './click.ts';

type Client = App['client'];

/** The buttons of a proposal that ask for a reason, and the forms behind them. */
export function registerVoteForms(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'reject' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const { outcome, about } = await castByButton(flow, { ...click, choice: 'reject' });
      // It counts at the click; the reason is asked for after that, so that nothing is lost with the form.
      if (outcome?.kind === 'rejected') await openForm(flow, client, { body, about, form: rejectModal });
      await tell(flow, { respond, ...click, text: answerOf(outcome) });
    },
  );
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'break_glass' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const about = readVoteValue(click);
      const isOpen = await openForm(flow, client, { body, about, form: breakGlassModal });
      if (isOpen) return;
      const instead =
        about === null
          ? FOREIGN
          : `The form could not be opened. Say it in one line: \`/llm-incident mitigate break-glass ${about.mitigationId} REASON\`.`;
      await tell(flow, { respond, ...click, text: instead });
    },
  );
  registerSubmissions(app, flow);
}

function registerSubmissions(app: App, flow: Flow): void {
  app.view('reject', async ({ ack, body, view }) => {
    await ack();
    const about = readVoteForm(view);
    if (about === null || about.reason === '') return;
    const voter = body.user.id;
    const outcome = await castVote(flow, { ...about, choice: 'reject', voter });
    await tell(flow, { channelId: about.channelId, userId: voter, text: answerOf(outcome) });
  });
  app.view('break_glass', async ({ ack, body, view }) => {
    await ack();
    const about = readVoteForm(view);
    if (about === null) return;
    const outcome = await breakGlass(flow, { ...about, by: body.user.id });
    await tell(flow, { channelId: about.channelId, userId: body.user.id, text: answerOf(outcome) });
  });
}

const answerOf = (outcome: VoteOutcome | null) => (outcome === null ? FOREIGN : voteAnswer(outcome, null));

/** False where it could not be opened: the trigger of a click lives for three seconds. */
async function openForm(
  flow: Flow,
  client: Client,
  {
    body,
    about,
    form,
  }: {
    body: BlockAction;
    about: FormSubject | null;
    form: (about: FormSubject, summary: string, called: Called) => ModalView;
  },
): Promise<boolean> {
  const known = about === null ? undefined : await findMitigation(flow.db, about.mitigationId);
  if (about === null || known === undefined || known.plan_hash !== about.planHash) return false;
  try {
    const { who } = calledFor(flow, { ...known, by: body.user.id });
    const view = form(about, describePlan(parsePlan(known.plan)), who);
    await client.views.open({ trigger_id: body.trigger_id, view });
    return true;
  } catch (thrown) {
    flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
    return false;
  }
}
