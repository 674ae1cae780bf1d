import type { Answer } from '../../decision/playbook.ts';
import type { Incident } from '../../incident/incident.ts';
import type { Flow } from '../flow.ts';
import type { About } from '../incident/about-incident.ts';

/** What was found where a step looks, and the answer that it speaks for; null: people must tell. */
export interface Finding {
  text: string;
  says: Answer | null;
}

export type Looking = Pick<Flow, 'db' | 'clock' | 'config'>;

/** One investigation: reads what there is and says what it shows. */
export type Investigation = (flow: Looking, incident: Incident, about: About) => Promise<Finding>;
