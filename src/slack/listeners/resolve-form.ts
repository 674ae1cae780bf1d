import type { App, BlockAction } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { handOverPostmortem } from '../../flow/learn/postmortem-owner.ts';
import { nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { findDuty } from '../../postmortem/duty-store.ts';
import { saidView } from '../views/exposure-modal.ts';
import { ownerModal } from '../views/postmortem-modals.ts';
import { BUTTONS } from './buttons.ts';
import { type Client, fill } from './checked-modals.ts';
import { readClick, tell } from './click.ts';
import { describeHandedOver } from './postmortem-commands.ts';

const TITLE = 'Who writes it up?';

/**
 * It is resolved at the click; who writes the post-mortem is asked beside it, so that nothing is lost with the form. The form
 * opens first, because its trigger lives for three seconds.
 */
export function registerResolve(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'resolve' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const opening = openFirst(flow, client, body.trigger_id);
      const refused = (await BUTTONS['resolve']?.({ flow, ...click })) ?? null;
      flow.wake();
      const viewId = await opening;
      const incidentId = Number(click.value);
      if (viewId !== undefined) {
        const build = async () =>
          refused === null ? ownerView(flow, { incidentId, ...click }) : saidView(TITLE, refused);
        await fill(flow, client, { viewId, modal: { title: TITLE, build } });
      }
      const unasked = `${nameOf(incidentId)} is resolved. \`/llm-incident postmortem owner @PERSON\` says who writes it up.`;
      const text = refused ?? (viewId === undefined ? unasked : null);
      if (text !== null) await tell(flow, { respond, ...click, text });
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

/** Undefined where it could not be opened. */
async function openFirst(flow: Flow, client: Client, triggerId: string): Promise<string | undefined> {
  try {
    const view = saidView(TITLE, 'Resolving…');
    return (await client.views.open({ trigger_id: triggerId, view })).view?.id;
  } catch (thrown) {
    flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
    return undefined;
  }
}

async function ownerView(
  flow: Flow,
  { incidentId, channelId }: { incidentId: number; channelId: string },
): Promise<ModalView> {
  const owner = (await findDuty(flow.db, incidentId))?.owner ?? null;
  return ownerModal({ incidentId, channelId, owner });
}

const about = z.object({ incidentId: z.number().int(), channelId: z.string() });
const chosen = z.object({ owner: z.object({ value: z.object({ selected_user: z.string().nullish() }) }) });

function readOwner(values: unknown): string | null {
  const parsed = chosen.safeParse(values);
  return parsed.success ? (parsed.data.owner.value.selected_user ?? null) : null;
}
