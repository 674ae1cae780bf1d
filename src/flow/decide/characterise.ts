import { enqueue } from '../../db/jobs.ts';
import {
  affectedAnswer,
  CHARACTERISTICS,
  type Characteristic,
  changedAnswer,
  type EvidenceAnswer,
  failureAnswer,
  type OnsetFacts,
  QUESTIONS,
  type ReproductionFacts,
  reproducibleAnswer,
  startedAnswer,
} from '../../decision/characteristic.ts';
import {
  answersTo,
  type CountingAnswer,
  countingAnswers,
  keepAnswer,
} from '../../decision/characteristic-store.ts';
import { estimateOnset } from '../../detection/onset.ts';
import { rowsOf } from '../../evidence/ledger-store.ts';
import { effectiveRows, suspects } from '../../evidence/what-changed.ts';
import { type Incident, isPerson } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { exposure } from '../../sources/call-statistics-store.ts';
import { errorCodes, failureKinds, inputsOf, segmentsIn, soundMinutes } from '../../sources/failure-store.ts';
import { minutesOf } from '../../sources/minute-store.ts';
import { showCharacteristics } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { type About, aboutIncident } from '../incident/about-incident.ts';
import { rehearsalConfig } from '../mitigate/rehearsal-config.ts';
import type { CharacteristicsView } from './characteristics-view.ts';

const ONSET_LOOK_BACK_MS = [2 * 3_600_000, 24 * 3_600_000];
const REPRODUCTIONS = 3;

type Looking = Pick<Flow, 'db' | 'clock' | 'config'>;

/**
 * What the evidence answers now is kept beside what people said. Policy: nothing is asked of anybody that the calls, the
 * ledger or a replay can tell; a replay is sent only when somebody asks for it.
 */
export async function characterise(flow: Looking, incidentId: number): Promise<CharacteristicsView> {
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  const about = await aboutIncident(flow, incident);
  const at = flow.clock.now();
  const answers: Partial<Record<Characteristic, EvidenceAnswer>> =
    about === null ? {} : await evidenceAnswers(flow, incident, about);
  for (const question of QUESTIONS) {
    const answer = answers[question];
    if (answer !== undefined) await keepAnswer(flow.db, { incidentId, question, by: null, at, ...answer });
  }
  return loadCharacteristics(flow, incidentId);
}

/** The five questions as they are answered now; nothing is looked at anew. */
export async function loadCharacteristics(
  flow: Pick<Flow, 'db' | 'config'>,
  incidentId: number,
): Promise<CharacteristicsView> {
  const incident = await findIncident(flow.db, incidentId);
  const counting = countingAnswers(await answersTo(flow.db, incidentId));
  const mayReplay = incident !== undefined && rehearsalConfig(flow, incident) !== null;
  const candidates = counting.get('reproducible')?.evidence?.evidence['candidates'];
  return {
    incidentId,
    questions: QUESTIONS.map((question) => questionView(question, counting.get(question))),
    mayReproduce: mayReplay && Array.isArray(candidates) && candidates.length > 0,
  };
}

function questionView(
  question: Characteristic,
  counting: CountingAnswer | undefined,
): CharacteristicsView['questions'][number] {
  const asked = CHARACTERISTICS[question];
  if (counting === undefined) return { question, asked, answer: null, by: null, evidence: null };
  const { counts, evidence } = counting;
  const isBeside = counts.by !== null && evidence !== null;
  return { question, asked, answer: counts.text, by: counts.by, evidence: isBeside ? evidence.text : null };
}

async function evidenceAnswers(
  flow: Looking,
  incident: Incident,
  about: About,
): Promise<Record<Characteristic, EvidenceAnswer>> {
  const { db } = flow;
  const onset = await onsetOf(flow, incident, about);
  const window = { ...about.window, from: onset?.at ?? about.window.from };
  const { calls, kinds } = await failureKinds(db, { ...window, ...about.bar });
  const bad = kinds.reduce((sum, { n }) => sum + n, 0);
  const { exposedUsers } = await exposure(db, window, about.bar.passScore);
  const segments = await segmentsIn(db, { ...window, ...about.bar });
  const since = new Date(window.from.getTime() - 24 * 3_600_000);
  const rows = await rowsOf(db, { ...about.service, since, until: flow.clock.now() });
  return {
    started: startedAnswer(onset, { said: about.said, declared: incident.created_at }),
    affected: affectedAnswer({ calls, bad, users: exposedUsers, segments }),
    failure: failureAnswer({ calls, kinds, errors: await errorCodes(db, window) }),
    reproducible: await reproductions(flow, incident, about),
    changed: changedAnswer(suspects(rows, window.from)),
  };
}

/** By the measure of the rule that tripped, else by the share of answers with nothing against them. */
async function onsetOf(flow: Looking, incident: Incident, about: About): Promise<OnsetFacts | null> {
  const { db } = flow;
  const rule = incident.rule ?? 'quality.score';
  const to = about.window.to;
  for (const lookBackMs of ONSET_LOOK_BACK_MS) {
    const window = { ...about.service, from: new Date(incident.created_at.getTime() - lookBackMs), to };
    const rows = await rowsOf(db, { ...about.service, since: window.from, until: to });
    const changes = effectiveRows(rows).map((row) => row.at);
    const own = estimateOnset((await minutesOf(db, { ...window, rule })) ?? [], changes);
    if (own !== null) return { ...own, of: MEASURES[rule] ?? 'the measure that tripped' };
    const any = estimateOnset(await soundMinutes(db, { ...window, ...about.bar }), changes);
    if (any !== null) return { ...any, of: 'share of sound answers' };
  }
  return null;
}

const MEASURES: Readonly<Record<string, OnsetFacts['of']>> = {
  'quality.score': 'quality score',
  'quality.format': 'format compliance',
};

/** What was replayed before stays the answer. */
async function reproductions(flow: Looking, incident: Incident, about: About): Promise<EvidenceAnswer> {
  const kept = countingAnswers(await answersTo(flow.db, incident.id)).get('reproducible')?.evidence?.evidence;
  const replays = (kept?.['replays'] ?? []) as ReproductionFacts['replays'];
  const failing = await inputsOf(flow.db, {
    ...about.window,
    ...about.bar,
    which: 'bad',
    limit: REPRODUCTIONS,
  });
  const obstacle =
    rehearsalConfig(flow, incident) === null ? 'no rehearsal endpoint is declared for this service' : null;
  return reproducibleAnswer({ replays, candidates: failing.map(({ callId }) => callId), obstacle });
}

export type Answering = { kind: 'kept' | 'same' } | { kind: 'too-long' };

const LONGEST_ANSWER = 1_500;

/** Keeps what a person says to one of the five; the evidence's answer stays beside it. */
export async function answerCharacteristic(
  flow: Pick<Flow, 'db' | 'clock'>,
  given: { incident: Incident; by: string; question: Characteristic; text: string },
): Promise<Answering> {
  const { incident, by, question } = given;
  const text = given.text.trim();
  if (text.length > LONGEST_ANSWER) return { kind: 'too-long' };
  const at = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const counting = countingAnswers(await answersTo(tx, incident.id)).get(question);
    if (counting?.counts.text === text) return { kind: 'same' };
    await keepAnswer(tx, { incidentId: incident.id, question, text, by, evidence: {}, at });
    const said = `${CHARACTERISTICS[question]} ${text}`;
    await addToTimeline(tx, {
      incidentId: incident.id,
      at,
      kind: 'characterised',
      actor: isPerson(by) ? by : null,
      text: said,
    });
    await enqueue(tx, showCharacteristics(incident.id, at));
    return { kind: 'kept' };
  });
}
