/** What PagerDuty tells of one of its incidents, in our words; it is kept as the payload of a job. */
export interface PageEvent {
  /** PagerDuty's id of the event: a second delivery has the same. */
  id: string;
  /** Such as `incident.acknowledged`. */
  type: string;
  /** When it happened, ISO 8601; deliveries may come out of order. */
  at: string;
  /** Who did it; null for PagerDuty itself. */
  agent: { id: string; name: string; isPerson: boolean } | null;
  pagerdutyId: string;
  /** How the incident stands after it; null for words about it. */
  incident: {
    status: string;
    urgency: string;
    key: string | null;
    url: string | null;
    priority: string | null;
    assignees: string[];
    mergedInto: { id: string; url: string | null } | null;
  } | null;
  note: { id: string; content: string; trimmed: boolean } | null;
  responder: { name: string; state: string } | null;
  /** Text of a status update. */
  update: string | null;
}
