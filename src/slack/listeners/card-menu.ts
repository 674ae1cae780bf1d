import type { App, BlockAction } from '@slack/bolt';
import type { Flow } from '../../flow/flow.ts';
import { nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { buttons, rendered, section } from '../views/blocks.ts';
import { CARD_MENU, readMenuChoice } from '../views/card-menu.ts';
import { incidentButtons } from '../views/incident-buttons.ts';
import { type Answer, messageFor } from './ask.ts';
import { FOREIGN } from './buttons.ts';
import { readClick, tell } from './click.ts';
import { runCommand } from './command.ts';
import { type CommandForm, formOf } from './command-forms.ts';

/** The ⋯ of the card: each choice is the command of that name, with the same answer and the same rights. */
export function registerCardMenu(app: App, flow: Flow): void {
  app.action<BlockAction>(
    { type: 'block_actions', action_id: CARD_MENU },
    async ({ ack, body, client, respond }) => {
      await ack();
      const { userId, channelId, value } = readClick(body);
      const form = formOf(flow, { word: readMenuChoice(value)?.choice ?? '', rest: '', channelId });
      if (form !== null && (await opens(client, body.trigger_id, form))) return;
      const answer = await choose(flow, { userId, channelId, value, origin: `menu ${body.trigger_id}` });
      await tell(flow, { respond, userId, channelId, ...messageFor(answer) });
    },
  );
}

/** False where it could not be opened: then the command answers in text. */
async function opens(client: App['client'], triggerId: string, { view }: CommandForm): Promise<boolean> {
  return client.views.open({ trigger_id: triggerId, view }).then(
    () => true,
    () => false,
  );
}

async function choose(
  flow: Flow,
  picked: { userId: string; channelId: string; value: string; origin: string },
): Promise<Answer> {
  const chosen = readMenuChoice(picked.value);
  const incident = chosen === null ? undefined : await findIncident(flow.db, chosen.incidentId);
  if (chosen === null || incident === undefined || incident.channel_id !== picked.channelId) return FOREIGN;
  if (chosen.choice === 'resolve') return askToResolve(incident.id);
  const { userId, channelId, origin } = picked;
  return runCommand(flow, { text: chosen.choice, userId, channelId, origin });
}

/** A menu asks nothing back, so what ends an incident is a button with a dialog. */
function askToResolve(incidentId: number): Answer {
  const text = `Resolve ${nameOf(incidentId)}? Users are served well again, and the post-mortem is due in 48 hours.`;
  const about = { incidentId, service: '', knownGood: null };
  return rendered(text, [section(text), ...buttons(incidentButtons(['resolve'], about))]);
}
