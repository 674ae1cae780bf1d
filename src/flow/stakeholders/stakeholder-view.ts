import type { Category, Severity } from '../../db/schema.ts';
import type { AskState, StakeholderRole } from '../../incident/stakeholder.ts';

/** What a stakeholder is asked in a direct message. */
export interface StakeholderView {
  incidentId: number;
  role: StakeholderRole;
  /** Null for a private incident: nothing of it is said. */
  about: {
    title: string;
    category: Category;
    severity: Severity;
    service: string | null;
    environment: string;
    isDrill: boolean;
  } | null;
  roomId: string | null;
  dueAt: Date;
  state: AskState | 'over';
  by: string | null;
  at: Date | null;
}
