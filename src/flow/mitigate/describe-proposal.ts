import { type Plan, parsePlan } from '../../mitigation/plan.ts';
import type { Proposed } from './propose.ts';
import { describeGap } from './safety-release.ts';

/** What to tell whoever asked for it. */
export function describeProposal(outcome: Proposed): string {
  switch (outcome.kind) {
    case 'proposed':
      return `Proposed: ${outcome.summary}. ${whoApproves(parsePlan(outcome.mitigation.plan))}; the buttons are in the room.`;
    case 'already-proposed':
      return `That is proposed already: ${outcome.summary}. Its buttons are in the room.`;
    case 'ended':
      return `The incident is ${outcome.status}; nothing can be proposed any more.`;
    case 'no-service':
      return 'This incident names no service, so there is nothing to change.';
    case 'no-target':
      return 'No target is configured for this service. Change it where it runs, then `/llm-incident contain HOW`.';
    case 'no-known-good':
      return `${noKnownGood(outcome.silent)} Name one: \`mitigate prompt NAME=VERSION\` or \`mitigate model ID\`.`;
    case 'nothing-to-undo':
      return `${outcome.why}. Nothing was proposed.`;
    case 'wrong':
      return `${outcome.problem} Nothing was proposed.`;
    case 'cannot':
      return `The target ${outcome.target} cannot change ${outcome.setting}. Nothing was proposed.`;
    case 'nothing-to-change':
      return `${outcome.summary} Nothing to change.`;
    case 'not-released':
      return `${describeGap(outcome.gap, { mentions: true })} Nothing was proposed.`;
    case 'target-unreachable':
      return `The target could not be read, so nothing was proposed: ${outcome.problem}.`;
  }
}

function noKnownGood(silent: readonly string[]): string {
  return silent.length === 0
    ? 'The ledger has no state that was green long enough before this began.'
    : `What was green before this began does not answer any more when probed: ${silent.join('; ')}.`;
}

function whoApproves({ approval, standing }: Plan): string {
  if (standing !== null)
    return `The standing approval \`${standing.what}\` covers it, so anyone who may approve runs it with one click`;
  if (approval === 'two') return 'Two others who may must approve it';
  return 'Someone else who may must approve it';
}
