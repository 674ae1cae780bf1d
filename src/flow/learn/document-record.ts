import { type Incident, isPerson } from '../../incident/incident.ts';
import { acknowledgerOf } from '../../incident/people-store.ts';
import { blameless, type RoleHolders, standIns } from '../../postmortem/blameless.ts';
import type { Names } from '../../postmortem/mrkdwn.ts';
import { peopleIn, withPlainMentions } from '../../postmortem/people-in-record.ts';
import type { PostmortemRecord } from '../../postmortem/record.ts';
import { type Flow, serviceConfig } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';
import type { Kept } from './keep-files.ts';

type Using = Pick<Flow, 'db' | 'chat' | 'config' | 'log'>;

const MOST_NAMES = 200;

/** The record as a document tells it: everyone by name, or by role where no names are wanted. */
export interface Told {
  record: PostmortemRecord;
  names: Names;
}

export async function tellRecord(flow: Using, incident: Incident, record: PostmortemRecord): Promise<Told> {
  const people = peopleIn(record);
  const names = new Map<string, string>();
  for (const id of people.slice(0, MOST_NAMES)) names.set(id, await nameOrId(flow, id));
  if (!flow.config.blameless_names) return { record: withPlainMentions(record, names), names };
  const roles = standIns(await roleHolders(flow, incident, record), people);
  return { record: blameless(record, { roles, names }), names: roles };
}

/** Who did what; what somebody did in the incident names them before what they are. */
async function roleHolders(
  flow: Pick<Flow, 'db' | 'config'>,
  incident: Incident,
  record: PostmortemRecord,
): Promise<RoleHolders[]> {
  const { commander, comms, scribe, service } = incident;
  const { contacts } = flow.config;
  const one = (role: string, person: string | null | undefined): RoleHolders => {
    return { role, people: person == null ? [] : [person] };
  };
  const several = (role: string, people: readonly string[]) => ({ role, people: people.filter(isPerson) });
  return [
    one('commander', commander),
    one('on-call engineer', await acknowledgerOf(flow.db, incident.id)),
    one('communications', comms),
    one('scribe', scribe),
    several('declarer', [incident.declared_by ?? '']),
    one('service owner', serviceConfig(flow, service)?.owner),
    several(
      'approver',
      record.mitigations.flatMap(({ approvedBy }) => approvedBy),
    ),
    several('engineering lead', contacts.engineering_lead),
    several('legal', contacts.legal),
    several('compliance', contacts.compliance),
    several('comms contact', contacts.comms),
    several('product', contacts.product),
  ];
}

/** The record with what became of each file of its messages. */
export function withFiles(record: PostmortemRecord, kept: ReadonlyMap<string, Kept>): PostmortemRecord {
  if (kept.size === 0) return record;
  const messages = record.messages.map((message) => {
    if (message.files.length === 0) return message;
    return { ...message, files: message.files.map((file) => ({ ...file, ...kept.get(file.id ?? '') })) };
  });
  return { ...record, messages };
}
