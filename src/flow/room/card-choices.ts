import type { Db } from '../../db/database.ts';
import type { Row } from '../../db/schema.ts';
import { type Incident, LIVE } from '../../incident/incident.ts';
import { keepMeasured, measuredFor } from '../../incident/room-card-store.ts';
import { mitigationsOn } from '../../mitigation/lease-store.ts';
import { wantedToServe } from '../../mitigation/ledger-component.ts';
import { parsePlan, type Step } from '../../mitigation/plan.ts';
import type { Flow } from '../flow.ts';
import { WAIVED } from '../incident/contain-ladder.ts';
import { findKnownGood, type KnownGood } from '../ledger/known-good.ts';
import { blastRadius } from '../mitigate/blast-radius.ts';
import type { CardMenuChoice, IncidentCard } from './incident-card.ts';

/** What is costly to look up. */
export interface Measured {
  knownGood: KnownGood | null;
  blastRadius: IncidentCard['blastRadius'];
}

const MEASURED_FOR_MS = 5 * 60_000;

/**
 * Policy: what is known-good and what a change would touch are looked up again when something has happened in the
 * incident, and else every five minutes; a card that only counts on costs no more than a few rows.
 */
export async function measuredOn(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'targetFor'>,
  incident: Incident,
  timeline: readonly Row<'incident_event'>[],
): Promise<Measured> {
  const { id: incidentId, service, environment } = incident;
  const at = flow.clock.now();
  const event = Math.max(0, ...timeline.map(({ id }) => id));
  const since = new Date(at.getTime() - MEASURED_FOR_MS);
  const kept = await measuredFor(flow.db, { incidentId, event, since });
  if (kept !== undefined) return kept as unknown as Measured;
  const knownGood = await findKnownGood(flow, incident);
  const isOffered =
    LIVE.includes(incident.status) && service !== null && flow.targetFor({ service, environment }) !== null;
  const blastRadius = isOffered
    ? await radiusOf(flow, incident, knownGood)
    : { propose: null, contain: null };
  await keepMeasured(flow.db, { incidentId, event, at, measured: { knownGood, blastRadius } });
  return { knownGood, blastRadius };
}

type Choices = Pick<IncidentCard, 'rollBackTo' | 'blastRadius' | 'hasTarget' | 'waived' | 'menu'>;

/** What the card offers, and what each of it would touch; nothing is looked up once it is over. */
export function choicesOn(
  flow: Pick<Flow, 'targetFor'>,
  incident: Incident,
  seen: Measured & { timeline: readonly Row<'incident_event'>[] },
): Choices {
  const { service, environment } = incident;
  const hasTarget = service !== null && flow.targetFor({ service, environment }) !== null;
  const isLive = LIVE.includes(incident.status);
  const waived = seen.timeline.findLast(({ kind }) => kind === WAIVED);
  return {
    rollBackTo: shortName(seen.knownGood),
    blastRadius: seen.blastRadius,
    hasTarget,
    waived: waived === undefined ? null : { by: waived.actor ?? 'somebody', reason: waived.text },
    menu: isLive ? menuOf(incident) : [],
  };
}

/**
 * Policy: while a fallback answers, another model serves on purpose, and the one from before is no cure: going back to it
 * is a resume, which is asked for by name.
 */
export async function answersByFallback(db: Db, incidentId: number): Promise<boolean> {
  const on = await mitigationsOn(db, { incidentId });
  return on
    .flatMap(({ plan }) => parsePlan(plan).steps)
    .some(({ setting, to }) => setting === 'fallback' && to !== 'none');
}

/** "v13", "gpt-4-0314": what the label of the button names; of several settings the first. */
function shortName(good: KnownGood | null): string | null {
  if (good === null) return null;
  const names = wantedToServe(good.changed).map(({ to }) => String(to ?? 'none'));
  const [first, ...more] = names;
  if (first === undefined) return null;
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

async function radiusOf(
  flow: Pick<Flow, 'db' | 'clock'>,
  { service, environment }: Incident,
  good: KnownGood | null,
): Promise<IncidentCard['blastRadius']> {
  const about = { service: service ?? '', environment, shift: null };
  const back = wantedToServe(good?.changed ?? {}).map((wanted): Step => ({ ...wanted, from: null }));
  const off: Step[] = [{ setting: 'enabled', from: true, to: false }];
  return {
    propose: back.length === 0 ? null : await blastRadius(flow, { ...about, steps: back }),
    contain: await blastRadius(flow, { ...about, steps: off }),
  };
}

/** What stands on a button already, or cannot change, is left out. */
function menuOf({ private: isPrivate, status, category }: Incident): CardMenuChoice[] {
  const isButton = status === 'contained' || status === 'mitigated';
  return [
    'page',
    ...(category === 'safety' ? [] : ['severity' as const]),
    ...(isPrivate ? [] : ['private' as const]),
    'tree',
    'update',
    ...(isButton ? [] : ['resolve' as const]),
  ];
}
