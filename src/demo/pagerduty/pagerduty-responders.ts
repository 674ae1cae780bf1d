import { type PagerDutyIncident, PagerDutyRefusal, type PagerDutyUser } from './pagerduty-shapes.ts';
import { ring, type State, userReference } from './pagerduty-state.ts';

/** They are rung by their high-urgency rules, whatever the incident's urgency. */
export function askResponders(
  state: State,
  incident: PagerDutyIncident,
  { userIds, message }: { userIds: string[]; message: string },
): void {
  if (incident.status === 'resolved') throw new PagerDutyRefusal(400, 1001);
  for (const id of userIds) {
    const user = state.users.find((one) => one.id === id);
    if (!user) throw new PagerDutyRefusal(400, 2001, ['Responder not found']);
    const responder = { state: 'pending' as const, user: userReference(user), message };
    incident.incidents_responders.push(responder);
    ring(state, incident, [responder.user]);
    state.tell({ type: 'incident.responder.added', incident, agent: null, responder });
  }
}

export function answerRequest(
  state: State,
  incident: PagerDutyIncident,
  { reply, by }: { reply: 'joined' | 'declined'; by: PagerDutyUser },
): void {
  const responder = incident.incidents_responders.find(({ user }) => user.id === by.id);
  if (!responder) throw new Error(`${by.name} was not asked to respond on ${incident.id}`);
  responder.state = reply;
  state.tell({ type: 'incident.responder.replied', incident, agent: userReference(by), responder });
}
