import type { ConfigFile } from '../../config/config-file.ts';
import type { Db } from '../../db/database.ts';
import { pathOf } from '../../decision/decision-store.ts';
import type { Incident } from '../../incident/incident.ts';
import type { DecisionPath } from '../../postmortem/record.ts';
import { playbookFor } from './playbooks.ts';
import { instructionOf, leafOf, symptomText } from './walk-tree.ts';

/** The way through the decision tree for the post-mortem; undefined where nobody walked it. */
export async function decisionPath(
  { db, config }: { db: Db; config: ConfigFile },
  incident: Incident,
): Promise<DecisionPath | undefined> {
  const path = (await pathOf(db, incident.id)).filter((step) => step.answer !== null);
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const playbook = playbookFor(config, incident.service);
  const symptoms = [...new Set(path.map((step) => step.symptom))];
  const steps = path.map((step) => ({
    question: instructionOf(playbook, step.symptom, step.step),
    finding: step.finding ?? 'only people can tell',
    answer: step.answer ?? 'not answered',
    by: step.decidedBy ?? 'nobody',
    at: step.at,
  }));
  const editions = [...new Set(path.flatMap(({ tree }) => tree ?? []))];
  return {
    symptom: symptoms.map((id) => symptomText(playbook, id)).join('; then: '),
    steps,
    leaf: leafOf(playbook, path, last.symptom),
    tree: editions.length === 0 ? undefined : editions.join(', then '),
  };
}
