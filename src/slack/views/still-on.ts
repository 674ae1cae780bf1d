import type { IncidentCard } from '../../flow/room/incident-card.ts';
import { person, slackDate, truncate } from '../mrkdwn.ts';
import { outsideLine } from './outside-text.ts';

/** "disable the feature: proven · since …, @owner, until …" */
export function stillOnLine({ what, since, owner, until, kept }: IncidentCard['stillOn'][number]): string {
  const whose = owner === null ? 'no owner' : truncate(person(owner), 80);
  const end = until === null ? 'kept for good' : `until ${slackDate(until)}`;
  const why = kept === null ? '' : ` (${outsideLine(kept, 120)})`;
  return `${outsideLine(what, 200)} · since ${slackDate(since)} · ${whose} · ${end}${why}`;
}
