import type { App, BlockAction } from '@slack/bolt';
import { enqueue } from '../../db/jobs.ts';
import { CHARACTERISTICS, isCharacteristic, QUESTIONS } from '../../decision/characteristic.ts';
import { messageOf } from '../../errors.ts';
import { answerCharacteristic, loadCharacteristics } from '../../flow/decide/characterise.ts';
import { reproduce, showCharacteristics } from '../../flow/effects.ts';
import type { Flow } from '../../flow/flow.ts';
import { rehearsalConfig } from '../../flow/mitigate/rehearsal-config.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { escapeLine } from '../mrkdwn.ts';
import { characteriseModal, readCharacterise } from '../views/characteristics.ts';
import { inRoom, over } from './ask.ts';
import { FOREIGN } from './buttons.ts';
import { readClick, tell } from './click.ts';

const TOO_LONG = 'That is too long; 1,500 characters are enough.';

/** `characterise`, `characterise QUESTION TEXT`, `characterise reproduce`. */
export const characterise = inRoom(async ({ flow, incident, userId, text }) => {
  const [word = '', ...rest] = text.trim().split(/\s+/);
  if (word === '') {
    await enqueue(flow.db, showCharacteristics(incident.id, flow.clock.now()));
    return 'The five questions are in the thread of the card.';
  }
  if (word === 'reproduce' && rest.length === 0) return startReproducing(flow, incident);
  if (!isCharacteristic(word))
    return `There is no question \`${escapeLine(word.slice(0, 40))}\`. There are: ${QUESTIONS.map((one) => `\`${one}\``).join(', ')}.`;
  const said = rest.join(' ');
  if (said === '') return `Say the answer as well: \`characterise ${word} TEXT\`. ${CHARACTERISTICS[word]}`;
  const outcome = await answerCharacteristic(flow, { incident, by: userId, question: word, text: said });
  if (outcome.kind === 'too-long') return TOO_LONG;
  return outcome.kind === 'same' ? 'That is the answer already.' : `Kept. ${CHARACTERISTICS[word]}`;
});

async function startReproducing(flow: Flow, incident: Incident): Promise<string> {
  if (!LIVE.includes(incident.status)) return over(incident);
  if (rehearsalConfig(flow, incident) === null)
    return 'No rehearsal endpoint is declared for this service, so failing examples are sent by hand.';
  await enqueue(flow.db, reproduce(incident.id, flow.clock.now()));
  return 'Three failing examples are being sent to what is served now; the answer comes in the thread of the card.';
}

/** The buttons under the five questions, and the form behind one of them. */
export function registerCharacterise(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'characterise_edit' },
    async ({ ack, body, client, respond }) => {
      await ack();
      const click = readClick(body);
      const incident = await incidentOf(flow, click);
      if (incident === null) return tell(flow, { respond, ...click, text: FOREIGN });
      const view = characteriseModal(
        { incidentId: incident.id, channelId: click.channelId },
        await loadCharacteristics(flow, incident.id),
      );
      try {
        await client.views.open({ trigger_id: body.trigger_id, view });
      } catch (thrown) {
        flow.log.info({ error: messageOf(thrown) }, 'a form could not be opened');
        const text =
          'The form could not be opened. Say it in one line: `/llm-incident characterise affected TEXT`.';
        await tell(flow, { respond, ...click, text });
      }
    },
  );
  app.action<BlockAction>(
    { type: 'block_actions', action_id: 'characterise_reproduce' },
    async ({ ack, body, respond }) => {
      await ack();
      const click = readClick(body);
      const incident = await incidentOf(flow, click);
      const text = incident === null ? FOREIGN : await startReproducing(flow, incident);
      await tell(flow, { respond, ...click, text });
    },
  );
  registerForm(app, flow);
}

function registerForm(app: App, flow: Flow): void {
  app.view('characterise', async ({ ack, body, view }) => {
    await ack();
    const read = readCharacterise(view);
    if (read === null) return;
    const incident = await incidentOf(flow, {
      channelId: read.about.channelId,
      value: String(read.about.incidentId),
    });
    if (incident === null) return;
    for (const { question, text } of read.answers)
      if (isCharacteristic(question))
        await answerCharacteristic(flow, { incident, by: body.user.id, question, text });
    flow.wake();
  });
}

/** The incident that a button names, in its own room only. */
async function incidentOf(
  flow: Flow,
  { value, channelId }: { value: string; channelId: string },
): Promise<Incident | null> {
  const found = await findIncident(flow.db, /^\d{1,9}$/.test(value) ? Number(value) : -1);
  return found === undefined || found.channel_id !== channelId ? null : found;
}
