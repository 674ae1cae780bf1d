import type { App, BlockAction } from '@slack/bolt';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { keepDeclineReason } from '../../flow/incident/decline-reason.ts';
import { postUpdate } from '../../flow/incident/post-update.ts';
import { findIncident } from '../../incident/incident-store.ts';
import type { ViewValues } from '../views/declaration.ts';
import { falseAlarmModal } from '../views/people-modals.ts';
import { incidentOfChannel, NOT_IN_A_ROOM } from './ask.ts';
import { BUTTONS } from './buttons.ts';
import { readClick, tell } from './click.ts';
import { refusal } from './gate.ts';
import { describeUpdate } from './people-commands.ts';

const room = z.object({ channelId: z.string() });
const about = room.extend({ incidentId: z.number().int() });

/** Updates, and the reason of a false alarm. */
export function registerPeopleForms(app: App, flow: Flow): void {
  registerUpdate(app, flow);
  registerFalseAlarm(app, flow);
}

function registerUpdate(app: App, flow: Flow): void {
  app.view('update', async ({ ack, body, view }) => {
    const { channelId } = room.parse(JSON.parse(view.private_metadata));
    const by = body.user.id;
    const { known, doing, minutes } = readUpdate(view.state.values as ViewValues);
    const incident = await incidentOfChannel(flow, channelId);
    const refused =
      incident === null ? NOT_IN_A_ROOM : await refusal(flow, { incident, by, action: 'update' });
    const problem = known === '' ? 'Say what you know.' : refused;
    if (incident === null || problem !== null)
      return ack({ response_action: 'errors', errors: { known: problem ?? NOT_IN_A_ROOM } });
    await ack();
    const now = flow.clock.now().getTime();
    const nextAt = minutes === null ? null : new Date(now + minutes * 60_000);
    const origin = `form ${view.id}`;
    const outcome = await postUpdate(flow, { incident, by, known, doing: doing || null, nextAt, origin });
    await tell(flow, { channelId, userId: by, text: describeUpdate(incident, outcome) });
  });
}

const MOST_MINUTES = 24 * 60;

function readUpdate(values: ViewValues): { known: string; doing: string; minutes: number | null } {
  const text = (block: string) => (values[block]?.['value']?.value ?? '').trim();
  const minutes = Number(values['next']?.['value']?.selected_option?.value ?? Number.NaN);
  const isSane = Number.isFinite(minutes) && minutes > 0 && minutes <= MOST_MINUTES;
  return { known: text('known'), doing: text('doing'), minutes: isSane ? minutes : null };
}

/** It counts at the click; the reason is asked for after that, so that nothing is lost with the form. */
function registerFalseAlarm(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'false_alarm' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const text = (await BUTTONS['false_alarm']?.({ flow, ...click })) ?? null;
      if (text !== null) return tell(flow, { respond, ...click, text });
      const view = falseAlarmModal({ incidentId: Number(click.value), channelId: click.channelId });
      try {
        await client.views.open({ trigger_id: body.trigger_id, view });
      } catch (thrown) {
        flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
        const instead = 'It is declined. Say why in one line: `/llm-incident decline REASON`.';
        await tell(flow, { respond, ...click, text: instead });
      }
      flow.wake();
    },
  );
  app.view('false_alarm', async ({ ack, body, view }) => {
    await ack();
    const { incidentId, channelId } = about.parse(JSON.parse(view.private_metadata));
    const incident = await findIncident(flow.db, incidentId);
    const reason = ((view.state.values as ViewValues)['reason']?.['value']?.value ?? '').trim();
    if (incident === undefined || incident.channel_id !== channelId || reason === '') return;
    const isKept = await keepDeclineReason(flow, { incident, by: body.user.id, reason });
    if (isKept) await tell(flow, { channelId, userId: body.user.id, text: 'The reason is kept.' });
  });
}
