import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import {
  type createBody,
  type OnCallSeed,
  type PagerDutyIncident,
  PagerDutyRefusal,
  type PagerDutyUser,
  type Reference,
  type ServiceSeed,
} from './pagerduty-shapes.ts';

/** A note on an incident's timeline. */
export interface PagerDutyNote {
  id: string;
  incidentId: string;
  userId: string;
  content: string;
  created_at: string;
}

/** What Events v2 put into the account; its key lives here, not on the incident. */
export interface PagerDutyAlert {
  id: string;
  incidentId: string;
  alert_key: string;
  status: 'triggered' | 'resolved';
  severity: string;
  summary: string;
  details: unknown;
}

/** Somebody's phone that rang; by the log, this is what PagerDuty did about an incident. */
export interface PagerDutyNotification {
  id: string;
  incidentId: string;
  user: Reference;
  type: 'push_notification' | 'sms_notification' | 'phone_notification' | 'email_notification';
  at: string;
}

/** Something that a webhook subscriber would be told. */
export interface AccountChange {
  type: string;
  incident: PagerDutyIncident;
  /** Who did it; null for PagerDuty itself. */
  agent: Reference | null;
  note?: PagerDutyNote;
  responder?: PagerDutyIncident['incidents_responders'][number];
}

/** The part of an event that changes the account. */
export interface AccountEvent {
  event_action: 'trigger' | 'acknowledge' | 'resolve';
  dedup_key: string;
  payload?: { summary: string; severity: string; custom_details?: unknown } | undefined;
}

/** What POST /incidents asks for. */
export type NewIncident = z.infer<typeof createBody>['incident'];

/** What an account starts with. */
export interface AccountSeed {
  services: ServiceSeed[];
  oncalls: OnCallSeed[];
  users: PagerDutyUser[];
  priorities: { id: string; name: string }[];
}

/** Everything the account holds. */
export interface State extends AccountSeed {
  incidents: PagerDutyIncident[];
  notes: PagerDutyNote[];
  alerts: PagerDutyAlert[];
  notifications: PagerDutyNotification[];
  /** People whose phone never rings. */
  unreachable: Set<string>;
  tell(change: AccountChange): void;
}

/** A user as others refer to them. */
export function userReference(user: PagerDutyUser): Reference {
  return { id: user.id, type: 'user_reference', summary: user.name };
}

/** The incident with that id, or PagerDuty's 404. */
export function findIncident(state: State, id: string): PagerDutyIncident {
  const incident = state.incidents.find((one) => one.id === id);
  if (!incident) throw new PagerDutyRefusal(404, 2100);
  return incident;
}

/** A fresh incident, not yet part of the account. */
export function newIncident(
  state: State,
  service: ServiceSeed,
  wanted: Omit<NewIncident, 'type' | 'service'>,
): PagerDutyIncident {
  const policyId = wanted.escalation_policy?.id ?? state.oncalls[0]?.escalationPolicyId;
  const at = new Date().toISOString();
  const id = nextId('Q', state.incidents);
  return {
    id,
    type: 'incident',
    incident_number: state.incidents.length + 1,
    title: wanted.title,
    status: 'triggered',
    urgency: wanted.urgency ?? 'high',
    incident_key: wanted.incident_key ?? null,
    service: { id: service.id, type: 'service_reference', summary: service.name ?? service.id },
    escalation_policy: policyId
      ? { id: policyId, type: 'escalation_policy_reference', summary: policyId }
      : null,
    priority: wanted.priority ? priorityNamed(state, wanted.priority) : null,
    body: wanted.body ?? null,
    assignments: assigneesOf(state, wanted, policyId).map((assignee) => ({ at, assignee })),
    incidents_responders: [],
    acknowledgements: [],
    resolve_reason: null,
    created_at: at,
    updated_at: at,
    resolved_at: null,
    html_url: `https://demo.pagerduty.com/incidents/${id}`,
    self: `https://api.pagerduty.com/incidents/${id}`,
  };
}

/** Whom an incident goes to: those named, or the first level of its escalation policy. */
export function assigneesOf(
  state: State,
  wanted: { assignments?: NewIncident['assignments']; escalation_policy?: NewIncident['escalation_policy'] },
  policyId: string | undefined,
): Reference[] {
  if (wanted.assignments)
    return wanted.assignments.map(({ assignee }) => userReference(userWithId(state, assignee.id)));
  const first = state.oncalls.filter((one) => one.escalationPolicyId === policyId && one.level === 1);
  if (wanted.escalation_policy && first.length === 0) throw new PagerDutyRefusal(400, 1015);
  return first.map((one) => userReference(one.user));
}

/** Rings for these people, unless nothing reaches them. */
export function ring(state: State, incident: PagerDutyIncident, users: readonly Reference[]): void {
  for (const user of users.filter(({ id }) => !state.unreachable.has(id))) {
    const id = nextId('R', state.notifications);
    const at = new Date().toISOString();
    state.notifications.push({ id, incidentId: incident.id, user, type: 'push_notification', at });
  }
}

/** Marks the incident as seen by that person. */
export function acknowledge(incident: PagerDutyIncident, by: PagerDutyUser): void {
  incident.status = 'acknowledged';
  incident.resolved_at = null;
  incident.acknowledgements = [{ at: new Date().toISOString(), acknowledger: userReference(by) }];
}

/** Ends the incident. */
export function resolve(incident: PagerDutyIncident): void {
  Object.assign(incident, {
    status: 'resolved',
    resolved_at: new Date().toISOString(),
    acknowledgements: [],
    assignments: [],
  });
}

/** The priority by reference or by name. */
export function priorityNamed(state: State, wanted: string | { id: string }): Reference {
  const found = state.priorities.find((one) =>
    typeof wanted === 'string' ? one.name === wanted : one.id === wanted.id,
  );
  if (!found) throw new PagerDutyRefusal(400, 2001, ['Priority not found']);
  return { id: found.id, type: 'priority_reference', summary: found.name };
}

function userWithId(state: State, id: string): PagerDutyUser {
  const user = state.users.find((one) => one.id === id);
  if (!user) throw new PagerDutyRefusal(400, 2001, ['Assignee not found']);
  return user;
}

/** An id in PagerDuty's alphabet. */
export function nextId(prefix: string, items: unknown[]): string {
  const unique = randomUUID().slice(0, 6).toUpperCase();
  return `${prefix}${String(items.length + 1).padStart(7, '0')}${unique}`;
}
