import { distance, minutesBetween } from '../../decision/characteristic.ts';
import { evaluationsBetween } from '../../detection/evaluation-store.ts';
import { isPrompt } from '../../evidence/ledger.ts';
import { rowsOf } from '../../evidence/ledger-store.ts';
import { type Suspect, suspects } from '../../evidence/what-changed.ts';
import { errorCodes } from '../../sources/failure-store.ts';
import { servedVariants } from '../../sources/stratified-sample-store.ts';
import { serviceConfig } from '../flow.ts';
import type { About } from '../incident/about-incident.ts';
import type { Investigation, Looking } from './investigation.ts';

const LOOK_BACK_MS = 24 * 3_600_000;
const LONG_BACK_MS = 90 * LOOK_BACK_MS;
const STATUS_LOOK_BACK_MS = 30 * 60_000;
/** A change that came clearly after it began did not begin it. */
const ONSET_SLACK_MS = 5 * 60_000;

/** What the ledger saw change in the 24 hours before it began and since, the most suspicious first. */
export async function changesAbout(flow: Looking, { service, onset }: About): Promise<Suspect[]> {
  const since = new Date(onset.getTime() - LOOK_BACK_MS);
  return suspects(await rowsOf(flow.db, { ...service, since, until: flow.clock.now() }), onset);
}

/** The change of a kind that may have begun it, if there is one. */
export function couldHaveBegun(
  changes: readonly Suspect[],
  isWanted: (component: string) => boolean,
): Suspect | undefined {
  return changes.find(({ component, fromOnsetMs }) => isWanted(component) && fromOnsetMs <= ONSET_SLACK_MS);
}

export const isModel = (component: string) => component === 'model';
export const isIndex = (component: string) => component === 'index' || component.startsWith('index:');

const said = ({ sentence, fromOnsetMs }: Suspect) => `${sentence}, ${distance(fromOnsetMs)}`;

export const promptChange: Investigation = async (flow, _incident, about) => {
  const found = couldHaveBegun(await changesAbout(flow, about), isPrompt);
  return found === undefined
    ? { text: 'No prompt change in the 24 hours before it began.', says: 'no' }
    : { text: said(found), says: 'yes' };
};

/** Another model than before, or than was asked for. */
export const servedModel: Investigation = async (flow, _incident, about) => {
  const found = couldHaveBegun(await changesAbout(flow, about), isModel);
  if (found !== undefined) return { text: said(found), says: 'yes' };
  const variants = await servedVariants(flow.db, about.window);
  const models = [...new Set(variants.flatMap(({ responseModel }) => responseModel ?? []))];
  const now = models.length === 0 ? '' : ` Served now: ${models.slice(0, 3).join(', ')}.`;
  return { text: `The served model did not change in the 24 hours before it began.${now}`, says: 'no' };
};

/** Whether the index was rebuilt shortly before it began. */
export const indexUpdate: Investigation = async (flow, _incident, about) => {
  const found = couldHaveBegun(await changesAbout(flow, about), isIndex);
  if (found !== undefined) return { text: said(found), says: 'yes' };
  const { text, isKnown } = await lastIndexUpdate(flow, about);
  return {
    text: isKnown ? `Not in the 24 hours before it began. ${text}` : text,
    says: isKnown ? 'no' : null,
  };
};

/** How old the index is; whether that is too old only people know. */
export const indexAge: Investigation = async (flow, _incident, about) => ({
  text: (await lastIndexUpdate(flow, about)).text,
  says: null,
});

export const sourceDates: Investigation = async (flow, _incident, about) => ({
  text: `${(await lastIndexUpdate(flow, about)).text} Compare the dates of the documents that the failing answers draw on with that.`,
  says: null,
});

async function lastIndexUpdate(
  flow: Looking,
  { service }: About,
): Promise<{ text: string; isKnown: boolean }> {
  const now = flow.clock.now();
  const since = new Date(now.getTime() - LONG_BACK_MS);
  const rows = await rowsOf(flow.db, { ...service, since, until: now });
  const newest = new Map(
    rows.filter(({ component }) => isIndex(component)).map((row) => [row.component, row]),
  );
  if (newest.size === 0)
    return {
      text: 'The ledger has seen no index update. Have the refresh tell `POST /v1/changes`, kind `index`.',
      isKnown: false,
    };
  const lines = [...newest.values()].map(({ component, state, at }) => {
    const value = Object.values(state).find((one) => one !== null) ?? 'unknown';
    return `${component.replace(':', ' ')} is ${value}, updated ${minutesBetween(at, now)} ago (${utc(at)})`;
  });
  return { text: `${lines.join('; ')}.`, isKnown: true };
}

/** What the rule about the provider's page read last. */
export const providerStatus: Investigation = async (flow, _incident, { service }) => {
  if (serviceConfig(flow, service.service)?.provider_status === undefined)
    return { text: 'No status page is configured for this service (`provider_status`).', says: null };
  const to = new Date(flow.clock.now().getTime() + 1);
  const from = new Date(to.getTime() - STATUS_LOOK_BACK_MS);
  const read = await evaluationsBetween(flow.db, { ...service, rule: 'outage.provider', from, to });
  const last = read.at(-1);
  if (last?.value == null) {
    const why = last?.detail == null ? '' : `: ${last.detail}`;
    return { text: `The status page could not be read in the last 30 minutes${why}.`, says: null };
  }
  const asOf = `as of ${utc(last.at)}`;
  if (last.value === 0) return { text: `The status page reports no trouble, ${asOf}.`, says: 'no' };
  return { text: `The status page reports trouble, ${asOf}: ${last.detail ?? 'see the page'}.`, says: 'yes' };
};

/** Where providers say what changes in their APIs. */
const CHANGELOGS: readonly [RegExp, string][] = [
  [/^(?:gpt|o\d|chatgpt)/i, 'https://platform.openai.com/docs/changelog'],
  [/claude/i, 'https://platform.claude.com/docs/en/release-notes/overview'],
  [/gemini/i, 'https://ai.google.dev/gemini-api/docs/changelog'],
];

const OF_THE_API =
  /\b(?:400|404|410|422|not.?found|deprecat|retired|unsupported|unknown.?(?:model|parameter)|invalid.?(?:request|parameter|model))/i;

/** Errors that read like an API that changed, and where its provider writes that down. */
export const apiChangelog: Investigation = async (flow, _incident, about) => {
  const codes = await errorCodes(flow.db, about.window);
  const all = codes.reduce((sum, { n }) => sum + n, 0);
  const alike = codes.filter(({ error }) => OF_THE_API.test(error));
  const n = alike.reduce((sum, one) => sum + one.n, 0);
  const models = (await servedVariants(flow.db, about.window)).flatMap(
    ({ requestModel }) => requestModel ?? [],
  );
  const pages = CHANGELOGS.filter(([pattern]) => models.some((model) => pattern.test(model))).map(
    ([, page]) => page,
  );
  const where =
    pages.length === 0 ? 'Look at the changelog of your provider.' : `Changelog: ${pages.join(', ')}`;
  const errors =
    all === 0
      ? 'No call failed with an error.'
      : `${n} of ${all} errors read like a changed API${
          n === 0
            ? ''
            : ` (${alike
                .slice(0, 3)
                .map(({ error }) => error.slice(0, 60))
                .join(', ')})`
        }.`;
  return { text: `${errors} ${where}`, says: all > 0 && n === 0 ? 'no' : null };
};

const utc = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
