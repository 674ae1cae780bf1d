import { closest, distance } from 'fastest-levenshtein';
import { enqueue } from '../../db/jobs.ts';
import { answerStep, pathOf, type RecordedStep, recordStep } from '../../decision/decision-store.ts';
import type { Answer, Playbook } from '../../decision/playbook.ts';
import { type Suggestion, suggest, walk } from '../../decision/walk.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { showTree } from '../effects.ts';
import type { Flow } from '../flow.ts';
import type { TreeLeafView, TreeStepView, TreeView } from '../ports.ts';
import { previewLeaf } from './leaf-plan.ts';
import { lookAt } from './look-at.ts';
import { observe } from './observe.ts';
import { playbookFor } from './playbooks.ts';

/** The symptoms to choose from, or the step of one that is to be answered now, with what the evidence says to it. */
export async function loadTree(
  flow: Flow,
  { incidentId, symptom }: { incidentId: number; symptom: string | null },
): Promise<TreeView> {
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const playbook = playbookFor(flow.config, incident.service);
  const path = await pathOf(flow.db, incidentId);
  // A button of an older edition may name a symptom that is gone: the choice is offered again.
  const isKnown = playbook.symptoms.some(({ id }) => id === symptom);
  if (symptom === null || !isKnown) return loadChoices(flow, incident, { playbook, path });
  const position = walk(playbook, path, symptom);
  if (position.step === null)
    return { incidentId, choices: [], step: null, leaf: await leafView(flow, incident, position) };
  return { incidentId, choices: [], step: await askStep(flow, incident, { playbook, position }), leaf: null };
}

type Position = ReturnType<typeof walk>;

async function askStep(
  flow: Flow,
  incident: Incident,
  { playbook, position }: { playbook: Playbook; position: Extract<Position, { leaf: null }> },
): Promise<TreeStepView> {
  const { step, symptom } = position;
  const found = await lookAt(flow, incident, step.looks_at);
  const finding = found?.text ?? null;
  const key = { incidentId: incident.id, symptom: symptom.id, step: step.id };
  await recordStep(flow.db, { ...key, finding, at: flow.clock.now(), tree: playbook.edition });
  return {
    symptomId: symptom.id,
    symptom: symptom.symptom,
    likelyCause: symptom.likely_cause,
    stepId: step.id,
    instruction: step.instruction,
    finding,
    says: found?.says ?? null,
    answers: ['yes', 'no', 'unknown'],
  };
}

async function leafView(
  flow: Flow,
  incident: Incident,
  { leaf, symptom }: Extract<Position, { step: null }>,
): Promise<TreeLeafView> {
  const { advice, action } = leaf;
  const plan = action === null ? null : await previewLeaf(flow, incident, action);
  return { advice, action, symptomId: symptom.id, plan };
}

async function loadChoices(flow: Flow, incident: Incident, walked: Walked): Promise<TreeView> {
  const { playbook } = walked;
  const suggestions = suggest(playbook, await observe(flow, incident));
  const picked = pick(incident, suggestions, walked);
  const why = new Map(suggestions.map((one) => [one.symptomId, one.why]));
  if (picked !== null) why.set(picked.symptomId, picked.why);
  const order = [...new Set([...(picked === null ? [] : [picked.symptomId]), ...why.keys()])];
  const rank = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  const choices = playbook.symptoms
    .map(({ id, symptom }) => ({ id, symptom, suggested: why.get(id) ?? null }))
    .sort((a, b) => rank(a.id) - rank(b.id));
  return { incidentId: incident.id, choices, picked: picked?.symptomId ?? null, step: null, leaf: null };
}

interface Walked {
  playbook: Playbook;
  path: readonly RecordedStep[];
}

/**
 * Policy: a branch that was begun is gone on with; then the symptom that people declared; then what explains most of the
 * evidence. A branch that reached its end is not picked again. Null: nothing speaks for any.
 */
function pick(
  { symptom: declared }: Incident,
  suggestions: readonly Suggestion[],
  { playbook, path }: Walked,
): Suggestion | null {
  const known = playbook.symptoms.map(({ id }) => id);
  const isOpen = (id: string) => walk(playbook, path, id).step !== null;
  const begun = [...new Set(path.map(({ symptom }) => symptom))]
    .filter((id) => known.includes(id) && path.some((step) => step.symptom === id && step.answer !== null))
    .findLast(isOpen);
  if (begun !== undefined) return { symptomId: begun, why: 'this branch was begun' };
  if (declared !== null && known.includes(declared) && isOpen(declared))
    return { symptomId: declared, why: 'it was declared so' };
  return suggestions.find(({ symptomId }) => isOpen(symptomId)) ?? null;
}

/** Records the answer, once, and shows the next step. */
export async function answerTree(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  given: { incident: Incident; symptom: string; step: string; answer: Answer; by: string },
): Promise<{ kind: 'answered' } | { kind: 'already' }> {
  const { incident, symptom, step, answer, by } = given;
  const at = flow.clock.now();
  const instruction = instructionOf(playbookFor(flow.config, incident.service), symptom, step);
  return flow.db.transaction().execute(async (tx) => {
    const recorded = await answerStep(
      tx,
      { incidentId: incident.id, symptom, step },
      { answer, decidedBy: by, at },
    );
    if (recorded === null) return { kind: 'already' };
    const text = `Answered ${answer} to: ${instruction}`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'decision', actor: by, text });
    await enqueue(tx, showTree(incident.id, symptom, at));
    return { kind: 'answered' };
  });
}

/** The question as the playbook has it; the id when the playbook has changed since. */
export function instructionOf(playbook: Playbook, symptomId: string, stepId: string): string {
  const symptom = playbook.symptoms.find(({ id }) => id === symptomId);
  return symptom?.steps.find(({ id }) => id === stepId)?.instruction ?? stepId;
}

export function symptomText(playbook: Playbook, symptomId: string): string {
  return playbook.symptoms.find(({ id }) => id === symptomId)?.symptom ?? symptomId;
}

/** Where the walk of one symptom ended, if it did. */
export function leafOf(
  playbook: Playbook,
  path: Parameters<typeof walk>[1],
  symptomId: string,
): string | undefined {
  const isKnown = playbook.symptoms.some(({ id }) => id === symptomId);
  return isKnown ? walk(playbook, path, symptomId).leaf?.advice : undefined;
}

/** The symptom that a person means by a word of theirs. */
export function nearestSymptom(
  playbook: Playbook,
  word: string,
): { kind: 'found'; id: string } | { kind: 'unknown'; nearest: string[] } {
  const ids = playbook.symptoms.map(({ id }) => id);
  const slug = word.toLowerCase().trim().replace(/\s+/g, '-');
  if (ids.includes(slug)) return { kind: 'found', id: slug };
  const starting = ids.filter((id) => id.startsWith(slug));
  if (starting.length === 1) return { kind: 'found', id: starting[0] as string };
  const near = ids.filter((id) => distance(id, slug) <= 4 || id.includes(slug));
  return { kind: 'unknown', nearest: near.length > 0 ? near : [closest(slug, ids)] };
}
