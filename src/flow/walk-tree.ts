import { closest, distance } from 'fastest-levenshtein';
import { enqueue } from '../db/jobs.ts';
import { answerStep, pathOf, recordStep } from '../decision/decision-store.ts';
import { type Answer, type LooksAt, loadPlaybook } from '../decision/playbook.ts';
import { type Observations, suggest, walk } from '../decision/walk.ts';
import { rowsOf } from '../evidence/ledger-store.ts';
import { suspects } from '../evidence/what-changed.ts';
import type { Incident } from '../incident/incident.ts';
import { addToTimeline, findIncident, milestonesOf } from '../incident/incident-store.ts';
import { inputShape } from '../sources/call-sample-store.ts';
import { showTree } from './effects.ts';
import type { Flow } from './flow.ts';
import type { TreeView } from './ports.ts';

const playbook = loadPlaybook();
const LOOK_BACK_MS = 24 * 3_600_000;
const CONTEXT_WINDOW_MS = 30 * 60_000;
const CONTEXT_GREW = 1.3;

/** The symptoms to choose from, or the step of one that is to be answered now, with what the evidence says to it. */
export async function loadTree(
  flow: Pick<Flow, 'db' | 'clock'>,
  { incidentId, symptom }: { incidentId: number; symptom: string | null },
): Promise<TreeView> {
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const looked = await lookAt(flow, incident);
  if (symptom === null)
    return { incidentId, choices: choicesFor(looked.observations), step: null, leaf: null };
  const position = walk(playbook, await pathOf(flow.db, incidentId), symptom);
  if (position.step === null) {
    const { advice, action } = position.leaf;
    return { incidentId, choices: [], step: null, leaf: { advice, action } };
  }
  const { step } = position;
  const finding = looked.findings[step.looks_at] ?? null;
  const at = flow.clock.now();
  await recordStep(flow.db, { incidentId, symptom, step: step.id, finding, at });
  const asked = {
    symptomId: symptom,
    symptom: position.symptom.symptom,
    likelyCause: position.symptom.likely_cause,
    stepId: step.id,
    instruction: step.instruction,
    finding,
    answers: ['yes', 'no', 'unknown'] as ('yes' | 'no' | 'unknown')[],
  };
  return { incidentId, choices: [], step: asked, leaf: null };
}

function choicesFor(seen: Observations): TreeView['choices'] {
  const suggested = new Map(suggest(playbook, seen).map(({ symptomId, why }) => [symptomId, why]));
  const rank = (id: string) => [...suggested.keys()].indexOf(id);
  return playbook.symptoms
    .map(({ id, symptom }) => ({ id, symptom, suggested: suggested.get(id) ?? null }))
    .sort((a, b) => Number(a.suggested === null) - Number(b.suggested === null) || rank(a.id) - rank(b.id));
}

interface Looked {
  observations: Observations;
  findings: Partial<Record<LooksAt, string>>;
}

/** What can be read without a person: changes in the ledger, the length of contexts, what fired. */
async function lookAt(flow: Pick<Flow, 'db' | 'clock'>, incident: Incident): Promise<Looked> {
  const findings: Looked['findings'] = {};
  const scoreFell = incident.rule === 'quality.score';
  const formatFell = incident.rule === 'quality.format';
  const nothing = { promptChanged: false, modelChanged: false, contextGrew: false, errorsRose: false };
  if (incident.service === null) return { observations: { ...nothing, scoreFell, formatFell }, findings };
  const { started } = await milestonesOf(flow.db, incident.id);
  const onset = started ?? incident.created_at;
  const about = { service: incident.service, environment: incident.environment };
  const since = new Date(onset.getTime() - LOOK_BACK_MS);
  const changes = suspects(await rowsOf(flow.db, { ...about, since, until: flow.clock.now() }), onset);
  const ofPrompt = changes.find((change) => change.component.startsWith('prompt:'));
  const ofModel = changes.find((change) => change.component === 'model');
  findings['last-prompt-change'] = ofPrompt?.sentence ?? 'No prompt change in the 24 hours before it began.';
  findings['served-model'] =
    ofModel?.sentence ?? 'The served model did not change in the 24 hours before it began.';
  const context = await contextLength(flow, about, onset);
  if (context !== null) findings['context-length'] = context.sentence;
  const observations = {
    promptChanged: ofPrompt !== undefined,
    modelChanged: ofModel !== undefined,
    contextGrew: context?.grew ?? false,
    errorsRose: false,
    scoreFell,
    formatFell,
  };
  return { observations, findings };
}

async function contextLength(
  flow: Pick<Flow, 'db'>,
  about: { service: string; environment: string },
  onset: Date,
): Promise<{ grew: boolean; sentence: string } | null> {
  const window = (fromMs: number, toMs: number) => ({
    ...about,
    from: new Date(onset.getTime() + fromMs),
    to: new Date(onset.getTime() + toMs),
  });
  const was = await inputShape(flow.db, window(-LOOK_BACK_MS, 0));
  const is = await inputShape(flow.db, window(0, CONTEXT_WINDOW_MS));
  if (was.meanInputTokens === null || is.meanInputTokens === null) return null;
  const [beforeTokens, afterTokens] = [was.meanInputTokens, is.meanInputTokens].map(Math.round);
  const sentence = `Average context ${beforeTokens} input tokens before, ${afterTokens} after it began.`;
  return { grew: is.meanInputTokens > CONTEXT_GREW * was.meanInputTokens, sentence };
}

/** Records the answer, once, and shows the next step. */
export async function answerTree(
  flow: Pick<Flow, 'db' | 'clock'>,
  given: { incident: Incident; symptom: string; step: string; answer: Answer; by: string },
): Promise<{ kind: 'answered' } | { kind: 'already' }> {
  const { incident, symptom, step, answer, by } = given;
  const at = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const recorded = await answerStep(
      tx,
      { incidentId: incident.id, symptom, step },
      { answer, decidedBy: by, at },
    );
    if (recorded === null) return { kind: 'already' };
    const text = `${symptom}: ${instructionOf(symptom, step)} ${answer}.`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'decision', actor: by, text });
    await enqueue(tx, showTree(incident.id, symptom, at));
    return { kind: 'answered' };
  });
}

/** The question as the playbook has it; the id when the playbook has changed since. */
export function instructionOf(symptomId: string, stepId: string): string {
  const symptom = playbook.symptoms.find(({ id }) => id === symptomId);
  return symptom?.steps.find(({ id }) => id === stepId)?.instruction ?? stepId;
}

export function symptomText(symptomId: string): string {
  return playbook.symptoms.find(({ id }) => id === symptomId)?.symptom ?? symptomId;
}

/** Where the walk of one symptom ended, if it did. */
export function leafOf(path: Parameters<typeof walk>[1], symptomId: string): string | undefined {
  const isKnown = playbook.symptoms.some(({ id }) => id === symptomId);
  return isKnown ? walk(playbook, path, symptomId).leaf?.advice : undefined;
}

export function nearestSymptom(
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
