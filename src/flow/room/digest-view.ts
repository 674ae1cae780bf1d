import type { Incident } from '../../incident/incident.ts';

/** What stakeholders read of one incident, in the digest channel of its category; texts are raw. */
export interface DigestView {
  incidentId: number;
  /** Null: it is private now, and nothing of it is said any more. */
  about: {
    title: string;
    status: Incident['status'];
    severity: Incident['severity'];
    category: Incident['category'];
    service: string | null;
    environment: string;
    roomId: string | null;
    openedAt: Date;
    containedAt: Date | null;
    mitigatedAt: Date | null;
    resolvedAt: Date | null;
    update: { text: string; at: Date } | null;
  } | null;
}
