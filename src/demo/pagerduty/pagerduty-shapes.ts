import { z } from 'zod';

/** A person in the PagerDuty account. */
export interface PagerDutyUser {
  id: string;
  name: string;
  email: string;
}

/** One row of who is on call; `start` and `end` null means always. */
export interface OnCallSeed {
  escalationPolicyId: string;
  level: number;
  user: PagerDutyUser;
  start?: string;
  end?: string;
}

/** A service to page; with a routing key it also takes Events v2. */
export interface ServiceSeed {
  id: string;
  name?: string;
  routingKey?: string;
  /** Accepts events and opens nothing, as PagerDuty does. */
  disabled?: boolean;
}

export interface Reference {
  id: string;
  type: string;
  summary: string;
}

/** An incident as GET /incidents/{id} shows it, without decoration that the bot does not read. */
export interface PagerDutyIncident {
  id: string;
  type: 'incident';
  incident_number: number;
  title: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  urgency: 'high' | 'low';
  incident_key: string | null;
  service: Reference;
  escalation_policy: Reference | null;
  priority: Reference | null;
  body: { type: 'incident_body'; details: string } | null;
  assignments: { at: string; assignee: Reference }[];
  incidents_responders: { state: 'pending' | 'joined' | 'declined'; user: Reference; message: string }[];
  acknowledgements: { at: string; acknowledger: Reference }[];
  resolve_reason: { type: string; incident: Reference } | null;
  created_at: string;
  updated_at: string;
  resolved_at: string | null;
  html_url: string;
  self: string;
}

/** What a request may end in, instead of success; codes are PagerDuty's own. */
export class PagerDutyRefusal extends Error {
  readonly status: number;
  readonly code: number;
  readonly errors: string[];
  constructor(status: number, code: number, errors: string[] = []) {
    super(MESSAGES[code] ?? 'Invalid Input Provided');
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

const MESSAGES: Record<number, string> = {
  1001: 'Incident Already Resolved',
  1002: 'Incident Already Acknowledged',
  1008: 'Requester User Not Found',
  1015: 'Escalation Policy Has No User On Call',
  2001: 'Invalid Input Provided',
  2006: 'Authentication failed',
  2020: 'Rate Limit Exceeded',
  2100: 'Not Found',
};

const id = z.string().regex(/^[A-Z0-9]+$/, 'must be a PagerDuty id');
const reference = (type: string): z.ZodType<{ id: string; type: string }> =>
  z.strictObject({ id, type: z.enum([type, `${type}_reference`]) });
const assignments = z.array(z.strictObject({ assignee: reference('user') }));
const urgency = z.enum(['high', 'low']);
const oneAssignee = (incident: { assignments?: unknown; escalation_policy?: unknown }): boolean =>
  incident.assignments === undefined || incident.escalation_policy === undefined;
const NOT_BOTH = 'assignments cannot be given with escalation_policy';

/** POST /incidents. `details` is a string: PagerDuty shows nothing else. */
export const createBody = z.strictObject({
  incident: z
    .strictObject({
      type: z.literal('incident'),
      title: z.string().min(1).max(1024),
      service: reference('service'),
      urgency: urgency.optional(),
      incident_key: z.string().min(1).max(255).optional(),
      body: z.strictObject({ type: z.literal('incident_body'), details: z.string() }).optional(),
      priority: reference('priority').optional(),
      escalation_policy: reference('escalation_policy').optional(),
      assignments: assignments.optional(),
      conference_bridge: z
        .strictObject({
          conference_number: z.string().optional(),
          conference_url: z.string().optional(),
        })
        .optional(),
    })
    .refine(oneAssignee, NOT_BOTH),
});

const changes = {
  type: z.enum(['incident', 'incident_reference']),
  status: z.enum(['triggered', 'acknowledged', 'resolved']).optional(),
  title: z.string().min(1).max(1024).optional(),
  urgency: urgency.optional(),
  resolution: z.string().optional(),
  priority: z.union([reference('priority'), z.string()]).optional(),
  escalation_level: z.number().int().min(1).optional(),
  escalation_policy: reference('escalation_policy').optional(),
  assignments: assignments.optional(),
};

/** PUT /incidents/{id}. */
export const updateBody = z.strictObject({ incident: z.strictObject(changes).refine(oneAssignee, NOT_BOTH) });
export type IncidentChange = z.infer<typeof updateBody>['incident'];

/** PUT /incidents. */
export const bulkBody = z.strictObject({
  incidents: z.array(z.strictObject({ id, ...changes }).refine(oneAssignee, NOT_BOTH)).min(1),
});

/** POST /incidents/{id}/notes. */
export const noteBody = z.strictObject({ note: z.strictObject({ content: z.string().min(1).max(25_000) }) });

/** POST /incidents/{id}/status_updates. */
export const statusUpdateBody = z.strictObject({
  message: z.string().min(1),
  subject: z.string().optional(),
  html_message: z.string().optional(),
});

/** POST /incidents/{id}/responder_requests. */
export const responderBody = z.strictObject({
  requester_id: id,
  message: z.string().min(1),
  responder_request_targets: z
    .array(
      z.strictObject({
        responder_request_target: z.strictObject({
          id,
          type: z.enum(['user', 'user_reference', 'escalation_policy', 'escalation_policy_reference']),
        }),
      }),
    )
    .min(1),
});

/** PUT /incidents/{id}/merge. */
export const mergeBody = z.strictObject({ source_incidents: z.array(reference('incident')).min(1) });

/** What may follow `?` on each listing; array parameters carry their brackets. */
export const QUERY = {
  alerts: ['limit', 'offset', 'statuses[]'],
  logEntries: ['limit', 'offset', 'since', 'until', 'is_overview', 'include[]', 'time_zone', 'total'],
  incidents: [
    'statuses[]',
    'incident_key',
    'service_ids[]',
    'team_ids[]',
    'user_ids[]',
    'urgencies[]',
    'since',
    'until',
    'date_range',
    'sort_by',
    'time_zone',
    'include[]',
    'limit',
    'offset',
    'total',
  ],
  oncalls: [
    'escalation_policy_ids[]',
    'schedule_ids[]',
    'user_ids[]',
    'since',
    'until',
    'earliest',
    'time_zone',
    'include[]',
    'limit',
    'offset',
    'total',
  ],
  users: ['query', 'team_ids[]', 'include[]', 'limit', 'offset', 'total'],
  services: ['query', 'team_ids[]', 'time_zone', 'sort_by', 'include[]', 'limit', 'offset', 'total'],
  priorities: ['limit', 'offset', 'total'],
} as const;
