import type { LeafAction } from '../../decision/playbook.ts';
import { isPrompt } from '../../evidence/ledger.ts';
import type { Incident } from '../../incident/incident.ts';
import { describeSteps, type Plan, undoOf, type Wanted } from '../../mitigation/plan.ts';
import { describePlan } from '../../mitigation/shift.ts';
import { outputTokensQuantile } from '../../sources/usage-store.ts';
import type { Flow } from '../flow.ts';
import { type About, aboutIncident } from '../incident/about-incident.ts';
import type { WantedState } from '../mitigate/aim.ts';
import { describeProposal } from '../mitigate/describe-proposal.ts';
import { preparePlan } from '../mitigate/propose.ts';
import { limitFor } from '../mitigate/throttle-offender.ts';
import type { TreeLeafView } from '../ports.ts';
import { offenderOf } from '../watch/offender.ts';
import { changesAbout, couldHaveBegun, isModel } from './look-at-changes.ts';
import { kindOfCost } from './look-at-usage.ts';

const NOTICE = 'These answers may be wrong at the moment; please check them.';
const USUAL_QUANTILE = 0.95;

/** What a leaf's plan wants, from what the findings name; or why nothing can be prepared. */
export type LeafWish =
  | { kind: 'wanted'; wanted: WantedState; why: string }
  | { kind: 'nothing'; why: string };

const KNOWN_GOOD: LeafWish = { kind: 'wanted', wanted: 'known-good', why: 'The decision tree leads here.' };

/**
 * What the leaf wants. Policy: it goes back to what the ledger says was served before the change that the tree found;
 * where the ledger does not know that, to the known-good state.
 */
export async function wishOf(flow: Flow, incident: Incident, action: LeafAction): Promise<LeafWish> {
  const about = await aboutIncident(flow, incident);
  if (about === null) return { kind: 'nothing', why: 'The incident names no service.' };
  switch (action) {
    case 'propose':
      return KNOWN_GOOD;
    case 'contain':
      return named([{ setting: 'enabled', to: false }], 'The decision tree leads to containing it.');
    case 'previous-prompt':
      return before(flow, about, { isWanted: isPrompt, version: ['version'] });
    case 'previous-model':
      return before(flow, about, { isWanted: isModel, version: ['served', 'requested'] });
    case 'limit-offender':
      return limit(flow, incident, about);
    case 'cap-tokens':
      return cap(flow, about);
    case 'simple-answers':
      return named([{ setting: 'fallback', to: 'simple' }], 'The decision tree leads to the simpler model.');
    case 'disclaimer':
      return named([{ setting: 'disclaimer', to: NOTICE }], 'The decision tree leads to a notice.');
  }
}

const named = (wanted: readonly Wanted[], why: string): LeafWish => ({ kind: 'wanted', wanted, why });

async function before(
  flow: Flow,
  about: About,
  of: { isWanted: (component: string) => boolean; version: readonly string[] },
): Promise<LeafWish> {
  const change = couldHaveBegun(await changesAbout(flow, about), of.isWanted);
  const version = of.version.map((key) => change?.from?.[key]).find((value) => value != null);
  if (change === undefined || version == null) return KNOWN_GOOD;
  return named([{ setting: change.component, to: version }], `The decision tree found: ${change.sentence}.`);
}

async function limit(flow: Flow, incident: Incident, about: About): Promise<LeafWish> {
  const { subject, because } = await kindOfCost(flow, about);
  const whom = (await offenderOf(flow, incident)) ?? subject;
  if (whom === null) return { kind: 'nothing', why: 'Nobody stands out whom a limit would hit.' };
  const setting = `limit:${whom}`;
  const { to, already } = await limitFor(flow, incident, setting);
  if (already !== null) return { kind: 'nothing', why: `${whom} is limited to ${already} a minute already.` };
  return named([{ setting, to }], `The decision tree found: ${because.join('; ')}.`);
}

async function cap(flow: Flow, { baseline }: About): Promise<LeafWish> {
  const usual = await outputTokensQuantile(flow.db, { ...baseline, quantile: USUAL_QUANTILE });
  if (usual === null) return { kind: 'nothing', why: 'How long answers usually are is not known.' };
  const to = Math.max(1, Math.ceil(usual));
  return named(
    [{ setting: 'token-cap', to }],
    `95 % of answers were no longer than ${to} tokens before it began.`,
  );
}

/** The plan of a leaf as it would be proposed now, in lines for people; nothing is changed. */
export async function previewLeaf(
  flow: Flow,
  incident: Incident,
  action: LeafAction,
): Promise<NonNullable<TreeLeafView['plan']>> {
  const wish = await wishOf(flow, incident, action);
  if (wish.kind === 'nothing') return { isReady: false, lines: [wish.why] };
  const prepared = await preparePlan(flow, { incident, ...wish });
  if (prepared.kind === 'planned') return { isReady: true, lines: linesOf(prepared.plan) };
  if (prepared.kind === 'nothing-to-change')
    return { isReady: false, lines: ['The target serves that already.'] };
  return { isReady: false, lines: [describeProposal(prepared)] };
}

function linesOf(plan: Plan): string[] {
  const { approval, standing } = plan;
  const who =
    standing !== null
      ? `One click of someone who may (standing approval ${standing.what})`
      : approval === 'two'
        ? 'Two others who may must approve it'
        : 'Someone else who may must approve it';
  const undo = undoOf(plan.steps);
  const back = undo.length === 0 ? 'none: the target does not say what it serves now' : describeSteps(undo);
  return [describePlan(plan), plan.why, plan.blastRadius, `${who}. Undo: ${back}.`];
}
