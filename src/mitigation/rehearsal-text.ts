import type { Check, RehearsalResult, ReplayRecord } from './rehearsal.ts';
import type { EndedEarly } from './replay-through.ts';

/** Why a rehearsal says nothing although it ran; null when it says something. Policy: no answer at all is no finding. */
export function nothingFound(result: RehearsalResult, records: readonly ReplayRecord[]): string | null {
  const { endedEarly } = result;
  if (records.length === 0)
    return endedEarly === null ? 'no recorded call has its text any more' : ENDED[endedEarly];
  if (result.unanswered === records.length) {
    const problem = records.find(({ note }) => note !== null)?.note;
    return `no replay was answered${problem === undefined || problem === null ? '' : `: ${problem}`}`;
  }
  if (result.failing > 0) return null;
  const unseen = records.find(({ side, verdict }) => side === 'failing' && verdict === 'unjudged')?.note;
  return unseen === undefined ? 'no failing call was replayed' : cannotJudge(unseen);
}

const ENDED: Record<EndedEarly, string> = {
  time: 'the time for it was over',
  budget: 'its budget for this incident is spent',
  'no-answers': 'the endpoint does not answer',
};

const CURES: Partial<Record<Check, string>> = {
  score: 'nothing here can score an answer; configure a judge, or let the endpoint answer `score`',
  format: 'nothing here knows the format; configure `format`, or let the endpoint answer `format_ok`',
  classifier: 'no classifier is configured that could look at an answer',
  'user-flag': 'what users flagged cannot be looked at again by a check',
};

function cannotJudge(check: string | null): string {
  return CURES[check as Check] ?? 'no check that failed can be repeated on a replay';
}

/** "fixes 18 of 20, breaks 0 of 20": for a button. */
export function shortResult({ fixed, failing, broken, good }: RehearsalResult): string {
  return `fixes ${fixed} of ${failing}${good === 0 ? '' : `, breaks ${broken} of ${good}`}`;
}

/** The same with all that limits it, in one sentence. */
export function describeResult(name: string, result: RehearsalResult): string {
  const { timedOut, unanswered, unjudged, withoutText, notSent, endedEarly, costUsd } = result;
  const refused = unanswered - timedOut;
  const parts = [
    `${name} ${shortResult(result)}`,
    result.good === 0 ? 'no good call to compare with' : null,
    timedOut === 0 ? null : `${timedOut} timed out`,
    refused === 0 ? null : `${refused} got no answer`,
    unjudged === 0 ? null : `${unjudged} could not be judged`,
    withoutText === 0 ? null : `${withoutText} left out, their texts are gone`,
    endedEarly === null ? null : `ended early with ${notSent} left: ${ENDED[endedEarly]}`,
    costUsd === null ? null : `about $${costUsd.toFixed(2)}`,
  ];
  return `${parts.filter((part) => part !== null).join('; ')}.`;
}
