import { ExternalError } from '../../errors.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { keepTopic, topicGiven } from '../../incident/room-card-store.ts';
import type { Flow } from '../flow.ts';

/** "INC-12 · SEV1 quality · open · production": nothing of a private incident but its number and kind. */
export function topicOf({ id, severity, category, status, environment }: Incident): string {
  return [nameOf(id), `${severity.toUpperCase()} ${category}`, status, environment].join(' · ');
}

/**
 * Lets the topic of the room follow severity and status. Policy: it is set only when it says something else than before,
 * and a topic that Slack refuses for good holds up nothing.
 */
export async function followTopic(
  flow: Pick<Flow, 'db' | 'chat' | 'clock' | 'log'>,
  incident: Incident,
): Promise<void> {
  const { id: incidentId, channel_id: channelId } = incident;
  const topic = topicOf(incident);
  if (channelId === null || (await topicGiven(flow.db, incidentId)) === topic) return;
  try {
    await flow.chat.setTopic(channelId, topic);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ incidentId, error: thrown.message }, 'the topic of a room could not be set');
  }
  await keepTopic(flow.db, { incidentId, topic, at: flow.clock.now() });
}
