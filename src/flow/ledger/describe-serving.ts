import type { ServingState } from '../../evidence/ledger.ts';
import { rowsOf, stateAt } from '../../evidence/ledger-store.ts';
import { diff, type Suspect, suspects } from '../../evidence/what-changed.ts';
import { withoutTwin } from '../../mitigation/ledger-component.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import { describeComponent, nameOfComponent } from './component-text.ts';
import { knownGoodBefore } from './known-good.ts';

export interface AboutServing {
  service: string;
  environment: string;
  /** None: now; one: then; two: what became different between them. */
  times: readonly Date[];
  /** When the trouble began, for the known-good state; now where there is none. */
  onset: Date | null;
  /** Limited users and sessions are named in rooms only. */
  isInRoom: boolean;
}

type Describing = Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log'>;

const SHOWN_CHANGES = 8;
const LOOK_BACK_MS = 7 * 24 * 3_600_000;

/** What the ledger knows, in lines of text for a phone. */
export async function describeServing(flow: Describing, about: AboutServing): Promise<string[]> {
  const now = flow.clock.now();
  const [first, second] = about.times;
  if (first !== undefined && second !== undefined) return between(flow, about, [first, second]);
  const at = first ?? now;
  const state = await servedAt(flow, about, at);
  const when = first === undefined ? 'now' : `at ${minute(first)}`;
  const heading = `${about.service} (${about.environment}) ${when}`;
  const served = Object.entries(state).map(
    ([component, values]) => `${nameIn(about, component)}: ${describeComponent(values)}`,
  );
  const lines = [heading, ...(served.length === 0 ? ['The ledger knows nothing of it.'] : served)];
  if (first !== undefined || served.length === 0) return lines;
  const since = new Date(now.getTime() - LOOK_BACK_MS);
  const changes = await changesIn(flow, about, [since, new Date(now.getTime() + 1)]);
  const good = await knownGoodBefore(flow, { ...about, onset: about.onset ?? now });
  const known = good === null ? 'none' : `${good.name || 'what is served now'}. ${good.sentence}`;
  return [...lines, ...changed(changes, 'Changed in the last 7 days'), `Known-good: ${known}`];
}

async function between(
  flow: Describing,
  about: AboutServing,
  [from, to]: readonly [Date, Date],
): Promise<string[]> {
  const differences = diff(await servedAt(flow, about, from), await servedAt(flow, about, to));
  const heading = `${about.service} (${about.environment}) from ${minute(from)} to ${minute(to)}`;
  const lines = differences
    .filter(({ component }) => isShown(about, component))
    .map(({ sentence }) => sentence);
  const changes = await changesIn(flow, about, [new Date(from.getTime() + 1), new Date(to.getTime() + 1)]);
  return [
    heading,
    ...(lines.length === 0 ? ['Nothing is different.'] : lines),
    ...changed(changes, 'On the way'),
  ];
}

async function servedAt(flow: Describing, about: AboutServing, at: Date): Promise<ServingState> {
  const { service, environment } = about;
  return withoutTwin(await stateAt(flow.db, { service, environment, at }));
}

/** Newest first, with the names of people. */
async function changesIn(
  flow: Describing,
  about: AboutServing,
  [since, until]: readonly [Date, Date],
): Promise<string[]> {
  const { service, environment } = about;
  const rows = await rowsOf(flow.db, { service, environment, since, until });
  const found = suspects(rows, until)
    .filter(({ component }) => isShown(about, component))
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const shown = await Promise.all(found.slice(0, SHOWN_CHANGES).map((one) => changeLine(flow, one)));
  return found.length > shown.length ? [...shown, `and ${found.length - shown.length} more`] : shown;
}

async function changeLine(flow: Describing, { at, change, actor }: Suspect): Promise<string> {
  const by = actor === null ? '' : ` by ${await namedActor(flow, actor)}`;
  return `${minute(at)}: ${change}${by}`;
}

/** A row's actor for people: a Slack id that it begins with is that person's name. */
export async function namedActor(flow: Pick<Flow, 'chat' | 'log'>, actor: string): Promise<string> {
  const [id] = /^[UW][A-Z0-9]{5,}(?= \(mitigation )/.exec(actor) ?? [];
  return id === undefined ? actor : `${await nameOrId(flow, id)}${actor.slice(id.length)}`;
}

const changed = (changes: readonly string[], heading: string) =>
  changes.length === 0 ? [] : [`${heading}:`, ...changes];

const OF_SOMEBODY = /^limit:(user|session) /;

function isShown({ isInRoom }: AboutServing, component: string): boolean {
  return isInRoom || !OF_SOMEBODY.test(component);
}

function nameIn({ isInRoom }: AboutServing, component: string): string {
  const [, whose] = OF_SOMEBODY.exec(component) ?? [];
  return whose === undefined || isInRoom ? nameOfComponent(component) : `limit of one ${whose}`;
}

const minute = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
