import {
  handOverLease,
  keepLease,
  type LeaseRefusal,
  LONGEST_LEASE_HOURS,
  takeBackLease,
} from '../../flow/mitigate/answer-lease.ts';
import { type StillOn, stillOn } from '../../flow/mitigate/still-on.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { factLine, outsideLine } from '../views/outside-text.ts';
import { type Ask, incidentOfChannel, inRoom, proposalAnswer, type Subcommand } from './ask.ts';
import { type Button, FOREIGN } from './buttons.ts';
import { refusal as gate } from './gate.ts';

const USAGE =
  'Use `lease NUMBER keep HOURS REASON`, `lease NUMBER keep for-good REASON`, `lease NUMBER owner @USER`, or `lease` alone for what is on.';

/** `lease` lists; `lease 4 keep 48 REASON`, `lease 4 keep for-good REASON`, `lease 4 owner @user` answer. */
export const lease: Subcommand = async (ask) => {
  const asked = readLease(ask.text);
  if (asked === null) return USAGE;
  return asked.kind === 'list' ? listOn(ask) : answer({ ...ask, text: ask.text });
};

const answer = inRoom(async ({ flow, incident, userId: by, text }) => {
  const asked = readLease(text);
  if (asked === null || asked.kind === 'list') return USAGE;
  const question = { incident, mitigationId: asked.mitigationId, by };
  if (asked.kind === 'owner') {
    const outcome = await handOverLease(flow, { ...question, to: asked.to });
    return outcome.kind === 'handed-over'
      ? `${person(asked.to)} has the lease of mitigation ${asked.mitigationId} now.`
      : refusal(outcome);
  }
  return keepAnswer(await keepLease(flow, { ...question, hours: asked.hours, reason: asked.reason }));
});

type ReadLease =
  | { kind: 'list' }
  | { kind: 'keep'; mitigationId: number; hours: number | null; reason: string }
  | { kind: 'owner'; mitigationId: number; to: string };

/** Null: not understood. Hours may be said as `48`, `48h` or `2d`. */
export function readLease(text: string): ReadLease | null {
  if (text.trim() === '') return { kind: 'list' };
  const [, id, word, rest = ''] = /^(\d{1,9})\s+(keep|owner)\s+(\S[\s\S]*)$/i.exec(text.trim()) ?? [];
  if (id === undefined || word === undefined) return null;
  const mitigationId = Number(id);
  if (word.toLowerCase() === 'owner') {
    const to = /^(?:<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|([UW][A-Z0-9]{6,}))$/.exec(rest.trim());
    return to === null ? null : { kind: 'owner', mitigationId, to: (to[1] ?? to[2]) as string };
  }
  const [, length = '', unit, reason = ''] =
    /^(for-good|\d{1,4}(?:\.\d+)?)\s*(h|d)?(?:\s+([\s\S]*))?$/i.exec(rest) ?? [];
  if (length === '') return null;
  const hours = length.toLowerCase() === 'for-good' ? null : Number(length) * (unit === 'd' ? 24 : 1);
  return { kind: 'keep', mitigationId, hours, reason: reason.trim() };
}

/** What is on: of this room's incident, or elsewhere of all incidents that anybody may see. */
async function listOn({ flow, incident }: Ask): Promise<string> {
  const all = await stillOn(flow.db, incident === null ? {} : { incidentId: incident.id });
  const shown: string[] = [];
  for (const one of all) {
    const of = one.incidentId === null ? undefined : await findIncident(flow.db, one.incidentId);
    if (incident === null && of?.private !== false) continue;
    const where = incident === null && of !== undefined ? `${nameOf(of.id)}, ` : '';
    shown.push(`• ${where}${leaseLine(one)}`);
  }
  return shown.length === 0 ? 'No mitigation is on.' : truncate(shown.join('\n'), 2900);
}

/** "4: disable the feature, on since …, @owner, until …". */
export function leaseLine(one: StillOn): string {
  const owner = one.owner === null ? 'no owner' : person(one.owner);
  const end = one.until === null ? 'for good' : `until ${slackDate(one.until)}`;
  const kept = one.kept === null ? '' : ` · kept on purpose: ${outsideLine(one.kept.reason, 150)}`;
  return `${one.mitigationId}: ${outsideLine(one.what, 200)} · on since ${slackDate(one.since)} · ${owner} · ${end}${kept}`;
}

/** Why a lease was not answered, for whoever asked. */
export function refusal(outcome: LeaseRefusal): string {
  switch (outcome.kind) {
    case 'not-on':
      return `${outcome.why}. Nothing was changed.`;
    case 'wrong':
      return `${outcome.problem} Nothing was changed.`;
    case 'not-allowed':
      return `You may not decide this. Who may: ${outcome.who.map(person).join(', ') || 'nobody is configured'}. Nothing was changed.`;
  }
}

export function keepAnswer(outcome: Awaited<ReturnType<typeof keepLease>>): string {
  if (outcome.kind !== 'kept') return refusal(outcome);
  const what = outsideLine(outcome.what, 200);
  return outcome.until === null
    ? `Kept on purpose for good: ${what}.`
    : `Kept until ${slackDate(outcome.until)}: ${what}. Its owner is asked again then.`;
}

/** The button *Take it back*: an undo, for those who must approve it. */
export const takeLeaseBack: Button = async ({ flow, channelId, userId: by, value }) => {
  const incident = await incidentOfChannel(flow, channelId);
  const mitigationId = /^\d{1,9}$/.test(value) ? Number(value) : -1;
  if (incident === null) return FOREIGN;
  const refused = await gate(flow, { incident, by, action: 'mitigate' });
  if (refused !== null) return refused;
  const outcome = await takeBackLease(flow, { incident, mitigationId, by });
  return outcome.kind === 'asked' ? proposalAnswer(outcome.proposed) : refusal(outcome);
};

/** What closing answers while something is on, with the command for each. */
export function describeStillOn(incident: Incident, mitigations: readonly StillOn[]): string {
  const lines = mitigations.map((one) => `• ${leaseLine(one)}`);
  const [first] = mitigations;
  const how = `Keep each on purpose, with its reason (\`/llm-incident lease ${first?.mitigationId} keep for-good REASON\`, or HOURS up to ${LONGEST_LEASE_HOURS}), or take it back (\`/llm-incident mitigate undo ${first?.mitigationId}\`).`;
  return truncate(
    [`${factLine(nameOf(incident.id), 20)} is not closed: this is still on.`, ...lines, how].join('\n'),
    2900,
  );
}
