import type { Account } from './pagerduty-account.ts';
import { at, type Context, checked, page, type RestAnswer, type Route } from './pagerduty-rest.ts';
import {
  bulkBody,
  createBody,
  mergeBody,
  noteBody,
  type PagerDutyIncident,
  PagerDutyRefusal,
  QUERY,
  responderBody,
  statusUpdateBody,
  updateBody,
} from './pagerduty-shapes.ts';
import { type PagerDutyNote, userReference } from './pagerduty-state.ts';

/** Everything below /incidents. */
export const INCIDENT_ROUTES: Route[] = [
  { method: 'POST', path: at('/incidents'), run: createIncident },
  { method: 'GET', path: at('/incidents'), query: QUERY.incidents, run: listIncidents },
  { method: 'PUT', path: at('/incidents'), run: bulkUpdate },
  { method: 'GET', path: at('/incidents/{id}'), query: ['include[]'], run: showIncident },
  { method: 'PUT', path: at('/incidents/{id}'), run: updateIncident },
  { method: 'GET', path: at('/incidents/{id}/notes'), run: listNotes },
  { method: 'POST', path: at('/incidents/{id}/notes'), run: addNote },
  { method: 'GET', path: at('/incidents/{id}/alerts'), query: QUERY.alerts, run: listAlerts },
  { method: 'GET', path: at('/incidents/{id}/log_entries'), query: QUERY.logEntries, run: listLogEntries },
  { method: 'POST', path: at('/incidents/{id}/status_updates'), run: statusUpdate },
  { method: 'POST', path: at('/incidents/{id}/responder_requests'), run: requestResponders },
  { method: 'PUT', path: at('/incidents/{id}/merge'), run: merge },
];

function createIncident({ account, request, by }: Context): RestAnswer {
  const user = by();
  return {
    status: 201,
    body: { incident: account.create(checked(createBody, request.body).incident, user) },
  };
}

function showIncident({ account, id }: Context): RestAnswer {
  return { status: 200, body: { incident: account.find(id) } };
}

function updateIncident({ account, request, id, by }: Context): RestAnswer {
  const user = by();
  const { incident: change } = checked(updateBody, request.body);
  return { status: 200, body: { incident: account.change(account.find(id), change, user) } };
}

function bulkUpdate({ account, request, by }: Context): RestAnswer {
  const user = by();
  const { incidents } = checked(bulkBody, request.body);
  if (incidents.length > 250) throw new PagerDutyRefusal(413, 2001, ['at most 250 incidents']);
  const changed = incidents.map(({ id, ...change }) => account.change(account.find(id), change, user));
  return { status: 200, body: { incidents: changed } };
}

function listIncidents({ account, request }: Context): RestAnswer {
  const { query } = request;
  const wants = (key: string, value: string): boolean => !query.has(key) || query.getAll(key).includes(value);
  // An empty key is no filter at all: PagerDuty then returns every incident.
  const key = query.get('incident_key') || undefined;
  const hasKey = (incident: PagerDutyIncident): boolean =>
    key === undefined ||
    incident.incident_key === key ||
    account.alerts.some((alert) => alert.incidentId === incident.id && alert.alert_key === key);
  const found = account.incidents.filter(
    (incident) =>
      hasKey(incident) &&
      wants('statuses[]', incident.status) &&
      wants('service_ids[]', incident.service.id) &&
      wants('urgencies[]', incident.urgency),
  );
  return page('incidents', found.toReversed(), request);
}

function listNotes({ account, id }: Context): RestAnswer {
  const incident = account.find(id);
  const found = account.notes.filter((note) => note.incidentId === incident.id);
  return { status: 200, body: { notes: found.map((note) => shownNote(account, note)) } };
}

function addNote({ account, request, id, by }: Context): RestAnswer {
  const user = by();
  const incident = account.find(id);
  const { note } = checked(noteBody, request.body);
  return { status: 201, body: { note: shownNote(account, account.annotate(incident, note.content, user)) } };
}

function listAlerts({ account, request, id }: Context): RestAnswer {
  const incident = account.find(id);
  const found = account.alerts.filter((alert) => alert.incidentId === incident.id);
  const shown = found.map(({ incidentId: _incident, details, ...alert }) => ({
    ...alert,
    type: 'alert',
    body: { type: 'alert_body', details },
    service: incident.service,
  }));
  return page('alerts', shown, request);
}

// Newest first, as PagerDuty has it.
function listLogEntries({ account, request, id }: Context): RestAnswer {
  const incident = account.find(id);
  const found = account.notifications.filter((one) => one.incidentId === incident.id);
  const shown = found.map(({ id: entryId, user, type, at: created_at }) => ({
    id: entryId,
    type: 'notify_log_entry',
    summary: `Notified ${user.summary}`,
    created_at,
    agent: incident.service,
    channel: { type: 'auto', notification: { type, status: 'success' } },
    user,
  }));
  const opened = { id: `L${incident.id}`, type: 'trigger_log_entry', created_at: incident.created_at };
  return page('log_entries', [...shown.toReversed(), opened], request);
}

function statusUpdate({ account, request, id, by }: Context): RestAnswer {
  const user = by();
  account.find(id);
  const { message } = checked(statusUpdateBody, request.body);
  return {
    status: 201,
    body: { status_update: { id: `PUPDATE${id}`, message, sender: userReference(user) } },
  };
}

// The one write without From: it names its requester in the body.
function requestResponders({ account, request, id }: Context): RestAnswer {
  const incident = account.find(id);
  const body = checked(responderBody, request.body);
  const asker = account.users.find((user) => user.id === body.requester_id);
  if (!asker) throw new PagerDutyRefusal(400, 1008);
  const targets = body.responder_request_targets.map((target) => target.responder_request_target.id);
  account.ask(incident, targets, body.message);
  const asked = {
    incident: { id: incident.id, type: 'incident_reference' },
    requester: userReference(asker),
  };
  return {
    status: 200,
    body: { responder_request: { ...asked, ...body, requested_at: new Date().toISOString() } },
  };
}

function merge({ account, request, id, by }: Context): RestAnswer {
  const user = by();
  const sources = checked(mergeBody, request.body).source_incidents.map((source) => source.id);
  return { status: 200, body: { incident: account.merge(account.find(id), sources, user) } };
}

function shownNote(account: Account, note: PagerDutyNote): object {
  const user = account.users.find((one) => one.id === note.userId);
  return {
    id: note.id,
    content: note.content,
    created_at: note.created_at,
    user: user ? userReference(user) : null,
  };
}
