import { answerRequest, askResponders } from './pagerduty-responders.ts';
import {
  type IncidentChange,
  type OnCallSeed,
  type PagerDutyIncident,
  PagerDutyRefusal,
  type PagerDutyUser,
  type ServiceSeed,
} from './pagerduty-shapes.ts';
import {
  type AccountChange,
  type AccountEvent,
  type AccountSeed,
  acknowledge,
  assigneesOf,
  findIncident,
  type NewIncident,
  newIncident,
  nextId,
  type PagerDutyAlert,
  type PagerDutyNote,
  type PagerDutyNotification,
  priorityNamed,
  resolve,
  ring,
  type State,
  userReference,
} from './pagerduty-state.ts';

/** One PagerDuty account in memory, with PagerDuty's own rules about what may follow what. */
export interface Account {
  readonly services: ServiceSeed[];
  readonly oncalls: OnCallSeed[];
  readonly users: PagerDutyUser[];
  readonly priorities: { id: string; name: string }[];
  readonly incidents: PagerDutyIncident[];
  readonly notes: PagerDutyNote[];
  readonly alerts: PagerDutyAlert[];
  readonly notifications: PagerDutyNotification[];
  readonly unreachable: Set<string>;
  find(id: string): PagerDutyIncident;
  create(wanted: NewIncident, by: PagerDutyUser): PagerDutyIncident;
  change(
    incident: PagerDutyIncident,
    change: Omit<IncidentChange, 'type'>,
    by: PagerDutyUser,
  ): PagerDutyIncident;
  merge(target: PagerDutyIncident, sources: string[], by: PagerDutyUser): PagerDutyIncident;
  annotate(incident: PagerDutyIncident, content: string, by: PagerDutyUser): PagerDutyNote;
  ask(incident: PagerDutyIncident, userIds: string[], message: string): void;
  answer(incident: PagerDutyIncident, state: 'joined' | 'declined', by: PagerDutyUser): void;
  takeEvent(service: ServiceSeed, event: AccountEvent): void;
  /** Is told about every change; for webhooks. */
  onChange(listener: (change: AccountChange) => void): void;
}

/** Opens the account. */
export function createAccount(seed: AccountSeed): Account {
  const listeners: ((change: AccountChange) => void)[] = [];
  const state: State = {
    ...seed,
    incidents: [],
    notes: [],
    alerts: [],
    notifications: [],
    unreachable: new Set(),
    tell: (change) => listeners.forEach((listener) => listener(structuredClone(change))),
  };
  return {
    ...state,
    find: (id) => findIncident(state, id),
    create: (wanted, by) => createIncident(state, wanted, by),
    change: (incident, change, by) => changeIncident(state, incident, { change, by }),
    merge: (target, sources, by) => mergeIncidents(state, target, { sources, by }),
    annotate: (incident, content, by) => {
      const created_at = new Date().toISOString();
      const note = {
        id: nextId('P', state.notes),
        incidentId: incident.id,
        userId: by.id,
        content,
        created_at,
      };
      state.notes.push(note);
      state.tell({ type: 'incident.annotated', incident, agent: userReference(by), note });
      return note;
    },
    ask: (incident, userIds, message) => askResponders(state, incident, { userIds, message }),
    answer: (incident, reply, by) => answerRequest(state, incident, { reply, by }),
    takeEvent: (service, event) => takeEvent(state, service, event),
    onChange: (listener) => {
      listeners.push(listener);
    },
  };
}

function createIncident(state: State, wanted: NewIncident, by: PagerDutyUser): PagerDutyIncident {
  const service = state.services.find((one) => one.id === wanted.service.id);
  if (!service) throw new PagerDutyRefusal(400, 2001, ['Service not found']);
  if (service.disabled) throw new PagerDutyRefusal(400, 2001, ['Service is disabled']);
  const open = state.incidents.find(
    (one) =>
      wanted.incident_key !== undefined &&
      one.status !== 'resolved' &&
      one.incident_key === wanted.incident_key &&
      one.service.id === service.id,
  );
  if (open) {
    throw new PagerDutyRefusal(400, 2001, [
      'Open incident with matching dedup key already exists on this service',
    ]);
  }
  const incident = newIncident(state, service, wanted);
  // PagerDuty takes somebody who assigns an incident to themselves as already knowing about it.
  if (incident.assignments.some(({ assignee }) => assignee.id === by.id)) acknowledge(incident, by);
  else if (incident.urgency === 'high') ring(state, incident, assigned(incident));
  state.incidents.push(incident);
  state.tell({ type: 'incident.triggered', incident, agent: userReference(by) });
  return incident;
}

const assigned = (incident: PagerDutyIncident) => incident.assignments.map(({ assignee }) => assignee);

function changeIncident(
  state: State,
  incident: PagerDutyIncident,
  asked: { change: Omit<IncidentChange, 'type'>; by: PagerDutyUser },
): PagerDutyIncident {
  const { change, by } = asked;
  const before = incident.status;
  if (change.status === 'resolved' && before === 'resolved') throw new PagerDutyRefusal(400, 1001);
  if (change.status === 'acknowledged' && before === 'acknowledged') throw new PagerDutyRefusal(400, 1002);
  if (change.status === 'resolved') resolve(incident);
  if (change.status === 'acknowledged') acknowledge(incident, by);
  if (change.status === 'triggered')
    Object.assign(incident, { status: 'triggered', acknowledgements: [], resolved_at: null });
  if (change.title !== undefined) incident.title = change.title;
  if (change.urgency !== undefined) incident.urgency = change.urgency;
  if (change.priority !== undefined) incident.priority = priorityNamed(state, change.priority);
  if (change.assignments !== undefined) {
    const at = new Date().toISOString();
    incident.assignments = assigneesOf(state, { assignments: change.assignments }, undefined).map(
      (assignee) => ({ at, assignee }),
    );
  }
  if (change.escalation_level !== undefined) escalate(state, incident, change.escalation_level);
  const isWoken = change.assignments !== undefined || change.escalation_level !== undefined;
  if (incident.urgency === 'high' && (isWoken || change.urgency === 'high'))
    ring(state, incident, assigned(incident));
  incident.updated_at = new Date().toISOString();
  for (const type of changeTypes(change, before)) state.tell({ type, incident, agent: userReference(by) });
  return incident;
}

function escalate(state: State, incident: PagerDutyIncident, level: number): void {
  const at = new Date().toISOString();
  const next = state.oncalls.filter(
    (one) => one.escalationPolicyId === incident.escalation_policy?.id && one.level === level,
  );
  incident.assignments = next.map((one) => ({ at, assignee: userReference(one.user) }));
}

function changeTypes(change: Omit<IncidentChange, 'type'>, before: PagerDutyIncident['status']): string[] {
  const types: string[] = [];
  if (before === 'resolved' && change.status !== undefined) types.push('incident.reopened');
  if (change.status === 'resolved') types.push('incident.resolved');
  if (change.status === 'acknowledged') types.push('incident.acknowledged');
  if (change.status === 'triggered' && before === 'acknowledged') types.push('incident.unacknowledged');
  if (change.priority !== undefined) types.push('incident.priority_updated');
  if (change.assignments !== undefined) types.push('incident.reassigned');
  if (change.escalation_level !== undefined) types.push('incident.escalated');
  return types;
}

function mergeIncidents(
  state: State,
  target: PagerDutyIncident,
  asked: { sources: string[]; by: PagerDutyUser },
): PagerDutyIncident {
  if (target.status === 'resolved') throw new PagerDutyRefusal(400, 2001, ['Target incident is resolved']);
  const sources = asked.sources.map((id) => findIncident(state, id));
  for (const source of sources) {
    resolve(source);
    const incident = { id: target.id, type: 'incident_reference', summary: target.title };
    source.resolve_reason = { type: 'merge_resolve_reason', incident };
    state.tell({ type: 'incident.resolved', incident: source, agent: userReference(asked.by) });
  }
  return target;
}

function takeEvent(state: State, service: ServiceSeed, event: AccountEvent): void {
  const alert = state.alerts.find(
    (one) =>
      one.alert_key === event.dedup_key &&
      one.status === 'triggered' &&
      findIncident(state, one.incidentId).service.id === service.id,
  );
  const agent = { id: 'PEVENTS', type: 'inbound_integration_reference', summary: 'Events API V2' };
  if (event.event_action !== 'trigger') {
    if (!alert) return; // dropped silently: PagerDuty answers 202 all the same
    const incident = findIncident(state, alert.incidentId);
    if (event.event_action === 'resolve') resolve(incident);
    else if (incident.status === 'triggered') incident.status = 'acknowledged';
    if (event.event_action === 'resolve') alert.status = 'resolved';
    state.tell({
      type: `incident.${event.event_action === 'resolve' ? 'resolved' : 'acknowledged'}`,
      incident,
      agent,
    });
    return;
  }
  if (alert || !event.payload) return;
  const title = event.payload.summary;
  const low = event.payload.severity === 'warning' || event.payload.severity === 'info';
  const incident = newIncident(state, service, { title, urgency: low ? 'low' : 'high' });
  state.incidents.push(incident);
  if (!low) ring(state, incident, assigned(incident));
  state.alerts.push({
    id: nextId('A', state.alerts),
    incidentId: incident.id,
    alert_key: event.dedup_key,
    status: 'triggered',
    severity: event.payload.severity,
    summary: title,
    details: event.payload.custom_details ?? null,
  });
  state.tell({ type: 'incident.triggered', incident, agent });
}
