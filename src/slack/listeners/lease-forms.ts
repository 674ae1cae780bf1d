import type { App, BlockAction } from '@slack/bolt';
import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { keepLease } from '../../flow/mitigate/answer-lease.ts';
import type { ViewValues } from '../views/declaration.ts';
import { keepLeaseModal, saidModal } from '../views/lease.ts';
import { incidentOfChannel } from './ask.ts';
import { FOREIGN } from './buttons.ts';
import { readClick, tell } from './click.ts';
import { keepAnswer } from './lease-commands.ts';

const about = z.object({ mitigationId: z.number().int(), channelId: z.string() });

/** *Keep it* of a lease that has ended, with its form. */
export function registerLeases(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'lease_keep' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const { value, ...place } = readClick(body);
      const mitigationId = /^\d{1,9}$/.test(value) ? Number(value) : -1;
      const view = keepLeaseModal({ mitigationId, channelId: place.channelId });
      try {
        await client.views.open({ trigger_id: body.trigger_id, view });
      } catch (thrown) {
        flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
        const text = `The form could not be opened. Say it in one line: \`/llm-incident lease ${mitigationId} keep 24 REASON\`.`;
        await tell(flow, { respond, ...place, text });
      }
    },
  );
  app.view('lease_keep', async ({ ack, body, view }) => {
    const { mitigationId, channelId } = about.parse(JSON.parse(view.private_metadata));
    const by = body.user.id;
    const incident = await incidentOfChannel(flow, channelId);
    const given = readKeepForm(view.state.values as ViewValues);
    const work = incident === null ? null : keepLease(flow, { incident, mitigationId, by, ...given });
    const inline = await Promise.race([work, delay(ANSWER_INLINE_MS)]);
    // Who is not in the room cannot be whispered to, so a refusal stands in the form.
    if (inline !== null && inline.kind !== 'kept') {
      await ack({ response_action: 'update', view: saidModal(keepAnswer(inline)) });
      return;
    }
    await ack();
    const outcome = await work;
    const text = outcome === null ? FOREIGN : keepAnswer(outcome);
    await tell(flow, { channelId, userId: by, text });
  });
}

/** Longest that the form waits for its answer; Slack gives up after three seconds. */
const ANSWER_INLINE_MS = 1_800;
const delay = (ms: number) => new Promise<null>((resolve) => setTimeout(resolve, ms, null));

/** An hour count that was tampered with is refused where the lease is kept. */
function readKeepForm(values: ViewValues): { hours: number | null; reason: string } {
  const length = values['length']?.['value']?.selected_option?.value ?? '';
  const reason = values['reason']?.['value']?.value ?? '';
  return { hours: length === 'for-good' ? null : Number(length), reason };
}
