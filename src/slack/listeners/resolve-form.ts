import type { App, BlockAction } from '@slack/bolt';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { handOverPostmortem } from '../../flow/learn/postmortem-owner.ts';
import { nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { findDuty } from '../../postmortem/duty-store.ts';
import { ownerModal } from '../views/postmortem-modals.ts';
import { BUTTONS } from './buttons.ts';
import { readClick, tell } from './click.ts';
import { describeHandedOver } from './postmortem-commands.ts';

/** It is resolved at the click; who writes the post-mortem is asked after that, so that nothing is lost with the form. */
export function registerResolve(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'resolve' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const text = (await BUTTONS['resolve']?.({ flow, ...click })) ?? null;
      if (text !== null) return tell(flow, { respond, ...click, text });
      flow.wake();
      const incidentId = Number(click.value);
      const owner = (await findDuty(flow.db, incidentId))?.owner ?? null;
      const view = ownerModal({ incidentId, channelId: click.channelId, owner });
      try {
        await client.views.open({ trigger_id: body.trigger_id, view });
      } catch (thrown) {
        flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
        const said = `${nameOf(incidentId)} is resolved. \`/llm-incident postmortem owner @PERSON\` says who writes it up.`;
        await tell(flow, { respond, ...click, text: said });
      }
    },
  );
  app.view('postmortem_owner', async ({ ack, body, view }) => {
    await ack();
    const { incidentId, channelId } = about.parse(JSON.parse(view.private_metadata));
    const incident = await findIncident(flow.db, incidentId);
    const to = readOwner(view.state.values);
    if (incident === undefined || incident.channel_id !== channelId || to === null) return;
    const by = body.user.id;
    const outcome = await handOverPostmortem(flow, { incident, by, to });
    await tell(flow, { channelId, userId: by, text: describeHandedOver(incident, outcome, to) });
  });
}

const about = z.object({ incidentId: z.number().int(), channelId: z.string() });
const chosen = z.object({ owner: z.object({ value: z.object({ selected_user: z.string().nullish() }) }) });

function readOwner(values: unknown): string | null {
  const parsed = chosen.safeParse(values);
  return parsed.success ? (parsed.data.owner.value.selected_user ?? null) : null;
}
